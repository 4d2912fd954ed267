"""Draw the records of a set that its estimates look at."""

from pathlib import Path

from ggmi.pipeline.shards import write_sample

p = snakemake.params
write_sample(Path(snakemake.input[0]), p.records, p.seed, Path(snakemake.output[0]))
