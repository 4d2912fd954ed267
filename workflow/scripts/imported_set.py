"""Read a synthetic set that exists already."""

from ggmi.io import write_json
from ggmi.pipeline.sets import imported_rows
from ggmi.text.jsonl import write_rows
from ggmi.text.samples import read_sample
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    made = snakemake.output
    found = read_sample(snakemake.input[0], dict(snakemake.params.fields))
    records, summary = imported_rows(found, snakemake.wildcards.generator)
    write_rows(made.records, records)
    write_rows(made.failures, [])
    write_json(made.summary, summary)
