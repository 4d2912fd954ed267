"""JSON lines: one object a line, read strictly, with the file and line of every mistake."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ggmi.errors import UserError
from ggmi.io import atomic

# Objects and lists inside one another. Python's own limit depends on who calls; this one does not.
MAX_DEPTH = 100
# A whole JSON string, or one bracket; possessive, so that no text makes it look twice.
_BRACKETS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[][{}]', re.DOTALL)


class RepeatedFieldError(ValueError):
    """An object that names a field twice."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose fields are all different, from a decoder's pairs.

    Parameters
    ----------
    pairs
        Names and values.

    Raises
    ------
    RepeatedFieldError
        If a name comes twice.
    """
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RepeatedFieldError(f"names the field {twice[:40]!r} twice")
    return row


def depth(text: str, start: int = 0, end: int | None = None) -> tuple[int, int]:
    """How deep the brackets of JSON text go, strings left out.

    Parameters
    ----------
    text
        JSON, whole or cut off.
    start, end
        The part to look at.

    Returns
    -------
    last : int
        Brackets open at the end.
    deepest : int
        The most that were open at once.

    Examples
    --------
    >>> depth('[{"a": "[[["}, {')
    (2, 2)
    """
    now = deepest = 0
    for found in _BRACKETS.finditer(text, start, len(text) if end is None else end):
        first = text[found.start()]
        if first in "[{":
            now += 1
            deepest = max(deepest, now)
        elif first in "]}":
            now -= 1
    return now, deepest


def too_deep(text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether brackets of JSON text stand more than `MAX_DEPTH` deep."""
    stop = len(text) if end is None else end
    # Few brackets cannot be deep: most texts are settled by counting.
    few = text.count("[", start, stop) + text.count("{", start, stop) <= MAX_DEPTH
    return not few and depth(text, start, stop)[1] > MAX_DEPTH


def lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, str]]:
    """Read a text file line by line, in strict UTF-8; a byte-order mark at its start is left out.

    Parameters
    ----------
    path
        The file.

    Yields
    ------
    number : int
        From 1.
    line : str
        With its line end.

    Raises
    ------
    UserError
        If the file cannot be read or a line is not UTF-8.
    """
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    text = line.decode("utf-8")
                except UnicodeDecodeError as error:
                    raise UserError(f"{path}: line {number} is not UTF-8 (its byte {error.start + 1})") from None
                yield number, text.removeprefix("\ufeff") if number == 1 else text
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None


def read_rows(path: str | os.PathLike[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read objects of a JSON-lines file one at a time; empty lines are passed over.

    Parameters
    ----------
    path
        The file.

    Yields
    ------
    number : int
        The line, from 1.
    row : dict

    Raises
    ------
    UserError
        If the file cannot be read, or a line is not UTF-8, not JSON, not an object, names a field
        twice, holds NaN or an infinity, or is nested deeper than `MAX_DEPTH`.
    """
    decode = json.JSONDecoder(object_pairs_hook=once, parse_constant=_no_number).decode
    for number, line in lines(path):
        if not line.strip():
            continue
        place = f"{path}: line {number}"
        if too_deep(line):
            raise UserError(f"{place} is nested deeper than {MAX_DEPTH} brackets")
        try:
            row = decode(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{place} is not JSON ({error.msg}, column {error.colno})") from None
        except RepeatedFieldError as error:
            raise UserError(f"{place} {error}") from None
        except ValueError as error:
            raise UserError(f"{place} is not JSON ({error})") from None
        if not isinstance(row, dict):
            raise UserError(f"{place} is not an object but {kind(row)}; one JSON object a line is needed")
        yield number, row


def write_rows(path: str | os.PathLike[str], rows: Iterable[Mapping[str, Any]]) -> int:
    """Write objects as JSON lines, atomically, keys in the order given.

    Parameters
    ----------
    path
        The file to make.
    rows
        What JSON can hold; NaN and infinities are refused. Taken one at a time.

    Returns
    -------
    int
        How many rows there were.
    """
    count = 0
    with atomic(path) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            line = json.dumps(row, ensure_ascii=False, allow_nan=False)
            # Half a surrogate pair, which a model may write, is no UTF-8 but can be escaped.
            file.write((line if line.isascii() or _is_utf8(line) else json.dumps(row, allow_nan=False)) + "\n")
            count += 1
    return count


def filter_rows(path: str | os.PathLike[str], keep: Callable[[int, str], bool], target: str | os.PathLike[str]) -> None:
    """Write some rows of a file that `write_rows` made, as they stand there, atomically.

    Parameters
    ----------
    path
        The file.
    keep
        Whether to take a row, by its number from 0 and its line; asked of each once, in order.
    target
        The file to make.
    """
    with atomic(target) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(line for number, line in lines(path) if keep(number - 1, line))


def kind(value: object) -> str:
    """What JSON calls a value, for messages.

    Examples
    --------
    >>> kind(None), kind([]), kind(1.5)
    ('null', 'a list', 'a number')
    """
    if value is None:
        return "null"
    names = {bool: "true or false", str: "text", list: "a list", dict: "an object", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)


def _is_utf8(text: str) -> bool:
    """Whether text can be written as UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _no_number(name: str) -> float:
    """Refuse what Python reads and JSON does not know."""
    raise ValueError(f"{name} is no JSON number")
