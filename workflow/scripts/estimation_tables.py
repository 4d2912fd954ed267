"""Gather a task's estimates: tidy, as published, and what becomes of the published claims."""

from ggmi.io import read_json, write_csv, write_json
from ggmi.pipeline.estimation_claims import claims_table
from ggmi.pipeline.estimation_tables import curves_table, estimates_table, published_table
from ggmi.provenance import record

p, made = snakemake.params, snakemake.output
found = {tuple(place): read_json(path) for place, path in zip(p.places, snakemake.input, strict=True)}
table = estimates_table(found, p.seed)
write_csv(made.estimates, table)
write_csv(made.curves, curves_table(found))
write_csv(made.published, published_table(table))
write_csv(made.claims, claims_table(table, p.generators, p.conditions, p.seed))
write_json(made.provenance, record("estimation_tables", p, snakemake.input))
