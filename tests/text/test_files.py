"""What a reasonable person expects of each kind of file, and the same records in every form of it."""

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ggmi.errors import UserError
from ggmi.text.places import find, is_local, short_name
from ggmi.text.records import FIELDS
from ggmi.text.samples import read_sample
from ggmi.text.visible import is_visible

ROWS = [
    {"instruction": "Say yes.", "context": "“größer”\nsecond line", "response": "yes, 東京 \u2028 done"},
    {"instruction": "Say no.", "context": "", "response": 'no; "really"\tno'},
    {"instruction": "Count, to 3.", "context": "a,b;c", "response": "1\n2\n3"},
    {"instruction": "Say it again.", "context": "", "response": "again"},
]
VALUES = [tuple(row[field] for field in FIELDS) for row in ROWS]
ASKED, ANSWERED = [[v[i] for v in VALUES] for i in (0, 2)]


def lines(rows, end="\n"):
    return "".join(json.dumps(row, ensure_ascii=False) + end for row in rows)


def table(rows, delimiter=",", end="\n"):
    text = io.StringIO()
    # All quoted: before Python 3.13 the writer leaves a carriage return bare.
    writer = csv.DictWriter(text, rows[0], delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def parquet(rows):
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def arrow(rows, writer):
    buffer = io.BytesIO()
    content = pa.Table.from_pylist(rows)
    with writer(buffer, content.schema) as file:
        file.write_table(content)
    return buffer.getvalue()


def zstd(content):
    return pa.compress(content, codec="zstd", asbytes=True)


def renamed(rows, **names):
    return [{names[key]: value for key, value in row.items() if key in names} for row in rows]


def chat(row, role="role", content="content", user="user", assistant="assistant"):
    turns = [] if not row["context"] else [{role: "system", content: row["context"]}]
    return [*turns, {role: user, content: row["instruction"]}, {role: assistant, content: row["response"]}]


ALPACA = renamed(ROWS, instruction="instruction", context="input", response="output")
CHATS = [{"messages": chat(row)} for row in ROWS]
FORMS = {
    "a.jsonl": lines(ROWS),
    "a.ndjson": lines(ROWS),
    "a": lines(ROWS),
    "part-00000-of-00001": lines(ROWS),
    "a.txt": lines(ROWS),
    "named-csv.csv": lines(ROWS),
    "blank.jsonl": "\n\n" + lines(ROWS, end="\n\n"),
    "crlf.jsonl": lines(ROWS, end="\r\n"),
    "cr.jsonl": lines(ROWS, end="\r"),
    "bom.jsonl": lines(ROWS).encode("utf-8-sig"),
    "utf16.jsonl": lines(ROWS).encode("utf-16"),
    "utf16-le.jsonl": lines(ROWS).encode("utf-16-le"),
    "utf32.jsonl": lines(ROWS).encode("utf-32"),
    "list.json": json.dumps(ROWS, indent=4),
    "list.jsonl": json.dumps(ROWS),
    "pretty.json": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "lines.json": lines(ROWS),
    "held.json": json.dumps({"version": 1, "data": ROWS}),
    "by-id.json": json.dumps({f"k{i}": row for i, row in enumerate(ROWS)}),
    "columns.json": json.dumps({field: [row[field] for row in ROWS] for field in FIELDS}),
    "frame.json": json.dumps({field: {str(i): row[field] for i, row in enumerate(ROWS)} for field in FIELDS}),
    "split.json": json.dumps({"columns": FIELDS, "index": [0, 1, 2, 3], "data": VALUES}),
    "a.csv": table(ROWS),
    "crlf.csv": table(ROWS, end="\r\n"),
    "bom.csv": table(ROWS).encode("utf-8-sig"),
    "utf16.csv": table(ROWS).encode("utf-16"),
    "semicolon.csv": table(ROWS, ";"),
    "pipes.csv": table(ROWS, "|"),
    "capitals.csv": table(renamed(ROWS, instruction="Question", context=" Context ", response="ANSWER")),
    "joined.jsonl": lines(ROWS[:2]) + "\ufeff" + lines(ROWS[2:]),
    "texts.jsonl": lines([{"Messages": chat(row, content="text")} for row in ROWS]),
    "a.feather": arrow(ROWS, pa.ipc.new_file),
    "tabs.csv": table(ROWS, "\t"),
    "a.tsv": table(ROWS, "\t"),
    "a.tab": table(ROWS, "\t"),
    "index.csv": table([{"": i, **row} for i, row in enumerate(ROWS)]),
    "a.parquet": parquet(ROWS),
    "a.pq": parquet(ROWS),
    "named-json.jsonl": parquet(ROWS),
    "file.arrow": arrow(ROWS, pa.ipc.new_file),
    "stream.arrow": arrow(ROWS, pa.ipc.new_stream),
    "binary.parquet": parquet([{key: value.encode() for key, value in row.items()} for row in ROWS]),
    "a.jsonl.gz": gzip.compress(lines(ROWS).encode()),
    "a.jsonl.zst": zstd(lines(ROWS).encode()),
    "two-frames.jsonl.zst": zstd(lines(ROWS[:2]).encode()) + zstd(lines(ROWS[2:]).encode()),
    "a.csv.gz": gzip.compress(table(ROWS).encode()),
    "a.jsonl.bz2": bz2.compress(lines(ROWS).encode()),
    "a.jsonl.lzma": lzma.compress(lines(ROWS).encode(), format=lzma.FORMAT_ALONE),
    "a.json.xz": lzma.compress(json.dumps(ROWS).encode()),
    "packed.parquet.gz": gzip.compress(parquet(ROWS)),
    "packed-unnamed.jsonl": gzip.compress(lines(ROWS).encode()),
    "twice.jsonl.gz": gzip.compress(gzip.compress(lines(ROWS).encode())),
    "alpaca.jsonl": lines(ALPACA),
    "alpaca.csv": table(ALPACA),
    "prompt.jsonl": lines(renamed(ROWS, instruction="prompt", context="context", response="completion")),
    "qa.jsonl": lines(renamed(ROWS, instruction="question", context="context", response="answer")),
    "preference.jsonl": lines(
        [{"prompt": r["instruction"], "context": r["context"], "chosen": r["response"], "rejected": "-"} for r in ROWS]
    ),
    "messages.jsonl": lines(CHATS),
    "messages.parquet": parquet(CHATS),
    "messages.csv": table([{"messages": json.dumps(row["messages"])} for row in CHATS]),
    "sharegpt.json": json.dumps([{"conversations": chat(r, "from", "value", "human", "gpt")} for r in ROWS]),
    "preference-lists.jsonl": lines([{"chosen": chat(row), "rejected": []} for row in ROWS]),
    "prompt-lists.jsonl": lines([{"prompt": chat(row)[:-1], "completion": chat(row)[-1:]} for row in ROWS]),
    "asked-list.jsonl": lines([{"prompt": chat(row)[:-1], "response": row["response"]} for row in ROWS]),
    "content-parts.jsonl": lines(
        [
            {"messages": [{**turn, "content": [{"type": "text", "text": turn["content"]}]} for turn in chat(row)]}
            for row in ROWS
        ]
    ),
    "answered-and-asked-again.jsonl": lines(
        [{"messages": [*chat(row), {"role": "user", "content": "And?"}]} for row in ROWS]
    ),
    "mixed.jsonl": lines([ROWS[0], *ALPACA[1:2], *CHATS[2:]]),
    "nan-elsewhere.jsonl": lines([{**row, "score": float("nan")} for row in ROWS]),
    "infinity-elsewhere.jsonl": lines(ROWS).replace("}", ', "score": 1e400}'),
    "long-integer-elsewhere.jsonl": lines(ROWS).replace("}", f', "n": 1{"0" * 5000}}}'),
    "null-context.parquet": parquet([{**row, "context": row["context"] or None} for row in ROWS]),
}


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", FORMS)
def test_the_same_records_come_of_every_form(tmp_path, name):
    assert [record.values for record in read_sample(write(tmp_path / name, FORMS[name])).records] == VALUES


def test_files_of_a_folder_or_pattern_are_one_set_in_the_order_of_their_names(tmp_path):
    (tmp_path / "shards" / "deep").mkdir(parents=True)
    for i, row in enumerate(ROWS):
        write(tmp_path / "shards" / ("deep" if i == 3 else "") / f"part-{3 - i if i < 3 else 9}.jsonl", lines([row]))
    write(tmp_path / "shards" / "README.md", "no data")
    write(tmp_path / "shards" / ".hidden.jsonl", "no data")
    whole = read_sample(tmp_path / "shards")
    assert sorted(r.values for r in whole.records) == sorted(VALUES)
    assert whole.reading.files == 4
    assert whole.places[1:] == ("part-1.jsonl record 1", "part-2.jsonl record 1", "part-3.jsonl record 1")
    some = read_sample(tmp_path / "shards" / "part-[12].jsonl")
    assert [r.values for r in some.records] == [VALUES[2], VALUES[1]]


@pytest.fixture
def saved(tmp_path):
    """A set and a set of splits as the library datasets saves them."""
    import datasets

    one = datasets.Dataset.from_list(ROWS)
    one.save_to_disk(tmp_path / "one")
    datasets.DatasetDict({"train": one, "test": one.select([2])}).save_to_disk(tmp_path / "dict")
    return tmp_path


def test_what_datasets_saved_is_read_split_by_split(saved):
    assert [r.values for r in read_sample(saved / "one").records] == VALUES
    assert [r.values for r in read_sample(f"{saved}/dict:test").records] == VALUES[2:3]
    assert [r.values for r in read_sample(saved / "dict", split="train").records] == VALUES
    with pytest.raises(UserError, match=r"holds the splits train, test; name one, such as .*dict:train"):
        read_sample(saved / "dict")
    with pytest.raises(UserError, match=r"and 'tset' is asked for; did you mean 'test'"):
        read_sample(f"{saved}/dict:tset")
    with pytest.raises(UserError, match="is one data set without splits"):
        read_sample(f"{saved}/one:train")


def test_splits_of_a_folder_are_told_by_their_files_names(tmp_path):
    for split, rows in (("train", ROWS), ("test", ROWS[:1])):
        write(tmp_path / f"{split}-00000-of-00001.parquet", parquet(rows))
    assert len(read_sample(f"{tmp_path}:test")) == 1
    assert len(read_sample(tmp_path, split="train")) == 4
    with pytest.raises(UserError, match="holds the splits test, train; name one"):
        read_sample(tmp_path)


def test_lists_of_a_json_object_are_named_like_splits(tmp_path):
    path = write(tmp_path / "both.json", json.dumps({"train": ROWS, "test": ROWS[:1]}))
    assert len(read_sample(f"{path}:test")) == 1
    with pytest.raises(UserError, match=r"holds the lists train, test; name one, such as .*both\.json:train"):
        read_sample(path)


def test_standard_input_is_read(tmp_path):
    program = "from ggmi.text.samples import read_sample; print(len(read_sample('-', form='csv')))"
    content = gzip.compress(table(ROWS).encode())
    done = subprocess.run([sys.executable, "-c", program], input=content, capture_output=True, check=True)
    assert done.stdout == b"4\n"


def test_a_named_encoding_holds_for_text_that_is_not_utf8(tmp_path):
    rows = [{"instruction": "Übe.", "response": "größer – “so”"}]
    for encoding in ("cp1252", "utf-8"):
        path = write(tmp_path / "a.csv", table(rows).encode(encoding))
        assert read_sample(path, encoding="cp1252").records[0].response == rows[0]["response"]
    write(path, table(rows).encode("cp1252"))
    with pytest.raises(UserError, match=r"line 2 is not UTF-8 \(its byte 2\); name the file's encoding, such as cp125"):
        read_sample(path)
    with pytest.raises(UserError, match="encoding: there is none called 'cp125'; did you mean 'cp1252'"):
        read_sample(path, encoding="cp125")


# Names of fields.

DEEP = [
    {"doc": {"q": "Why?"}, "resps": [["So."]], "response": {"body": {"choices": [{"message": {"content": "So."}}]}}},
    {
        "doc": {"q": "How?"},
        "resps": [["Thus."]],
        "response": {"body": {"choices": [{"message": {"content": "Thus."}}]}},
    },
]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
@pytest.mark.parametrize("answer", ["resps.0.0", "response.body.choices.0.message.content"])
def test_a_dotted_path_leads_into_a_row(tmp_path, suffix, answer):
    path = write(tmp_path / f"a.{suffix}", lines(DEEP) if suffix == "jsonl" else parquet(DEEP))
    sample = read_sample(path, {"instruction": "doc.q", "response": answer})
    assert [r.values for r in sample.records] == [("Why?", "", "So."), ("How?", "", "Thus.")]


def test_names_are_tried_in_their_order_row_by_row(tmp_path):
    rows = [{"q": "A?", "long": "", "short": "a"}, {"q": "B?", "long": "bb", "short": "b"}, {"p": "C?", "short": "c"}]
    path = write(tmp_path / "a.jsonl", lines(rows))
    sample = read_sample(path, {"instruction": ["q", "p"], "response": "long, short"})
    assert [r.values[::2] for r in sample.records] == [("A?", "a"), ("B?", "bb"), ("C?", "c")]
    assert dict(sample.reading.columns)["response"] == ("short", "long")


def test_an_answer_that_failed_is_not_replaced_by_the_reference(tmp_path):
    rows = [{"question": f"{i}?", "response": None if i == 1 else f"r{i}", "answer": "gold"} for i in range(3)]
    sample = read_sample(write(tmp_path / "a.jsonl", lines(rows)))
    assert [r.response for r in sample.records] == ["r0", "r2"]
    assert str(sample.reading.left_out[0]) == "1 with an empty response in 'response' (line 2)"
    assert sample.reading.unread == ("answer",)


def test_a_name_with_a_dot_in_it_comes_before_a_path(tmp_path):
    rows = [{"instruction": "A?", "a.b": "whole", "a": {"b": "inside"}}]
    assert read_sample(write(tmp_path / "a.jsonl", lines(rows)), {"response": "a.b"}).records[0].response == "whole"


def test_the_turns_of_a_chat_are_told_apart(tmp_path):
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Two?"},
        {"role": "tool", "content": "2"},
        {"role": "assistant", "content": "It is 2."},
    ]
    sample = read_sample(write(tmp_path / "a.jsonl", lines([{"messages": turns}])))
    assert sample.records[0].values == ("Two?", "Be brief.\nuser: One?\nassistant: 1\ntool: 2", "It is 2.")


def test_a_transcript_of_preferences_is_a_chat(tmp_path):
    text = "\n\nHuman: One?\n\nAssistant: 1\n\nHuman: Two?\n\nAssistant: 2, and\n\nno more"
    sample = read_sample(write(tmp_path / "a.jsonl", lines([{"chosen": text, "rejected": "x"}])))
    assert sample.records[0].values == ("Two?", "human: One?\nassistant: 1", "2, and\n\nno more")


@pytest.mark.parametrize(("value", "text"), [(3, "3"), (2.5, "2.5"), (True, "true"), (-(10**30), str(-(10**30)))])
def test_numbers_and_booleans_are_their_text(tmp_path, value, text):
    path = write(tmp_path / "a.jsonl", lines([{"instruction": "Add.", "response": value}]))
    assert read_sample(path).records[0].response == text


def test_fields_outside_the_parts_are_not_required(tmp_path):
    path = write(tmp_path / "a.jsonl", lines([{"response": "a"}, {"response": "b", "instruction": []}]))
    assert [r.values for r in read_sample(path, parts=["response"]).records] == [("", "", "a"), ("", "", "b")]
    with pytest.raises(UserError, match="compare responses alone with --parts response"):
        read_sample(path)


def test_an_empty_name_says_that_there_is_no_such_field(tmp_path):
    path = write(tmp_path / "a.jsonl", lines([{"id": "x", **row} for row in ROWS]))
    sample = read_sample(path, {"context": "", "id": ""})
    assert {r.context for r in sample.records} == {""}
    assert len({r.id for r in sample.records}) == 4


def test_columns_that_nothing_is_taken_from_are_known(tmp_path):
    rows = [{"instruction": "Add.", "notes": "1 2", "response": "3", "prompt_id": "p", "model": "m"}] * 2
    for name, content in (("a.jsonl", lines(rows)), ("a.csv", table(rows)), ("a.parquet", parquet(rows))):
        path = write(tmp_path / name, content)
        assert read_sample(path).reading.unread == ("notes", "model")
        assert read_sample(path, {"context": "notes"}).reading.unread == ("model",)


# Ids, and columns besides the fields.


@pytest.mark.parametrize("ids", [[None, 1, 2, 3], [[0], [1], [2], [3]], ["", "a", {}, "b"], [float("nan"), 1, 2, 3]])
def test_ids_are_made_where_there_are_none_that_can_be_used(tmp_path, ids):
    sample = read_sample(write(tmp_path / "a.jsonl", lines([{"id": i, **r} for i, r in zip(ids, ROWS, strict=True)])))
    assert len({r.id for r in sample.records}) == 4
    assert [r.id for r, i in zip(sample.records, ids, strict=True) if isinstance(i, int)] == [
        str(i) for i in ids if isinstance(i, int)
    ]


def test_an_id_that_comes_again_is_made_anew_and_told(tmp_path):
    sample = read_sample(write(tmp_path / "a.jsonl", lines([{"id": 7, **row} for row in ROWS])))
    assert sample.records[0].id == "7"
    assert len({r.id for r in sample.records}) == 4
    assert sample.reading.notes == ("3 ids are made of the content, since the rows' own are none or come twice",)


def test_made_ids_do_not_move_when_records_come_and_go(tmp_path):
    rows = [{"instruction": "Add.", "response": str(i % 3)} for i in range(9)]
    ids = [r.id for r in read_sample(write(tmp_path / "a.jsonl", lines(rows))).records]
    assert len(set(ids)) == 9
    fewer = [r.id for r in read_sample(write(tmp_path / "b.jsonl", lines(rows[1:]))).records]
    # The rows are three, three times over: without the first, its copies take its name and its copy's.
    assert set(fewer) == set(ids) - {ids[6]}


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("tokens", "many", "the column tokens is left aside: in line 2 it is 'many'; allowed: a number"),
        ("tokens", -1, "the column tokens is left aside: in line 2 it is -1; allowed: a whole number, not negative"),
        ("log_prob_nats", 2, "the column log_prob_nats is left aside: in line 2 it is 2; a log-probability is finite"),
        ("log_prob_nats", [], "the column log_prob_nats is left aside: in line 2 it is a list; allowed: a number"),
        ("anchor_ids", 5, "the column anchor_ids is left aside: in line 2 it is a number; allowed: a list of ids"),
        ("prompt_id", {}, "the column prompt_id is left aside: in line 2 it is an object; allowed: text or a whole n"),
    ],
)
def test_a_column_of_another_kind_is_left_aside_unless_it_was_named(tmp_path, column, value, sentence):
    rows = [{column: None, **ROWS[0]}, {column: value, **ROWS[1]}]
    path = write(tmp_path / "a.jsonl", lines(rows))
    sample = read_sample(path)
    assert len(sample) == 2
    assert sample.reading.notes[0].startswith(sentence)
    assert not any(sample.nats + sample.tokens + sample.anchor_ids + sample.keys)
    if column == "prompt_id":
        with pytest.raises(UserError, match="line 2: the field 'prompt_id' is an object; allowed: text or a whole"):
            read_sample(path, key="prompt_id")


def test_what_is_known_of_how_records_were_made_is_read(tmp_path):
    rows = [
        {"prompt_id": 7, "anchor_ids": ["a", 2], "log_prob_nats": -2.5, "tokens": 4, **ROWS[0]},
        {"prompt_id": "p", "anchor_ids": [], "log_prob_nats": None, "tokens": 4.0, **ROWS[1]},
    ]
    in_cells = [{**row, "anchor_ids": json.dumps(row["anchor_ids"])} for row in rows]
    for name, content in (("a.jsonl", lines(rows)), ("a.csv", table(in_cells))):
        sample = read_sample(write(tmp_path / name, content))
        assert sample.prompt_ids == ["7", "p"]
        assert sample.anchor_ids == (("a", "2"), ())
        assert (sample.nats, sample.tokens) == ((-2.5, None), (4, 4))


# Rows that hold no record.

SEVERAL = [
    (json.dumps(ROWS[0]), None),
    ('{"instruction": "A', "2 not JSON (line 2: "),
    ("[1]", "1 not an object (line 3: but a list)"),
    ('{"instruction": "A", "response": ""}', "2 with an empty response in 'response' (line 4, line 5)"),
    ('{"instruction": "A", "response": null}', None),
    ('{"instruction": "A", "response": [1]}', "1 with a response in 'response' that is a list (line 6)"),
    ('{"instruction": "A", "instruction": "B", "response": "x"}', "line 7: it names the field 'instruction' twice)"),
    ('{"instruction": "A\\u0000", "response": "x"}', "1 with NUL in the instruction (line 8: character 2)"),
    (
        '{"instruction": "A", "response": "\\ud800"}',
        "1 with half a surrogate pair in the response (line 9: character 1)",
    ),
    ('{"messages": [{"role": "user", "content": "A"}]}', "1 with a chat without an answer (line 10)"),
    ('{"instruction": "A"}', "1 without a response (line 11)"),
    *[(json.dumps(ROWS[1]), None)] * 12,
]


def test_rows_without_a_record_are_counted_by_reason_or_stop_all_at_once(tmp_path):
    path = write(tmp_path / "a.jsonl", "\n".join(line for line, _ in SEVERAL))
    sample = read_sample(path)
    assert len(sample) == 13
    told = "; ".join(map(str, sample.reading.left_out))
    for _, sentence in SEVERAL:
        assert sentence is None or sentence in told
    assert sum(one.count for one in sample.reading.left_out) == 10
    with pytest.raises(UserError) as caught:
        read_sample(path, invalid="stop")
    assert str(caught.value) == f"{path}: 10 of 23 rows hold no record: {told}; --invalid drop leaves them out"


def test_a_set_most_of_whose_rows_hold_no_record_is_not_read(tmp_path):
    rows = [ROWS[0], *[{"instruction": "A", "response": "", "reply": "x"}] * 3]
    path = write(tmp_path / "a.jsonl", lines(rows))
    with pytest.raises(UserError, match=r"3 of 4 rows hold no record: 3 with an empty .*named with --map response=COL"):
        read_sample(path)
    assert len(read_sample(path, {"response": ["response", "reply"]})) == 4


def test_words_for_what_is_missing_stay_text_and_are_told(tmp_path):
    rows = [{"instruction": f"{i}?", "response": word} for i, word in enumerate(["None", "yes", "nan"])]
    sample = read_sample(write(tmp_path / "a.csv", table(rows)))
    assert [r.response for r in sample.records] == ["None", "yes", "nan"]
    assert sample.reading.notes == ("2 responses read None, nan, the first in line 2; they are kept as texts",)


def test_lines_of_a_table_that_do_not_fit_its_header_are_left_out(tmp_path):
    path = write(tmp_path / "a.csv", "instruction,context,response\nA,,1\nB,2\nC,,3,4\nD,,4,,\n")
    sample = read_sample(path)
    assert [r.response for r in sample.records] == ["1", "4"]
    assert str(sample.reading.left_out[0]) == (
        "2 not of as many values as the header (line 3: 2 and not 3, line 4: 4 and not 3)"
    )


# What is refused, each with the way out.

REFUSED = {
    "pointer.jsonl": ("version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "fetch it with `git lfs pull`"),
    "pointer.parquet": ("version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "fetch it with `git lfs pull`"),
    "sheet.xlsx": (b"PK\x03\x04" + b"\0" * 60, "is an Excel workbook or another zip archive; save the sheet as CSV"),
    "sheet.csv": (b"PK\x03\x04" + b"\0" * 60, "is an Excel workbook or another zip archive; save the sheet as CSV"),
    "old.xls": (b"\xd0\xcf\x11\xe0" + b"\0" * 60, "is an old Excel workbook; save the sheet as CSV"),
    "page.jsonl": ("\n<!DOCTYPE html><html>", "is a web page and not data; download the file itself"),
    "weights.jsonl": (b"\x80\x04K\x01.", "is a pickle, which could run code and is never read"),
    "cut.jsonl.gz": (gzip.compress(lines(ROWS * 99).encode())[:200], "cannot be read (Compressed file ended before"),
    "cut.parquet": (parquet(ROWS)[:90], "cannot be read as Parquet ("),
    "empty.jsonl": ("", "holds no records"),
    "blank.csv": ("\n\n", "holds no records"),
    "header.csv": ("instruction,response\n", "holds no records"),
    "twice.csv": ("instruction,response,response\nA,b,c\n", "names the column 'response' twice; rename one of them"),
    "quotes.csv": ('instruction,response\nA,"b\n', "is not CSV (unexpected end of data); mend its quotation marks"),
    "cut.json": (json.dumps(ROWS)[:-20], "it is in record 4, and what follows it cannot be read; mend the file"),
    "notes": ("one\ntwo\n", "name it with --format, one of jsonl, json, csv, tsv, parquet, arrow"),
    "binary.jsonl": (b"ab\0\0cd", "is neither text nor a format that is read"),
    "names.jsonl": (
        lines([{"ask": "A", "tell": "B"}]),
        "no row has a field for the instruction; its columns are ask, tell; name it with --map instruction=COLUMN resp",
    ),
    "deep.jsonl": (lines(DEEP), "name it with --map instruction=COLUMN"),
    "struct.parquet": (
        parquet([{"data": {"instruction": "A", "response": "B"}}]),
        "name it with --map instruction=data.instruction response=data.response",
    ),
    "harness.jsonl": (
        lines([{"doc": {"question": "A", "answer": "gold"}, "resps": [["B"]]}]),
        "name it with --map instruction=doc.question response=resps.0.0",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_one_sentence_with_the_way_out(tmp_path, name):
    content, sentence = REFUSED[name]
    path = write(tmp_path / name, content)
    with pytest.raises(UserError) as caught:
        read_sample(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_parquet_column_named_twice_is_refused(tmp_path):
    names = ["instruction", "response", "response"]
    pq.write_table(pa.table([pa.array(["A"])] * 3, names=names), tmp_path / "t.parquet")
    with pytest.raises(UserError, match="names the column 'response' twice; rename one of them"):
        read_sample(tmp_path / "t.parquet")


def test_a_name_that_no_row_has_is_told_even_where_it_may_be_absent(tmp_path):
    path = write(tmp_path / "a.jsonl", lines(ALPACA))
    for fields, sentence in [
        ({"context": "inptu"}, "no row has the field 'inptu' that is named for context; did you mean 'input'"),
        ({"id": "key"}, "no row has the field 'key' that is named for id"),
        ({"response": "outptu"}, r"no row has the field 'outptu' \(response\); did you mean 'output'"),
        ({"respnse": "x"}, "fields: there is no field 'respnse'; did you mean 'response'"),
        ({"response": ""}, "fields: response needs a name"),
    ]:
        with pytest.raises(UserError, match=sentence):
            read_sample(path, fields)


def test_a_folder_of_several_formats_or_of_one_file_twice_is_told(tmp_path):
    write(tmp_path / "a.jsonl", lines(ROWS))
    write(tmp_path / "a.jsonl.gz", gzip.compress(lines(ROWS).encode()))
    with pytest.raises(UserError, match=r"holds a\.jsonl and a\.jsonl\.gz, which may be the same; name one of them"):
        read_sample(tmp_path)
    (tmp_path / "a.jsonl.gz").unlink()
    write(tmp_path / "b.csv", table(ROWS))
    with pytest.raises(UserError, match=r"holds files of several formats \(a\.jsonl, b\.csv\); name those that are me"):
        read_sample(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match=r"none: the folder holds no file that ends with \.jsonl"):
        read_sample(tmp_path / "none")


# The hub.


def test_what_exists_here_is_never_asked_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner").mkdir()
    write(tmp_path / "owner" / "set", lines(ROWS))
    assert is_local("owner/set")
    assert len(read_sample("owner/set")) == 4
    assert find("owner/other").hub == "owner/other"
    assert (find("owner/other:test").hub, find("owner/other:test").split) == ("owner/other", "test")
    with pytest.raises(UserError, match=r"sets/none\.jsonl: there is no such file or folder"):
        find("sets/none.jsonl")


def test_without_a_network_a_data_set_of_the_hub_is_one_sentence(tmp_path):
    program = (
        "from ggmi.errors import UserError\nfrom ggmi.text.samples import read_sample\n"
        "try:\n    read_sample('databricks/databricks-dolly-15k', revision='main')\n"
        "except UserError as error:\n    print(error)"
    )
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=offline, capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    assert line.startswith("databricks/databricks-dolly-15k, split train: is no file or folder here, and the data set ")


@pytest.mark.parametrize(
    ("name", "short"),
    [("a/b.csv.gz", "b"), ("-", "stdin"), ("owner/set:test", "set:test"), ("shards/*.jsonl", "shards")],
)
def test_a_set_is_called_by_the_last_part_of_its_name(name, short):
    assert short_name(name) == short


# Any records, in every form that can hold them.

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
FULL = TEXT.filter(is_visible)
WRITERS = {
    "a.jsonl": lines,
    "ascii.jsonl": lambda rows: "".join(json.dumps(row) + "\n" for row in rows),
    "a.json": lambda rows: json.dumps(rows, ensure_ascii=False, indent=1),
    "a.csv": table,
    "a.tsv": lambda rows: table(rows, "\t"),
    "semicolon.csv": lambda rows: table(rows, ";", "\r\n"),
    "utf16.jsonl": lambda rows: lines(rows).encode("utf-16"),
    "a.jsonl.zst": lambda rows: zstd(lines(rows).encode()),
    "a.csv.gz": lambda rows: gzip.compress(table(rows).encode()),
    "a.parquet": parquet,
    "a.arrow": lambda rows: arrow(rows, pa.ipc.new_stream),
    "alpaca.json": lambda rows: json.dumps(
        renamed(rows, instruction="instruction", context="input", response="output", id="id")
    ),
    "deep.jsonl": lambda rows: lines([{"a": [row]} for row in rows]),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.tuples(FULL, TEXT, FULL), min_size=1, max_size=5))
@example(values=[("A", " ", "b"), ("A", "\t\n", "b")])
def test_any_records_are_the_same_in_every_form(tmp_path, values):
    rows = [{"id": f"r{i}", **dict(zip(FIELDS, value, strict=True))} for i, value in enumerate(values)]
    for name, writer in WRITERS.items():
        fields = {field: f"a.0.{field}" for field in ("id", *FIELDS)} if name == "deep.jsonl" else {}
        found = read_sample(write(tmp_path / name, writer(rows)), fields)
        assert [(r.id, *r.values) for r in found.records] == [tuple(row.values()) for row in rows], name
