"""Sets of records as estimators read them: with prompts, anchors and log-probabilities where a file has them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ggmi.errors import UserError
from ggmi.text.jsonl import kind
from ggmi.text.records import FIELDS, Record, Row, column_names, placed_rows, records_of

PROMPT = "prompt_id"
ANCHORS, NATS, TOKENS = "anchor_ids", "log_prob_nats", "tokens"
# A log-probability may exceed zero by rounding.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Sample:
    """A set of records, and what is known of how each was made.

    Parameters
    ----------
    source
        Where it comes from, for messages.
    records
        Its n records.
    places
        Where each stands in the source.
    keys
        What connects each record with others: its prompt's id, or the value of a column that was
        named; None where unknown.
    anchor_ids
        The anchors in each record's prompt; empty where unknown.
    nats
        Natural log-probability of each record under the law it was drawn from; None where unknown.
    tokens
        Tokens of each; None where unknown.
    unread
        Columns of the source that nothing is taken from, in their order.
    """

    source: str
    records: tuple[Record, ...]
    places: tuple[str, ...]
    keys: tuple[str | None, ...]
    anchor_ids: tuple[tuple[str, ...], ...]
    nats: tuple[float | None, ...]
    tokens: tuple[int | None, ...]
    unread: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of records."""
        return len(self.records)

    @property
    def prompt_ids(self) -> list[str] | None:
        """The key of every record; None unless all have one."""
        found = [key for key in self.keys if key is not None]
        return found if len(found) == len(self.keys) else None

    @property
    def prompts(self) -> dict[str, tuple[str, ...]]:
        """Anchors of each prompt; empty unless every record names its prompt and anchors.

        Raises
        ------
        UserError
            If two records of one prompt name different anchors.
        """
        if self.prompt_ids is None or not all(self.anchor_ids):
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for place, key, ids in zip(self.places, self.prompt_ids, self.anchor_ids, strict=True):
            if found.setdefault(key, ids) != ids:
                raise UserError(
                    f"{self.source}: {place}: prompt {key[:60]!r} has other anchors here than in an earlier record"
                )
        return found


def read_sample(path: str | os.PathLike[str], fields: Mapping[str, str] | None = None, *, key: str = PROMPT) -> Sample:
    """Read a whole set, or nothing of it.

    Parameters
    ----------
    path
        JSONL, CSV or Parquet.
    fields
        What the file calls instruction, context, response and id.
    key
        The column that connects records of one set with those of another.

    Returns
    -------
    Sample

    Raises
    ------
    UserError
        If the file cannot be read, or a record or one of its columns is not as it should be; with
        the line or row.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from pathlib import Path
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "set.jsonl"
    ...     _ = path.write_text('{"instruction": "Add.", "response": "3", "prompt_id": 7, "log_prob_nats": -2.5}')
    ...     sample = read_sample(path)
    >>> sample.prompt_ids, sample.nats
    (['7'], (-2.5,))
    """
    others = (key, ANCHORS, NATS, TOKENS)
    rows = list(placed_rows(path, fields, others))
    records = tuple(records_of(rows, fields or {}, str(path)))
    columns: list[tuple[Any, ...]] = [
        tuple(read(row, column, f"{path}: {place}") for place, row in rows)
        for read, column in ((_key, key), (_ids, ANCHORS), (_log_prob, NATS), (_count, TOKENS))
    ]
    used = {*others, *(({field: field for field in (*FIELDS, "id")} | dict(fields or {})).values())}
    unread = tuple(column for column in column_names(path, rows) if column not in used)
    places = tuple(place for place, _ in rows)
    return Sample(str(path), records, places, columns[0], columns[1], columns[2], columns[3], unread)


def read_made(path: str | os.PathLike[str]) -> Sample:
    """Read a set that the workflow made, which may be empty: a generator can fail every format.

    Parameters
    ----------
    path
        JSONL.

    Returns
    -------
    Sample

    Raises
    ------
    UserError
        As `read_sample`.
    """
    if Path(path).is_file() and not Path(path).stat().st_size:
        return Sample(str(path), (), (), (), (), (), ())
    return read_sample(path)


def require_keys(sample: Sample, key: str) -> list[str]:
    """The keys of a set that must have them.

    Parameters
    ----------
    sample
        The set.
    key
        The column's name.

    Returns
    -------
    list of str

    Raises
    ------
    UserError
        If a record has none.
    """
    for place, found in zip(sample.places, sample.keys, strict=True):
        if found is None:
            raise UserError(f"{sample.source}: {place}: there is no {key!r} to pair by")
    return [str(found) for found in sample.keys]


def _key(row: Row, column: str, where: str) -> str | None:
    value = row.get(column)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UserError(f"{where}: the field {column!r} is {kind(value)}; allowed: text or a whole number")
    return str(value)


def _ids(row: Row, column: str, where: str) -> tuple[str, ...]:
    value = row.get(column)
    if isinstance(value, str) and value:  # a CSV file's cell
        try:
            value = json.loads(value)
        except ValueError:
            raise UserError(f"{where}: the field {column!r} is no JSON list") from None
    if value is None or value == "":
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UserError(f"{where}: the field {column!r} is {kind(value)}; allowed: a list of ids (text)")
    return tuple(value)


def _number(row: Row, column: str, where: str) -> float | None:
    value = row.get(column)
    if value is None or value == "":
        return None
    if isinstance(value, str):  # a CSV file's cell
        try:
            return float(value)
        except ValueError:
            raise UserError(f"{where}: the field {column!r} is {value[:40]!r}; allowed: a number") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{where}: the field {column!r} is {kind(value)}; allowed: a number")
    return float(value)


def _log_prob(row: Row, column: str, where: str) -> float | None:
    value = _number(row, column, where)
    if value is not None and not -math.inf < value <= ROUNDING:
        raise UserError(f"{where}: the field {column!r} is {value:g}; a log-probability is finite and at most 0")
    return value


def _count(row: Row, column: str, where: str) -> int | None:
    value = _number(row, column, where)
    if value is not None and not (value >= 0 and value.is_integer()):
        raise UserError(f"{where}: the field {column!r} is {value:g}; allowed: a whole number, not negative")
    return None if value is None else int(value)
