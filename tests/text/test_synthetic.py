import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.text.jsonl import write_rows
from ggmi.text.parsing import parse
from ggmi.text.records import Record, read_records
from ggmi.text.synthetic import Origin, TokenSpan, failure_rows, synthetic_rows

ORIGIN = Origin("tiny", "p1", ("a1", "a2"), 4, "c0ffee")
RECORDS = '{"instruction": "Add.", "context": "1 2", "response": "3"}', '{"instruction": "Name it.", "response": "x"}'
TEXT = f"[{RECORDS[0]}, 5, {RECORDS[1]}, {{"


def cut(text, places):
    """Tokens of a text, cut at the places, each worth minus its number of characters."""
    edges = [0, *sorted(places), len(text)]
    return [TokenSpan(a, b, float(a - b)) for a, b in itertools.pairwise(edges)]


def test_a_row_holds_the_record_and_where_it_comes_from():
    first, second = synthetic_rows(parse(TEXT), ORIGIN, "the endpoint gives none")
    origin = {"generator": "tiny", "prompt_id": "p1", "anchor_ids": ["a1", "a2"], "draw": 4, "response_key": "c0ffee"}
    missing = {"log_prob_nats": None, "log_prob_missing": "the endpoint gives none", "tokens": None}
    assert first == {
        "id": "c0ffee-0", "instruction": "Add.", "context": "1 2", "response": "3", **origin, "position": 0, **missing
    }  # fmt: skip
    assert second == {
        "id": "c0ffee-2", "instruction": "Name it.", "context": "", "response": "x", **origin, "position": 2, **missing
    }  # fmt: skip


def test_failures_are_kept_with_their_text():
    rows = list(failure_rows(parse(TEXT), ORIGIN))
    assert [(row["position"], row["reason"], row["excerpt"]) for row in rows] == [
        (1, "not_an_object", "5"),
        (3, "truncated", "{"),
    ]
    assert all(TEXT[row["start"] : row["end"]] == row["excerpt"] and row["draw"] == 4 for row in rows)


def test_a_token_belongs_to_the_record_it_reaches_into():
    parsed = parse(RECORDS[0] + RECORDS[1])
    middle, end = len(RECORDS[0]), len("".join(RECORDS))
    spans = [TokenSpan(0, middle - 1, -1.0), TokenSpan(middle - 1, middle + 1, -2.0), TokenSpan(middle + 1, end, -4.0)]
    rows = list(synthetic_rows(parsed, ORIGIN, spans))
    assert [(row["log_prob_nats"], row["tokens"]) for row in rows] == [(-3.0, 2), (-4.0, 1)]
    assert all(row["log_prob_missing"] is None for row in rows)


@given(st.sets(st.integers(0, len(TEXT))))
def test_shares_are_the_tokens_of_each_record_and_add_up_to_no_more_than_all(places):
    spans = cut(TEXT, places)
    parsed = parse(TEXT)
    rows = list(synthetic_rows(parsed, ORIGIN, spans))
    for record, row in zip(parsed.records, rows, strict=True):
        # With a list's comma and a number between them, no token but a very long one is in both.
        inside = [s for s in spans if s.start < record.end and s.end > record.start]
        if row is rows[0] or inside[0].start >= parsed.records[0].end:
            assert row["log_prob_nats"] == pytest.approx(sum(s.log_prob for s in inside))
    assert sum(row["log_prob_nats"] for row in rows) >= -len(TEXT)
    assert sum(row["tokens"] for row in rows) <= len(spans)


def test_one_token_a_character_gives_each_record_its_length():
    spans = cut(TEXT, range(1, len(TEXT)))
    rows = list(synthetic_rows(parse(TEXT), ORIGIN, spans))
    assert [row["tokens"] for row in rows] == [len(text) for text in RECORDS]


def test_rows_can_be_read_as_records(tmp_path):
    path = tmp_path / "synthetic.jsonl"
    write_rows(path, synthetic_rows(parse(TEXT), ORIGIN, "none"))
    assert list(read_records(path)) == [
        Record("c0ffee-0", "Add.", "1 2", "3"),
        Record("c0ffee-2", "Name it.", "", "x"),
    ]
    assert all(json.loads(line) for line in path.read_text().splitlines())
