"""Gather all ratings of a task into Table 1."""

from ggmi.io import read_json, write_csv, write_json
from ggmi.pipeline.ratings import agreement_table, ratings_long, table1
from ggmi.provenance import record
from ggmi.text.jsonl import read_rows

p, given, made = snakemake.params, snakemake.input, snakemake.output
verdicts = {
    condition: [row for _, row in read_rows(path)] for condition, path in zip(p.conditions, given.verdicts, strict=True)
}
ratings = ratings_long(verdicts, p.seeds)
table, notes = table1(ratings, p.conditions, p.seed)
write_csv(made.ratings, ratings)
write_csv(made.table, table)
write_csv(made.agreement, agreement_table(verdicts, p.seeds, p.seed))
write_json(made.notes, {"judge": p.judge, "notes": notes, **read_json(given.warnings)})
write_json(made.provenance, record("ratings", p, [*given.verdicts, given.warnings]))
