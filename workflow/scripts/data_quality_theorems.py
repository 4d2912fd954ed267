"""Measure what the theorems say on random prompts."""

from ggmi.data_quality.theorems import theorem_table
from ggmi.io import write_csv

p = snakemake.params
write_csv(snakemake.output[0], theorem_table(p.seed, p.seeds, p.d))
