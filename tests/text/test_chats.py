"""The same exchanges in every layout of chats that public sets have."""

import csv
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ggmi.errors import UserError
from ggmi.text.samples import read_rows, read_sample

PAIRS = [("Name a moon.", "Io, it's said."), ("Name a sea.", 'The "Aral".\nOr not.')]
SYSTEM = "Be brief."


def lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def parquet(rows, schema=None):
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer)
    return buffer.getvalue()


def table(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def chat(asked, answered, who="role", what="content", user="user", assistant="assistant"):
    return [{who: user, what: asked}, {who: assistant, what: answered}]


def each(layout):
    return [layout(*pair) for pair in PAIRS]


def read(tmp_path, name, content, **options):
    (tmp_path / name).write_bytes(content)
    return read_sample(tmp_path / name, **options)


ALONE = {
    "capitals.jsonl": lines(each(lambda q, a: {"messages": chat(q, a, user="User", assistant="Chatbot")})),
    "parts.jsonl": lines(
        each(
            lambda q, a: {
                "contents": [{"role": "user", "parts": [{"text": q}]}, {"role": "model", "parts": [{"text": a}]}]
            }
        )
    ),
    "bare-parts.jsonl": lines(each(lambda q, a: {"messages": chat([q], [a], what="parts")})),
    "object-content.jsonl": lines(each(lambda q, a: {"messages": chat({"parts": [q]}, {"parts": [a]})})),
    "nested-author.jsonl": lines(
        each(lambda q, a: {"messages": chat(q, a, "author", user={"role": "user"}, assistant={"role": "assistant"})})
    ),
    "speakers.jsonl": lines(each(lambda q, a: {"dialogue": chat(q, a, "speaker", "utterance", "Human", "Bot")})),
    "pairs-of-names.jsonl": lines(each(lambda q, a: {"conversation": [{"human": q, "assistant": a}]})),
    "pairs-of-texts.jsonl": lines(each(lambda q, a: {"conversations": [q, a], "source": "x"})),
    "rows-are-chats.jsonl": lines(each(chat)),
    "rows-are-chats.json": json.dumps(each(chat)).encode(),
    "two-makers.parquet": parquet(
        [
            {"messages": [{**turn, "from": None, "value": None} for turn in chat(*PAIRS[0])]},
            {
                "messages": [
                    {**turn, "role": None, "content": None} for turn in chat(*PAIRS[1], "from", "value", "human", "gpt")
                ]
            },
        ]
    ),
    "lists-of-fields.parquet": parquet(
        each(lambda q, a: {"conversations": {"from": ["human", "gpt"], "value": [q, a]}})
    ),
    "maps.parquet": parquet(
        each(lambda q, a: {"messages": [list(turn.items()) for turn in chat(q, a)]}),
        pa.schema([("messages", pa.list_(pa.map_(pa.string(), pa.string())))]),
    ),
    "printed-by-python.csv": table(each(lambda q, a: {"messages": repr(chat(q, a))})),
    "printed-by-numpy.csv": table(each(lambda q, a: {"messages": "[" + "\n ".join(map(repr, chat(q, a))) + "]"})),
    "printed-preference.csv": table(each(lambda q, a: {"prompt": q, "chosen": repr(chat(q, a)), "rejected": "[]"})),
    "question-then-response.jsonl": lines(each(lambda q, a: {"messages": chat(q, a)[:1], "response": a})),
    "question-then-chosen.json": json.dumps(
        each(
            lambda q, a: {
                "conversations": [{"from": "human", "value": q}],
                "chosen": {"from": "gpt", "value": a},
                "rejected": {"from": "gpt", "value": "No."},
            }
        )
    ).encode(),
    "question-in-context.jsonl": lines(each(lambda q, a: {"context": chat(q, a)[:1], "response": a})),
    "turn-for-chosen.jsonl": lines(each(lambda q, a: {"prompt": q, "chosen": chat(q, a)[1], "rejected": {}})),
    "question-twice.jsonl": lines(each(lambda q, a: {"prompt": chat(q, a)[:1], "chosen": chat(q, a), "rejected": []})),
    "transcript-and-prompt.jsonl": lines(
        each(lambda q, a: {"prompt": q, "chosen": f"\n\nHuman: {q}\n\nAssistant: {a}", "rejected": ""})
    ),
    "open-transcript.jsonl": lines(
        each(lambda q, a: {"prompt": f"\n\nHuman: {q}\n\nAssistant:", "chosen": a, "rejected": ""})
    ),
    "some-rows-are-chats.parquet": parquet(
        [
            {"instruction": PAIRS[0][0], "output": PAIRS[0][1], "messages": None},
            {"instruction": None, "output": None, "messages": chat(*PAIRS[1])},
        ]
    ),
    "thoughts.jsonl": lines(
        each(lambda q, a: {"messages": chat(q, [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": a}])})
    ),
}


@pytest.mark.parametrize("name", ALONE)
def test_chats_of_every_layout_hold_the_same_records(tmp_path, name):
    sample = read(tmp_path, name, ALONE[name])
    assert [record.values for record in sample.records] == [(q, "", a) for q, a in PAIRS]
    assert not sample.reading.left_out


def test_a_list_beside_a_chat_holds_no_records(tmp_path):
    content = lines([{"messages": chat(*PAIRS[0]), "tools": [{"name": "search"}]}])
    assert read(tmp_path, "a.jsonl", content).records[0].response == PAIRS[0][1]


@pytest.mark.parametrize(
    "row",
    [
        lambda q, a: {"system": SYSTEM, "messages": chat(q, a)},
        lambda q, a: {"systemInstruction": {"parts": [{"text": SYSTEM}]}, "contents": chat(q, a, what="parts")},
        lambda q, a: {"system_prompt": SYSTEM, "prompt": chat(q, a)[:1], "completion": chat(q, a)[1:]},
        lambda q, a: {"conversation": [{"system": SYSTEM, "input": q, "output": a}]},
        lambda q, a: {"prompt": [{"role": "system", "content": SYSTEM}, *chat(q, a)[:1]], "chosen": chat(q, a)},
        lambda q, a: {"system": "Other.", "messages": [{"role": "system", "content": SYSTEM}, *chat(q, a)]},
    ],
)
def test_what_is_said_for_the_system_is_context(tmp_path, row):
    sample = read(tmp_path, "a.jsonl", lines(each(row)))
    assert [record.values for record in sample.records] == [(q, SYSTEM, a) for q, a in PAIRS]


CALL = [{"type": "function", "function": {"name": "search", "arguments": '{"moon": 1}'}}]


def test_calls_of_tools_are_said_too(tmp_path):
    asked, answered = chat(*PAIRS[0])
    turns = [asked, {"role": "assistant", "content": None, "tool_calls": CALL}, {"role": "tool", "content": "42"}]
    first, second = read(
        tmp_path, "a.jsonl", lines([{"messages": [*turns, answered]}, {"messages": turns[:2]}])
    ).records
    assert first.values == (PAIRS[0][0], f"assistant: {json.dumps(CALL)}\ntool: 42", PAIRS[0][1])
    assert second.values == (PAIRS[0][0], "", json.dumps(CALL))


def test_an_answer_told_in_several_turns_is_one(tmp_path):
    turns = [*chat("Count.", "One."), {"role": "assistant", "content": "Two."}]
    assert read(tmp_path, "a.jsonl", lines([{"messages": turns}])).records[0].values == ("Count.", "", "One.\nTwo.")


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_parts_that_are_no_text_are_passed_over_and_told(tmp_path, form):
    parts = [[{"type": "image", "text": None}, {"type": "text", "text": q}] for q, _ in PAIRS]
    rows = [{"messages": chat(part, [{"type": "text", "text": a}])} for part, (_, a) in zip(parts, PAIRS, strict=True)]
    sample = read(tmp_path, f"a.{form}", lines(rows) if form == "jsonl" else parquet(rows))
    assert [record.values for record in sample.records] == [(q, "", a) for q, a in PAIRS]
    assert sample.reading.notes == ("2 records come of chats that hold image, of which nothing was read",)


def test_parts_inside_parts_are_read_as_far_as_anybody_writes_them(tmp_path):
    deep = json.loads("[" * 400 + '"a"' + "]" * 400)
    rows = [{"messages": chat(["Name ", [{"text": "a moon."}]], "Io.")}, {"messages": chat(deep, "Io.")}]
    sample = read(tmp_path, "a.json", json.dumps(rows).encode())
    assert [record.instruction for record in sample.records] == ["Name a moon."]
    assert str(sample.reading.left_out[0]) == "1 with an empty instruction in its chat (record 2: a list)"


def test_a_chat_named_for_question_and_answer_is_read_once(tmp_path):
    sample = read(
        tmp_path,
        "a.jsonl",
        lines(each(lambda q, a: {"talk": chat(q, a)})),
        fields={"instruction": "talk", "response": "talk"},
    )
    assert [record.values for record in sample.records] == [(q, "", a) for q, a in PAIRS]


@pytest.mark.parametrize(
    "answer",
    [
        "Human: Name a moon.\n\nAssistant: Io.",
        '[{"role": "admin", "text": "Io"}]',
        "[{'role': 'user', 'content': 'Hello?'}, {'role': 'assistant', 'content': 'Yes.'}]",
        "[{'a': " + "[" * 10_000,
        "[{'a': " + "-" * 10_000 + "1}]",
    ],
)
def test_an_answer_that_looks_like_a_chat_stays_a_text(tmp_path, answer):
    sample = read(tmp_path, "a.jsonl", lines([{"instruction": "Write a chat.", "response": answer}]))
    assert sample.records[0].values == ("Write a chat.", "", answer)


def test_an_answer_beside_a_whole_chat_is_told_as_unread(tmp_path):
    sample = read(tmp_path, "a.jsonl", lines(each(lambda q, a: {"messages": chat(q, a), "answer": "short"})))
    assert [record.values for record in sample.records] == [(q, "", a) for q, a in PAIRS]
    assert sample.reading.unread == ("answer",)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            lambda q, a: {"messages": chat(q, a, assistant="clerk")},
            "2 with a chat without an answer (line 1: its roles are clerk, line 2: its roles are clerk)",
        ),
        (lambda q, a: {"messages": chat(q, a, assistant="tool")}, "2 with a chat without an answer (line 1, line 2)"),
        (lambda q, _: {"messages": chat(q, [{"type": "audio"}])}, "with an empty response in its chat (line 1: audio"),
        (lambda q, a: {"items": chat(q, a)}, "its columns are items; name it with --map instruction=items"),
        (lambda q, a: {"data": {"talk": chat(q, a)}}, "its columns are data; name it with --map instruction=data.talk"),
        (lambda q, a: {"instruction": q, "response": [a]}, "named with --map response=response.0"),
        (lambda q, a: {"instruction": q, "response": {"text": a}}, "named with --map response=response.text"),
        (lambda q, a: {"instruction": q, "generations": [a]}, "name it with --map response=generations.0"),
        (lambda q, a: {"user": q, "assistant": a}, "name it with --map instruction=user response=assistant"),
        (
            lambda q, a: {"instruction": q, "instances": [{"input": "x", "output": a}]},
            "--map response=instances.0.output context=instances.0.input (of each list its first)",
        ),
    ],
)
def test_what_is_no_record_is_told_with_what_may_be_meant(tmp_path, row, sentence):
    with pytest.raises(UserError) as caught:
        read(tmp_path, "a.jsonl", lines(each(row)))
    assert sentence in str(caught.value)


def test_a_path_into_a_column_that_was_not_read_is_found(tmp_path):
    rows = each(lambda q, a: {"context": "c", "question": q, "answers": {"text": [a], "answer_start": [0]}})
    with pytest.raises(UserError, match=r"name it with --map response=answers\.text\.0"):
        read(tmp_path, "a.parquet", parquet(rows))


def test_chats_and_values_of_arrays_are_read_as_what_they_hold(tmp_path):
    import pandas as pd

    (tmp_path / "a.parquet").write_bytes(parquet(each(lambda q, a: {"messages": chat(q, a)})))
    rows = pd.read_parquet(tmp_path / "a.parquet").to_dict("records")
    assert [record.values for record in read_rows(rows, "mine").records] == [(q, "", a) for q, a in PAIRS]
    row = {"id": np.int64(7), "instruction": np.str_("Add."), "response": np.float64(1.5), "tokens": np.int32(3)}
    missing = {"instruction": "Add.", "response": pd.NA}
    sample = read_rows([row, missing, {**row, "response": (1, 2)}, row], "mine")
    assert [(r.instruction, r.response) for r in sample.records] == [("Add.", "1.5")] * 2
    assert (sample.records[0].id, sample.tokens) == ("7", (3, 3))
    assert [one.reason for one in sample.reading.left_out] == [
        "with an empty response in 'response'",
        "with a response in 'response' that is a list",
    ]
