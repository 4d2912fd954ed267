"""Take the records out of a generator's responses."""

from ggmi.io import read_json, write_json
from ggmi.pipeline.sets import format_of, parsed_rows
from ggmi.text.jsonl import read_rows, write_rows
from ggmi.text.templates import read_prompts
from ggmi.text.thinking import thinks_at_once

given, made = snakemake.input, snakemake.output
anchors = {prompt.id: prompt.anchor_ids for prompt in read_prompts(given.prompts)}
form = format_of(snakemake.params.form)
at_once = thinks_at_once((row["text"] for _, row in read_rows(given.responses)), form.marks)
responses = (row for _, row in read_rows(given.responses))
records, failures, summary = parsed_rows(responses, anchors, snakemake.wildcards.generator, form, at_once=at_once)
write_rows(made.records, records)
write_rows(made.failures, failures)
outcome = read_json(given.outcome)
write_json(made.summary, {**summary, **{name: outcome[name] for name in ("missing", "cut_prompts")}})
