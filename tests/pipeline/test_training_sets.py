import numpy as np
import pytest

from ggmi.errors import UserError
from ggmi.pipeline.training_sets import gathered, matched, overlapping, read_set, read_test, smallest
from ggmi.text.records import Record, write_records


def records(prefix, count, start=0):
    return [Record(f"{prefix}{i}", f"Say {prefix}{i}.", "", f"{prefix}{i}") for i in range(start, start + count)]


@pytest.fixture
def files(tmp_path):
    """Files of a synthetic set of 12 records and a real one of 8."""
    paths = {name: str(tmp_path / f"{name}.jsonl") for name in ("synthetic", "real")}
    write_records(paths["synthetic"], records("s", 12))
    write_records(paths["real"], records("r", 8))
    return paths


def test_records_that_ask_the_same_overlap_whatever_they_answer():
    test = [Record("h", "Add  ONE.", "x", "2")]
    same, other = Record("t", "add one.", " X ", "3"), Record("u", "add one.", "y", "2")
    assert overlapping([same, other], test) == [("t", "h")]


@pytest.mark.parametrize(("policy", "left"), [("drop", 11), ("allow", 12)])
def test_overlap_is_left_out_or_kept_and_counted(files, policy, left):
    test = [Record("h", "Say s3.", "", "different")]
    found, overlap = gathered({"kind": "synthetic"}, {"synthetic": files["synthetic"]}, test, policy, 0)
    assert (len(found), overlap) == (left, 1)


def test_overlap_is_refused_with_the_ids(files):
    test = [Record("h", "Say s3.", "", "different")]
    with pytest.raises(UserError, match=r"synthetic.jsonl: 1 of its 12 records .*'s3' \('h'\); take them out"):
        gathered({"kind": "synthetic"}, {"synthetic": files["synthetic"]}, test, "refuse", 0)


def test_a_mixture_has_its_share_of_real_records_and_says_which(files):
    found, _ = gathered({"kind": "mixture", "share": 0.25}, files, [], "refuse", 3)
    assert [source for source, _ in found].count("real") == 2
    assert len(found) == 8
    assert all(record.id.startswith(f"{source}:") for source, record in found)


def test_a_mixture_of_an_empty_set_is_empty(files, tmp_path):
    (tmp_path / "synthetic.jsonl").write_text("")
    assert gathered({"kind": "mixture", "share": 0.5}, files, [], "refuse", 3) == ([], 0)


def test_sets_are_matched_by_records_with_new_ids_for_what_comes_again(tmp_path):
    found = [("real", record) for record in records("r", 5)]
    rows = matched("real", found, "records", 8, None, 0)
    assert len(rows) == 8
    assert len({row["id"] for row in rows}) == 8
    assert sum("#2" in row["id"] for row in rows) == 3
    assert [row["id"] for row in matched("real", found, "records", 3, None, 0)] == [row["id"] for row in rows[:3]]


def test_sets_are_matched_by_tokens():
    found = [("real", record) for record in records("r", 6)]
    lengths = np.array([5, 1, 4, 2, 3, 6])
    rows = matched("real", found, "tokens", 10, lengths, 0)
    assert sum(lengths[int(row["id"].lstrip("r"))] for row in rows) <= 10


@pytest.mark.parametrize(("by", "to"), [("records", 3), ("tokens", 6), ("steps", 4)])
def test_the_smallest_set_that_is_not_empty_decides(by, to):
    lengths = {"a": np.array([1, 2, 3]), "b": np.array([4, 4, 4, 4])}
    training = {"steps": None, "batch_size": 8, "epochs": 10}
    assert smallest({"a": 3, "b": 4, "none": 0}, lengths, by, training) == {"to": to}


def test_all_sets_empty_is_said():
    with pytest.raises(UserError, match="every set is empty"):
        smallest({"a": 0}, {}, "records", {})


def test_a_part_of_the_test_set_is_drawn_once_and_grows(files):
    every = read_set(files["real"])
    few, more = (read_test(files["real"], most, 1) for most in (3, 5))
    assert set(few) < set(more) < set(every)
    assert read_test(files["real"], 100, 1) == read_test(files["real"], None, 1) == every
