"""Rows of a file of any format: JSON and JSON lines, CSV and TSV, Parquet and Arrow, or a data set of the hub."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ggmi.errors import UserError, told_by
from ggmi.text.format import normal_name
from ggmi.text.json_documents import Broken, Rows, is_lines, rows_of_document, rows_of_lines
from ggmi.text.opening import open_packed, read_lines, whole
from ggmi.text.places import format_of

FORMATS = {
    "jsonl": "JSON lines",
    "json": "JSON",
    "csv": "CSV",
    "tsv": "TSV",
    "parquet": "Parquet",
    "arrow": "Arrow",
}
_NOT_READ = {".yaml": "YAML", ".yml": "YAML", ".toml": "TOML", ".md": "Markdown"}
DELIMITERS = ",;\t|"
BATCH_ROWS = 1024
# Longest field of a CSV file, in characters; Python's own limit is 131,072.
CSV_FIELD = 10**9
# Lines by which a format is told.
FIRST_LINES = 20


@dataclass(frozen=True)
class Table:
    """What a file holds.

    Parameters
    ----------
    form
        Its format, in words.
    columns
        Names of columns that its rows may lack, since they were not read.
    rows
        Where each row stands, and the row, or why it is none.
    """

    form: str
    columns: tuple[str, ...]
    rows: Rows


@contextmanager
def open_table(
    path: Path,
    wanted: Collection[str],
    *,
    form: str | None = None,
    encoding: str | None = None,
    split: str | None = None,
) -> Iterator[Table]:
    """Open a file, or standard input, to be read as far as its rows are asked for.

    What the file holds tells its format; its name does where that leaves a choice.

    Parameters
    ----------
    path
        The file, or ``-``.
    wanted
        What columns of records may be called: they are read of a file that keeps columns apart, and a
        table is known by them.
    form
        What the file is, of `FORMATS`, where neither its content nor its name tells.
    encoding
        Of text that is not UTF-8 and has no byte-order mark.
    split
        Which list of a JSON object that has several.

    Yields
    ------
    Table
        Whose rows can be read until the file is closed.

    Raises
    ------
    UserError
        If the file cannot be read, also later, from its rows.
    """
    with ExitStack() as stack:
        yield _table(path, wanted, stack, form, encoding, split)


def _table(
    path: Path, wanted: Collection[str], stack: ExitStack, form: str | None, encoding: str | None, split: str | None
) -> Table:
    """What a file holds, by its content first and then by its name."""
    stream, packing = open_packed(path, stack)
    packed = f", {packing}" if packing else ""
    head = stream.peek(8)[:8]
    said = format_of(path) or form
    if head.startswith(b"PAR1") or (said == "parquet" and head):
        return Table(FORMATS["parquet"] + packed, *_parquet(path, stream, wanted, stack))
    if head[:4] in (b"ARRO", b"\xff" * 4) or (said == "arrow" and head):
        return Table(FORMATS["arrow"] + packed, *_arrow(path, stream, wanted, stack))
    lines = read_lines(path, stream, encoding)
    first = []
    for line in lines:
        first.append(line)
        if line.strip():
            break
    first += itertools.islice(lines, FIRST_LINES)
    lines = itertools.chain(first, lines)
    start = "".join(first).lstrip()[:1]
    if not start:
        return Table("empty file", (), iter(()))
    if start in "{[" or said in ("json", "jsonl"):
        if is_lines(first) or (said == "jsonl" and start not in "{["):
            return Table(FORMATS["jsonl"] + packed, (), rows_of_lines(lines))
        return Table(FORMATS["json"] + packed, (), rows_of_document(path, "".join(lines), split, wanted))
    delimiter = "\t" if said == "tsv" else _delimiter(first, wanted)
    header = _header(csv.reader(first, delimiter=delimiter))
    if said is None and not {normal_name(cell) for cell in header} & {normal_name(name) for name in wanted}:
        if other := _NOT_READ.get(path.suffix.lower()):
            raise UserError(f"{path}: is {other}, which is not read; save its records as JSON lines or CSV")
        raise UserError(
            f"{path}: neither its name nor its content tells its format; name it with --format, one of "
            f"{', '.join(FORMATS)}"
        )
    spaced = len(header) > 1 and all(name.startswith(" ") for name in header[1:])
    below = [line.strip() for line in first if line.strip()][1:]
    quote = "'" if below and all(line[0] == "'" == line[-1] for line in below) else '"'
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=spaced, strict=True)
    return Table(FORMATS["tsv" if delimiter == "\t" else "csv"] + packed, (), _table_rows(path, reader))


def read_hub(name: str, split: str | None, revision: str | None = None) -> Table:
    """Read a data set of the hub, or of its cache here; no code that comes with one is run.

    Parameters
    ----------
    name
        Its id, with its configuration behind a colon where it has several.
    split
        Which split.
    revision
        Branch, tag or commit.

    Raises
    ------
    UserError
        If it cannot be had.
    """
    import datasets  # type: ignore[import-untyped]

    data_set, _, configuration = name.partition(":")
    try:
        table = datasets.load_dataset(data_set, configuration or None, split=split or "train", revision=revision)
    except Exception as error:  # the hub, the cache and each file format have exceptions of their own
        raise UserError(
            f"{name}, split {split or 'train'}: is no file or folder here, and the data set cannot be loaded "
            f"({told_by(error)})"
        ) from None
    labels = {name: feature.names for name, feature in table.features.items() if hasattr(feature, "names")}
    rows = ((f"row {number}", _labelled(row, labels)) for number, row in enumerate(table, 1))
    return Table("data set of the hub", tuple(table.column_names), rows)


def _delimiter(first: Sequence[str], names: Collection[str]) -> str:
    """What stands between values, by the header: whatever names most known columns, then most columns."""
    known = {normal_name(name) for name in names}

    def score(delimiter: str) -> tuple[int, int]:
        header = _header(csv.reader(first, delimiter=delimiter))
        return len({normal_name(cell) for cell in header} & known), len(header)

    return max(DELIMITERS, key=score)


def _header(rows: Iterator[list[str]]) -> list[str]:
    """The first row that is not empty, nor a spreadsheet program's word on what stands between values (``sep=;``)."""
    filled = filter(any, rows)
    first = next(filled, [])
    return next(filled, []) if first and first[0].lower().startswith("sep=") and not any(first[1:]) else first


def _table_rows(path: Path, reader: Any) -> Rows:
    """Rows of a table with a header; a row stands at the line on which it ends."""
    csv.field_size_limit(max(csv.field_size_limit(), CSV_FIELD))
    try:
        header = [name.strip() for name in _header(reader)]
        _refuse_twice(path, [name for name in header if name])
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) < len(header) or any(cells[len(header) :]):
                yield (
                    f"line {reader.line_num}",
                    Broken("not of as many values as the header", f"{len(cells)} and not {len(header)}"),
                )
            else:
                # An index that has no name is no column.
                yield (
                    f"line {reader.line_num}",
                    {name: cell for name, cell in zip(header, cells, strict=False) if name},
                )
    except csv.Error as error:
        raise UserError(f"{path}: line {reader.line_num} is not CSV ({error}); mend its quotation marks") from None


def _refuse_twice(path: Path, names: Sequence[str]) -> None:
    """Refuse a table that names a column twice, since either could be meant."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{path}: names the column {twice!r} twice; rename one of them")


def _chosen(names: Sequence[str], wanted: Collection[str]) -> list[str]:
    """Columns to read: those that may be meant, by their name or as the start of a dotted path; all if none may."""
    known = {normal_name(name) for name in wanted} | {normal_name(name.partition(".")[0]) for name in wanted}
    return [name for name in names if normal_name(name) in known] or list(names)


def _parquet(
    path: Path, stream: io.BufferedReader[Any], wanted: Collection[str], stack: ExitStack
) -> tuple[tuple[str, ...], Rows]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        file = stack.enter_context(ParquetFile(whole(path, stream)))
        names = file.schema_arrow.names
    except (OSError, ArrowException) as error:
        raise _damaged(path, "Parquet", error) from None
    _refuse_twice(path, names)
    batches = file.iter_batches(batch_size=BATCH_ROWS, columns=_chosen(names, wanted))
    return tuple(names), _batches(path, "Parquet", batches, _labels(file.schema_arrow.metadata))


def _arrow(
    path: Path, stream: io.BufferedReader[Any], wanted: Collection[str], stack: ExitStack
) -> tuple[tuple[str, ...], Rows]:
    from pyarrow import ArrowException, OSFile, ipc

    is_file = stream.peek(6).startswith(b"ARROW1")
    try:
        content = whole(path, stream)
        source = stack.enter_context(OSFile(content)) if isinstance(content, str) else content
        file = stack.enter_context(ipc.open_file(source) if is_file else ipc.open_stream(source))
        names = file.schema.names
    except (OSError, ArrowException) as error:
        raise _damaged(path, "Arrow", error) from None
    _refuse_twice(path, names)
    used = _chosen(names, wanted)
    batches = (file.get_batch(i) for i in range(file.num_record_batches)) if is_file else iter(file)
    return tuple(names), _batches(
        path, "Arrow", (batch.select(used) for batch in batches), _labels(file.schema.metadata)
    )


def _labels(metadata: Mapping[bytes, bytes] | None) -> dict[str, list[str]]:
    """Words of columns that hold the numbers of labels, as the library datasets writes them into a file's schema."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return {name: one["names"] for name, one in features.items() if one.get("_type") == "ClassLabel"}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _labelled(row: dict[str, Any], labels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """A row with its labels' words in place of their numbers."""
    for name, words in labels.items():
        number = row.get(name)
        if isinstance(number, int) and 0 <= number < len(words):
            row[name] = words[number]
    return row


def _batches(path: Path, what: str, batches: Iterator[Any], labels: Mapping[str, Sequence[str]]) -> Rows:
    """Rows of record batches."""
    from pyarrow import ArrowException

    number = 0
    try:
        for batch in batches:
            for row in batch.to_pylist(maps_as_pydicts="lossy"):
                number += 1
                yield f"row {number}", _labelled(row, labels)
    except UnicodeDecodeError:
        raise UserError(f"{path}: a text among rows {number + 1} to {number + BATCH_ROWS} is not UTF-8") from None
    except OverflowError as error:
        raise UserError(f"{path}: a value among rows {number + 1} to {number + BATCH_ROWS}: {error}") from None
    except (OSError, ArrowException) as error:
        raise _damaged(path, what, error) from None


def _damaged(path: Path, what: str, error: Exception) -> UserError:
    return UserError(f"{path}: cannot be read as {what} ({told_by(error)}); it may be cut off or of another format")
