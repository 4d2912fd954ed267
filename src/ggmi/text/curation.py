"""Curation ε: filters that each drop records for a stated reason, S_gen = M(p) + ε."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ggmi.text.records import FIELDS, Record
from ggmi.text.rouge import closest, first_of_kind, near_pairs
from ggmi.text.tokens import UNSPACED

_WORD = re.compile(f"[{UNSPACED}]|[^\\s{UNSPACED}]+")
# What a writer leaves to be filled in later; each is looked for once and cannot backtrack.
PLACEHOLDERS = {
    "bracketed order": re.compile(
        r"[\[<]\s?(?:please |to be )?(?:insert|enter|fill in|add|type|paste|replace|specify|provide|describe|filled)\b"
        r"[^\]>\n]{0,80}[\]>]",
        re.IGNORECASE,
    ),
    "bracketed own": re.compile(r"[\[<]\s?your [^\]>\n]{1,60}[\]>]", re.IGNORECASE),
    "bracketed blank": re.compile(
        r"\[\s?(?:name|date|company|company name|placeholder|blank|…|\.{3})\s?\]", re.IGNORECASE
    ),
    "template leftover": re.compile(
        r"\{\{[^{}\n]{0,60}\}\}|\{%[^{}\n]{0,60}%\}|<(?:no ?input|instruction|context|response)>", re.IGNORECASE
    ),
    "only dots": re.compile(r"\A\s*(?:\.{2,}|…+)\s*\Z"),
    "lorem ipsum": re.compile(r"lorem ipsum", re.IGNORECASE),
    "to do": re.compile(r"\b(?:TODO|TBD|FIXME)\b"),
    "field name only": re.compile(
        r"\A\s*\W?(?:instruction|context|response|input|output|placeholder)\W?\s*\Z", re.IGNORECASE
    ),
}
# Every placeholder but filler has one of these, or is the name of a field alone.
_MARKS = ("[", "<", "{", "…", "..", "TODO", "TBD", "FIXME")
_FIELD_NAME = len("instruction") + 2


@dataclass(frozen=True, slots=True)
class Lengths:
    """Least and most words of each field.

    A word is a run of characters without spaces, or one Han, Hiragana or Katakana character.
    The defaults leave half as much again as the published prompt asks for (appendix G.1.2:
    contexts and responses up to 100 words).
    """

    instruction: tuple[int, int] = (1, 150)
    context: tuple[int, int] = (0, 150)
    response: tuple[int, int] = (1, 150)


@dataclass(frozen=True, slots=True)
class Curation:
    """Which filters are on, and their settings; they work in this order.

    Parameters
    ----------
    lengths
        Drop records with a field outside the bounds; None for off.
    placeholders
        Drop records with text left to be filled in (`PLACEHOLDERS`).
    exact
        Drop records equal to an earlier one, after Unicode's composed form (NFC), small letters,
        and each run of spaces as one.
    contamination
        Drop records whose ROUGE-L with a reference record exceeds this; None for off.
    near
        Drop records whose ROUGE-L with an earlier record that stays exceeds this; None for off.

    Examples
    --------
    In the embedded world, where equal records are samples of a law, nothing is dropped:

    >>> as_sampled = Curation(lengths=None, placeholders=False, exact=False, near=None)
    """

    lengths: Lengths | None = field(default_factory=Lengths)
    placeholders: bool = True
    exact: bool = True
    contamination: float | None = None
    near: float | None = 0.7


@dataclass(frozen=True, slots=True)
class Drop:
    """A record that was left out.

    Parameters
    ----------
    id
        Whose.
    filter
        The filter's name, as in `Curation`.
    reason
        What was wrong.
    twin
        Id of the record it repeats, if that is the reason.
    similarity
        ROUGE-L with the twin; 1 for exact duplicates.
    """

    id: str
    filter: str
    reason: str
    twin: str | None = None
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Curated:
    """What curation kept and dropped, each in the order of the records, and characters of all and of what it kept."""

    kept: tuple[Record, ...]
    drops: tuple[Drop, ...]
    characters: int
    characters_kept: int


def curate(
    records: Sequence[Record], curation: Curation, references: Mapping[str, Sequence[Record]] | None = None
) -> Curated:
    """Drop the records that the filters find fault with.

    Of two records that are too similar the earlier stays, so the order of the records decides. A
    record dropped by one filter is not seen by the next. The twin of an exact duplicate is the
    first such record, even if a later filter drops that one too.

    Parameters
    ----------
    records
        With ids that differ, in an order that does not change from run to run.
    curation
        The filters.
    references
        For contamination: named sets, such as anchors and test.

    Returns
    -------
    Curated

    Raises
    ------
    ValueError
        If contamination is on and there are no references.

    Examples
    --------
    >>> done = curate([Record("a", "Add 1 and 2.", "", "3"), Record("b", "add 1  and 2.", "", "3")], Curation())
    >>> done.drops
    (Drop(id='b', filter='exact', reason='exact duplicate', twin='a', similarity=1.0),)
    """
    if curation.contamination is not None and not references:
        raise ValueError("contamination is a comparison with references, and there are none")
    steps: list[Callable[[Sequence[Record]], Iterator[Drop]]] = []
    if curation.lengths:
        steps.append(partial(_outside, lengths=curation.lengths))
    if curation.placeholders:
        steps.append(_unfilled)
    if curation.exact:
        steps.append(_repeated)
    if curation.contamination is not None:
        for name, others in (references or {}).items():
            steps.append(partial(_contaminated, name=name, others=others, threshold=curation.contamination))
    if curation.near is not None:
        steps.append(partial(_near, threshold=curation.near))
    drops: dict[str, Drop] = {}
    rest = records
    for step in steps:
        found = {drop.id: drop for drop in step(rest)}
        drops |= found
        rest = [record for record in rest if record.id not in found]
    ordered = tuple(drops[record.id] for record in records if record.id in drops)
    return Curated(tuple(rest), ordered, _characters(records), _characters(rest))


def _outside(records: Sequence[Record], lengths: Lengths) -> Iterator[Drop]:
    """Records with a field outside its bounds."""
    for record in records:
        for name, text in zip(FIELDS, record.values, strict=True):
            least, most = getattr(lengths, name)
            words = _words(text)
            if not least <= words <= most:
                yield Drop(record.id, "lengths", f"{name} too {'short' if words < least else 'long'}")
                break


def _words(text: str) -> int:
    """Words of a text: where no script does without spaces, splitting counts them in a third of the time."""
    return len(text.split()) if text.isascii() else len(_WORD.findall(text))


def _unfilled(records: Sequence[Record]) -> Iterator[Drop]:
    """Records with text left to be filled in."""
    for record in records:
        # All patterns over every text would take half of the time of curation.
        texts = [text for text in record.values if _may_hold_placeholder(text)]
        for name, pattern in PLACEHOLDERS.items() if texts else ():
            if any(pattern.search(text) for text in texts):
                yield Drop(record.id, "placeholders", name)
                break


def _may_hold_placeholder(text: str) -> bool:
    """Whether a text has what every placeholder has."""
    return (
        any(map(text.__contains__, _MARKS))
        or 0 < len(text.strip()) <= _FIELD_NAME
        or PLACEHOLDERS["lorem ipsum"].search(text) is not None
    )


def normal_fields(record: Record) -> tuple[str, ...]:
    """The fields of a record without differences of case, spaces and composed characters: equal in exact duplicates.

    Parameters
    ----------
    record
        The record.
    """
    return tuple(" ".join(unicodedata.normalize("NFC", text).casefold().split()) for text in record.values)


def _repeated(records: Sequence[Record]) -> Iterator[Drop]:
    """Records equal to an earlier one but for case and spaces."""
    first: dict[tuple[str, ...], str] = {}
    for record in records:
        twin = first.setdefault(normal_fields(record), record.id)
        if twin != record.id:
            yield Drop(record.id, "exact", "exact duplicate", twin, 1.0)


def _contaminated(records: Sequence[Record], name: str, others: Sequence[Record], threshold: float) -> Iterator[Drop]:
    """Records too similar to a reference record; the twin is the most similar, the first of equals."""
    pairs = near_pairs([record.text for record in records], [other.text for other in others], threshold)
    for pair in closest(pairs).values():
        yield Drop(records[pair.left].id, "contamination", f"near {name}", others[pair.right].id, pair.similarity)


def _near(records: Sequence[Record], threshold: float) -> Iterator[Drop]:
    """Records too similar to an earlier one that stays."""
    for pair in first_of_kind((record.text for record in records), threshold).values():
        twin = records[pair.right].id
        yield Drop(records[pair.left].id, "near", "near-duplicate", twin, pair.similarity)


def _characters(records: Sequence[Record]) -> int:
    """Characters of all fields."""
    return sum(len(text) for record in records for text in record.values)
