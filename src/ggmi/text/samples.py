"""Sets of records as people keep them: read whole, with what is known of how each record was made."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from ggmi.errors import UserError, did_you_mean
from ggmi.text.columns import ANCHORS, NATS, PROMPT, TOKENS, Column, read_count, read_ids, read_key, read_log_prob
from ggmi.text.forms import FieldReader, Fields, suggestion
from ggmi.text.json_documents import Broken, Row
from ggmi.text.places import STDIN, Place, find
from ggmi.text.read_notes import COMMAND, NAMED, LeftOut, Reading, Wording
from ggmi.text.records import FIELDS, Record, content_hash
from ggmi.text.row_files import FORMATS, Table, open_table, read_hub

# Share of rows above which a set without them is another set.
MOST_LEFT_OUT = 0.5
# What programs write into a table's cell where a value is missing; words that can be answers, too.
MISSING_WORDS = frozenset(["nan", "NaN", "None", "null", "NULL", "N/A", "<NA>"])

Invalid = Literal["drop", "stop"]


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
    reading
        How it was read.
    known
        What was computed of all records, for who asks again.
    """

    source: str
    records: tuple[Record, ...]
    places: tuple[str, ...]
    keys: tuple[str | None, ...]
    anchor_ids: tuple[tuple[str, ...], ...]
    nats: tuple[float | None, ...]
    tokens: tuple[int | None, ...]
    reading: Reading = dataclass_field(default_factory=Reading)
    known: dict[Any, Any] = dataclass_field(default_factory=dict, init=False, compare=False, repr=False)

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


def read_sample(
    source: str | os.PathLike[str],
    fields: Fields | None = None,
    *,
    key: str | None = None,
    parts: Collection[str] = FIELDS,
    form: str | None = None,
    encoding: str | None = None,
    split: str | None = None,
    revision: str | None = None,
    invalid: Invalid = "drop",
    most: int | None = None,
    wording: Wording = COMMAND,
) -> Sample:
    """Read a whole set from a file, a folder or pattern of files, standard input or the hub.

    Parameters
    ----------
    source
        As in `ggmi.text.places.find`.
    fields
        What the rows call instruction, context, response and id, as for `FieldReader`.
    key
        The column that connects records of one set with those of another, which must then be there;
        None takes `PROMPT` where it is.
    parts
        Fields that are compared; of the others, instruction and response may be absent.
    form
        Of `FORMATS`, where neither content nor name tells it.
    encoding
        Of text that is not UTF-8.
    split, revision
        Of a data set with several.
    invalid
        What becomes of rows that hold no record: ``drop`` leaves them out and counts them, unless they
        are more than half; ``stop`` reads nothing then.
    most
        Rows to read; None reads all.
    wording
        How the options are called in messages.

    Returns
    -------
    Sample

    Raises
    ------
    UserError
        If the set cannot be read, holds no records, or too many of its rows hold none; all of these are
        told at once.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "set.jsonl"
    ...     _ = path.write_text('{"prompt": "Add.", "completion": 3, "prompt_id": 7, "log_prob_nats": -2.5}')
    ...     sample = read_sample(path)
    >>> sample.records[0].values, sample.prompt_ids, sample.nats
    (('Add.', '', '3'), ['7'], (-2.5,))
    """
    if form is not None and form not in FORMATS:
        raise UserError(f"format: there is none called {form!r}; {did_you_mean(form, FORMATS)}")
    name = os.fspath(source)
    reader, columns = FieldReader(fields, parts), _columns(key)
    wanted = reader.wanted | {column.name for column in columns}
    opened = _Opened(find(name, split), name, wanted, form, encoding, revision)
    return _read(opened, opened.rows(), name, reader, columns, invalid, wording, most)


def read_rows(
    rows: Iterable[Mapping[str, Any]],
    name: str,
    fields: Fields | None = None,
    *,
    key: str | None = None,
    parts: Collection[str] = FIELDS,
    invalid: Invalid = "drop",
    wording: Wording = COMMAND,
) -> Sample:
    """Read a set that is in memory.

    Parameters
    ----------
    rows
        Its rows, each with names of columns as keys; read once.
    name
        What it is called in messages.
    fields, key, parts, invalid, wording
        As for `read_sample`.

    Returns
    -------
    Sample

    Raises
    ------
    UserError
        As `read_sample`; also if a row is no mapping.

    Examples
    --------
    >>> read_rows([{"prompt": "Add.", "completion": 3}], "mine").records[0].values
    ('Add.', '', '3')
    """
    given = _Given(rows, name)
    return _read(given, given.rows(), name, FieldReader(fields, parts), _columns(key), invalid, wording, None)


def _columns(key: str | None) -> list[Column]:
    """Columns that are read beside a record's fields."""
    return [
        Column(key or PROMPT, read_key, required=key is not None),
        Column(ANCHORS, read_ids),
        Column(NATS, read_log_prob),
        Column(TOKENS, read_count),
    ]


def _read(
    opened: _Opened | _Given,
    rows: Iterator[tuple[str, Row | Broken]],
    name: str,
    reader: FieldReader,
    columns: Sequence[Column],
    invalid: Invalid,
    wording: Wording,
    most: int | None,
) -> Sample:
    """The set that rows hold."""
    work = _Work(name, reader, columns)
    for place, row in islice(rows, most):
        work.add(place, row)
    work.check([*map(str, opened.columns)], invalid, wording)
    return work.sample(opened)


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
    return read_sample(path, {field: field for field in (*FIELDS, "id")}, invalid="stop")


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


class _Opened:
    """The rows of all files of a set, one after another."""

    def __init__(
        self, place: Place, name: str, wanted: set[str], form: str | None, encoding: str | None, revision: str | None
    ) -> None:
        self._place, self._name, self._wanted = place, name, wanted
        self._options: dict[str, Any] = {"form": form, "encoding": encoding, "split": place.split}
        self._revision = revision
        self.form = ""
        self.columns: dict[str, None] = {}
        self.files = max(1, len(place.files))

    def rows(self) -> Iterator[tuple[str, Row | Broken]]:
        if self._place.hub is not None:
            yield from self._rows_of(read_hub(self._place.hub, self._place.split, self._revision), "")
            return
        files = self._place.files or (Path(STDIN),)
        for file in files:
            with open_table(file, self._wanted, **self._options) as table:
                yield from self._rows_of(table, f"{file.name} " if len(files) > 1 else "")

    def _rows_of(self, table: Table, where: str) -> Iterator[tuple[str, Row | Broken]]:
        self.form = table.form
        self.columns.update(dict.fromkeys(table.columns))
        for place, row in table.rows:
            if not isinstance(row, Broken):
                self.columns.update(dict.fromkeys(row))
            yield where + place, row


class _Given:
    """Rows that are in memory."""

    form, files = "rows in memory", 1

    def __init__(self, rows: Iterable[Mapping[str, Any]], name: str) -> None:
        self._rows, self._name = rows, name
        self.columns: dict[str, None] = {}

    def rows(self) -> Iterator[tuple[str, Row | Broken]]:
        for number, row in enumerate(self._rows, start=1):
            if not isinstance(row, Mapping):
                raise UserError(
                    f"{self._name}: row {number}: is a {type(row).__name__}; a mapping of columns to values is needed"
                )
            self.columns.update(dict.fromkeys(row))
            yield f"row {number}", dict(row)


class _Work:
    """Records while they are read."""

    def __init__(self, name: str, reader: FieldReader, columns: Sequence[Column]) -> None:
        self._name, self._reader, self._columns = name, reader, columns
        self._records: list[Record] = []
        self._places: list[str] = []
        # By reason and field.
        self._left_out: dict[tuple[str, str], list[str]] = {}
        self._first: Row | None = None
        self._ids: set[str] = set()
        self._copies: dict[str, int] = {}
        self._made = 0

    def add(self, place: str, row: Row | Broken) -> None:
        found = row if isinstance(row, Broken) else self._reader.read(row)
        if not isinstance(row, Broken):
            self._first = self._first or row
        if isinstance(found, Broken) or isinstance(row, Broken):
            reason, detail, field = found
            self._left_out.setdefault((reason, field), []).append(f"{place}: {detail}" if detail else place)
            return
        for column in self._columns:
            column.add(self._name, place, row)
        self._records.append(Record(self._identity(row, found), *found))
        self._places.append(place)

    def _identity(self, row: Row, values: tuple[str, str, str]) -> str:
        """The row's own id, or one made of its content that moves with no other record."""
        own = self._reader.identity(row)
        if own is None or own in self._ids:
            self._made += own is not None or "id" in self._reader.named
            content = content_hash(values)
            own = content
            while own in self._ids:
                self._copies[content] = self._copies.get(content, 1) + 1
                own = f"{content}-{self._copies[content]}"
        self._ids.add(own)
        return own

    def check(self, columns: Sequence[str], invalid: Invalid, wording: Wording) -> None:
        """Stop if a set is left that is another one than the person means, or none; `columns` are all that it has."""
        left = sum(map(len, self._left_out.values()))
        total = left + len(self._records)
        if not total:
            raise UserError(f"{self._name}: holds no records")
        if not self._records and self._first is not None and (absent := self._reader.lacks(self._first)):
            raise UserError(f"{self._name}: {self._nothing_for(absent, columns, wording)}")
        if left and (invalid == "stop" or left > MOST_LEFT_OUT * total):
            rows = f"{left:,} of {total:,} rows hold no record"
            which = "; ".join(map(str, self._reasons()))
            few = left <= MOST_LEFT_OUT * total
            way = f"{wording.drop} leaves them out" if few else self._way_out(wording)
            raise UserError(f"{self._name}: {rows}: {which}; {way}")
        for field, names in self._reader.named.items():
            if names and not self._reader.passed & {name if name in columns else name.split(".")[0] for name in names}:
                hint = did_you_mean(names[0], columns)
                raise UserError(f"{self._name}: no row has the field {names[0]!r} that is named for {field}; {hint}")

    def _nothing_for(self, absent: Sequence[str], columns: Sequence[str], wording: Wording) -> str:
        """That no row has some fields, and which columns may be meant."""
        field = absent[0]
        names = self._reader.named.get(field)
        sought = f"the field {names[0]!r} ({field})" if names else f"a field for the {field}"
        near = did_you_mean(names[0], columns) if names else f"its columns are {', '.join(columns[:12]) or 'none'}"
        meant = {one: suggestion(self._first or {}, one) for one in absent}
        way = wording.naming({one: column or "COLUMN" for one, column in meant.items()})
        alone = wording.alone if meant.get("instruction", "") is None else ""
        return f"no row has {sought}; {near}; name it with {way}{alone}"

    def _way_out(self, wording: Wording) -> str:
        """What mends a set most of whose rows hold no record."""
        field = max(self._left_out, key=lambda why: len(self._left_out[why]))[1]
        if not field:
            return "mend the file"
        meant = suggestion(self._first or {}, field)
        column = meant if meant is not None and meant not in self._reader.passed else "COLUMN"
        return f"another column is named with {wording.naming({field: column})}"

    def _reasons(self) -> list[LeftOut]:
        return [LeftOut(why, len(at), tuple(at[:NAMED])) for (why, _), at in self._left_out.items()]

    def sample(self, opened: _Opened | _Given) -> Sample:
        """The set."""
        reader = self._reader
        notes = [column.wrong for column in self._columns if column.wrong]
        if self._made:
            notes.append(f"{self._made:,} ids are made of the content, since the rows' own are none or come twice")
        if opened.form.startswith((FORMATS["csv"], FORMATS["tsv"])):
            at = [i for i, record in enumerate(self._records) if record.response in MISSING_WORDS]
            if at:
                words = ", ".join(sorted({self._records[i].response for i in at}))
                notes.append(
                    f"{len(at):,} responses read {words}, the first in {self._places[at[0]]}; they are kept as texts"
                )
        used = {*reader.passed, *(column.name for column in self._columns)}
        columns = tuple((field, tuple(names)) for field, names in reader.sources.items())
        values = [[None] * len(self._records) if c.wrong else c.values for c in self._columns]
        keys, anchors, nats, tokens = values
        reading = Reading(
            form=opened.form,
            files=opened.files,
            columns=columns,
            unread=tuple(str(name) for name in opened.columns if name not in used),
            left_out=tuple(self._reasons()),
            notes=tuple(notes),
        )
        return Sample(
            self._name,
            tuple(self._records),
            tuple(self._places),
            tuple(keys),
            tuple(ids or () for ids in anchors),
            tuple(nats),
            tuple(tokens),
            reading,
        )
