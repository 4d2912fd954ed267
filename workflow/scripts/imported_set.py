"""Read a synthetic set that exists already."""

from ggmi.io import write_json
from ggmi.pipeline.anchors import read_source
from ggmi.pipeline.sets import imported_failures, imported_rows
from ggmi.text.jsonl import write_rows

made = snakemake.output
found = read_source(snakemake.params.source)
records, summary = imported_rows(found, snakemake.wildcards.generator)
write_rows(made.records, records)
write_rows(made.failures, imported_failures(found))
write_json(made.summary, summary)
