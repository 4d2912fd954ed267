"""Curate a synthetic set, keep what was dropped and why, and write its card."""

from pathlib import Path

from ggmi.io import read_json, write_json, write_text
from ggmi.pipeline.sets import card_of, curated_rows, curation_of
from ggmi.text.card import card_text
from ggmi.text.jsonl import read_rows, write_rows
from ggmi.text.records import read_records

p, w, given, made = snakemake.params, snakemake.wildcards, snakemake.input, snakemake.output
rows = [row for _, row in read_rows(given.records)]
references = {path.stem: list(read_records(path)) for path in map(Path, given.get("references", []))}
kept, drops, summary = curated_rows(rows, curation_of(p.curation), references)
write_rows(made.records, kept)
write_rows(made.drops, drops)
write_json(made.summary, summary)
title = f"{p.title}: {w.generator}, {w.condition}, {w.curation}"
template = Path(path).read_text(encoding="utf-8") if (path := given.get("template")) else ""
card = card_of(title, p.license, p.made_by, read_json(given.summary), summary, template)
write_text(made.card, card_text(card))
