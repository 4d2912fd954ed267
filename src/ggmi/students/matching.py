"""Sets of one size for fair comparisons, and parts of a set: a larger set and a better set are different claims."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ggmi.random import stream

Ints = NDArray[np.int64]


def match_records(sizes: Mapping[str, int], seed: int, to: int | None = None) -> dict[str, Ints]:
    """Choose the same number of records from every set.

    Parameters
    ----------
    sizes
        Records of each set by name.
    seed
        The run's seed. A set's choice depends on its name and size only, and a smaller choice is
        part of a larger one.
    to
        Records wanted; by default those of the smallest set. A set that has fewer is gone through
        again.

    Returns
    -------
    dict of str to ndarray
        Places in each set.

    Examples
    --------
    >>> chosen = match_records({"3-ins": 5, "T": 3}, seed=1)
    >>> {name: len(places) for name, places in chosen.items()}
    {'3-ins': 3, 'T': 3}
    """
    _refuse_empty(sizes)
    wanted = min(sizes.values()) if to is None else to
    return {name: _cycled(size, wanted, seed, name) for name, size in sizes.items()}


def match_tokens(lengths: Mapping[str, ArrayLike], seed: int, to: int | None = None) -> dict[str, Ints]:
    """Choose records from every set until they hold the same number of tokens, up to one record.

    Parameters
    ----------
    lengths
        Tokens of each record, by set; of the responses, if those are what is to be matched.
    seed
        As in `match_records`.
    to
        Tokens wanted; by default those of the set that has the fewest.

    Returns
    -------
    dict of str to ndarray
        Places in each set. Their tokens are at most those wanted, unless the first record alone
        has more, and the next record would lead beyond them.
    """
    tokens = {name: np.asarray(values, dtype=np.int64) for name, values in lengths.items()}
    _refuse_empty({name: int(values.sum()) for name, values in tokens.items()})
    wanted = min(int(values.sum()) for values in tokens.values()) if to is None else to
    chosen = {}
    for name, values in tokens.items():
        passes = wanted // int(values.sum()) + 1
        places = _cycled(len(values), passes * len(values), seed, name)
        within = int(np.searchsorted(np.cumsum(values[places]), wanted, side="right"))
        chosen[name] = places[: max(within, 1)]
    return chosen


def match_steps(sizes: Mapping[str, int], batch_size: int, epochs: float, to: int | None = None) -> int:
    """The number of updates that all students make, whatever the sizes of their sets.

    Parameters
    ----------
    sizes
        Records of each set by name.
    batch_size
        Records an update.
    epochs
        Passes over the smallest set.
    to
        Updates wanted; by default what the smallest set takes for `epochs` passes.

    Returns
    -------
    int
        For `ggmi.students.settings.TrainingSettings.steps`.

    Examples
    --------
    >>> match_steps({"3-ins": 400, "T": 1000}, batch_size=16, epochs=20)
    500
    """
    _refuse_empty(sizes)
    return math.ceil(min(sizes.values()) * epochs / batch_size) if to is None else to


class Mixture(NamedTuple):
    """Places of the records of a mixture, in S_gen and in T."""

    synthetic: Ints
    real: Ints


def mixture(synthetic: int, real: int, share: float, seed: int, size: int | None = None) -> Mixture:
    """Mix S_gen and the real training set T by records.

    Parameters
    ----------
    synthetic, real
        Records of S_gen and of T.
    share
        Share of T in the mixture, 0 to 1.
    seed
        The run's seed. The real records of a smaller share are among those of a larger one, and
        the other way round for the synthetic ones.
    size
        Records of the mixture; by default those of the smaller set, so that every share can be had.

    Raises
    ------
    ValueError
        If the share is not one, or a set has too few records for it.

    Examples
    --------
    >>> part = mixture(100, 80, share=0.25, seed=1)
    >>> len(part.synthetic), len(part.real)
    (60, 20)
    """
    total = min(synthetic, real) if size is None else size
    if not 0 <= share <= 1:
        raise ValueError(f"a share of {share} is outside 0 to 1")
    taken = math.floor(share * total + 0.5)
    if taken > real or total - taken > synthetic:
        raise ValueError(f"{total} records with a share of {share} need more than {synthetic} and {real} records")
    return Mixture(
        _cycled(synthetic, total - taken, seed, "mixture", "synthetic"), _cycled(real, taken, seed, "mixture", "real")
    )


def subset_of(
    ids: Sequence[str],
    end: str,
    *,
    share: float | None,
    size: int | None,
    scores: Mapping[str, float] | None,
    seed: int,
) -> list[int]:
    """Places of the easiest, the hardest or random records.

    Parameters
    ----------
    ids
        Of the set's records.
    end
        ``easiest`` (lowest scores), ``hardest`` (highest scores) or ``random``; equal scores are ordered at random.
    share, size
        How many: a share of those that have a score, or a number; one of them is None.
    scores
        By id; a record without one is in no subset. None for random records.
    seed
        The run's seed. A larger subset holds the smaller ones.

    Returns
    -------
    list of int
        In order.

    Examples
    --------
    >>> scores = {"a": 3.0, "b": 1.0, "c": 2.0}
    >>> subset_of("abcd", "hardest", share=None, size=2, scores=scores, seed=0)
    [0, 2]
    """
    places = [i for i, identity in enumerate(ids) if scores is None or identity in scores]
    drawn = stream(seed, "students", "subset", len(ids)).permutation(len(ids))
    if scores is None:
        ordered = sorted(places, key=lambda i: drawn[i])
    else:
        sign = -1.0 if end == "hardest" else 1.0
        ordered = sorted(places, key=lambda i: (sign * scores[ids[i]], drawn[i]))
    most = size if share is None else math.floor(share * len(places) + 0.5)
    return sorted(ordered[:most])


def _refuse_empty(sizes: Mapping[str, int]) -> None:
    empty = [name for name, size in sizes.items() if size < 1]
    if empty or not sizes:
        raise ValueError(f"sets without records cannot be matched: {', '.join(empty) or 'no set at all'}")


def _cycled(size: int, wanted: int, seed: int, *name: str) -> Ints:
    """Places in a seeded order, gone through again in the same order as often as needed."""
    order = stream(seed, "students", "matching", *name, size).permutation(size)
    return np.resize(order, wanted).astype(np.int64)
