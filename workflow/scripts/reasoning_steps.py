"""Measure every step and every length of a reasoner's chains."""

from ggmi.io import write_csv
from ggmi.random import stream
from ggmi.reasoning.information import step_tables
from ggmi.reasoning.problems import load_problems
from ggmi.reasoning.samples import load_samples

p, w, given = snakemake.params, snakemake.wildcards, snakemake.input
samples = load_samples(given.samples, load_problems(given.problems))
generator = stream(p.seed, "reasoning", f"{w.group}/{w.name}", "information")
steps, lengths = step_tables(samples, generator)
write_csv(snakemake.output.steps, steps)
write_csv(snakemake.output.lengths, lengths)
