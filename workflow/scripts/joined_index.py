"""Join the indexes of all shards of a set."""

from pathlib import Path

from ggmi.text.near_index import join_indexes

join_indexes([*map(Path, snakemake.input)], Path(snakemake.output[0]))
