"""Columns besides the fields of records: what connects them, how likely each was, of how many tokens it is."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from ggmi.errors import UserError
from ggmi.text.chats import is_empty
from ggmi.text.forms import ABSENT, find_value, key_of
from ggmi.text.json_documents import Row
from ggmi.text.jsonl import kind

PROMPT = "prompt_id"
ANCHORS, NATS, TOKENS = "anchor_ids", "log_prob_nats", "tokens"
# A log-probability may exceed zero by rounding.
ROUNDING = 1e-6


class Column:
    """A column besides the fields; unless a person named it, it is left aside if one value is of another kind.

    Parameters
    ----------
    name
        Its name; a dotted path where it is required.
    read
        Takes a value or raises ValueError with what it is instead.
    required
        Whether a person named it.

    Attributes
    ----------
    values : list
        One a row.
    wrong : str
        Why it is left aside; empty where it is not.
    """

    def __init__(self, name: str, read: Callable[[Any], Any], *, required: bool = False) -> None:
        self.name, self.required = name, required
        self._read = read
        self.values: list[Any] = []
        self.wrong = ""

    def add(self, source: str, place: str, row: Row) -> None:
        """Read the column of one row.

        Parameters
        ----------
        source, place
            Where the row stands, for messages.
        row
            The row.

        Raises
        ------
        UserError
            If a person named the column and the value is of another kind.
        """
        value = find_value(row, self.name) if self.required else row.get(self.name)
        value = None if value is ABSENT else value
        try:
            self.values.append(self._read(value))
        except ValueError as error:
            if self.required:
                raise UserError(f"{source}: {place}: the field {self.name!r} is {error}") from None
            self.values.append(None)
            self.wrong = self.wrong or f"the column {self.name} is left aside: in {place} it is {error}"


def read_key(value: Any) -> str | None:
    """The key of a record, or None where it has none.

    Parameters
    ----------
    value
        Text or a whole number.

    Raises
    ------
    ValueError
        If it is of another kind.
    """
    if is_empty(value):
        return None
    found = key_of(value)
    if found is None:
        raise ValueError(f"{kind(value)}; allowed: text or a whole number")
    return found


def read_ids(value: Any) -> tuple[str, ...]:
    """Ids of the anchors in a record's prompt; none where there are none.

    Parameters
    ----------
    value
        A list of ids, or its JSON.

    Raises
    ------
    ValueError
        If it is of another kind.
    """
    if isinstance(value, str) and value:  # a CSV file's cell
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError("no JSON list") from None
    if value is None or value == "":
        return ()
    found = [key_of(item) for item in value] if isinstance(value, list) else [None]
    if None in found:
        raise ValueError(f"{kind(value)}; allowed: a list of ids")
    return tuple(str(item) for item in found)


def _number(value: Any) -> float | None:
    if is_empty(value):
        return None
    if isinstance(value, str):  # a CSV file's cell
        try:
            value = float(value)
        except ValueError:
            raise ValueError(f"{value[:40]!r}; allowed: a number") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{kind(value)}; allowed: a number")
    return float(value)


def read_log_prob(value: Any) -> float | None:
    """A natural log-probability, in nats, or None.

    Parameters
    ----------
    value
        Finite and at most zero.

    Raises
    ------
    ValueError
        If it is of another kind.
    """
    found = _number(value)
    if found is not None and not -math.inf < found <= ROUNDING:
        raise ValueError(f"{found:g}; a log-probability is finite and at most 0")
    return found


def read_count(value: Any) -> int | None:
    """A number of tokens, or None.

    Parameters
    ----------
    value
        A whole number, not negative.

    Raises
    ------
    ValueError
        If it is of another kind.
    """
    found = _number(value)
    if found is not None and not (found >= 0 and found.is_integer()):
        raise ValueError(f"{found:g}; allowed: a whole number, not negative")
    return None if found is None else int(found)
