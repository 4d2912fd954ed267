import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.errors import UserError
from ggmi.text.jsonl import MAX_DEPTH, depth, lines, read_rows, write_rows

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def deepest(value):
    if not isinstance(value, list | dict):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(deepest, inner), default=0)


@given(JSON)
def test_depth_is_that_of_the_value(value):
    assert depth(json.dumps(value)) == (0, deepest(value))


def test_depth_of_text_that_breaks_off_counts_what_is_open():
    assert depth('{"a": [[], {"}}}": "[') == (3, 3)


def test_rows_come_back_as_they_were_written(tmp_path):
    rows = [{"b": 1, "a": "Σ\u2028\u202e\t"}, {}, {"a": [None, {"c": 1.5}]}]
    path = tmp_path / "rows.jsonl"
    assert write_rows(path, iter(rows)) == 3
    assert [row for _, row in read_rows(path)] == rows
    assert list(rows[0]) == ["b", "a"]


def test_lines_are_counted_from_one_and_empty_ones_passed_over(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{"a": 2}')
    assert list(read_rows(path)) == [(1, {"a": 1}), (4, {"a": 2})]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a": "\xff"}', "line 2 is not UTF-8 (its byte 8)"),
        (b'{"a": }', "line 2 is not JSON (Expecting value, column 7)"),
        (b'["a"]', "line 2 is not an object but a list; one JSON object a line is needed"),
        (b"null", "line 2 is not an object but null; one JSON object a line is needed"),
        (b'{"a": 1, "b": 2, "a": 1}', "line 2 names the field 'a' twice"),
        (b'{"a": NaN}', "line 2 is not JSON (NaN is no JSON number)"),
        (b'{"a": ' + b"[" * 100_000, f"line 2 is nested deeper than {MAX_DEPTH} brackets"),
        (b'{"a": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", f"line 2 is nested deeper than {MAX_DEPTH} brackets"),
    ],
)
def test_a_bad_line_is_told_in_one_sentence(tmp_path, line, message):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line + b"\n")
    with pytest.raises(UserError) as caught:
        list(read_rows(path))
    assert str(caught.value) == f"{path}: {message}"


def test_a_number_too_long_for_python_is_told(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": ' + "9" * 100_000 + "}")
    with pytest.raises(UserError, match="line 1 is not JSON"):
        list(read_rows(path))


def test_brackets_within_the_limit_and_in_strings_are_read(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": ' + "[" * 99 + "]" * 99 + ', "b": "' + "[" * 1000 + '"}')
    ((_, row),) = read_rows(path)
    assert row["b"] == "[" * 1000


@pytest.mark.parametrize("place", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path, place):
    path = tmp_path / place
    with pytest.raises(UserError) as caught:
        list(lines(path))
    assert str(caught.value).startswith(f"{path}: cannot be read (")


def test_a_row_that_is_no_json_leaves_no_file(tmp_path):
    with pytest.raises(ValueError):
        write_rows(tmp_path / "rows.jsonl", [{"a": 1}, {"a": float("nan")}])
    assert not list(tmp_path.iterdir())
