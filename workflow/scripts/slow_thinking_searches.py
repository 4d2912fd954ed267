"""Refute some statements on slow thinking in every regime, and certify what is found."""

from dataclasses import asdict

from ggmi.io import write_json
from ggmi.slow_thinking.refuting import refute

p = snakemake.params
effort = {"worlds": p.worlds, "restarts": p.restarts, "steps": p.steps}
write_json(snakemake.output[0], [asdict(o) for key in p.statements for o in refute(key, p.seed, **effort)])
