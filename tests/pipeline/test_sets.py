import json

import pytest
import yaml

from ggmi.pipeline.sets import (
    card_of,
    curate_file,
    curation_of,
    format_of,
    imported_failures,
    imported_rows,
    imported_summary,
    parsed_rows,
)
from ggmi.text.card import card_text
from ggmi.text.jsonl import read_rows, write_rows
from ggmi.text.read_notes import Reading
from ggmi.text.records import Record
from ggmi.text.samples import Sample, read_sample
from ggmi.text.thinking import thinks_at_once

COLUMNS = [
    *("id", "instruction", "context", "response", "generator", "prompt_id", "anchor_ids", "draw", "response_key"),
    *("position", "log_prob_nats", "log_prob_missing", "tokens"),
]
OFF = {"lengths": None, "placeholders": False, "exact": False, "contamination": None, "near": None}
GOOD = '{"instruction": "Add 1 and 2.", "response": "3"}'
TEXTS = [f"[{GOOD}, {GOOD}]", "I would rather not.", f'{GOOD} {{"instruction": "", "response": "3"}} {{"instr']


def row(i, text, **changes):
    values = {
        "prompt_id": f"p{i}",
        "draw": 0,
        "key": f"{i:064x}",
        "text": text,
        "finish_reason": "length" if i == 2 else "stop",
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "log_prob_nats": -5.0,
        "log_prob_missing": None,
        "token_log_probs": None,
        "model": "m",
    }
    return values | changes


ANCHORS = {f"p{i}": (f"a{i}", "b") for i in range(3)}


def test_records_failures_and_counts_of_responses_add_up():
    records, failures, summary = parsed_rows([row(i, t) for i, t in enumerate(TEXTS)], ANCHORS, "tiny")
    assert all(list(r) == COLUMNS for r in records)
    assert len({r["id"] for r in records}) == len(records) == summary["records"] == 3
    assert [r["anchor_ids"] for r in records] == [["a0", "b"], ["a0", "b"], ["a2", "b"]]
    assert [f["reason"] for f in failures] == ["no_json", "empty_field", "truncated"]
    assert summary["failures"] == {"empty_field": 1, "no_json": 1, "truncated": 1}
    assert sum(summary["failures"].values()) == len(failures)
    assert summary["validity"] == 3 / 6
    assert 0 < summary["validity_ci_low"] < 0.5 < summary["validity_ci_high"] < 1
    assert (summary["responses"], summary["with_records"], summary["cut"]) == (3, 2, 1)
    assert (summary["prompt_tokens"], summary["completion_tokens"]) == (300, 30)
    assert summary["log_prob_nats"] == -15.0
    assert {r["log_prob_missing"] for r in records} == {"log-probabilities of single tokens were not asked for"}


def test_mended_records_are_in_the_set_and_not_in_its_validity():
    texts = [f"[{GOOD}, {GOOD[:-1]},}}]", '{"question": "a", "Answer": 3}']
    form = format_of(
        {"fields": {"instruction": "question", "response": ["answer"]}, "repair": True, "thinking_marks": []}
    )
    records, _, summary = parsed_rows([row(i, t) for i, t in enumerate(texts)], ANCHORS, "tiny", form)
    assert [r["response"] for r in records] == ["3", "3", "3"]
    assert (summary["records"], summary["repaired"], summary["validity"]) == (3, 1, 2 / 3)
    strict = parsed_rows([row(i, t) for i, t in enumerate(texts)], ANCHORS, "tiny")[2]
    assert (strict["records"], strict["validity"], strict["keys"]) == (1, 1 / 3, {"Answer": 1, "question": 1})
    assert strict["finish_reasons"] == {"stop": 2}


def test_thoughts_that_a_template_opens_are_known_by_the_answers_that_close_them():
    texts = [f"Perhaps {GOOD}</think>{GOOD}", GOOD, f"Perhaps {GOOD} or"]
    rows = [row(i, t) for i, t in enumerate(texts)]
    marks = format_of({"fields": {}, "repair": False, "thinking_marks": [["(", ")"]]}).marks
    assert thinks_at_once(texts, marks)
    assert not thinks_at_once([GOOD, f"<think>{GOOD}</think>", f"(({GOOD})"], marks)
    _, failures, summary = parsed_rows(rows, ANCHORS, "tiny", at_once=True)
    assert (summary["records"], [f["reason"] for f in failures]) == (2, ["thinking_cut"])


def test_a_response_without_log_probability_leaves_the_sum_unknown_and_says_why():
    rows = [row(0, TEXTS[0]), row(1, TEXTS[0], log_prob_nats=None, log_prob_missing="the endpoint gives none")]
    records, _, summary = parsed_rows(rows, ANCHORS, "tiny")
    assert summary["log_prob_nats"] is None
    assert [r["log_prob_missing"] for r in records[2:]] == ["the endpoint gives none"] * 2


def test_shares_of_records_and_of_what_stands_between_make_up_the_responses_log_probability():
    text = f"{GOOD} and {GOOD}"
    middle = (len(GOOD), len(GOOD) + 5)
    spans = [[0, middle[0], -2.0], [*middle, -4.0], [middle[1], len(text), -8.0], [len(text), len(text), -16.0]]
    records, _, _ = parsed_rows([row(0, text, token_log_probs=spans)], ANCHORS, "tiny")
    assert [(r["log_prob_nats"], r["tokens"], r["log_prob_missing"]) for r in records] == [
        (-2.0, 1, None),
        (-8.0, 1, None),
    ]


def after_curation(folder, rows, curation, references):
    """What curation keeps and drops of rows, and its summary."""
    write_rows(folder / "rows.jsonl", rows)
    made = folder / "kept.jsonl", folder / "drops.jsonl"
    summary = curate_file(folder / "rows.jsonl", curation, references, *made)
    return *([row for _, row in read_rows(path)] for path in made), summary


def test_nothing_given_is_a_set_of_nothing(tmp_path):
    records, failures, summary = parsed_rows([], {}, "tiny")
    assert records == failures == []
    assert summary["validity"] is None
    kept, drops, curated = after_curation(tmp_path, [], curation_of(OFF), {})
    assert kept == drops == []
    assert curated == {"kept": 0, "dropped": {}, "removed_share": None, "removed_text_share": None}


def test_what_curation_keeps_and_drops_is_everything_and_each_drop_says_why(tmp_path):
    records, _, _ = parsed_rows([row(i, t) for i, t in enumerate(TEXTS)], ANCHORS, "tiny")
    records.append({**records[0], "id": "new", "instruction": "Name [your town].", "response": "Ulm"})
    kept, drops, summary = after_curation(
        tmp_path, records, curation_of({**OFF, "exact": True, "placeholders": True}), {}
    )
    assert kept == [records[0]]
    assert [(d["id"], d["filter"], d["twin"]) for d in drops] == [
        (records[1]["id"], "exact", records[0]["id"]),
        (records[2]["id"], "exact", records[0]["id"]),
        ("new", "placeholders", None),
    ]
    assert summary["kept"] + sum(summary["dropped"].values()) == len(records)
    assert summary["removed_share"] == 3 / 4


def test_contamination_compares_with_the_real_records(tmp_path):
    records, _, _ = parsed_rows([row(0, TEXTS[0])], ANCHORS, "tiny")
    real = {"train": [Record("t1", "Add 1 and 2.", "", "3")], "test": [Record("h1", "Sing.", "", "La")]}
    kept, drops, _ = after_curation(tmp_path, records, curation_of({**OFF, "contamination": 0.9}), real)
    assert kept == []
    assert {(d["reason"], d["twin"]) for d in drops} == {("near train", "t1")}


def test_an_imported_set_has_the_columns_of_one_made_here():
    records = (Record("x1", "Add.", "1, 2", "3"), Record("x2", "Sing.", "", "La"))
    given = Sample("s", records, ("line 1", "line 2"), ("p7", None), (("a1",), ()), (-2.5, None), (4, None))
    rows, summary = imported_rows(given, "theirs"), imported_summary(2, Reading())
    kept = ("prompt_id", "anchor_ids", "log_prob_nats", "log_prob_missing", "tokens")
    assert [[row[name] for name in kept] for row in rows] == [
        ["p7", ["a1"], -2.5, None, 4],
        [None, [], None, "the set was imported without it", None],
    ]
    assert [list(r) for r in rows] == [COLUMNS] * 2
    assert {r["generator"] for r in rows} == {"theirs"}
    _, _, of_parsed = parsed_rows([row(0, TEXTS[0])], ANCHORS, "tiny")
    assert set(summary) == {*of_parsed, "missing", "cut_prompts", "read"}
    assert (summary["records"], summary["responses"], summary["validity"], summary["failures"]) == (2, 0, None, {})


def test_rows_of_an_imported_set_that_hold_no_record_count_as_failures(tmp_path):
    rows = [{"instruction": "Add.", "response": "3"}, {"instruction": "Sing.", "response": ""}, {"instruction": "Go."}]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in [*rows, rows[0]]))
    sample = read_sample(tmp_path / "a.jsonl")
    assert imported_summary(len(sample), sample.reading)["failures"] == {"no_record": 2}
    assert imported_failures(sample.reading) == [
        {"reason": "no_record", "why": "with an empty response in 'response'", "rows": 1, "places": ["line 2"]},
        {"reason": "no_record", "why": "without a response", "rows": 1, "places": ["line 3"]},
    ]


@pytest.fixture
def load(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    import datasets

    datasets.disable_progress_bars()
    return lambda folder: datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))


HOSTILE = [
    "<script>alert(1)</script>",
    "{{ anchors }}",
    "=1+2",
    "a\u202eb",
    "| --- |\n# Title",
    "\x1b[31m",
    "---\nx: 1",
]


def test_the_card_stands_beside_a_set_that_datasets_loads(load, tmp_path):
    text = json.dumps([{"instruction": t, "context": t, "response": t} for t in HOSTILE])
    records, _, parsed = parsed_rows([row(0, text)], ANCHORS, "tiny")
    kept, _, curated = after_curation(tmp_path, records, curation_of(OFF), {})
    write_rows(tmp_path / "set/synthetic.jsonl", kept)
    made_by = {"generator": HOSTILE[0], HOSTILE[4]: HOSTILE[6]}
    card = card_of(HOSTILE[6], "other", made_by, parsed, curated, "\n".join(HOSTILE))
    (tmp_path / "set/README.md").write_text(card_text(card), encoding="utf-8")
    found = load(tmp_path / "set")["train"]
    assert found.column_names == COLUMNS
    assert found["response"][:] == HOSTILE
    text = (tmp_path / "set/README.md").read_text(encoding="utf-8")
    assert yaml.safe_load(text.split("\n---\n")[0])["pretty_name"] == "--- x: 1"
    before = text.split("## Prompt template")[0]
    assert "<script" not in before
    assert not set("\x1b\u202e") & set(text)
    assert f"| records kept | {len(HOSTILE)} |" in text


def test_the_card_of_an_imported_set_shows_no_prompt(tmp_path):
    given = Sample("s", (Record("x1", "Add.", "", "3"),), ("line 1",), (None,), ((),), (None,), (None,))
    rows, parsed = imported_rows(given, "theirs"), imported_summary(1, given.reading)
    _, _, curated = after_curation(tmp_path, rows, curation_of(OFF), {})
    assert "Prompt template" not in card_text(card_of("Theirs", "other", {"generator": "g"}, parsed, curated, ""))
