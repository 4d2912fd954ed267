"""Compute the limit of many coordinates, and simulate what it describes."""

from ggmi.data_quality.curves import Curves
from ggmi.data_quality.limit import against_limit
from ggmi.io import write_csv

p, limit = snakemake.params, snakemake.params.limit
curves = Curves(**p.sizes, d=limit["d"], m=limit["d"] // 2)
write_csv(snakemake.output[0], against_limit(curves, *(limit[x] for x in ("interference", "lengths", "prompts"))))
