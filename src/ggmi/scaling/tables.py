"""Tables of samples on disk, in chunks of rows, only the columns that are wanted: JSON lines, CSV, Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ggmi.errors import UserError, told_by
from ggmi.text.jsonl import kind

FORMATS = (".jsonl", ".ndjson", ".csv", ".parquet")
COMPRESSED = (".gz", ".zst", ".bz2", ".lz4")
BLOCK_BYTES, CHUNK_ROWS = 2**22, 2**16
# Objects of JSON lines held at once, with all that they hold.
LINES = 2**13
# Rows of a file of JSON lines that are looked at to learn its columns.
SEEN = 100


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file.

    Parameters
    ----------
    source
        The file.
    unit
        What its rows are called: ``line`` or ``row``.
    numbers
        Number of each row in the file, from 1.
    columns
        Values by name; None where a row has none.
    """

    source: str
    unit: str
    numbers: Sequence[int]
    columns: dict[str, list[Any]]

    def place(self, row: int) -> str:
        """Where a row of the chunk stands, for messages."""
        return f"{self.source}: {self.unit} {self.numbers[row]}"


def format_of(path: str) -> str:
    """A file's format by its suffix, before that of its compression.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    UserError
        If it is none of `FORMATS`.

    Examples
    --------
    >>> format_of("a/samples.JSONL.gz")
    '.jsonl'
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    if not suffixes or suffixes[-1] not in FORMATS:
        allowed = ", ".join(FORMATS)
        raise UserError(
            f"{path}: has an unknown format; allowed: {allowed}, compressed or not ({', '.join(COMPRESSED)})"
        )
    return suffixes[-1]


def column_names(path: str) -> list[str]:
    """Names of a file's columns; of JSON lines those of the first rows, with the members of objects as ``a.b``.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    found: dict[str, None] = {}
    with _told(path):
        if format_of(path) == ".parquet":
            with _opened(path) as file:
                schema = pa.parquet.ParquetFile(file).schema_arrow
            for field in schema:
                found[field.name] = None
                if pa.types.is_struct(field.type):
                    found |= dict.fromkeys(
                        f"{field.name}.{field.type.field(i).name}" for i in range(field.type.num_fields)
                    )
        elif format_of(path) == ".csv":
            with _opened(path) as file:
                found = dict.fromkeys(pa.csv.open_csv(file, parse_options=_CSV).schema.names)
        else:
            for (_, row), _ in zip(_objects(path), range(SEEN), strict=False):
                for name, value in row.items():
                    found[name] = None
                    if isinstance(value, dict):
                        found |= dict.fromkeys(f"{name}.{member}" for member in value)
    return list(found)


def read_chunks(path: str, columns: Sequence[str]) -> Iterator[Chunk]:
    """Read some columns of a file, chunk by chunk.

    Parameters
    ----------
    path
        The file.
    columns
        Their names; ``a.b`` is the member b of a column a of objects, unless a column has that name.

    Yields
    ------
    Chunk

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    with _told(path):
        if format_of(path) == ".parquet":
            with _opened(path) as file:
                table = pa.parquet.ParquetFile(file)
                batches = table.iter_batches(CHUNK_ROWS, columns=list(columns))
                yield from _from_batches(path, batches, columns)
        elif format_of(path) == ".csv":
            # As text, whatever a block of it looks like; who needs a number makes it one.
            options = pa.csv.ConvertOptions(
                include_columns=list(columns),
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=True,
            )
            reading = pa.csv.ReadOptions(block_size=BLOCK_BYTES)
            with _opened(path) as file:
                yield from _from_batches(path, pa.csv.open_csv(file, reading, _CSV, options), columns)
        else:
            yield from _from_lines(path, columns)


_CSV = pyarrow.csv.ParseOptions(newlines_in_values=True)


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Tell in a sentence what is wrong with a file."""
    try:
        yield
    except UserError:
        raise
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else told_by(error, 200)
        raise UserError(f"{path}: cannot be read ({reason})") from None


def _opened(path: str) -> pa.NativeFile:
    """The file's bytes, decompressed."""
    if not Path(path).is_file():
        raise UserError(f"{path}: there is no such file")
    if Path(path).suffix.lower() in COMPRESSED:
        return pa.input_stream(path, compression="detect")
    return pa.OSFile(path)


def _from_batches(path: str, batches: Any, columns: Sequence[str]) -> Iterator[Chunk]:
    """Rows of record batches."""
    first = 1
    for batch in batches:
        held = {name: batch.column(i) for i, name in enumerate(batch.schema.names)}
        values = {column: _member(held, column).to_pylist() for column in columns}
        yield Chunk(path, "row", range(first, first + batch.num_rows), values)
        first += batch.num_rows


def _member(held: dict[str, pa.Array], column: str) -> pa.Array:
    """A column, or the member of one."""
    if column in held:
        return held[column]
    root, _, rest = column.partition(".")
    found = held[root]
    for name in rest.split("."):
        found = pa.compute.struct_field(found, name)
    return found


def _objects(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file of JSON lines, with their lines' numbers."""
    rest, number, decode = b"", 0, json.JSONDecoder().decode
    with _opened(path) as file:
        while True:
            block = file.read(BLOCK_BYTES)
            whole, ended, rest = (rest + block).rpartition(b"\n") if block else (rest, b"", b"")
            for line in _lines(whole, path, number) if whole or ended else []:
                number += 1
                if not line or line.isspace():
                    continue
                try:
                    row = decode(line)
                except (ValueError, RecursionError) as error:
                    raise UserError(f"{path}: line {number}: is not JSON ({told_by(error, 100)})") from None
                if not isinstance(row, dict):
                    raise UserError(f"{path}: line {number}: holds {kind(row)}; allowed: an object a line")
                yield number, row
            if not block:
                return


def _lines(whole: bytes, path: str, before: int) -> list[str]:
    """Lines of a part of a file in UTF-8; a byte-order mark at the file's start is left out."""
    try:
        text = whole.decode("utf-8-sig" if not before else "utf-8")
    except UnicodeDecodeError as error:
        line = before + 1 + whole.count(b"\n", 0, error.start)
        raise UserError(f"{path}: line {line}: is not in UTF-8") from None
    return text.split("\n")


def _from_lines(path: str, columns: Sequence[str]) -> Iterator[Chunk]:
    """Rows of a file of JSON lines."""
    objects = _objects(path)
    while part := list(islice(objects, LINES)):
        rows = [row for _, row in part]
        held = {
            column: [_value(row, column) for row in rows] if "." in column else [row.get(column) for row in rows]
            for column in columns
        }
        yield Chunk(path, "line", [number for number, _ in part], held)


def _value(row: dict[str, Any], column: str) -> Any:
    """A value of a row, or a member of one."""
    if column in row:
        return row[column]
    found: Any = row
    for name in column.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found
