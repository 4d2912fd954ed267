"""Sample one chain of each problem from a reasoner; for verifiers, of half the problems at a higher temperature."""

from pathlib import Path

from ggmi.random import stream
from ggmi.reasoning.problems import load_problems
from ggmi.reasoning.reasoner import load
from ggmi.reasoning.samples import sample_chains, sample_with_hot, save_samples

p, w, given = snakemake.params, snakemake.wildcards, snakemake.input
model = load(Path(given.model))
made = {}
for n, problems in load_problems(given.problems).items():
    use = "training" if p.hot else "samples"
    generator = stream(p.seed, "reasoning", f"{w.group}/{w.name}", use, n)
    if p.hot:
        made[n] = sample_with_hot(model, problems, generator, p.hot)
    else:
        made[n] = sample_chains(model, problems, generator)
save_samples(snakemake.output[0], made)
