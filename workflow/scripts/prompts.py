"""Draw the in-context instances of every prompt and fill the template."""

from ggmi.text.records import read_records
from ggmi.text.splitting import instance_sets
from ggmi.text.templates import read_template, write_prompts
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    p, given = snakemake.params.settings, snakemake.input
    x = int(snakemake.wildcards.x)
    pool = list(read_records(given.pool))
    sets = instance_sets(pool, [x], p["prompts"], snakemake.params.seed, draw=p["draw"])
    template = read_template(given.template)
    write_prompts(snakemake.output[0], [template.fill(anchors, count=p["count"]) for anchors in sets[x]])
