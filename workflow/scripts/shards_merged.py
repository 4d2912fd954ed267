"""Find equal records among all shards of a set, and number their words alike."""

from pathlib import Path

from ggmi.pipeline.sets import curation_of
from ggmi.pipeline.shards import merge_screened

merge_screened([*map(Path, snakemake.input)], curation_of(snakemake.params.curation), Path(snakemake.output[0]))
