"""Gather how well every generator kept to the format, and what curation removed."""

from ggmi.io import read_json, write_csv, write_json
from ggmi.pipeline.tables import curation_table, validity_table
from ggmi.provenance import record

p, given, made = snakemake.params, snakemake.input, snakemake.output
parsed = [read_json(path) for path in given.parsed]
curated = [read_json(path) for path in given.curated]
write_csv(made.validity, validity_table(p.conditions, parsed))
write_csv(made.curation, curation_table(p.conditions, p.curations, curated))
write_json(made.provenance, record("synthesis_tables", p, [*given.parsed, *given.curated, given.split]))
