"""Compare the skills that generators write with what the ideal one would write after the same prompts."""

from ggmi.io import write_csv, write_json
from ggmi.pipeline.world import shares_table, world_of
from ggmi.provenance import record
from ggmi.text.jsonl import read_rows
from ggmi.text.records import read_records
from ggmi.text.templates import read_prompts

p, given = snakemake.params, snakemake.input
language, domains = world_of(p.seed, p.sizes)
anchors = {record.id: record.instruction for record in read_records(given.anchors)}
prompts = {f"{x}-ins": read_prompts(path) for x, path in zip(p.instances, given.prompts, strict=True)}
records = {
    tuple(condition): [row for _, row in read_rows(path)]
    for condition, path in zip(p.conditions, given.records, strict=True)
}
table = shares_table(language, domains, anchors, prompts, records, p.seed)
write_csv(snakemake.output.table, table)
write_json(snakemake.output.provenance, record("shares", p, [given.anchors, *given.prompts, *given.records]))
