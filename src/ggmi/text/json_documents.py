"""Rows of JSON as people keep it: objects line by line, in a list, one after another, or held by an object."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from ggmi.errors import UserError
from ggmi.text.jsonl import MAX_DEPTH, kind, once, too_deep

# Longest integer that is read as one, in digits; Python's own limit is 4,300.
DIGITS = 400
# Between values also what marks each of a text sequence (RFC 7464), and commas where brackets were forgotten.
_SPACE = re.compile(r"[ \t\r\n\x1e]*")
_BETWEEN = re.compile(r"[ \t\r\n\x1e,]*")
# Lists inside objects inside one another.
_LEVELS = 3


class Broken(NamedTuple):
    """A row that holds no record: why, in a few words, more of it, and which field it is about."""

    reason: str
    detail: str = ""
    field: str = ""


Row = Mapping[str, Any]
Rows = Iterator[tuple[str, "Row | Broken"]]


def _integer(digits: str) -> int | str:
    """An integer; one that is too long for Python stays text."""
    return int(digits) if len(digits) <= DIGITS else digits


_DECODER = json.JSONDecoder(object_pairs_hook=once, parse_int=_integer)


def is_lines(first: Sequence[str]) -> bool:
    """Whether text is one object a line, by its first lines; one line alone may be a whole document.

    Parameters
    ----------
    first
        Lines from its start.
    """
    filled = [line for line in first if line.strip()][:3]
    if len(filled) < 2:
        return False
    if filled[0].lstrip().startswith("["):
        return isinstance(_line(filled[0]), list)
    return any(isinstance(_line(line), dict) for line in filled[:2])


def rows_of_lines(lines: Iterable[str]) -> Rows:
    """Rows of JSON lines; empty lines are passed over.

    Parameters
    ----------
    lines
        From the file's first.

    Yields
    ------
    place : str
    row : mapping or Broken
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f"line {number}", _object(_line(line))


def rows_of_document(path: Path, text: str, split: str | None, names: Collection[str]) -> Rows:
    """Rows of a JSON document: a list, objects one after another, or an object that holds them in some way.

    Parameters
    ----------
    path
        Its file, for messages.
    text
        The document.
    split
        Which list of an object that has several; None where none is named.
    names
        What columns of records may be called, by which columns are told from ids.

    Yields
    ------
    place : str
    row : mapping or Broken

    Raises
    ------
    UserError
        If the text is not JSON, or holds several lists and none of them is named.
    """
    at = _space(text, 0)
    if text[at : at + 1] == "[":
        yield from ((f"record {number}", _object(value)) for number, value in _elements(path, text, at + 1))
        return
    values: list[Any] = []
    while at < len(text):
        value, at = _value(path, text, at, len(values) + 1)
        values.append(value)
        at = _space(text, at, _BETWEEN)
    held = _held(path, values[0], split, names) if len(values) == 1 and isinstance(values[0], dict) else values
    for number, value in enumerate(held, 1):
        yield f"record {number}", _object(value)


def _line(line: str) -> Any:
    """The value of a line, or why there is none; files that were put together have marks of byte order inside."""
    line = line.lstrip("\ufeff\x1e")
    if too_deep(line):
        return Broken("not JSON", f"nested deeper than {MAX_DEPTH} brackets")
    try:
        return _DECODER.decode(line)
    except json.JSONDecodeError as error:
        return Broken("not JSON", f"{error.msg}, column {error.colno}")
    except ValueError as error:
        return Broken("not JSON", f"it {error}")


def _object(value: Any) -> Row | Broken:
    if isinstance(value, str) and value.lstrip().startswith("{"):  # encoded twice
        value = _line(value)
    if _is_records(value):  # the turns of a chat
        return {"messages": value}
    if isinstance(value, dict | Broken):
        return value
    return Broken("not an object", f"but {kind(value)}")


def _elements(path: Path, text: str, at: int) -> Iterator[tuple[int, Any]]:
    """Elements of a list, one at a time."""
    at = _space(text, at)
    for number in itertools.count(1):
        if text[at : at + 1] == "]":  # an empty list, or a comma behind the last element
            break
        value, at = _value(path, text, at, number)
        yield number, value
        at = _space(text, at)
        if text[at : at + 1] == "]":
            break
        if text[at : at + 1] != ",":
            raise _no_json(path, text, at, "a comma or ] is missing", number)
        at = _space(text, at + 1)
    end = _space(text, at + 1)
    if end < len(text):
        raise _no_json(path, text, end, "more follows the list", number)


def _value(path: Path, text: str, at: int, number: int) -> tuple[Any, int]:
    """The value at a place and where it ends; `Broken` if it names a field twice."""
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise _no_json(path, text, error.pos, error.msg, number) from None
    except RecursionError:
        raise _no_json(path, text, at, "nested too deeply", number) from None
    except ValueError as error:
        return Broken("not JSON", f"it {error}"), _end(path, text, at, number)


def _end(path: Path, text: str, at: int, number: int) -> int:
    """Where a value ends that names a field twice."""
    try:
        return json.JSONDecoder(parse_int=_integer).raw_decode(text, at)[1]
    except json.JSONDecodeError as error:
        raise _no_json(path, text, error.pos, error.msg, number) from None


def _no_json(path: Path, text: str, at: int, what: str, number: int) -> UserError:
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return UserError(
        f"{path}: line {line}, column {column} is not JSON ({what}); it is in record {number}, and what follows it "
        "cannot be read; mend the file, or write one object a line"
    )


def _space(text: str, at: int, what: re.Pattern[str] = _SPACE) -> int:
    """Where white space ends."""
    found = what.match(text, at)
    return found.end() if found else at


def _held(path: Path, value: dict[str, Any], split: str | None, names: Collection[str]) -> Sequence[Any]:
    """Records that one object holds: lists by name, columns, records by id, or itself."""
    # A list of turns, or one that a path leads into, is part of a record and no list of records.
    parts = {name.partition(".")[0] for name in names}
    lists = _lists(value, parts, _LEVELS)
    if lists:
        if split in lists:
            return lists[split]
        # Beside records may stand, say, a list of versions or features, which share no name with any.
        likely = {key: found for key, found in lists.items() if any(parts & row.keys() for row in found)} or lists
        only = next(iter(likely))
        if len(lists) == 1 or (len(likely) == 1 and any(_is_record(row, parts) for row in likely[only])):
            return likely[only]
        raise UserError(f"{path}: holds the lists {', '.join(lists)}; name one, such as {path}:{only}")
    columns, cells = value.get("columns"), value.get("data")
    if isinstance(columns, list) and isinstance(cells, list) and all(isinstance(row, list) for row in cells):
        return [dict(zip(map(str, columns), row, strict=False)) for row in cells]
    inner = list(value.values())
    if inner and all(isinstance(each, dict) for each in inner):
        if set(value) & set(names):
            keys = dict.fromkeys(key for each in inner for key in each)
            return [{name: each[key] for name, each in value.items() if key in each} for key in keys]
        return [{"id": key, **each} for key, each in value.items()]
    alike = len(inner) > 1 and all(isinstance(each, list) for each in inner) and len(set(map(len, inner))) == 1
    if alike and set(value) & set(names):
        return [dict(zip(value, row, strict=True)) for row in zip(*inner, strict=True)]
    return [value]


def _lists(value: dict[str, Any], parts: Collection[str], levels: int) -> dict[str, list[dict[str, Any]]]:
    """Lists of records by their names, in an object or one inside it; none in what is a record itself."""
    if _is_record(value, parts):
        return {}
    lists = {key: _rows(found) for key, found in value.items() if _is_records(found)}
    objects = [each for each in value.values() if isinstance(each, dict)]
    if lists or not levels or any(parts & each.keys() for each in objects):
        return lists
    return {key: found for each in objects for key, found in _lists(each, parts, levels - 1).items()}


def _is_record(value: dict[str, Any], parts: Collection[str]) -> bool:
    """Whether an object names two texts of a record, or the turns of a chat."""
    told = [each for key, each in value.items() if key in parts and not key.endswith("id")]
    return sum(isinstance(each, str) for each in told) > 1 or any(map(_is_records, told))


def _rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records of a list, without what the hub's server of data sets puts around each."""
    around = all("row_idx" in each and isinstance(each.get("row"), dict) for each in found)
    return [each["row"] for each in found] if around else found


def _is_records(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    """Whether a value is a list of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)
