"""Write down how a generator is asked: how fast, for how much, and where its responses are kept."""

from ggmi.io import write_json
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    write_json(snakemake.output[0], snakemake.params.manner)
