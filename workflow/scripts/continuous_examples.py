"""Write the examples of continuous variables."""

from ggmi.io import write_csv
from ggmi.theory.continuous import continuous_table

write_csv(snakemake.output[0], continuous_table())
