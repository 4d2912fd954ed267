"""Search some statements, and what amends them, for violations, and certify what is found."""

from dataclasses import asdict

from ggmi.io import write_json
from ggmi.theory.catalogue import with_amendments
from ggmi.theory.study import refute
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    p = snakemake.params
    keys = [key for statement in p.statements for key in with_amendments(statement)]
    found = [asdict(refute(key, p.seed, restarts=p.restarts, steps=p.steps)) for key in keys]
    write_json(snakemake.output[0], found)
