"""Compute the test error by length of prompts."""

from ggmi.data_quality.curves import Curves, by_length
from ggmi.io import write_csv

p, grid = snakemake.params, snakemake.params.curves
curves = Curves(
    **p.sizes, d=grid["d"], m=grid["d"] // 2, test_steps=grid["test_steps"], test_prompts=grid["test_prompts"]
)
swept = [grid[name] for name in ("interferences", "swept_lengths", "swept_prompts", "base_length")]
write_csv(snakemake.output[0], by_length(curves, *swept))
