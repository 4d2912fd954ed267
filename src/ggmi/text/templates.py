"""Prompts p = φ_T(S_anchor): a template file with places for the anchors, filled once."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from ggmi.errors import UserError, did_you_mean
from ggmi.text.jsonl import kind, lines, read_rows, write_rows
from ggmi.text.records import FIELDS, Record, content_hash

# What a template may ask for; anchors it must.
ANCHORS, COUNT = "anchors", "count"
# A placeholder; or, where it is never closed on its line, only the braces.
_PLACE = re.compile(r"\{\{(?:[ \t]*([^\n]*?)[ \t]*\}\})?")


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt with places to fill.

    Parameters
    ----------
    pieces
        Text and names of places in turn; text first and last.
    """

    pieces: tuple[str, ...]

    def fill(self, anchors: Sequence[Record], *, count: int = 20) -> Prompt:
        r"""Write a prompt.

        Each place is filled once, and what is put in is not looked at again: whatever an anchor
        holds, braces and dollar signs too, stands in the prompt as it is.

        Parameters
        ----------
        anchors
            The in-context instances, in order; each becomes one line of JSON.
        count
            How many records the prompt asks for.

        Returns
        -------
        Prompt

        Examples
        --------
        >>> anchor = Record("a1", "Add.", "{{ count }}", "3")
        >>> print(Template(("Give ", "count", " like\n", "anchors", "")).fill([anchor], count=5).text)
        Give 5 like
        {"instruction": "Add.", "context": "{{ count }}", "response": "3"}
        """
        values = {ANCHORS: "\n".join(map(anchor_line, anchors)), COUNT: str(count)}
        text = "".join(values[piece] if place % 2 else piece for place, piece in enumerate(self.pieces))
        ids = tuple(anchor.id for anchor in anchors)
        return Prompt(content_hash([text, *ids]), text, ids)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a generator is asked.

    Parameters
    ----------
    id
        Hash of the text and the anchors' ids.
    text
        The whole prompt.
    anchor_ids
        The in-context instances, in the order of the text.
    """

    id: str
    text: str
    anchor_ids: tuple[str, ...]


def anchor_line(record: Record) -> str:
    """A record as one line of JSON, as a prompt shows it and a generator shall write it.

    Parameters
    ----------
    record
        The record; its id is left out.

    Examples
    --------
    >>> anchor_line(Record("a1", "reverse", "abc", "cba"))
    '{"instruction": "reverse", "context": "abc", "response": "cba"}'
    """
    return json.dumps(dict(zip(FIELDS, record.values, strict=True)), ensure_ascii=False)


def read_template(path: str | os.PathLike[str]) -> Template:
    """Read a template file: text with ``{{ anchors }}`` and, if wanted, ``{{ count }}``.

    Parameters
    ----------
    path
        The file, UTF-8.

    Returns
    -------
    Template

    Raises
    ------
    UserError
        If the file cannot be read, has no place for the anchors, names a place that does not
        exist, or opens ``{{`` without closing it on the same line.
    """
    return Template(read_pieces(path, (ANCHORS, COUNT), (ANCHORS,)))


def read_pieces(path: str | os.PathLike[str], places: Sequence[str], needed: Sequence[str]) -> tuple[str, ...]:
    """Read a text with places to fill in, each written ``{{ name }}``.

    Parameters
    ----------
    path
        The file, UTF-8.
    places
        Names that exist.
    needed
        Those that must be there.

    Returns
    -------
    tuple of str
        Text and names in turn, text first and last.

    Raises
    ------
    UserError
        If the file cannot be read, lacks a place, names one that does not exist, or opens ``{{``
        without closing it on the same line.
    """
    pieces = [""]
    number = 1
    for number, line in lines(path):
        end = 0
        text = line.replace("\r\n", "\n")
        for found in _PLACE.finditer(text):
            if found[1] is None:
                raise UserError(f"{path}: line {number}: '{{{{' is not closed by '}}}}' on the same line")
            if found[1] not in places:
                hint = did_you_mean(found[1][:40], places)
                raise UserError(f"{path}: line {number}: there is no placeholder {found[1][:40]!r}; {hint}")
            pieces[-1] += text[end : found.start()]
            pieces += [found[1], ""]
            end = found.end()
        pieces[-1] += text[end:]
    absent = [f"{{{{ {place} }}}}" for place in needed if place not in pieces[1::2]]
    if absent:
        raise UserError(f"{path}: none of its lines (1 to {number}) holds {', '.join(absent)}")
    return tuple(pieces)


def write_prompts(path: str | os.PathLike[str], prompts: Iterable[Prompt]) -> int:
    """Write prompts as JSON lines, atomically.

    Parameters
    ----------
    path
        The file to make.
    prompts
        Taken one at a time.

    Returns
    -------
    int
        How many there were.
    """
    return write_rows(path, map(asdict, prompts))


def read_prompts(path: str | os.PathLike[str]) -> list[Prompt]:
    """Read prompts that `write_prompts` wrote.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of Prompt

    Raises
    ------
    UserError
        If the file cannot be read, a line is no prompt, or an id is not that of its text.
    """
    prompts = []
    for number, row in read_rows(path):
        place = f"{path}: line {number}"
        text, ids = row.get("text"), row.get("anchor_ids")
        if not isinstance(text, str):
            raise UserError(f"{place}: the field 'text' is {kind(text)}; allowed: text")
        if not isinstance(ids, list) or not all(isinstance(i, str) for i in ids):
            raise UserError(f"{place}: the field 'anchor_ids' is not a list of texts")
        expected = content_hash([text, *ids])
        if row.get("id") != expected:
            raise UserError(f"{place}: the id {row.get('id')!r} is not that of the text ({expected}); make it anew")
        prompts.append(Prompt(expected, text, tuple(ids)))
    return prompts
