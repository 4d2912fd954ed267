"""Gather what was measured of the reasoners, with controls, laws and claims."""

from ggmi.claims import partial_table
from ggmi.io import read_csv, read_json, write_csv, write_json
from ggmi.provenance import record
from ggmi.random import stream
from ggmi.reasoning.problems import load_problems
from ggmi.reasoning.reasoner_tables import control_lengths, reasoner_tables

p, given, made = snakemake.params, snakemake.input, snakemake.output
controls = {
    group: control_lengths(load_problems(path), stream(p.seed, "reasoning", group, "plan"))
    for group, path in zip(p.groups, given.problems, strict=True)
}
read = [[read_csv(path) for path in given[part]] for part in ("curves", "steps", "lengths")]
reached = [read_json(path)["criterion_reached"] for path in given.records]
tables, claims = reasoner_tables(p.reasoners, *read, reached, controls)
for name, table in tables.items():
    write_csv(made[name], table)
write_csv(made.claims, partial_table(claims))
write_json(made.provenance, record("reasoning_tables", p, given))
