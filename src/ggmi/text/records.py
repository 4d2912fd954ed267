"""Records of a task (instruction, context, response) and the files they come from."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ggmi.errors import UserError, did_you_mean
from ggmi.text.jsonl import kind, lines, read_rows, write_rows

FIELDS = ("instruction", "context", "response")
# A context may be absent or empty.
REQUIRED = ("instruction", "response")
FORMATS = (".jsonl", ".ndjson", ".csv", ".parquet")
# What no UTF-8 file, table or tokenizer can be trusted to carry.
UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
# Longest field of a CSV file, in characters; Python's own limit is 131,072.
CSV_FIELD = 10**9
BATCH_ROWS = 1024

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One example of a task.

    Parameters
    ----------
    id
        Unique within its set.
    instruction
        What is asked; never empty.
    context
        The input it is asked about; may be empty.
    response
        The answer; never empty.
    """

    id: str
    instruction: str
    context: str
    response: str

    @property
    def values(self) -> tuple[str, str, str]:
        """Instruction, context and response."""
        return self.instruction, self.context, self.response

    @property
    def text(self) -> str:
        """The whole record, as it is compared with others."""
        return "\n".join(self.values)


def read_records(path: str | os.PathLike[str], fields: Mapping[str, str] | None = None) -> Iterator[Record]:
    """Read the records of a JSONL, CSV or Parquet file, one at a time.

    Parameters
    ----------
    path
        The file; its suffix tells the format.
    fields
        What the file calls ``instruction``, ``context``, ``response`` and ``id``, where it has
        other names for them. An empty name says that the file has no such field (context or id).
        Without a name for the id, a field ``id`` is used if a row has one; otherwise the id is
        made of the content, and of the count of earlier records with the same content, so that it
        does not change when other records come or go.

    Yields
    ------
    Record

    Raises
    ------
    UserError
        If the file cannot be read or a record is not as it should be; the sentence names the line
        (JSONL, CSV) or row (Parquet), from 1.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tasks.jsonl"
    ...     _ = path.write_text('{"prompt": "Add 1 and 2.", "response": "3"}')
    ...     [record.values for record in read_records(path, {"instruction": "prompt"})]
    [('Add 1 and 2.', '', '3')]
    """
    return records_of(placed_rows(path, fields), fields or {}, str(path))


def placed_rows(
    path: str | os.PathLike[str], fields: Mapping[str, str] | None = None, others: Iterable[str] = ()
) -> Iterator[tuple[str, Row]]:
    """Read the rows of a JSONL, CSV or Parquet file, one at a time, each with where it stands.

    Parameters
    ----------
    path
        The file; its suffix tells the format.
    fields
        As in `read_records`.
    others
        Further columns that are read where a file has them; other columns of a Parquet file are not.

    Yields
    ------
    place : str
        Line or row, from 1.
    row : mapping

    Raises
    ------
    UserError
        If the file cannot be read, or a CSV or Parquet file lacks a column of a record.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise UserError(f"{path}: has an unknown format; allowed: {', '.join(FORMATS)}")
    named = _checked_names(fields or {})
    if suffix == ".csv":
        return _csv_rows(path, named)
    if suffix == ".parquet":
        return _parquet_rows(path, named, others)
    return ((f"line {number}", row) for number, row in read_rows(path))


def column_names(path: str | os.PathLike[str], rows: Iterable[tuple[str, Row]]) -> list[str]:
    """Names of all columns of a file, in the order of their first appearance.

    Parameters
    ----------
    path
        The file.
    rows
        Its rows, which hold all columns unless the file is Parquet.
    """
    if Path(path).suffix.lower() == ".parquet":
        from pyarrow.parquet import read_schema

        return list(read_schema(path).names)
    return list(dict.fromkeys(column for _, row in rows for column in row))


def read_dataset(
    name: str, fields: Mapping[str, str] | None = None, *, split: str = "train", revision: str | None = None
) -> Iterator[Record]:
    """Read the records of a Hugging Face data set, from the hub, its cache or a folder.

    The library `datasets` runs no code that comes with a data set; rows are memory-mapped.

    Parameters
    ----------
    name
        Id on the hub, such as ``databricks/databricks-dolly-15k``, or a folder of data files.
    fields
        As in `read_records`.
    split
        Which split.
    revision
        Branch, tag or commit on the hub.

    Yields
    ------
    Record

    Raises
    ------
    UserError
        If the data set cannot be had, or a record is not as it should be.
    """
    import datasets  # type: ignore[import-untyped]

    named = _checked_names(fields or {})
    place = f"{name}, split {split}"
    try:
        table = datasets.load_dataset(name, split=split, revision=revision)
    except Exception as error:  # the hub, the cache and each file format have exceptions of their own
        raise UserError(f"{place}: the data set cannot be loaded ({_reason(error)})") from None
    _check_columns(place, table.column_names, named)
    return records_of(((f"row {number}", row) for number, row in enumerate(table, 1)), named, place)


def records_of(rows: Iterable[tuple[str, Row]], fields: Mapping[str, str], source: str) -> Iterator[Record]:
    """Make records of rows, whatever they come from.

    Parameters
    ----------
    rows
        Where each row stands, and the row.
    fields
        What the rows call each field, as in `read_records`.
    source
        What the rows come from, for messages.

    Yields
    ------
    Record

    Raises
    ------
    UserError
        If a field is missing, empty, not text, or holds NUL or half a surrogate pair; if two
        records have one id, or if there are no records.
    """
    id_field, context_field = fields.get("id", "id"), fields.get("context", "context")
    seen: dict[str, str] = {}
    copies: dict[str, int] = {}
    context_seen = "context" not in fields or not context_field
    for place, row in rows:
        where = f"{source}: {place}"
        values = [_text(row, field, fields.get(field, field), where) for field in FIELDS]
        context_seen = context_seen or context_field in row
        if id_field and ("id" in fields or id_field in row):
            identity = _identity(row, id_field, where)
        else:
            content = content_hash(values)
            copies[content] = copies.get(content, 0) + 1
            identity = content if copies[content] == 1 else f"{content}-{copies[content]}"
        if identity in seen:
            raise UserError(f"{where}: the id {identity[:60]!r} is that of {seen[identity]} already; ids must differ")
        seen[identity] = place
        yield Record(identity, *values)
    if not seen:
        raise UserError(f"{source}: holds no records")
    if not context_seen:
        raise UserError(f"{source}: no row has the field {context_field!r} that is named for context")


def write_records(path: str | os.PathLike[str], records: Iterable[Record]) -> int:
    """Write records as JSON lines, atomically; `read_records` reads them back the same.

    Parameters
    ----------
    path
        The file to make.
    records
        Taken one at a time.

    Returns
    -------
    int
        How many there were.
    """
    return write_rows(path, (asdict(record) for record in records))


def content_hash(values: Iterable[str], length: int = 16) -> str:
    """A short name for text: the first hexadecimal digits of a SHA-256.

    Parameters
    ----------
    values
        Texts, in order.
    length
        Digits kept; with 16 of them the chance that any two of 100,000 agree is 3e-10.

    Examples
    --------
    >>> content_hash(["a", "b"]) == content_hash(["ab"])
    False
    """
    return hashlib.sha256(json.dumps(list(values)).encode()).hexdigest()[:length]


def _checked_names(fields: Mapping[str, str]) -> dict[str, str]:
    """The field map, after a look at its keys."""
    for name, column in fields.items():
        if name not in (*FIELDS, "id"):
            raise UserError(f"fields: there is no field {name!r}; {did_you_mean(name, (*FIELDS, 'id'))}")
        if not column and name in REQUIRED:
            raise UserError(f"fields: {name} needs a name; only context and id may be left out")
    return dict(fields)


def _text(row: Row, field: str, column: str, where: str) -> str:
    """One field of a row; context may be absent, empty or null."""
    value = row.get(column)
    if value is None or (isinstance(value, str) and not value.strip()):
        if field not in REQUIRED:
            return value or ""
        if column not in row:
            raise UserError(f"{where}: there is no field {column!r} ({field}); {did_you_mean(column, map(str, row))}")
        raise UserError(f"{where}: the field {column!r} ({field}) is empty")
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return json.dumps(value)
    if not isinstance(value, str):
        raise UserError(f"{where}: the field {column!r} ({field}) is {kind(value)}; allowed: text, a number")
    return _writable(value, column, where)


def _identity(row: Row, column: str, where: str) -> str:
    """The id of a row, as text."""
    value = row.get(column)
    if value is None or value == "":
        raise UserError(f"{where}: the field {column!r} (id) is missing or empty")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UserError(f"{where}: the field {column!r} (id) is {kind(value)}; allowed: text or a whole number")
    return _writable(str(value), column, where)


def _writable(value: str, column: str, where: str) -> str:
    """Refuse text that cannot be written to every file and shown to every model."""
    bad = UNWRITABLE.search(value)
    if bad:
        name = "NUL" if bad[0] == "\x00" else f"half a surrogate pair (U+{ord(bad[0]):04X})"
        raise UserError(f"{where}: the field {column!r} holds {name} at character {bad.start() + 1}")
    return value


def _check_columns(place: str, columns: Iterable[str], fields: Mapping[str, str]) -> None:
    """Refuse a table that lacks a column which is needed or named."""
    names = list(columns)
    for field in (*FIELDS, "id"):
        column = fields.get(field, field)
        if column and column not in names and (field in fields or field in REQUIRED):
            raise UserError(f"{place}: there is no column {column!r} ({field}); {did_you_mean(column, names)}")


def _refuse_twice(place: str, names: list[str]) -> None:
    """Refuse a table that names a column twice, since either could be meant."""
    if len(set(names)) < len(names):
        raise UserError(f"{place} names the column {next(n for n in names if names.count(n) > 1)!r} twice; rename one")


def _csv_rows(path: str | os.PathLike[str], fields: Mapping[str, str]) -> Iterator[tuple[str, Row]]:
    """Rows of a CSV file with a header; a row stands at the line on which it ends."""
    csv.field_size_limit(max(csv.field_size_limit(), CSV_FIELD))
    reader = csv.reader((line for _, line in lines(path)), strict=True)
    try:
        header = next(reader, [])
        _refuse_twice(f"{path}: line 1", header)
        if header:
            _check_columns(str(path), header, fields)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise UserError(
                    f"{path}: line {reader.line_num} has {len(cells)} values; the first line names {len(header)}"
                )
            yield f"line {reader.line_num}", dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise UserError(f"{path}: line {reader.line_num} is not CSV ({error})") from None


def _parquet_rows(
    path: str | os.PathLike[str], fields: Mapping[str, str], others: Iterable[str]
) -> Iterator[tuple[str, Row]]:
    """Rows of a Parquet file, in batches; columns that are not needed are not read."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    number = 0
    try:
        with ParquetFile(path) as file:
            columns = file.schema_arrow.names
            _refuse_twice(f"{path}:", columns)
            _check_columns(str(path), columns, fields)
            wanted = {*others, *(fields.get(field, field) for field in (*FIELDS, "id"))}
            used = [column for column in columns if column in wanted]
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=used):
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", row
    except UnicodeDecodeError:
        raise UserError(f"{path}: a text among rows {number + 1} to {number + BATCH_ROWS} is not UTF-8") from None
    except (OSError, ArrowException) as error:
        raise UserError(f"{path}: cannot be read as Parquet ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    """The first line of what another library said."""
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
