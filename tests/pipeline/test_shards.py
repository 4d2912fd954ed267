"""A set that is read and curated in shards is the set that it is in one piece, to the byte."""

import json
import random
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from ggmi.config.tasks import ImportedSettings
from ggmi.errors import UserError
from ggmi.pipeline.anchors import read_source
from ggmi.pipeline.sets import curate_file, imported_failures, imported_rows, imported_summary
from ggmi.pipeline.shards import (
    index_shard,
    join_rows,
    merge_readings,
    merge_screened,
    read_shard,
    screen_shard,
    search_part,
    settle_shards,
    sift_shards,
)
from ggmi.text import candidates, rouge
from ggmi.text.curation import Curation, Lengths
from ggmi.text.jsonl import read_rows, write_rows
from ggmi.text.near_index import join_indexes
from ggmi.text.records import Record


def source_of(folder, **changes):
    return {"source": str(folder), "fields": {}, "encoding": None, "invalid": "drop"} | changes


def written(folder, files):
    folder.mkdir()
    for i, rows in enumerate(files):
        (folder / f"part-{i}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return [str(path) for path in sorted(folder.iterdir())]


def read_in_shards(folder, files, shards, source):
    """The files that a set has once it is read in shards."""
    places = [folder / f"rows-{shard}" for shard in range(shards)]
    split = ImportedSettings(path=source["source"], shards=shards)
    assert split.watched == files
    for shard, place in enumerate(places):
        place.mkdir(parents=True)
        read_shard([*map(Path, split.files_of(shard))], source, "theirs", place, several=len(files) > 1)
    reading, count, changes = merge_readings(places, source["source"], source["fields"], source["invalid"])
    join_rows(places, changes, folder / "records.jsonl")
    return places, imported_summary(count, reading), imported_failures(reading)


def in_one_piece(source, target):
    found = read_source(source)
    write_rows(target, imported_rows(found, "theirs"))
    return imported_summary(len(found), found.reading), imported_failures(found.reading)


ODD = [
    [{"id": 1, "q": "Add.", "output": "3", "tokens": 4}, {"id": 1, "q": "Add.", "output": "3"}, {"q": "Sing."}],
    [{"q": "Add.", "output": "3", "prompt_id": "p"}, {"id": "x", "q": "Go.", "output": "", "more": 1}],
    [{"id": 1, "q": "Add.", "output": "3", "log_prob_nats": 2.0}, {"id": "x", "q": "Stop.", "output": "N/A"}] * 2,
    [{"id": "y", "q": "Halt.", "output": "Yes.", "tokens": "many", "anchor_ids": ["a"]}],
]


@pytest.mark.parametrize("shards", [2, 3, 4])
@pytest.mark.parametrize("files", [ODD, [[{"q": f"q{i}", "output": "o", "id": i}] for i in range(5)]])
@pytest.mark.parametrize("fields", [{"instruction": "q"}, {"instruction": "q", "id": "id"}])
def test_a_set_read_in_shards_is_the_one_read_whole(tmp_path, files, shards, fields):
    paths = written(tmp_path / "set", files)
    source = source_of(tmp_path / "set", fields=fields)
    _, summary, failures = read_in_shards(tmp_path / "shards", paths, shards, source)
    assert (summary, failures) == in_one_piece(source, tmp_path / "whole.jsonl")
    assert (tmp_path / "shards/records.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("files", "changes"),
    [
        ([[{"q": "a"}], [{"q": "b"}]], {}),
        ([[], []], {}),
        ([[{"instruction": "a", "response": "b"}], [{"instruction": "c"}]], {"invalid": "stop"}),
        ([[{"instruction": "a", "response": "b"}], [{"instruction": "c"}]] * 2, {"fields": {"context": "nothing"}}),
        ([[{"instruction": "a"}] * 3, [{"instruction": "a", "response": "b", "say": "c"}]], {}),
    ],
)
def test_what_is_wrong_with_a_set_is_said_of_its_shards_in_the_same_words(tmp_path, files, changes):
    paths = written(tmp_path / "set", files)
    source = source_of(tmp_path / "set", **changes)
    with pytest.raises(UserError) as whole:
        in_one_piece(source, tmp_path / "whole.jsonl")
    with pytest.raises(UserError) as shards:
        read_in_shards(tmp_path / "shards", paths, 2, source)
    assert str(shards.value) == str(whole.value)


def related_files(seed, count=240, files=6):
    """Files of records that repeat one another in all ways, across files."""
    draw, rows = random.Random(seed), []
    for i in range(count):
        words = [f"w{draw.randrange(300)}" for _ in range(draw.choice([3, 12, 40]))]
        row = {"id": f"r{i}", "instruction": "Say it.", "context": "", "response": " ".join(words)}
        old = draw.choice(rows) if rows else row
        kind = draw.random()
        if kind < 0.1:
            row |= {"response": old["response"].upper()}
        elif kind < 0.4:
            changed = [word if draw.random() < 0.85 else f"v{draw.randrange(300)}" for word in old["response"].split()]
            row |= {"response": " ".join(changed)}
        elif kind < 0.45:
            row |= {"response": "[Your Name]"}
        elif kind < 0.5:
            row |= {"response": "x " * 60}
        rows.append(row)
    return [rows[i::1][: count // files] for i in range(0, count, count // files)]


REFERENCES = {
    "train": [Record("t1", "Say it.", "", " ".join(f"w{i}" for i in range(30)))],
    "test": [Record("h1", "Say it.", "", "[your name]"), Record("h2", "", "", "x " * 60)],
}


def curated_in_shards(folder, places, records, curation, references, parts):
    screened = [folder / f"screened-{i}" for i in range(len(places))]
    for place, target in zip(places, screened, strict=True):
        screen_shard(place / "rows.jsonl", curation, references, target)
    merge_screened(screened, curation, folder / "merged")
    twins = {}
    if curation.near is not None:
        indexes = [folder / f"index-{i}" for i in range(len(places))]
        for i, (one, target) in enumerate(zip(screened, indexes, strict=True)):
            index_shard(one, folder / f"merged/ranks-{i}.npy", curation.near, target)
        join_indexes(indexes, folder / "index")
        pairs = [folder / f"pairs-{part}.npz" for part in range(parts)]
        for part, target in enumerate(pairs):
            search_part(folder / "index", folder / "merged", curation.near, part, parts, target)
        twins = settle_shards(folder / "index", folder / "merged", pairs, curation.near)
    made = folder / "kept.jsonl", folder / "drops.jsonl"
    return sift_shards(records, screened, folder / "merged", twins, *made), *made


@pytest.mark.parametrize(
    "curation",
    [
        Curation(lengths=Lengths(response=(1, 50)), contamination=0.3),
        Curation(lengths=None, near=0.4),
        Curation(exact=False, contamination=0.6, near=None),
        Curation(lengths=None, placeholders=False, exact=False, near=0.7),
    ],
)
@pytest.mark.parametrize("shards", [1, 2, 6])
def test_a_set_curated_in_shards_is_the_one_curated_whole(tmp_path, curation, shards):
    files = written(tmp_path / "set", related_files(shards))
    source = source_of(tmp_path / "set")
    places, _, _ = read_in_shards(tmp_path / "shards", files, shards, source)
    whole = tmp_path / "whole.jsonl", tmp_path / "whole.kept.jsonl", tmp_path / "whole.drops.jsonl"
    in_one_piece(source, whole[0])
    references = REFERENCES if curation.contamination else {}
    summary = curate_file(whole[0], curation, references, *whole[1:])
    drops = [row for _, row in read_rows(whole[2])]
    assert len({drop["filter"] for drop in drops}) >= 1 + bool(curation.exact) + bool(curation.contamination)
    found, *paths = curated_in_shards(
        tmp_path / "shards", places, tmp_path / "shards/records.jsonl", curation, references, shards
    )
    assert found == summary
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in whole[1:]]


def test_a_set_that_repeats_itself_too_often_is_settled_in_one_piece(tmp_path, monkeypatch):
    monkeypatch.setattr("ggmi.pipeline.shards.PAIRS_A_TEXT", 0)
    monkeypatch.setattr(candidates, "PAIRS", 20)
    monkeypatch.setattr(rouge, "FEW_TEXTS", 10)
    monkeypatch.setattr(rouge, "PAIRS_A_TEXT", 1)
    text = " ".join(f"w{i}" for i in range(30))
    rows = [asdict(Record(f"r{i}", "Say it.", "", f"{text} v{i}")) for i in range(60)]
    files = written(tmp_path / "set", [rows[:25], rows[25:]])
    source = source_of(tmp_path / "set")
    places, _, _ = read_in_shards(tmp_path / "shards", files, 2, source)
    whole = tmp_path / "whole.jsonl", tmp_path / "whole.kept.jsonl", tmp_path / "whole.drops.jsonl"
    in_one_piece(source, whole[0])
    summary = curate_file(whole[0], Curation(), {}, *whole[1:])
    found, _, path = curated_in_shards(
        tmp_path / "shards", places, tmp_path / "shards/records.jsonl", Curation(), {}, 2
    )
    assert any(np.load(tmp_path / f"shards/pairs-{part}.npz")["many"] for part in range(2))
    assert (found["kept"], found, path.read_bytes()) == (1, summary, whole[2].read_bytes())
