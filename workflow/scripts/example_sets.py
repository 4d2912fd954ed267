"""Evaluate the bounds on errors for training sets of several examples."""

from ggmi.io import write_csv, write_json
from ggmi.theory.examples import evaluate_examples

table, certificates = evaluate_examples(snakemake.params.seed, worlds=snakemake.params.worlds)
write_csv(snakemake.output.table, table)
write_json(snakemake.output.certificates, certificates)
