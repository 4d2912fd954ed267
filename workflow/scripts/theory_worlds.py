"""Evaluate every statement in the random worlds of some families."""

import pandas as pd

from ggmi.io import write_csv
from ggmi.theory.study import evaluate_family, family_named

p = snakemake.params
rows = [row for name in p.families for row in evaluate_family(family_named(name), p.seed, worlds=p.worlds)]
write_csv(snakemake.output[0], pd.DataFrame(rows))
