"""Judge all claims of a study together."""

from ggmi.claims import claims_of, claims_table
from ggmi.io import read_csv, write_csv

claims = [claim for path in snakemake.input for claim in claims_of(read_csv(path))]
write_csv(snakemake.output[0], claims_table(claims))
