"""Sets of records as people keep them: read whole, with what is known of how each record was made."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from itertools import islice
from pathlib import Path
from typing import Any

from ggmi.errors import UserError, did_you_mean
from ggmi.text.columns import ANCHORS, NATS, PROMPT, TOKENS, Column, read_count, read_ids, read_key, read_log_prob
from ggmi.text.forms import FieldReader, Fields
from ggmi.text.json_documents import Broken, Row
from ggmi.text.places import Place, find
from ggmi.text.read_notes import COMMAND, Reading, Wording
from ggmi.text.records import FIELDS, Record, content_hash
from ggmi.text.row_files import FORMATS
from ggmi.text.sources import Given, Opened
from ggmi.text.tally import Invalid, Tally


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
    opened = Opened(find(name, split), name, wanted, form, encoding, revision)
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
    given = Given(rows, name)
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
    opened: Opened | Given,
    rows: Iterator[tuple[str, Row | Broken]],
    name: str,
    reader: FieldReader,
    columns: Sequence[Column],
    invalid: Invalid,
    wording: Wording,
    most: int | None,
) -> Sample:
    """The set that rows hold."""
    ids = Identities(named="id" in reader.named)
    work = _Work(name, reader, columns, ids.of)
    for place, row in islice(rows, most):
        work.add(place, row)
    tally = work.tally(opened)
    if not tally.records and isinstance(opened, Opened):
        tally.first = opened.whole_row() or tally.first
    tally.check(name, reader, invalid, wording)
    return work.sample(tally.reading([column.name for column in columns], ids.made))


def read_part(
    files: Sequence[Path], name: str, fields: Fields | None, encoding: str | None, *, several: bool
) -> tuple[Sample, Tally, list[bool]]:
    """Read some of the files of a set; what holds for the whole set is not looked at.

    Parameters
    ----------
    files
        The files.
    name
        The set's, for messages.
    fields, encoding
        As for `read_sample`.
    several
        Whether the whole set has several files, so that places name theirs.

    Returns
    -------
    sample : Sample
        Records without an id have one of their content, and ids can come twice.
    tally : Tally
        To be added to those of the other parts.
    own : list of bool
        Whether each record has an id of its own.

    Raises
    ------
    UserError
        If a file cannot be read.
    """
    reader, columns = FieldReader(fields), _columns(None)
    own: list[bool] = []

    def identity(found: str | None, values: tuple[str, str, str]) -> str:
        own.append(found is not None)
        return content_hash(values) if found is None else found

    wanted = reader.wanted | {column.name for column in columns}
    opened = Opened(Place(tuple(files)), name, wanted, None, encoding, None, several=several)
    work = _Work(name, reader, columns, identity)
    for place, row in opened.rows():
        work.add(place, row)
    return work.sample(Reading()), work.tally(opened), own


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


class Identities:
    """Ids of the records of a set, one after another: their own, or made of their content where those come twice.

    Parameters
    ----------
    named
        Whether a person named the column of ids, so that records without are told of.

    Attributes
    ----------
    made : int
        Records with an id made of their content where one of their own was to be expected.
    """

    def __init__(self, *, named: bool) -> None:
        self.made = 0
        self._named = named
        self._ids: set[str] = set()
        self._copies: dict[str, int] = {}

    def of(self, own: str | None, values: tuple[str, str, str]) -> str:
        """The id of the next record: its own, or one made of its content that moves with no other record.

        Parameters
        ----------
        own
            The id that its row has.
        values
            Its fields.
        """
        if own is None or own in self._ids:
            self.made += own is not None or self._named
            content = content_hash(values)
            own = content
            while own in self._ids:
                self._copies[content] = self._copies.get(content, 1) + 1
                own = f"{content}-{self._copies[content]}"
        self._ids.add(own)
        return own


class _Work:
    """Records while they are read."""

    def __init__(
        self,
        name: str,
        reader: FieldReader,
        columns: Sequence[Column],
        identity: Callable[[str | None, tuple[str, str, str]], str],
    ) -> None:
        self._name, self._reader, self._columns, self._identity = name, reader, columns, identity
        self._records: list[Record] = []
        self._places: list[str] = []
        self._tally = Tally()

    def add(self, place: str, row: Row | Broken) -> None:
        if isinstance(row, Broken):
            self._tally.leave_out(place, row)
            return
        self._tally.first = self._tally.first or row
        found = self._reader.read(row)
        if isinstance(found, Broken):
            self._tally.leave_out(place, found)
            return
        for column in self._columns:
            column.add(self._name, place, row)
        self._tally.keep(place, found[2])
        self._records.append(Record(self._identity(self._reader.identity(row), found), *found))
        self._places.append(place)

    def tally(self, opened: Opened | Given) -> Tally:
        """What was seen of the rows."""
        return self._tally.close(self._reader, self._columns, opened.columns, opened.form, opened.files)

    def sample(self, reading: Reading) -> Sample:
        """The set."""
        values = [[None] * len(self._records) if c.wrong else c.values for c in self._columns]
        keys, anchors, nats, tokens = values
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
