"""Put estimates beside what is exactly true in the embedded world."""

from ggmi.io import read_csv, write_csv
from ggmi.pipeline.estimation_tables import exact_quantities, first_records_gain, truth_table
from ggmi.pipeline.world import skill_counts, world_of
from ggmi.text.jsonl import read_rows
from ggmi.text.records import read_records
from ggmi.text.samples import read_made
from ggmi.text.templates import read_prompts

p, given = snakemake.params, snakemake.input
language, domains = world_of(p.seed, p.sizes)
anchors = {record.id: record.instruction for record in read_records(given.anchors)}
exact = {
    condition: exact_quantities(domains, skill_counts(language, anchors, read_prompts(path)))
    for condition, path in zip(p.conditions, given.prompts, strict=True)
}
firsts = {
    tuple(place): first_records_gain(read_made(path), [row["position"] for _, row in read_rows(path)], p.seed)
    for place, path in zip(p.places, given.sets, strict=True)
}
write_csv(snakemake.output[0], truth_table(read_csv(given.estimates), firsts, exact))
