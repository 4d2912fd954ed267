"""Search the same problems by every method, with every verifier and width."""

import sys

from ggmi.reasoning.problems import load_problems
from ggmi.reasoning.searching import Plan, save_outcomes, search_all
from ggmi.reasoning.verifiers import load_all

p, w, given = snakemake.params, snakemake.wildcards, snakemake.input
name = f"{w.group}/{w.name}"
(problems,) = load_problems(given.problems).values()


def shown(done, total):
    sys.stderr.write(f"searches of {name}: {done:,} of {total:,} problems\n")


models = load_all(given.reasoner, given.orm, given.prm)
save_outcomes(snakemake.output[0], search_all(models, problems, Plan(**p.plan), p.seed, name, shown))
