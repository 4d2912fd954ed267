"""Train a verifier on a reasoner's own chains."""

from pathlib import Path

import pandas as pd

from ggmi.io import write_csv
from ggmi.reasoning.problems import load_problems
from ggmi.reasoning.reasoner import save
from ggmi.reasoning.samples import load_samples
from ggmi.reasoning.verifiers import train_verifier
from ggmi.workflow.job import steps_shown

p, w, given = snakemake.params, snakemake.wildcards, snakemake.input
name, recipe = f"{w.group}/{w.name}", p.recipe
(samples,) = load_samples(given.samples, load_problems(given.problems)).values()
trained = train_verifier(
    w.kind,
    Path(given.model),
    samples,
    p.seed,
    name,
    steps=p.steps,
    rate=recipe["rate"],
    chains=recipe["batch"],
    progress=steps_shown(f"{w.kind} of {name}"),
)
save(trained.model, Path(snakemake.output.model))
write_csv(snakemake.output.curve, pd.DataFrame(trained.rows))
