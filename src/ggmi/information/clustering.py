"""Which records say the same: by exact key, by embedding, or because each entails the other."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ggmi.errors import UserError, did_you_mean
from ggmi.information.estimate import Array, Indices, points
from ggmi.random import stream

ENTAILMENT, NEUTRAL, CONTRADICTION = "entailment", "neutral", "contradiction"
LABELS = (ENTAILMENT, NEUTRAL, CONTRADICTION)
# Premises and hypotheses, equally many; one label a pair.
Entails = Callable[[list[str], list[str]], Sequence[str]]
# Records looked at together: similarities are one matrix product a block.
BLOCK = 512


def normalised(text: str) -> str:
    """Text without differences of case, white space and Unicode form: the default exact key.

    Parameters
    ----------
    text
        A record's content.

    Returns
    -------
    str

    Examples
    --------
    >>> normalised("  The  SAME ")
    'the same'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class Equivalence(ABC):
    """A way to tell which records say the same."""

    @abstractmethod
    def cluster(self, records: Sequence[str]) -> Indices:
        """Number the clusters of records.

        Parameters
        ----------
        records
            Contents, n of them.

        Returns
        -------
        ndarray of int, shape (n,)
            The same partition whatever the order of the records.
        """

    @abstractmethod
    def describe(self) -> str:
        """Name the way in words."""


@dataclass(frozen=True)
class SimilarEmbedding(Equivalence):
    """Records are the same when their embeddings' cosine similarity reaches a threshold.

    Records are taken in the canonical order of their contents; each joins the earliest leader that
    it is similar to, or becomes a leader.

    Parameters
    ----------
    vectors
        One embedding a record, shape (n, d).
    threshold
        Least cosine similarity, in (0, 1].
    """

    vectors: ArrayLike
    threshold: float = 0.9

    def cluster(self, records: Sequence[str]) -> Indices:
        """Number the clusters in the order of their leaders."""
        return _leaders(records, self.vectors, self.threshold, None)

    def describe(self) -> str:
        """Name the way in words."""
        return f"cosine similarity of at least {self.threshold:g}"


@dataclass(frozen=True)
class MutualEntailment(Equivalence):
    """Records are the same when each entails the other, by any model of natural-language inference.

    Records are taken in the canonical order of their contents; each joins the earliest leader that
    it is equivalent to, or becomes a leader (Kuhn et al. 2023). A pair is asked about at most once
    in each direction, and not at all in the second when the first decides.

    Parameters
    ----------
    entails
        From lists of premises and of hypotheses to labels ``entailment``, ``neutral`` or
        ``contradiction``.
    criterion
        ``strict``: both directions are entailment. ``loose``: neither is a contradiction and not
        both are neutral.
    vectors
        Embeddings for the prefilter, shape (n, d); None asks about every pair.
    prefilter
        Only pairs of at least this cosine similarity are asked about.
    batch_size
        Pairs in one call.
    """

    entails: Entails
    criterion: Literal["strict", "loose"] = "strict"
    vectors: ArrayLike | None = None
    prefilter: float = 0.5
    batch_size: int = 64
    asked: list[int] = field(default_factory=lambda: [0], repr=False, compare=False)

    @property
    def calls(self) -> int:
        """Directed pairs asked about so far."""
        return self.asked[0]

    def cluster(self, records: Sequence[str]) -> Indices:
        """Number the clusters in the order of their leaders."""
        if self.criterion not in ("strict", "loose"):
            hint = did_you_mean(str(self.criterion), ("strict", "loose"))
            raise UserError(f"criterion: '{self.criterion}' is unknown; {hint}")
        if self.vectors is None:
            return _leaders(records, np.ones((len(records), 1)), 0.0, self._equivalent)
        return _leaders(records, self.vectors, self.prefilter, self._equivalent)

    def describe(self) -> str:
        """Name the way in words."""
        filtered = "" if self.vectors is None else f" among pairs of cosine similarity of at least {self.prefilter:g}"
        return f"mutual entailment ({self.criterion}){filtered}"

    def _equivalent(self, pairs: list[tuple[str, str]]) -> list[bool]:
        """Whether the texts of each pair are equivalent; the second direction is asked where it matters."""
        forward = self._labels(pairs)
        enough = {ENTAILMENT} if self.criterion == "strict" else {ENTAILMENT, NEUTRAL}
        open_pairs = [i for i, label in enumerate(forward) if label in enough]
        backward = self._labels([(pairs[i][1], pairs[i][0]) for i in open_pairs])
        found = [False] * len(pairs)
        for i, label in zip(open_pairs, backward, strict=True):
            found[i] = label in enough and ENTAILMENT in (label, forward[i])
        return found

    def _labels(self, pairs: list[tuple[str, str]]) -> list[str]:
        """Ask the model in batches, pairs of similar length together."""
        order = sorted(range(len(pairs)), key=lambda i: (len(pairs[i][0]) + len(pairs[i][1]), i))
        labels = [""] * len(pairs)
        for first in range(0, len(pairs), self.batch_size):
            chosen = order[first : first + self.batch_size]
            answers = list(self.entails([pairs[i][0] for i in chosen], [pairs[i][1] for i in chosen]))
            if len(answers) != len(chosen) or not set(answers) <= set(LABELS):
                raise UserError(
                    f"entailment model: answered {answers[:3]} to {len(chosen)} pairs; "
                    f"each needs one of {', '.join(LABELS)}"
                )
            for i, label in zip(chosen, answers, strict=True):
                labels[i] = label
        self.asked[0] += len(pairs)
        return labels


def prefilter_effect(
    records: Sequence[str], equivalence: MutualEntailment, *, sample: int = 300, seed: int = 0
) -> tuple[float, int, int]:
    """Measure what the prefilter changes, on a random sample small enough to ask about every pair.

    Parameters
    ----------
    records
        Contents, n of them.
    equivalence
        With `vectors`.
    sample
        Distinct records to compare.
    seed
        Of the sample.

    Returns
    -------
    adjusted_rand_index : float
        Between the partitions with and without the prefilter; 1 when they agree.
    calls_filtered, calls_unfiltered : int
        Directed pairs asked about.
    """
    if equivalence.vectors is None:
        raise ValueError("the equivalence has no vectors, so there is no prefilter to measure")
    vectors = points(equivalence.vectors, "vectors")
    chosen = np.arange(len(records))
    if len(records) > sample:
        chosen = np.sort(stream(seed, "prefilter", "sample").choice(len(records), sample, replace=False))
    texts = [records[int(i)] for i in chosen]
    settings = (equivalence.entails, equivalence.criterion)
    filtered = MutualEntailment(*settings, vectors[chosen], equivalence.prefilter, equivalence.batch_size)
    unfiltered = MutualEntailment(*settings, batch_size=equivalence.batch_size)
    # Loaded where it is used: loading it takes as long as many a job that can reach this module.
    from sklearn.metrics import adjusted_rand_score

    index = adjusted_rand_score(filtered.cluster(texts), unfiltered.cluster(texts))
    return float(index), filtered.calls, unfiltered.calls


def unit_rows(vectors: ArrayLike, name: str, *, least: int = 1) -> Array:
    """Check embeddings and scale each to length one.

    Parameters
    ----------
    vectors
        Shape (n, d).
    name
        What a message calls them.
    least
        Fewest allowed.

    Returns
    -------
    ndarray, shape (n, d)

    Raises
    ------
    UserError
        If an embedding is zero, NaN or infinite.
    """
    data = points(vectors, name, least=least)
    lengths = np.sqrt(np.square(data).sum(axis=1, keepdims=True))
    zero = np.flatnonzero(lengths == 0)
    if len(zero):
        raise UserError(f"{name}: embedding {zero[0]} is zero; cosine similarity needs a direction")
    return data / lengths


def _leaders(
    records: Sequence[str],
    vectors: ArrayLike,
    threshold: float,
    equivalent: Callable[[list[tuple[str, str]]], list[bool]] | None,
) -> Indices:
    """Greedy clusters: each record joins the earliest leader similar (and equivalent) to it, or leads.

    Equal texts are one record; the others are taken in the order of their texts, so the order of
    the input does not matter. A block of records is compared with all leaders before it at once,
    then record by record within.
    """
    if not 0 <= threshold <= 1:
        raise UserError(f"threshold: {threshold} is not allowed; use a cosine similarity between 0 and 1")
    unit = unit_rows(vectors, "vectors")
    if len(unit) != len(records):
        raise UserError(f"vectors: {len(unit)} embeddings for {len(records)} records; each record needs one")
    first_place: dict[str, int] = {}
    for i, record in enumerate(records):
        first_place.setdefault(record, i)
    texts = sorted(first_place)
    unit = unit[[first_place[text] for text in texts]]
    # A similarity of exactly the threshold must not depend on rounding.
    limit = threshold - 1e-12
    labels = np.full(len(texts), -1, dtype=np.intp)
    leaders: list[int] = []
    for start in range(0, len(texts), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(texts)))
        _join(rows, np.array(leaders, dtype=np.intp), unit, limit, labels, texts, equivalent, 0)
        waiting = rows[labels[rows] < 0]
        while len(waiting):
            leader, waiting = int(waiting[0]), waiting[1:]
            labels[leader] = len(leaders)
            leaders.append(leader)
            alone = np.array([leader], dtype=np.intp)
            _join(waiting, alone, unit, limit, labels, texts, equivalent, len(leaders) - 1)
            waiting = waiting[labels[waiting] < 0]
    place = {text: i for i, text in enumerate(texts)}
    return labels[[place[record] for record in records]]


def _join(
    rows: Indices,
    leaders: Indices,
    unit: Array,
    limit: float,
    labels: NDArray[np.intp],
    texts: list[str],
    equivalent: Callable[[list[tuple[str, str]]], list[bool]] | None,
    first_label: int,
) -> None:
    """Label those records that are the same as one of some leaders; the earliest counts."""
    if not len(rows) or not len(leaders):
        return
    similar = unit[rows] @ unit[leaders].T >= limit
    if equivalent is None:
        joins = similar.any(axis=1)
        labels[rows[joins]] = first_label + similar[joins].argmax(axis=1)
        return
    # Everyone asks its next candidate in the same batch, until it has joined or has none left.
    candidates = {int(row): list(np.flatnonzero(near)) for row, near in zip(rows, similar, strict=True) if near.any()}
    turn = 0
    while candidates:
        asking = list(candidates)
        answers = equivalent([(texts[leaders[candidates[row][turn]]], texts[row]) for row in asking])
        turn += 1
        for row, same in zip(asking, answers, strict=True):
            if same:
                labels[row] = first_label + candidates[row][turn - 1]
            if same or turn == len(candidates[row]):
                del candidates[row]
