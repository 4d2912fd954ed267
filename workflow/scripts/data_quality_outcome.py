"""Supervise the outcomes of a small model, and measure the curvature of its loss."""

from ggmi.data_quality.outcome_study import Small, curvature_table, outcome_table
from ggmi.io import write_csv

p, made, grid = snakemake.params, snakemake.output, snakemake.params.outcome
small = Small(p.seed, p.seeds, grid["d"], grid["d"] // 2, p.rho)
bent = [grid[f"curvature_{name}"] for name in ("lengths", "prompts", "steps")]
write_csv(made.curvature, curvature_table(small, *bent))
trained = [grid[name] for name in ("lengths", "prompts", "steps", "descents", "shifts")]
write_csv(made.outcome, outcome_table(small, *trained))
