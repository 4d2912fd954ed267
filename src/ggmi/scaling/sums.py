"""Votes of few whole weights, such as marks or yes and no, exactly: how many subsets of each answer have each sum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ggmi.scaling.samples import Array, Integers, Samples
from ggmi.scaling.voting import binomial_terms

# Multiples of scores that are tried for being whole numbers.
SCALES = (1, 2, 3, 4, 5, 10, 20, 100)
# Sum that whole weights of a problem may have, and how near a multiple has to be.
LARGEST_SUM, NEAR = 1024, 1e-9
# Multiplications that one score may take, some twenty seconds, and those that a call is worth.
WORK, CALL = 1e10, 1e4

# An answer's credit and the weights of its samples, sorted.
Group = tuple[float, tuple[int, ...]]


def whole_weights(samples: Samples, weights: Array) -> Integers | None:
    """Weights as multiples of their largest common unit; None where there is no such unit or sums are large.

    Parameters
    ----------
    samples
        The samples.
    weights
        Of each, not negative.

    Examples
    --------
    >>> samples = Samples.of(["a"] * 3, [1, 0, 0])
    >>> whole_weights(samples, np.array([0.5, 1.5, 0.0])).tolist()
    [1, 3, 0]
    """
    for scale in SCALES:
        whole = np.rint(weights * scale)
        if np.abs(weights * scale - whole).max() <= NEAR:
            units = whole.astype(np.int64)
            units //= max(int(np.gcd.reduce(units)), 1)
            return units if np.add.reduceat(units, samples.starts[:-1]).max() <= LARGEST_SUM else None
    return None


def sums_work(samples: Samples, whole: Integers, ks: Sequence[int]) -> float:
    """Multiplications that `votes_of_sums` takes, at most, about.

    Parameters
    ----------
    samples, whole, ks
        As there.
    """
    sums = np.add.reduceat(whole, samples.starts[:-1]) + 1
    rivals = np.diff(samples.groups.starts)
    largest = int(whole.max(initial=0))
    total = 0.0
    for k in ks:
        size = np.minimum(sums, k * largest + 1) * (np.minimum(rivals, k) / 2 + 1) * k
        total += float((np.minimum(samples.sizes, k * rivals) * (CALL + size)).sum())
    return total


def votes_of_sums(samples: Samples, whole: Integers, ks: Sequence[int]) -> Array:
    """Probability that the answer of the largest sum of weights among k samples is right; equal sums share.

    For each sum s that the right answer's samples can have, every other answer contributes a
    polynomial in z, the number of its samples, of those subsets whose sum lies below s, and y times
    one of those whose sum is s; y is integrated over [0, 1] as in `ggmi.scaling.voting.majority_at`.

    Parameters
    ----------
    samples
        Of problems with at least max(ks) samples each, with answers.
    whole
        Weights of `whole_weights`.
    ks
        Samples drawn.

    Returns
    -------
    ndarray, shape (problems, ks)

    Examples
    --------
    >>> votes = Samples.of(["a"] * 3, [1, 0, 0], answer=["7", "3", "3"])
    >>> votes_of_sums(votes, np.array([1, 1, 2]), [3]).tolist()
    [[0.5]]
    """
    found = np.zeros((len(samples.problems), len(ks)))
    known: dict[tuple[int, tuple[Group, ...]], list[float]] = {}
    ends = samples.groups.starts
    for problem, n in enumerate(samples.sizes.tolist()):
        mine = slice(ends[problem], ends[problem + 1])
        counts = samples.groups.count[mine]
        # A problem's samples are sorted by answer, those without one first.
        last = samples.starts[problem + 1]
        parts = np.split(whole[last - counts.sum() : last], np.cumsum(counts)[:-1])
        weights = [tuple(sorted(part.tolist())) for part in parts]
        key = (n, tuple(sorted(zip(samples.groups.credit[mine].tolist(), weights, strict=False))))
        if key not in known:
            known[key] = [_expected(key[1], n, k) for k in ks]
        found[problem] = known[key]
    return found


def _expected(groups: Sequence[Group], n: int, k: int) -> float:
    """The expected credit of one problem's vote."""
    if not any(credit for credit, _ in groups):
        return 0.0
    tables = [_sums(weights, k / n, k) for _, weights in groups]
    silent = n - sum(len(weights) for _, weights in groups)
    terms = binomial_terms(n, k)
    # At most so many others tie.
    nodes = min(len(groups) - 1, k - 1) // 2 + 1
    y, weight = np.polynomial.legendre.leggauss(nodes)
    y, weight = (y + 1) / 2, weight / 2
    total = 0.0
    for mine, (credit, _) in enumerate(groups):
        if not credit:
            continue
        own = tables[mine]
        sums = np.flatnonzero(own[1:].any(axis=0))
        product = np.zeros((len(sums), nodes, k + 1))
        product[:, :, 1 : len(own)] = own[1:, sums].T[:, None]
        for other, table in enumerate(tables):
            if other != mine:
                product = _outsummed(product, table, sums, y)
        total += credit * float((product[:, :, ::-1] @ terms[silent] @ weight).sum())
    return total / float(terms[n, k])


def _outsummed(product: Array, table: Array, sums: NDArray, y: Array) -> Array:
    """A product times the polynomials of one more answer, whose sum is smaller, or equal at the price y."""
    reach = table.shape[1]
    before = np.concatenate([np.zeros((len(table), 1)), np.cumsum(table, axis=1)], axis=1)
    below = before[:, np.minimum(sums, reach)]
    equal = np.where(sums < reach, table[:, np.minimum(sums, reach - 1)], 0)
    # An answer that nobody gives ties with none, not even with weights of zero.
    below[0], equal[0] = table[0, 0], 0
    after = np.zeros_like(product)
    for j in range(len(table)):
        factor = below[j][:, None, None] + equal[j][:, None, None] * y[:, None]
        after[:, :, j:] += factor * product[:, :, : product.shape[2] - j]
    return after


def _sums(weights: Sequence[int], p: float, k: int) -> Array:
    """Subsets by size up to k and by sum, each element in with weight p and out with 1 − p."""
    most = min(len(weights), k)
    table = np.zeros((most + 1, sum(weights) + 1))
    table[0, 0] = 1
    for weight in weights:
        shifted = np.zeros_like(table)
        shifted[1:, weight:] = table[:-1, : table.shape[1] - weight]
        table = (1 - p) * table + p * shifted
    return table
