"""Curate a synthetic set, keep what was dropped and why, and write its card."""

from functools import partial
from pathlib import Path

from ggmi.io import read_json, write_json, write_text
from ggmi.pipeline.faults import some_rows, with_faults
from ggmi.pipeline.sets import card_of, curate_file, curation_of
from ggmi.pipeline.shards import settle_shards, sift_shards
from ggmi.random import stream
from ggmi.text.card import card_text
from ggmi.text.jsonl import read_rows, write_rows
from ggmi.text.records import read_records


def off_task_records(seed, sizes, number, generator):
    # Sets of one's own need nothing of the embedded world.
    from ggmi.pipeline.world import irrelevant_records, world_of

    return irrelevant_records(world_of(seed, sizes)[0], number, generator)


p, w, given, made = snakemake.params, snakemake.wildcards, snakemake.input, snakemake.output
settings = dict(p.curation)
most, faults = settings.pop("records"), settings.pop("faults")
if screened := [*map(Path, given.get("screened", []))]:
    merged, pairs = Path(given.merged), [*map(Path, given.pairs)]
    twins = settle_shards(Path(given.index), merged, pairs, settings["near"]) if pairs else {}
    summary = sift_shards(Path(given.records), screened, merged, twins, Path(made.records), Path(made.drops))
else:
    references = {path.stem: list(read_records(path)) for path in map(Path, given.get("references", []))}
    summary = curate_file(Path(given.records), curation_of(settings), references, Path(made.records), Path(made.drops))
if most or faults:
    kept = [row for _, row in read_rows(made.records)]
    draw = partial(stream, p.seed, "curation", w.task, w.generator, w.condition, w.curation)
    kept = some_rows(kept, most, draw("records"))
    summary["kept"] = len(kept)
    if faults:
        sources = {"copied": [row for path in given.copied for _, row in read_rows(path)]}
        if p.sizes:
            sources["off_task"] = off_task_records(p.seed, p.sizes, len(kept), draw("off_task"))
        kept, summary["faults"] = with_faults(kept, faults, sources, draw("faults"))
    write_rows(made.records, kept)
write_json(made.summary, summary)
title = f"{p.title}: {w.generator}, {w.condition}, {w.curation}"
template = Path(path).read_text(encoding="utf-8") if (path := given.get("template")) else ""
card = card_of(title, p.license, p.made_by, read_json(given.summary), summary, template)
write_text(made.card, card_text(card))
