"""Which texts repeat others by ROUGE-L.

ROUGE-L is the F-measure of two texts' longest common subsequence of tokens: with m and n tokens and L common
ones, recall is L/m, precision L/n, and their harmonic mean 2 L / (m + n). Lin (2004), "ROUGE: a package for
automatic evaluation of summaries", equations 2 to 4, with β = 1 and each text taken as one sentence. A text
without tokens is like none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, groupby
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from ggmi.text.near_index import NearIndex, Pair
from ggmi.text.signatures import Ids

# Texts that are compared among themselves whatever comes out, and pairs a text beyond which more are cut in two.
FEW_TEXTS, PAIRS_A_TEXT = 1024, 4


def near_pairs(left: Sequence[str], right: Sequence[str], threshold: float = 0.7) -> list[Pair]:
    """All pairs of texts of two sets whose ROUGE-L exceeds a threshold.

    Parameters
    ----------
    left, right
        The texts.
    threshold
        In [0, 1).

    Returns
    -------
    list of Pair
        In order of left, then right.

    Examples
    --------
    >>> near_pairs(["add one and two now"], ["name a city", "add one and three now"])
    [Pair(left=0, right=1, similarity=0.8)]
    """
    index = NearIndex(chain(left, right), threshold)
    n = len(left)
    return [pair._replace(right=pair.right - n) for pair in index.pairs(np.arange(n), np.arange(n, len(index)))]


def first_of_kind(texts: Iterable[str], threshold: float = 0.7) -> dict[int, Pair]:
    """Find the texts that are near-duplicates of an earlier one that is not itself left out.

    Parameters
    ----------
    texts
        In the order that decides which of two stays; read once.
    threshold
        In [0, 1).

    Returns
    -------
    dict of int to Pair
        For each text to leave out: itself, the kept earlier text most similar to it (the earliest
        of equals), and their ROUGE-L.

    Examples
    --------
    >>> first_of_kind(["add one and two now", "name a city", "add one and three now"])
    {2: Pair(left=2, right=0, similarity=0.8)}
    """
    index = NearIndex(texts, threshold)
    _, twins = settled(index, np.arange(len(index)))
    return dict(sorted(twins.items()))


def settled(index: NearIndex, texts: Ids, on_pass: Callable[[], None] = lambda: None) -> tuple[Ids, dict[int, Pair]]:
    """Which of some texts stay where each that is near an earlier one that stays is left out.

    Sets of near-duplicates have as many pairs as the square of their number: what has many is cut in two, and the
    second half compared with what stays of the first.

    Parameters
    ----------
    index
        Holds them.
    texts
        Their numbers, ascending.
    on_pass
        See `NearIndex.pairs_among`; not called for halves.

    Returns
    -------
    stay : ndarray of int
        Numbers of those that stay, ascending.
    twins : dict of int to Pair
        As of `first_of_kind`, in no order.
    """
    few = len(texts) <= FEW_TEXTS
    pairs = index.pairs_among(texts, None if few else PAIRS_A_TEXT * len(texts), on_pass=on_pass)
    if pairs is None:
        half = len(texts) // 2
        first, twins = settled(index, texts[:half])
        before = index.pairs(texts[half:], first)
        gone = np.array(sorted({pair.left for pair in before}), dtype=np.int64)
        second, others = settled(index, np.setdiff1d(texts[half:], gone))
        within = (pair for pair in index.pairs(gone, second) if pair.right < pair.left)
        return np.concatenate([first, second]), twins | others | closest(chain(before, within))
    twins = left_out(pairs)
    return np.setdiff1d(texts, list(twins)), twins


def left_out(pairs: Iterable[Pair]) -> dict[int, Pair]:
    """Which texts are near an earlier one that stays, by all near pairs.

    Parameters
    ----------
    pairs
        Left after right, in order of left.

    Returns
    -------
    dict of int to Pair
        As of `first_of_kind`, in order of left.
    """
    twins: dict[int, Pair] = {}
    for _, near in groupby(pairs, key=attrgetter("left")):
        twins |= closest(pair for pair in near if pair.right not in twins)
    return twins


def repeating(index: NearIndex, stay: Ids, twins: dict[int, Pair]) -> NDArray[np.bool_]:
    """Which of the texts that were `settled` are near another of them.

    Parameters
    ----------
    index
        Holds them.
    stay, twins
        What was found.

    Returns
    -------
    ndarray of bool, shape (len(index),)
    """
    found = np.zeros(len(index), dtype=bool)
    gone = np.array(sorted(twins), dtype=np.int64)
    found[gone] = found[[pair.right for pair in twins.values()]] = True
    # What stays may be near some that are left out for the sake of another.
    found[[pair.left for pair in index.pairs(stay[~found[stay]], gone)]] = True
    return found


def closest(pairs: Iterable[Pair]) -> dict[int, Pair]:
    """The most similar partner of each text on the left, the earliest of equals."""
    best: dict[int, Pair] = {}
    for pair in pairs:
        known = best.get(pair.left)
        if known is None or (pair.similarity, -pair.right) > (known.similarity, -known.right):
            best[pair.left] = pair
    return best
