import csv
import json
import os
import subprocess
import sys
import textwrap
import tracemalloc

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.errors import UserError
from ggmi.text.records import Record, read_dataset, read_records, records_of, write_records
from ggmi.text.samples import read_sample

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
FULL = TEXT.filter(str.strip)
ROWS = [
    {"id": "a", "instruction": "Translate.", "context": "größer", "response": "larger, \"or\"\n'so'"},
    {"id": "b", "instruction": "Name a city.", "context": "", "response": "東京\u202e"},
]
RECORDS = [Record(**row) for row in ROWS]


def write(path, rows):
    if path.suffix == ".csv":
        pd.DataFrame(rows).to_csv(path, index=False)
    elif path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def sentence(path, fields=None):
    with pytest.raises(UserError) as caught:
        list(read_records(path, fields))
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_every_format_gives_the_same_records(tmp_path, suffix):
    assert list(read_records(write(tmp_path / f"tasks{suffix}", ROWS))) == RECORDS


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_fields_may_have_other_names(tmp_path, suffix):
    rows = [{"key": 7, "prompt": "Add.", "input": "1 2", "output": "3", "more": 1.5}]
    fields = {"id": "key", "instruction": "prompt", "context": "input", "response": "output"}
    assert list(read_records(write(tmp_path / f"tasks{suffix}", rows), fields)) == [Record("7", "Add.", "1 2", "3")]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_context_may_be_absent(tmp_path, suffix):
    path = write(tmp_path / f"tasks{suffix}", [{"instruction": "Add 1 and 2.", "response": "3"}])
    assert [record.context for record in read_records(path)] == [""]


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


def test_made_ids_do_not_move_when_records_come_and_go():
    rows = [{"instruction": "Add.", "response": str(i % 3)} for i in range(9)]
    ids = [r.id for r in records_of((("", row) for row in rows), {}, "here")]
    assert len(set(ids)) == 9
    fewer = [r.id for r in records_of((("", row) for row in rows[1:]), {}, "here")]
    # The rows are three, three times over: without the first, its copies take its name and its copy's.
    assert set(fewer) == set(ids) - {ids[6]}


def test_an_id_may_be_left_aside():
    rows = [("", {"id": "same", "instruction": "Add.", "response": str(i)}) for i in range(2)]
    assert len({r.id for r in records_of(rows, {"id": ""}, "here")}) == 2


BAD = {
    "no field": ({"prompt": "Add.", "response": "3"}, "there is no field 'instruction' (instruction); allowed: "),
    "near field": ({"instructions": "A", "response": "3"}, "there is no field 'instruction' (instruction); did you"),
    "null": ({"instruction": None, "response": "3"}, "the field 'instruction' (instruction) is empty"),
    "empty": ({"instruction": "Add.", "response": ""}, "the field 'response' (response) is empty"),
    "spaces": ({"instruction": " \n", "response": "3"}, "the field 'instruction' (instruction) is empty"),
    "list": ({"instruction": "A", "context": ["x"], "response": "3"}, "the field 'context' (context) is a list; allo"),
    "NUL": ({"instruction": "Add\x00", "response": "3"}, "the field 'instruction' holds NUL at character 4"),
    "half a pair": (
        {"instruction": "A", "response": "\ud800"},
        "the field 'response' holds half a surrogate pair (U+D8",
    ),
    "same id": ({"id": "a", "instruction": "Add.", "response": "3"}, "the id 'a' is that of line 1 already"),
    "id": ({"id": [], "instruction": "Add.", "response": "3"}, "the field 'id' (id) is a list; allowed: text or a"),
    "no id": ({"id": "", "instruction": "Add.", "response": "3"}, "the field 'id' (id) is missing or empty"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_record_is_told_with_its_line(tmp_path, case):
    row, message = BAD[case]
    assert sentence(write(tmp_path / "tasks.jsonl", [*ROWS[:1], row])).startswith(f"line 2: {message}")


def test_bad_lines_of_a_csv_are_told(tmp_path):
    path = tmp_path / "tasks.csv"
    header = "instruction,context,response\n"
    for content, message in [
        (header + "Add.,,3\nAdd.,3\n", "line 3 has 2 values; the first line names 3"),
        (header + 'Add.,"1\n2",3\nAdd.,,\n', "line 4: the field 'response' (response) is empty"),
        (header + 'Add.,"1\n2,3\n', "line 3 is not CSV (unexpected end of data)"),
        ("instruction,response,response\n", "line 1 names the column 'response' twice; rename one"),
        ("instruction,reponse\nA,3\n", "there is no column 'response' (response); did you mean 'reponse'?"),
        ("", "holds no records"),
        (header, "holds no records"),
    ]:
        path.write_text(content)
        assert sentence(path) == message
    path.write_bytes(header.encode() + b"Add.,,\xff\n")
    assert sentence(path) == "line 2 is not UTF-8 (its byte 7)"


def test_a_csv_field_may_be_long(tmp_path):
    path = tmp_path / "tasks.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["instruction", "response"], ["Add.", "3" * 10**7]])
    assert len(next(read_records(path)).response) == 10**7


def test_bad_parquet_is_told(tmp_path):
    path = write(tmp_path / "tasks.parquet", [{"instruction": "Add.", "response": "3"}, {"response": "3"}])
    assert sentence(path) == "row 2: the field 'instruction' (instruction) is empty"
    assert sentence(path, {"context": "input"}).startswith("there is no column 'input' (context); ")
    path.write_bytes(b"PAR1" + b"nonsense" * 9)
    assert sentence(path).startswith("cannot be read as Parquet (")
    path.unlink()
    assert sentence(path).startswith("cannot be read as Parquet (")


def test_a_name_that_no_row_has_is_told_even_where_it_may_be_absent(tmp_path):
    path = write(tmp_path / "tasks.jsonl", ROWS)
    assert sentence(path, {"context": "inptu"}) == "no row has the field 'inptu' that is named for context"


def test_mistakes_of_the_field_map_and_the_format_are_told(tmp_path):
    path = write(tmp_path / "tasks.jsonl", ROWS)
    with pytest.raises(UserError, match="no field 'instructions'; did you mean 'instruction'"):
        read_records(path, {"instructions": "prompt"})
    with pytest.raises(UserError, match="response needs a name"):
        read_records(path, {"response": ""})
    with pytest.raises(UserError, match=r"unknown format; allowed: \.jsonl, "):
        read_records(tmp_path / "tasks.json")
    path.write_text("\n")
    assert sentence(path) == "holds no records"


def test_real_anchor_data_is_read(shared_data, seed_tasks):
    assert len(seed_tasks) == 175
    raw = [json.loads(line) for line in (shared_data / "seed_tasks.jsonl").read_text().splitlines()]
    assert [(r.id, *r.values) for r in seed_tasks] == [
        (row["id"], row["instruction"], row["context"], row["response"]) for row in raw
    ]
    answers = list(read_records(shared_data / "answers" / "gpt4.jsonl", {"id": "prompt_id"}))
    assert len({r.id for r in answers}) == 805


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own for data sets."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def test_a_folder_is_read_as_a_data_set(tmp_path, cache):
    (tmp_path / "set").mkdir()
    write(tmp_path / "set" / "tasks.jsonl", ROWS)
    assert list(read_dataset(str(tmp_path / "set"))) == RECORDS


@pytest.mark.parametrize(
    ("split", "content", "message"),
    [
        ("tset", {"tasks.jsonl": json.dumps(ROWS[0])}, 'the data set cannot be loaded (Unknown split "tset"'),
        ("train", {}, "the data set cannot be loaded (The directory"),
        ("train", {"set.py": "raise SystemExit('run')"}, "the data set cannot be loaded (Dataset scripts are no long"),
        ("train", {"tasks.jsonl": '{"prompt": "Add.", "response": "3"}'}, "there is no column 'instruction'"),
        ("train", {"tasks.jsonl": '{"instruction": "Add.", "response": ""}'}, "row 1: the field 'response' (respo"),
    ],
)
def test_a_data_set_that_cannot_be_had_is_told(tmp_path, cache, split, content, message):
    folder = tmp_path / "set"
    folder.mkdir()
    for name, text in content.items():
        (folder / name).write_text(text)
    with pytest.raises(UserError) as caught:
        list(read_dataset(str(folder), split=split))
    assert str(caught.value).startswith(f"{folder}, split {split}: {message}")
    assert "\n" not in str(caught.value)


def test_without_a_network_a_data_set_of_the_hub_is_one_sentence(tmp_path):
    program = """
        from ggmi.errors import UserError
        from ggmi.text.records import read_dataset
        try:
            list(read_dataset("databricks/databricks-dolly-15k", revision="main"))
        except UserError as error:
            print(error)
    """
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], env=offline, capture_output=True, text=True, check=True
    )
    (line,) = done.stdout.splitlines()
    assert line.startswith("databricks/databricks-dolly-15k, split train: the data set cannot be loaded (")


def test_a_parquet_column_named_twice_is_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ["instruction", "response", "response"]
    pq.write_table(
        pa.table([pa.array(["Add."]), pa.array(["3"]), pa.array(["4"])], names=names), tmp_path / "t.parquet"
    )
    assert sentence(tmp_path / "t.parquet") == "names the column 'response' twice; rename one"


@pytest.mark.parametrize(("value", "text"), [(3, "3"), (2.5, "2.5"), (True, "true"), (-(10**30), str(-(10**30)))])
def test_numbers_and_booleans_are_their_text(value, text):
    (record,) = records_of([("", {"instruction": "Add.", "response": value})], {}, "here")
    assert record.response == text


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_columns_that_nothing_is_taken_from_are_known(tmp_path, suffix):
    rows = [{"instruction": "Add.", "input": "1 2", "response": "3", "prompt_id": "p", "model": "m"}] * 2
    path = tmp_path / f"set.{suffix}"
    {
        "jsonl": lambda: path.write_text("".join(json.dumps(row) + "\n" for row in rows)),
        "csv": lambda: pd.DataFrame(rows).to_csv(path, index=False),
        "parquet": lambda: pd.DataFrame(rows).to_parquet(path),
    }[suffix]()
    assert read_sample(path).unread == ("input", "model")
    assert read_sample(path, {"context": "input"}).unread == ("model",)
