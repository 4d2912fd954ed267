"""Find pairs of near-duplicates of a set by a part of its index."""

from pathlib import Path

from ggmi.pipeline.shards import search_part

p, given = snakemake.params, snakemake.input
part = int(snakemake.wildcards.shard)
search_part(Path(given.index), Path(given.merged), p.near, part, p.shards, Path(snakemake.output[0]))
