"""Take the records out of a generator's responses."""

from ggmi.io import read_json, write_json
from ggmi.pipeline.sets import parsed_rows
from ggmi.text.jsonl import read_rows, write_rows
from ggmi.text.templates import read_prompts
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    given, made = snakemake.input, snakemake.output
    anchors = {prompt.id: prompt.anchor_ids for prompt in read_prompts(given.prompts)}
    responses = (row for _, row in read_rows(given.responses))
    records, failures, summary = parsed_rows(responses, anchors, snakemake.wildcards.generator)
    write_rows(made.records, records)
    write_rows(made.failures, failures)
    write_json(made.summary, {**summary, "missing": read_json(given.outcome)["missing"]})
