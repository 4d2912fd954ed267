import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.errors import UserError
from ggmi.text.records import Record, read_records, write_records

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
FULL = TEXT.filter(str.strip)


def test_the_memory_of_many_records_is_that_of_their_ids(tmp_path):
    path = tmp_path / "tasks.jsonl"
    write_records(path, (Record(str(i), "Add.", "word " * 400, "3") for i in range(20_000)))
    assert path.stat().st_size > 40e6
    tracemalloc.start()
    assert sum(1 for _ in read_records(path)) == 20_000
    assert tracemalloc.get_traced_memory()[1] < 8e6
    tracemalloc.stop()


@given(st.lists(st.tuples(FULL, TEXT, FULL), min_size=1))
def test_records_come_back_as_they_were_written(tmp_path_factory, values):
    records = [Record(str(i), *value) for i, value in enumerate(values)]
    path = tmp_path_factory.mktemp("records") / "tasks.jsonl"
    assert write_records(path, records) == len(records)
    assert list(read_records(path)) == records


GOOD = {"id": "a", "instruction": "Add.", "context": "", "response": "3"}
BAD = {
    "no field": ({"instruction": None}, "the field 'instruction' is null; allowed: text"),
    "empty": ({"response": " \n"}, "the field 'response' is empty"),
    "number": ({"context": 3}, "the field 'context' is a number; allowed: text"),
    "NUL": ({"instruction": "Add\x00"}, "the field 'instruction' holds NUL or half a surrogate pair"),
    "half a pair": ({"response": "\ud800"}, "the field 'response' holds NUL or half a surrogate pair"),
    "same id": ({}, "the id 'a' is that of line 1 already"),
}


@pytest.mark.parametrize("case", BAD)
def test_records_that_were_tampered_with_are_told_with_their_line(tmp_path, case):
    change, message = BAD[case]
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + json.dumps({**GOOD, **change}) + "\n")
    with pytest.raises(UserError) as caught:
        list(read_records(path))
    assert str(caught.value) == f"{path}: line 2: {message}"


def test_a_file_without_records_is_told(tmp_path):
    (tmp_path / "tasks.jsonl").write_text("\n")
    with pytest.raises(UserError, match=r"tasks\.jsonl: holds no records"):
        list(read_records(tmp_path / "tasks.jsonl"))


def test_real_anchor_data_is_read(shared_data, seed_tasks):
    assert len(seed_tasks) == 175
    raw = [json.loads(line) for line in (shared_data / "seed_tasks.jsonl").read_text().splitlines()]
    assert [(r.id, *r.values) for r in seed_tasks] == [
        (row["id"], row["instruction"], row["context"], row["response"]) for row in raw
    ]
