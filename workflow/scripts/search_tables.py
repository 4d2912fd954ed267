"""Gather accuracy and cost of all searches, comparisons at matched cost, and claims."""

from ggmi.claims import partial_table
from ggmi.io import read_csv, write_csv, write_json
from ggmi.provenance import record
from ggmi.reasoning.search_claims import search_claims
from ggmi.reasoning.search_tables import matched_table, searches_table, together
from ggmi.reasoning.searching import load_outcomes

p, given, made = snakemake.params, snakemake.input, snakemake.output
tables = {"searches": {}, "matched": {}, "reliability": {}}
claims = []
for name, searches, reliability in zip(p.reasoners, given.searches, given.reliability, strict=True):
    outcomes, measured = load_outcomes(searches), read_csv(reliability)
    tables["searches"][name] = searches_table(outcomes, measured)
    tables["matched"][name] = matched_table(outcomes)
    tables["reliability"][name] = measured
    claims += search_claims(name, outcomes, measured, tables["matched"][name])
for name, parts in tables.items():
    write_csv(made[name], together(parts))
write_csv(made.claims, partial_table(claims))
write_json(made.provenance, record("search_tables", p, given))
