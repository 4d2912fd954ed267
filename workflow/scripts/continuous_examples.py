"""Write the examples of continuous variables."""

from ggmi.io import write_csv
from ggmi.theory.continuous import continuous_table
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    write_csv(snakemake.output[0], continuous_table())
