"""Which sets are something else than they should be: copies of T, cut off, in another language, off-task and the like.

Each kind is a yes or no of every record, counted in the set and in T. A set is named where a tenth of its records or
more are so beyond T's share, and Fisher's exact test tells the shares apart after Holm's correction over all kinds and
sets. The kinds and their limits are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from ggmi.errors import UserError
from ggmi.information.clustering import normalised, unit_rows
from ggmi.information.duplicates import more_often, one_each, share_estimate
from ggmi.information.estimate import Array, group_codes
from ggmi.information.kernels import TILE, blocks
from ggmi.pipeline.comparing import LEVEL
from ggmi.pipeline.embedded_sets import Embedded, exact_keys
from ggmi.pipeline.estimators import MOST_UNREAD
from ggmi.pipeline.subsets import came_together
from ggmi.pipeline.wording import NEAR, Repeats
from ggmi.random import stream
from ggmi.statistics import holm
from ggmi.text.flaws import at_one_length, cut_off, echoes, garbled, labelled, marked_up
from ggmi.text.languages import language, language_name
from ggmi.text.refusals import declines
from ggmi.text.samples import Sample
from ggmi.text.tokens import tokens

Flags = NDArray[np.bool_]
Row = dict[str, Any]
# What a set is called, and what its records are or do.
KINDS = {
    "copies": ("a copy of T", "are records of T, word by word or nearly"),
    "cut_off": ("truncated", "stop in the middle of a sentence or at one length"),
    "language": ("in another language than T", "are not in T's language"),
    "off_task": ("off-task", "lie away from T, beyond where its own records lie from each other"),
    "one_word": ("one-word answers", "answer with one word or none"),
    "refusals": ("refusals", "decline to answer"),
    "one_answer": ("one answer repeated", "have one and the same answer"),
    "echoes": ("prompts repeated as answers", "answer with their prompt, or begin with it"),
    "garbled": ("garbled characters", "hold characters of a wrong encoding"),
    "markup": ("markup left in", "hold HTML or marks of a chat template"),
    "labels": ("labels left in", "begin with a label such as Response: or go on with another turn"),
}
# Share of records beyond T's own that makes a set of a kind, and that makes a language one of T's.
LEAST = 0.1
# Interquartile ranges below the lower quartile of similarities from which on one is an outlier (Tukey 1977).
FENCE = 1.5
# Cosine similarity from which on a record is of T's kind, however alike T's own are: other sums, another template.
AKIN = 0.5
# Records of a kind that are shown.
SHOWN = 3


class Found(NamedTuple):
    """Which records of a set and of T are of a kind.

    Parameters
    ----------
    here, there
        Of the set, shape (n,), and of T, shape (m,).
    detail
        More words on what they are.
    beside
        Position in T of what is shown beside a record.
    order
        The smaller, the sooner a record is shown, shape (n,); None shows them as they come.
    """

    here: Flags
    there: Flags
    detail: str = ""
    beside: Mapping[int, int] = {}
    order: Array | None = None


def named_sets(sets: Sequence[Embedded], train: Embedded, repeats: Sequence[Repeats], *, seed: int) -> list[list[Row]]:
    """Find of which kinds sets are.

    Parameters
    ----------
    sets
        The synthetic sets: what is embedded of them.
    train
        What is embedded of T.
    repeats
        Of each set what it repeats of T; copies are of all records, all else of those embedded.
    seed
        Of the draw of one record a prompt, for the tests.

    Returns
    -------
    list of list of dict
        Of each set its kinds, the largest share first: ``kind`` (of `KINDS`), ``name`` and ``records`` in words,
        ``share`` with ``ci_low`` and ``ci_high``, ``n``, ``train_share``, ``p_holm``, and ``examples``: ``place``,
        ``id``, ``instruction`` and ``response`` of three records, for copies and what is off-task with
        ``train_place``, ``train_instruction`` and ``train_response`` of the record of T nearest to it.
    """
    real = _Side(train, "T")
    tested = []
    for i, (one, words) in enumerate(zip(sets, repeats, strict=True)):
        side = _Side(one, "set")
        for kind, found in _kinds(side, real, words).items():
            groups = [each.sample(kind).prompt_ids for each in (side, real)]
            tested.append((i, side, found, _tested(kind, found, groups, seed)))
    corrected = holm([row["p_value"] for *_, row in tested])
    named: list[list[Row]] = [[] for _ in sets]
    for (i, side, found, row), p in zip(tested, corrected, strict=True):
        if p < LEVEL and row["share"] - row["train_share"] >= LEAST:
            named[i].append({**row, "p_holm": float(p), "examples": _examples(side, real, found, row["kind"])})
    return [sorted(kinds, key=lambda row: -row["share"]) for kinds in named]


class _Side:
    """T or a set, and what its own records tell."""

    def __init__(self, one: Embedded, name: str) -> None:
        self.one, self.name = one, name
        self.records = one.sample.records
        # Where responses are not compared, the texts are.
        self.answered = "response" in one.parts
        self.answers = [record.response for record in self.records] if self.answered else one.texts

    def sample(self, kind: str) -> Sample:
        """The records that are counted: copies among all, the others among those that are embedded."""
        return self.one.whole if kind == "copies" else self.one.sample

    @cached_property
    def flags(self) -> dict[str, Flags]:
        """Kinds that a record shows by itself."""
        checks: dict[str, Callable[[str], bool]] = {"markup": marked_up, "garbled": garbled}
        if self.answered:
            checks |= {"refusals": declines, "labels": labelled, "one_word": lambda text: len(tokens(text)) < 2}
        found = {kind: np.array([check(text) for text in self.answers]) for kind, check in checks.items()}
        if self.answered:
            prompts = [record.instruction for record in self.records]
            found["echoes"] = np.array([echoes(*both) for both in zip(prompts, self.answers, strict=True)])
            cut = np.array([cut_off(text) for text in self.answers])
            found["cut_off"] = cut | at_one_length(self.answers, self.one.sample.tokens)
            keys = [normalised(text) for text in self.answers]
            counts = Counter(key for key in keys if len(tokens(key)) > 1).most_common(1)
            mode = next((key for key, n in counts if n > 1), None)
            found["one_answer"] = np.array([key == mode for key in keys])
        return found

    @cached_property
    def languages(self) -> list[str | None]:
        """Language of each record's answer; of a short one that of the record."""
        return [language(a) or language(text) for a, text in zip(self.answers, self.one.texts, strict=True)]

    @property
    def keys(self) -> list[bytes]:
        """Of the texts of all records."""
        return exact_keys(self.one.whole, self.one.parts)

    @property
    def groups(self) -> NDArray[np.intp]:
        return group_codes(came_together(self.one.sample, self.name), len(self.records), "groups")

    @property
    def unread(self) -> bool:
        """Whether the encoder does not see too many of the records."""
        sight = self.one.sight()
        return sight is not None and sight["unread_records"] > MOST_UNREAD * len(self.records)


def _kinds(side: _Side, real: _Side, repeats: Repeats) -> dict[str, Found]:
    """What is found of a set; kinds that cannot be asked of it are left out."""
    found = {"copies": _copies(side, real, repeats)}
    found |= {kind: Found(flags, real.flags[kind]) for kind, flags in side.flags.items()}
    known = Counter(code for code in real.languages if code is not None)
    usual = {code for code, n in known.items() if n >= LEAST * known.total()}
    if usual:
        others = Counter(code for code in side.languages if code not in (None, *usual))
        most = [language_name(str(code)) for code, n in others.most_common(3) if n >= LEAST * others.total()]
        here, there = (np.array([code not in (None, *usual) for code in each.languages]) for each in (side, real))
        found["language"] = Found(here, there, f"most of them in {', '.join(most)}" if most else "")
    if not side.unread and not real.unread and real.groups.max() > 0:
        with suppress(UserError):  # an embedding without a direction is near none
            found["off_task"] = _off_task(side, real)
    return found


def _copies(side: _Side, real: _Side, repeats: Repeats) -> Found:
    """Records that T has word by word, or nearly: what stands out more beside what T repeats of itself."""
    first = {key: i for i, key in reversed(list(enumerate(real.keys)))}
    exact = {i: first[key] for i, key in enumerate(side.keys) if key in first}
    counts = Counter(real.keys)
    own = np.array([counts[key] > 1 for key in real.keys])
    made, kept = side.one.whole.records, real.one.whole.records

    def alike(i: int, j: int) -> bool:
        """Whether answers are near each other, too: those to T's own prompts need not be."""
        one, other = tokens(made[i].response), tokens(kept[j].response)
        return 2 * LCSseq.similarity(one, other) > NEAR * (len(one) + len(other))

    near = {i: j for i, j in repeats.partners.items() if not side.answered or alike(i, j)} | exact
    choices = []
    for partners, there in ((exact, own), (near, repeats.repeated | own)):
        here = np.zeros(len(made), dtype=bool)
        here[list(partners)] = True
        choices.append(Found(here, there, beside=partners))
    return max(choices, key=lambda one: float(one.here.mean() - one.there.mean()))


def _off_task(side: _Side, real: _Side) -> Found:
    """Records whose nearest one of T is less similar to them than T's records, but for outliers, to another one."""
    mine, theirs = (unit_rows(each.one.vectors, "records") for each in (side, real))
    nearest, place = _nearest(mine, theirs, np.full(len(mine), -1), real.groups)
    own, _ = _nearest(theirs, theirs, real.groups, real.groups)
    lower, upper = np.quantile(own, [0.25, 0.75])
    limit = min(lower - FENCE * (upper - lower), AKIN)
    beside = dict(enumerate(place.tolist()))
    return Found(nearest < limit, own < limit, beside=beside, order=nearest)


def _nearest(unit: Array, others: Array, groups: NDArray, their_groups: NDArray) -> tuple[Array, NDArray[np.intp]]:
    """Cosine similarity to the nearest record of another group, and its place."""
    values, places = np.empty(len(unit)), np.empty(len(unit), dtype=np.intp)
    for rows in blocks(len(unit), TILE):
        similar = unit[rows] @ others.T
        similar[groups[rows, None] == their_groups] = -np.inf
        places[rows] = similar.argmax(axis=1)
        values[rows] = similar.max(axis=1)
    return values, places


def _tested(kind: str, found: Found, groups: Sequence[Sequence[str] | None], seed: int) -> Row:
    """A kind's share in a set and in T; of a prompt's records one is drawn for the test."""
    apart = []
    for flags, labels in zip((found.here, found.there), groups, strict=True):
        codes = group_codes(labels, len(flags), "groups")
        apart.append(flags[one_each(codes, stream(seed, "naming", kind))])
    share = share_estimate(found.here, "", groups[0])
    name, records = KINDS[kind]
    return {
        "kind": kind,
        "name": name,
        "records": ", ".join(filter(None, (records, found.detail))),
        "share": share.value,
        "ci_low": share.ci_low,
        "ci_high": share.ci_high,
        "n": share.n,
        "train_share": float(found.there.mean()),
        "p_value": more_often(apart),
    }


def _examples(side: _Side, real: _Side, found: Found, kind: str) -> list[Row]:
    """Three records of a kind, with those of T beside them."""
    places = np.flatnonzero(found.here)
    if found.order is not None:
        places = places[np.argsort(found.order[places], kind="stable")]
    made, kept = side.sample(kind), real.sample(kind)
    rows = []
    for i in places[:SHOWN].tolist():
        record = made.records[i]
        row = {"place": made.places[i], "id": record.id, "instruction": record.instruction, "response": record.response}
        if i in found.beside:
            j = found.beside[i]
            other = {"instruction": kept.records[j].instruction, "response": kept.records[j].response}
            row |= {"train_place": kept.places[j]} | {f"train_{field}": text for field, text in other.items()}
        rows.append(row)
    return rows
