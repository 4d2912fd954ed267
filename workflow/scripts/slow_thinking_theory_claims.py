"""Judge claims by the exact theory."""

from ggmi.claims import partial_table
from ggmi.io import read_csv, write_csv
from ggmi.slow_thinking.claims import theory_claims

given = snakemake.input
tables = [read_csv(given[name]) for name in ("verdicts", "matching", "exact")]
write_csv(snakemake.output[0], partial_table(theory_claims(*tables)))
