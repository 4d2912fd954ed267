"""Read a shard of a set that exists already."""

from pathlib import Path

from ggmi.pipeline.shards import read_shard

p, made = snakemake.params, Path(snakemake.output[0])
made.mkdir(parents=True, exist_ok=True)
read_shard([Path(file) for file in snakemake.input], p.source, snakemake.wildcards.generator, made, several=p.several)
