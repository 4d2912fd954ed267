"""Records of a task (instruction, context, response) and the file that keeps them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from ggmi.errors import UserError
from ggmi.text.jsonl import kind, read_rows, write_rows

FIELDS = ("instruction", "context", "response")
# A context may be absent or empty.
REQUIRED = ("instruction", "response")
# What no UTF-8 file, table or tokenizer can be trusted to carry.
UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


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


def read_records(path: str | os.PathLike[str]) -> Iterator[Record]:
    """Read records as `write_records` wrote them, one at a time; for people's own files see `read_sample`.

    Parameters
    ----------
    path
        JSON lines; fields besides those of a record are passed over.

    Yields
    ------
    Record

    Raises
    ------
    UserError
        If the file cannot be read, a field is missing, empty or not text, two records have one id, or there
        are none; the sentence names the line.
    """
    seen: dict[str, int] = {}
    for number, row in read_rows(path):
        place = f"{path}: line {number}"
        for field in ("id", *FIELDS):
            value = row.get(field)
            if not isinstance(value, str):
                raise UserError(f"{place}: the field {field!r} is {kind(value)}; allowed: text")
            if not value.strip() and field != "context":
                raise UserError(f"{place}: the field {field!r} is empty")
            if UNWRITABLE.search(value):
                raise UserError(f"{place}: the field {field!r} holds NUL or half a surrogate pair")
        if row["id"] in seen:
            raise UserError(f"{place}: the id {row['id'][:60]!r} is that of line {seen[row['id']]} already")
        seen[row["id"]] = number
        yield Record(row["id"], row["instruction"], row["context"], row["response"])
    if not seen:
        raise UserError(f"{path}: holds no records")


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


def content_hash(values: Iterable[str]) -> str:
    """A short name for text: the first 16 hexadecimal digits of a SHA-256.

    The chance that any two of 100,000 agree is 3e-10.

    Parameters
    ----------
    values
        Texts, in order.

    Examples
    --------
    >>> content_hash(["a", "b"]) == content_hash(["ab"])
    False
    """
    return hashlib.sha256(json.dumps(list(values)).encode()).hexdigest()[:16]
