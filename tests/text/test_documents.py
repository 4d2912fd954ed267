"""Documents, tables and packed files as people's programs write them, each read or refused as a whole."""

import bz2
import gzip
import io
import json
import lzma

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ggmi.errors import UserError
from ggmi.text.samples import read_sample

ROWS = [{"instruction": "Name a moon.", "response": "Io."}, {"instruction": "Name a sea.", "response": "Aral, once."}]
VALUES = [(row["instruction"], "", row["response"]) for row in ROWS]
LINES = [json.dumps(row) for row in ROWS]
JSONL = "".join(line + "\n" for line in LINES)


def read(tmp_path, name, content, **options):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_sample(tmp_path / name, **options)


FORMS = {
    "comma-at-the-end.json": json.dumps(ROWS)[:-1] + ",\n]",
    "lines-with-commas.jsonl": ",\n".join(LINES) + ",\n",
    "pretty-with-commas.json": ",\n".join(json.dumps(row, indent=2) for row in ROWS),
    "text-sequence.jsonl": "".join(f"\x1e{line}\n" for line in LINES),
    "encoded-twice.jsonl": "".join(json.dumps(line) + "\n" for line in LINES),
    "encoded-twice.json": json.dumps(LINES),
    "beside-versions.json": json.dumps({"meta": [{"version": 1}], "data": ROWS}),
    "beside-a-prompt.json": json.dumps({"prompt": "Write tasks.", "id": "x", "outputs": ROWS}),
    "deeper.json": json.dumps({"status": "ok", "result": {"data": {"items": ROWS}}}),
    "server.json": json.dumps(
        {
            "features": [{"feature_idx": 0, "name": "instruction"}],
            "rows": [{"row_idx": i, "row": row, "truncated_cells": []} for i, row in enumerate(ROWS)],
        }
    ),
    "marked.csv": "sep=;\r\ninstruction;response\r\nName a moon.;Io.\r\nName a sea.;Aral, once.\r\n",
    "marked.tsv": "sep=\t\ninstruction\tresponse\nName a moon.\tIo.\nName a sea.\tAral, once.\n",
    "spaces.csv": 'id, instruction, response\n1, Name a moon., "Io."\n2, "Name a sea.", "Aral, once."\n',
    "single-quotes.csv": "instruction,response\n'Name a moon.','Io.'\n'Name a sea.','Aral, once.'\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_the_same_records_come_of_every_form(tmp_path, name):
    sample = read(tmp_path, name, FORMS[name])
    assert [record.values for record in sample.records] == VALUES
    assert not sample.reading.left_out


def test_lists_inside_one_record_hold_no_records(tmp_path):
    row = {**ROWS[0], "history": [{"question": "Draft?", "answer": "No."}]}
    assert [r.values for r in read(tmp_path, "a.json", json.dumps(row)).records] == VALUES[:1]


def test_lists_of_which_several_hold_records_are_told(tmp_path):
    with pytest.raises(UserError, match=r"holds the lists meta, algebra, moons; name one, such as .*a\.json:algebra"):
        read(tmp_path, "a.json", json.dumps({"meta": [{"version": 1}], "algebra": ROWS, "moons": ROWS}))


def test_a_list_of_examples_is_not_taken_for_records_that_cannot_be_read(tmp_path):
    document = {
        "Examples": [{"input": "Name a hill.", "output": "Olympus."}],
        "Instances": [{"input": row["instruction"], "output": [row["response"]]} for row in ROWS],
    }
    with pytest.raises(UserError, match="holds the lists Examples, Instances; name one"):
        read(tmp_path, "a.json", json.dumps(document))


def test_a_response_that_cannot_be_seen_is_empty(tmp_path):
    hidden = json.dumps({"instruction": "Say nothing.", "response": "\u200b\ufeff\u2060"})
    sample = read(tmp_path, "a.jsonl", JSONL + hidden)
    assert [record.values for record in sample.records] == VALUES
    assert str(sample.reading.left_out[0]) == "1 with an empty response in 'response' (line 3)"


def parquet(**columns):
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def spoiled(content, at):
    return content[:at] + bytes(byte ^ 255 for byte in content[at : at + 2]) + content[at + 2 :]


MANY = (JSONL * 300).encode()
REFUSED = {
    "spoiled.jsonl.gz": (spoiled(gzip.compress(MANY), 60), "cannot be read (Error -3 while decompressing"),
    "spoiled.parquet.gz": (spoiled(gzip.compress(parquet(instruction=["A"])), 60), "cannot be read (Error -3 while"),
    "spoiled.jsonl.bz2": (spoiled(bz2.compress(MANY), 60), "cannot be read ("),
    "spoiled.jsonl.xz": (spoiled(lzma.compress(MANY), 60), "cannot be read ("),
    "a.jsonl.lz4": (b"\x04\x22\x4d\x18" + bytes(60), "is packed by lz4, which is not read; unpack it"),
    "a.jsonl.Z": (b"\x1f\x9d\x90" + bytes(60), "is packed by compress, which is not read; unpack it"),
    "a.json": (b"{\\rtf1\\ansi text}", "is a document of a word processor; save its records as JSON lines or CSV"),
    "a.yaml": (b"- instruction: A\n  response: b\n", "is YAML, which is not read; save its records as JSON lines or C"),
    "far.parquet": (
        parquet(instruction=["A"], response=pa.array([2**62], pa.timestamp("us"))),
        "a value among rows 1 to 1024: date value out of range",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_one_sentence(tmp_path, name):
    content, sentence = REFUSED[name]
    with pytest.raises(UserError) as caught:
        read(tmp_path, name, content)
    assert str(caught.value).startswith(f"{tmp_path / name}: {sentence}")
    assert "\n" not in str(caught.value)


def test_splits_are_what_shards_are_called(tmp_path):
    for split in ("train_sft", "test_sft", "train_gen"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / f"{split}-00000-of-00001-ab12.parquet").write_bytes(
            parquet(instruction=[split], response=["b"])
        )
    assert [record.instruction for record in read_sample(f"{tmp_path}:train_gen").records] == ["train_gen"]
    with pytest.raises(UserError, match="holds the splits test_sft, train_gen, train_sft; name one"):
        read_sample(tmp_path)
    with pytest.raises(UserError, match="and 'train' is asked for"):
        read_sample(tmp_path, split="train")


def test_a_split_may_go_by_any_of_its_usual_names(tmp_path):
    for split in ("train", "validation"):
        (tmp_path / f"{split}.jsonl").write_text(JSONL)
    assert read_sample(f"{tmp_path}:dev").reading.files == 1
    with pytest.raises(UserError, match="holds the splits train, validation, and 'test' is asked for"):
        read_sample(f"{tmp_path}:test")


def test_configurations_of_a_data_set_are_no_one_set(tmp_path):
    for name in ("main", "socratic"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train-00000-of-00001.parquet").write_bytes(parquet(instruction=[name], response=["b"]))
    with pytest.raises(UserError, match=r"both in main and in socratic; name one, such as .*main"):
        read_sample(tmp_path)
    assert read_sample(tmp_path / "main").records[0].instruction == "main"


def test_files_that_describe_a_set_hold_no_records(tmp_path):
    (tmp_path / "data.jsonl").write_text(JSONL)
    (tmp_path / "config.json").write_text("{}")
    assert len(read_sample(tmp_path)) == 2


@pytest.mark.parametrize("form", ["parquet", "folder"])
def test_labels_are_the_words_that_a_data_set_gives_them(tmp_path, form):
    import datasets

    labels = datasets.ClassLabel(names=["negative", "positive"])
    features = datasets.Features({"question": datasets.Value("string"), "answer": labels})
    rows = [{"question": "Io?", "answer": 1}, {"question": "Sea?", "answer": 0}, {"question": "Aral?", "answer": -1}]
    made = datasets.Dataset.from_list(rows, features=features)
    if form == "parquet":
        made.to_parquet(tmp_path / "made")
    else:
        made.save_to_disk(tmp_path / "made")
    assert [record.response for record in read_sample(tmp_path / "made").records] == ["positive", "negative", "-1"]
