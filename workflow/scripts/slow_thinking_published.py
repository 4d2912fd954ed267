"""Fit the published points again."""

from ggmi.claims import partial_table
from ggmi.io import read_csv, write_csv, write_json
from ggmi.provenance import record
from ggmi.slow_thinking.claims import published_claims
from ggmi.slow_thinking.published import fits_table, panels, totals_table
from ggmi.slow_thinking.width import exponents_table, width_table

p, given, made = snakemake.params, snakemake.input, snakemake.output
shown = panels(read_csv(given.gsm8k), read_csv(given.math500))
width = width_table(read_csv(given.width))
tables = [totals_table(shown, p.seed, p.permutations), fits_table(shown), width, exponents_table(width)]
for path, table in zip((made.totals, made.fits, made.width, made.exponents), tables, strict=True):
    write_csv(path, table)
write_csv(made.claims, partial_table(published_claims(*tables)))
write_json(made.provenance, record("slow_thinking_published", p, given))
