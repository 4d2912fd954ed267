"""Exact expectations over all subsets of k of a problem's n samples: something right, and choice by a score."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ggmi.scaling.samples import Array, Samples


@lru_cache(maxsize=512)
def misses(n: int, k: int) -> Array:
    """Probability that a subset of k of n samples holds none of a given a, for a = 0 … n: C(n−a, k) / C(n, k).

    Parameters
    ----------
    n
        Samples.
    k
        Size of the subset, at most n.

    Returns
    -------
    ndarray, shape (n + 1,)

    Examples
    --------
    >>> misses(4, 2).round(4).tolist()
    [1.0, 0.5, 0.1667, 0.0, 0.0]
    """
    a = np.arange(n)
    return np.concatenate([[1.0], np.cumprod(np.maximum((n - a - k) / (n - a), 0))])


def pass_at(samples: Samples, k: int) -> Array:
    """Probability that at least one of k samples is right: 1 − C(n−c, k) / C(n, k) (Chen et al. 2021).

    Parameters
    ----------
    samples
        Of problems with at least k samples each.
    k
        Samples drawn.

    Returns
    -------
    ndarray, shape (problems,)

    Examples
    --------
    >>> pass_at(Samples.of(["a"] * 4, [1, 0, 0, 0]), 2).tolist()
    [0.5]
    """
    return 1 - _missed(samples.sizes, samples.right, k)


def best_of(samples: Samples, score: str, ks: Sequence[int]) -> Array:
    """Probability that the sample of the highest score among k is right; equal scores share the choice.

    Let A samples score higher than those of one value, which t have, r of them right. The highest of
    a subset is one of these with probability [C(n−A, k) − C(n−A−t, k)] / C(n, k), and is then right
    with probability r / t. A sample without a score is chosen only where no sample has one.

    Parameters
    ----------
    samples
        Of problems with at least max(ks) samples each.
    score
        Name of the score.
    ks
        Samples drawn.

    Returns
    -------
    ndarray, shape (problems, ks)

    Examples
    --------
    >>> samples = Samples.of(["a"] * 3, [1, 0, 0], scores={"s": [0.9, 0.9, 0.1]})
    >>> best_of(samples, "s", [1, 3]).round(4).tolist()
    [[0.3333, 0.5]]
    """
    value = samples.scores[score]
    missing = np.isnan(value)
    order = np.lexsort([np.where(missing, 0, -value), missing, samples.problem])
    problem, value, missing = samples.problem[order], value[order], missing[order]
    begins = np.ones(len(order), dtype=bool)
    same = (value[1:] == value[:-1]) | (missing[1:] & missing[:-1])
    begins[1:] = ~same | (problem[1:] != problem[:-1])
    first = np.flatnonzero(begins)
    tied = np.diff(np.append(first, len(order)))
    of = problem[first]
    higher = first - samples.starts[of]
    size = samples.sizes[of]
    credit = np.add.reduceat(samples.correct[order].astype(float), first) / tied
    found = []
    for k in ks:
        chosen = _missed(size, higher, k) - _missed(size, higher + tied, k)
        found.append(np.bincount(of, chosen * credit, len(samples.problems)))
    return np.stack(found, axis=1)


def _missed(n: np.ndarray, a: np.ndarray, k: int) -> Array:
    """`misses` of many n and a at once."""
    distinct, which = np.unique(n, return_inverse=True)
    table = np.concatenate([misses(int(size), k) for size in distinct])
    return table[(np.cumsum(distinct + 1) - distinct - 1)[which] + a]
