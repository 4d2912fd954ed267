"""The majority among k of a problem's n samples, exactly, for many problems at once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ggmi.scaling.samples import Array, Integers, Samples

# Numbers held at once.
CHUNK_ELEMENTS = 2**21
# Multiplications that exact majorities may take for one k: about half a minute of one core.
WORK = 3e10


def majority_at(samples: Samples, k: int) -> Array:
    r"""Probability that the most frequent answer among k samples is right; equally frequent ones share the choice.

    Where the right answer has c of n samples, others c_1, c_2, … and u samples answer nothing, it is
    among the most frequent with m votes and t others with probability

    C(c, m) [z^{k−m} y^t] (1 + z)^u \prod_h ( \sum_{j<m} C(c_h, j) z^j + y C(c_h, m) z^m ) / C(n, k),

    and credit 1 / (1 + t) is the integral of y^t over [0, 1], which Gauss's quadrature gives exactly.
    Binomial coefficients are weighted by (k/n)^j (1 − k/n)^{c−j}, so that nothing overflows; all terms
    are positive.

    Parameters
    ----------
    samples
        Of problems with at least k samples each, with answers.
    k
        Samples drawn.

    Returns
    -------
    ndarray, shape (problems,)

    Examples
    --------
    >>> votes = Samples.of(["a"] * 3, [1, 0, 0], answer=["7", "3", "3"])
    >>> majority_at(votes, 2).round(4).tolist(), majority_at(votes, 3).tolist()
    ([0.3333], [0.0])
    """
    found = np.zeros(len(samples.problems))
    for jobs in samples.tallies.values():
        keys = list(jobs)
        n = keys[0][0]
        width = max(len(others) for _, _, others in keys)
        target = np.array([count for _, count, _ in keys])
        rest = np.zeros((len(keys), width), dtype=np.int64)
        for row, (_, _, others) in zip(rest, keys, strict=True):
            row[: len(others)] = others
        shares = _mode_shares(target, rest, n, k)
        for share, places in zip(shares, jobs.values(), strict=True):
            for problem, credit in places:
                found[problem] += credit * share
    return found


def majority_work(samples: Samples, k: int) -> float:
    """Multiplications that `majority_at` takes, about: n k² / 2 a problem, where subsets leave anything out.

    Parameters
    ----------
    samples, k
        As there.
    """
    return float(samples.sizes[samples.sizes > k].sum()) * k**2 / 2


def _mode_shares(target: Integers, others: Integers, n: int, k: int) -> Array:
    """Expected share of a group in the mode of k samples; `others` sorted from the largest, 0 for none."""
    terms = binomial_terms(n, k)
    found = np.zeros(len(target))
    for votes in range(1, min(k, int(target.max())) + 1):
        # Where every sample is drawn, only counts as they are have any probability.
        able = np.flatnonzero(terms[target, votes] > 0)
        left = k - votes
        own = terms[target[able], votes]
        if votes > left:
            # No other answer can have as many.
            found[able] += own * terms[n - target[able], left]
            continue
        nodes = left // votes // 2 + 1
        for part in _parts(len(able), nodes * (left + 1)):
            rows = able[part]
            found[rows] += own[part] * _outvoted(target[rows], others[rows], n, votes, left, terms, nodes)
    return found / terms[n, k]


def _outvoted(target: Integers, others: Integers, n: int, votes: int, left: int, terms: Array, nodes: int) -> Array:
    """Coefficient of z^left of the product over other answers, integrated over y."""
    rivals = others >= votes
    free = n - target - np.where(rivals, others, 0).sum(axis=1)
    y, weight = np.polynomial.legendre.leggauss(nodes)
    y, weight = (y + 1) / 2, weight / 2
    product = np.repeat(terms[free, None, : left + 1], nodes, axis=1)
    for h in range(int(rivals.sum(axis=1).max(initial=0))):
        rows = np.flatnonzero(rivals[:, h])
        before = product if len(rows) == len(product) else product[rows]
        factor = terms[others[rows, h], : votes + 1]
        after = before * factor[:, 0, None, None]
        for j in range(1, votes + 1):
            by = factor[:, j, None, None] if j < votes else factor[:, j, None, None] * y[:, None]
            after[:, :, j:] += by * before[:, :, :-j]
        if len(rows) == len(product):
            product = after
        else:
            product[rows] = after
    last: Array = product[:, :, left] @ weight
    return last


@lru_cache(maxsize=16)
def binomial_terms(n: int, k: int) -> Array:
    """C(c, j) p^j (1 − p)^{c−j} with p = k / n, for c up to n and j up to k.

    Parameters
    ----------
    n, k
        Samples, and how many of them are drawn.

    Returns
    -------
    ndarray, shape (n + 1, k + 1)
    """
    p = k / n
    terms = np.zeros((n + 1, k + 1))
    terms[0, 0] = 1
    for c in range(n):
        terms[c + 1] = (1 - p) * terms[c]
        terms[c + 1, 1:] += p * terms[c, :-1]
    return terms


def _parts(rows: int, elements: int) -> list[slice]:
    """Rows of so many elements each, cut into parts that fit in memory."""
    size = max(1, CHUNK_ELEMENTS // elements)
    return [slice(first, first + size) for first in range(0, rows, size)]
