"""Read a synthetic set that exists already, or join what was read of its shards."""

from pathlib import Path

from ggmi.io import write_json
from ggmi.pipeline.anchors import read_source
from ggmi.pipeline.sets import imported_failures, imported_rows, imported_summary
from ggmi.pipeline.shards import join_rows, merge_readings
from ggmi.text.jsonl import write_rows

p, made = snakemake.params, snakemake.output
if folders := [*map(Path, snakemake.input.get("shards", []))]:
    reading, count, changes = merge_readings(folders, p.source["source"], p.source["fields"], p.source["invalid"])
    join_rows(folders, changes, Path(made.records))
else:
    found = read_source(p.source)
    reading, count = found.reading, len(found)
    write_rows(made.records, imported_rows(found, snakemake.wildcards.generator))
write_rows(made.failures, imported_failures(reading))
write_json(made.summary, imported_summary(count, reading))
