"""Measure how often verifiers choose right, by step and width."""

from ggmi.io import write_csv
from ggmi.random import stream
from ggmi.reasoning.problems import load_problems
from ggmi.reasoning.reliability import reliability_table
from ggmi.reasoning.verifiers import load_all

p, w, given = snakemake.params, snakemake.wildcards, snakemake.input
models = load_all(given.reasoner, given.orm, given.prm)
(problems,) = load_problems(given.problems).values()
generator = stream(p.seed, "reasoning", f"{w.group}/{w.name}", "reliability")
write_csv(snakemake.output[0], reliability_table(models, problems, p.widths, generator))
