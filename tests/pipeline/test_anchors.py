import csv
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ggmi.config.tasks import AnchorSource
from ggmi.embedded.language import Language, Sizes
from ggmi.errors import UserError
from ggmi.pipeline.anchors import embedded_sets, source_sets
from ggmi.text.records import read_records, write_records

COUNTS = {"anchor_records": 50, "train_records": 30, "test_records": 20}
SOURCE = {
    "split": None,
    "encoding": None,
    "invalid": "drop",
    "revision": None,
    "fields": {},
    "test_share": 0.2,
    "near_duplicate": 0.7,
}


def test_the_worlds_records_are_as_many_and_of_the_skills_they_should_be(language):
    sets, report = embedded_sets(language, COUNTS, seed=1)
    assert report == {"anchors": 50, "train": 30, "test": 20}
    assert [len(part) for part in (sets.pool, sets.train, sets.test)] == [50, 30, 20]
    roles = [
        {language.role(language.skill_of(r.instruction)) for r in part} for part in (sets.pool, sets.train, sets.test)
    ]
    assert roles == [{"anchored"}, {"anchored", "unsampled"}, {"anchored", "unsampled"}]
    for record in (*sets.pool, *sets.train, *sets.test):
        context = [[ord(letter) - ord("a") for letter in record.context]]
        expected = language.records([language.skill_of(record.instruction)], context)[0]
        assert record.response == expected["response"]
    ids = [r.id for part in (sets.pool, sets.train, sets.test) for r in part]
    assert len(set(ids)) == 100


@pytest.mark.parametrize("seed", range(20))
def test_no_test_record_is_shown_anywhere_else(language, seed):
    sets, _ = embedded_sets(language, COUNTS, seed)
    asked = {r.values for r in sets.test}
    assert len(asked) == 20
    assert not asked & {r.values for r in (*sets.pool, *sets.train)}


def test_anchors_are_spread_evenly_over_the_anchored_skills():
    language = Language.draw(1, Sizes())
    sets, _ = embedded_sets(language, {**COUNTS, "anchor_records": 6000}, seed=1)
    counts = Counter(r.instruction for r in sets.pool)
    assert set(counts) == set(language.words[:6])
    # A count's standard deviation is 29.
    assert all(abs(n - 1000) < 130 for n in counts.values())


def test_one_seed_gives_the_same_bytes_and_another_seed_others(language, tmp_path):
    written = []
    for i, seed in enumerate((5, 5, 6)):
        sets, _ = embedded_sets(language, COUNTS, seed)
        for name in ("pool", "train", "test"):
            write_records(tmp_path / f"{i}-{name}.jsonl", getattr(sets, name))
        written.append([(tmp_path / f"{i}-{name}.jsonl").read_bytes() for name in ("pool", "train", "test")])
    assert written[0] == written[1]
    assert all(one != other for one, other in zip(written[0], written[2], strict=True))


def test_a_test_set_that_leaves_no_anchor_is_refused(language):
    with pytest.raises(UserError, match=r"world\.test_records: 80 of the target task's 80 records leave none"):
        embedded_sets(language, {**COUNTS, "test_records": 80}, seed=1)


@pytest.fixture
def rows():
    words = ["red", "blue", "green", "white", "black", "pink", "grey", "brown", "gold", "teal"]
    return [{"id": f"r{i}", "instruction": f"{w} {w}s {i}", "context": "", "response": w} for i, w in enumerate(words)]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_file_is_split_eight_to_two_whatever_its_format(kind, rows, lines, tmp_path):
    path = lines(rows)
    if kind == "csv":
        path = tmp_path / "records.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    elif kind == "parquet":
        path = tmp_path / "records.parquet"
        pq.write_table(pa.Table.from_pylist(rows), path)
    sets, report = source_sets({**SOURCE, "source": str(path)}, seed=2)
    read = report.pop("read")
    assert (read["format"], read["left_out"]) == ({"jsonl": "JSON lines", "csv": "CSV", "parquet": "Parquet"}[kind], [])
    assert report == {
        "anchors": 8,
        "train": 8,
        "test": 2,
        "near_duplicate_above": 0.7,
        "near_duplicates_across": [],
    }
    assert sets.pool == sets.train
    assert {r.id for r in (*sets.train, *sets.test)} == {row["id"] for row in rows}
    again, _ = source_sets({**SOURCE, "source": str(lines(rows))}, seed=2)
    assert again == sets


def test_near_duplicates_across_the_split_are_reported_with_both_ids(rows, lines):
    copies = [{**row, "id": f"copy of {row['id']}", "instruction": row["instruction"] + " please"} for row in rows]
    sets, report = source_sets({**SOURCE, "source": str(lines(rows + copies)), "near_duplicate": 0.6}, seed=2)
    train, test = ({r.id for r in part} for part in (sets.train, sets.test))
    expected = {
        frozenset((row["id"], f"copy of {row['id']}"))
        for row in rows
        if len({row["id"], f"copy of {row['id']}"} & test) == 1
    }
    found = report["near_duplicates_across"]
    assert expected
    assert {frozenset((pair["train_id"], pair["test_id"])) for pair in found} == expected
    assert all(pair["train_id"] in train and pair["test_id"] in test for pair in found)
    # Four tokens of four and five: F = 2 * 4 / 9.
    assert {pair["rouge_l"] for pair in found} == {round(8 / 9, 4)}


def test_a_folder_is_one_set(rows, lines, tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    lines(rows).rename(folder / "train.jsonl")
    sets, report = source_sets({**SOURCE, "source": str(folder)}, seed=2)
    assert (report["train"], report["test"]) == (8, 2)
    assert {r.values for r in (*sets.train, *sets.test)} == {r.values for r in read_records(folder / "train.jsonl")}


def test_a_folder_is_watched_file_by_file_and_a_file_that_exists_is_no_id_of_the_hub(tmp_path):
    for name in ("b.jsonl", "a.jsonl", "README.md", "part"):
        (tmp_path / name).touch()
    # What describes a set is no part of it.
    assert AnchorSource(source=str(tmp_path)).watched == [str(tmp_path / n) for n in ("a.jsonl", "b.jsonl")]
    assert AnchorSource(source=str(tmp_path / "part")).is_here
    assert not AnchorSource(source="owner/data-set").is_here
    assert AnchorSource(source="owner/data-set").watched == AnchorSource().watched == []
