"""Curate a shard as far as its records stand alone, and sum up what the other shards need of it."""

from pathlib import Path

from ggmi.pipeline.sets import curation_of
from ggmi.pipeline.shards import screen_shard
from ggmi.text.records import read_records

given, made = snakemake.input, Path(snakemake.output[0])
references = {path.stem: list(read_records(path)) for path in map(Path, given.get("references", []))}
screen_shard(Path(given.rows, "rows.jsonl"), curation_of(snakemake.params.curation), references, made)
