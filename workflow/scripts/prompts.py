"""Draw the in-context instances of every prompt and fill the template."""

from ggmi.pipeline.responses import prompts_of
from ggmi.text.records import read_records
from ggmi.text.templates import read_template, write_prompts

p, given, w = snakemake.params, snakemake.input, snakemake.wildcards
pool, template = list(read_records(given.pool)), read_template(given.template)
write_prompts(snakemake.output[0], prompts_of(pool, template, int(w.x), p.settings, p.seed, f"tasks.{w.task}"))
