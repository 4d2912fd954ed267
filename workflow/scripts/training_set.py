"""Put together what a condition's students learn: without what the test set asks, in the size that is matched."""

from collections import Counter

from ggmi.io import read_csv, read_json, write_json
from ggmi.pipeline.scores import scores_of
from ggmi.pipeline.students import form_of, response_lengths
from ggmi.pipeline.training_sets import gathered, matched, read_set
from ggmi.text.jsonl import write_rows

p, given, made = snakemake.params, snakemake.input, snakemake.output
test = read_set(given.test)
files = dict(zip(p.sources, given.sets, strict=True))
scores = scores_of(read_csv(given.scores)) if given.get("scores") else None
records, overlap = gathered(p.made, files, test, p.overlap, p.seed, scores)
to = read_json(given.matched)["to"] if given.get("matched") else p.to
lengths = None
if p.by == "tokens":
    model = given.get("base") or p.base
    lengths = response_lengths([record for _, record in records], model, p.revision, form_of(p.form))
rows = matched(snakemake.wildcards.condition, records, p.by, to, lengths, p.seed)
write_rows(made.records, rows)
sources = Counter(row["source"] for row in rows)
counts = {
    "available": len(records),
    "overlap": overlap,
    "records": len(rows),
    "distinct": len({(row["instruction"], row["context"], row["response"]) for row in rows}),
    **{source: sources[source] for source in ("synthetic", "anchors", "real")},
}
write_json(made.summary, counts)
