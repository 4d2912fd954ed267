"""Measure what the theorems say on random prompts."""

from ggmi.data_quality.theorems import theorem_table
from ggmi.io import write_csv
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    p = snakemake.params
    write_csv(snakemake.output[0], theorem_table(p.seed, p.seeds, p.d))
