"""Make the index of the words of a shard."""

from pathlib import Path

from ggmi.pipeline.shards import index_shard

given = snakemake.input
ranks = Path(given.merged, f"ranks-{snakemake.wildcards.shard}.npy")
index_shard(Path(given.screened), ranks, snakemake.params.near, Path(snakemake.output[0]))
