"""Compute the test error by number of prompts."""

from ggmi.data_quality.curves import Curves, by_prompts
from ggmi.io import write_csv

p, grid = snakemake.params, snakemake.params.curves
curves = Curves(
    **p.sizes, d=grid["d"], m=grid["d"] // 2, test_steps=grid["test_steps"], test_prompts=grid["test_prompts"]
)
swept = [grid[name] for name in ("interferences", "lengths", "prompts", "chained_prompts")]
write_csv(snakemake.output[0], by_prompts(curves, *swept))
