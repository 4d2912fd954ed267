"""Search some statements for violations in every regime, and certify what is found."""

from dataclasses import asdict

from ggmi.io import write_json
from ggmi.theory.study import refute

p = snakemake.params
found = [asdict(r) for key in p.statements for r in refute(key, p.seed, restarts=p.restarts, steps=p.steps)]
write_json(snakemake.output[0], found)
