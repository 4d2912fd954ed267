"""Curate a synthetic set, keep what was dropped and why, and write its card."""

from functools import partial
from pathlib import Path

from ggmi.embedded.language import Language, Sizes
from ggmi.io import read_json, write_json, write_text
from ggmi.pipeline.faults import some_rows, with_faults
from ggmi.pipeline.sets import card_of, curated_rows, curation_of
from ggmi.pipeline.world import irrelevant_records
from ggmi.random import stream
from ggmi.text.card import card_text
from ggmi.text.jsonl import read_rows, write_rows
from ggmi.text.records import read_records

p, w, given, made = snakemake.params, snakemake.wildcards, snakemake.input, snakemake.output
rows = [row for _, row in read_rows(given.records)]
references = {path.stem: list(read_records(path)) for path in map(Path, given.get("references", []))}
kept, drops, summary = curated_rows(rows, curation_of(p.curation), references)
draw = partial(stream, p.seed, "curation", w.task, w.generator, w.condition, w.curation)
kept = some_rows(kept, p.most, draw("records"))
if p.faults:
    sources = {"copied": [row for path in given.copied for _, row in read_rows(path)]}
    if p.sizes:
        sources["off_task"] = irrelevant_records(Language.draw(p.seed, Sizes(**p.sizes)), len(kept), draw("off_task"))
    kept, summary["faults"] = with_faults(kept, p.faults, sources, draw("faults"))
summary["kept"] = len(kept)
write_rows(made.records, kept)
write_rows(made.drops, drops)
write_json(made.summary, summary)
title = f"{p.title}: {w.generator}, {w.condition}, {w.curation}"
template = Path(path).read_text(encoding="utf-8") if (path := given.get("template")) else ""
card = card_of(title, p.license, p.made_by, read_json(given.summary), summary, template)
write_text(made.card, card_text(card))
