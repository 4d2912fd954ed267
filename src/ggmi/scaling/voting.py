"""Votes among k of a problem's n samples: the majority exactly, votes weighted by a score exactly where it can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from ggmi.random import stream
from ggmi.scaling.samples import Array, Groups, Integers, Samples

# Numbers held at once.
CHUNK_ELEMENTS = 2**21
# Multiplications that exact majorities may take for one k: about half a minute of one core.
WORK = 3e10
# Draws of subsets over all problems, and least and most of one problem.
DRAWS, FEWEST, MOST = 2**19, 48, 2**15
# Sums of weights that differ by less, relatively, are equal: order of addition must not decide.
EQUAL = 1e-12


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
    groups, sizes = samples.groups, samples.sizes
    found = np.zeros(len(sizes))
    for jobs in _distinct(groups, sizes).values():
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
    """Multiplications that `majority_at` takes, about: n k² / 2 a problem."""
    return float(samples.sizes.sum()) * k**2 / 2


def weights_of(samples: Samples, score: str) -> tuple[Array, str]:
    """What each sample's vote weighs, and how that was made of its score.

    Parameters
    ----------
    samples
        The samples.
    score
        Name of the score.

    Returns
    -------
    weights : ndarray, shape (samples,)
        The score where none is negative, else its exponential, which suits log-probabilities and
        logits, divided by the largest of the problem. A sample without a score weighs nothing.
    rule : str
    """
    value = samples.scores[score]
    if not (value < 0).any():
        return np.nan_to_num(value, nan=0.0), "score"
    known = np.where(np.isnan(value), -np.inf, value)
    top = np.maximum.reduceat(known, samples.starts[:-1])[samples.problem]
    return np.where(np.isfinite(known), np.exp(known - np.where(np.isfinite(top), top, 0)), 0.0), "exp(score)"


def weighted_votes(
    samples: Samples, ks: Sequence[int], majority: Mapping[int, Array | None], seed: int
) -> tuple[dict[tuple[str, int], Array], dict[tuple[str, int], Array]]:
    """Probability that the answer of the largest sum of weights among k samples is right; equal sums share.

    Comparing sums of arbitrary weights over all subsets is a knapsack problem, for which no method is
    known that is exact and short. So all subsets are gone through where they are no more than the draws
    that would stand for them; otherwise subsets are drawn, each from a stream named by its problem, and
    the exact majority is a control variate: drawn is only how far the weighted vote differs from it.

    Parameters
    ----------
    samples
        Of problems with at least max(ks) samples each, with answers.
    ks
        Samples drawn.
    majority
        Of `majority_at` by k; None where it is unknown, and the plain majority is drawn too, under
        the name "".
    seed
        Of the draws.

    Returns
    -------
    values : dict of (score, k) to ndarray, shape (problems,)
    errors : dict of (score, k) to ndarray, shape (problems,)
        Standard errors of the draws, 0 where all subsets were gone through.
    """
    weights = {"": np.ones(len(samples.correct))}
    weights |= {name: weights_of(samples, name)[0] for name in samples.scores}
    names = list(weights)
    shape = (len(names), len(ks), len(samples.problems))
    values, errors = np.zeros(shape), np.zeros(shape)
    draws = int(np.clip(-(-DRAWS // len(samples.problems)), FEWEST, MOST))
    assert samples.answer is not None
    for problem, n in enumerate(samples.sizes.tolist()):
        rows = slice(samples.starts[problem], samples.starts[problem + 1])
        mine = slice(samples.groups.starts[problem], samples.groups.starts[problem + 1])
        credit = np.append(samples.groups.credit[mine], 0.0)
        if not credit.any():
            continue
        ballot = _Ballot(samples.answer[rows], np.array([weight[rows] for weight in weights.values()]), credit)
        drawn = None
        for place, k in enumerate(ks):
            if comb(n, k) <= draws:
                values[:, place, problem] = ballot.credits(_all_subsets(n, k)).mean(axis=1)
                continue
            if drawn is None:
                generator = stream(seed, "scaling", "subsets", samples.problems[problem])
                drawn = generator.permuted(np.tile(np.arange(n, dtype=np.int32), (draws, 1)), axis=1)
            found = ballot.credits(drawn[:, :k])
            exact = majority[k]
            if exact is not None:
                found = found - found[0] + exact[problem]
            values[:, place, problem] = found.mean(axis=1)
            errors[:, place, problem] = found.std(axis=1) / np.sqrt(draws)
    at = {(name, k): (i, place) for i, name in enumerate(names) for place, k in enumerate(ks)}
    return {key: values[index] for key, index in at.items()}, {key: errors[index] for key, index in at.items()}


class _Ballot:
    """Answers of one problem, and what each vote weighs under several weightings."""

    def __init__(self, answer: Integers, weights: Array, credit: Array) -> None:
        self.groups = len(credit)
        # No answer is a group after all others, which cannot be chosen.
        self.answer = np.where(answer < 0, self.groups - 1, answer)
        self.weights, self.credit = weights, credit

    def credits(self, subsets: NDArray) -> Array:
        """Credit of each weighting's choice in each subset, shape (weightings, subsets)."""
        count = len(subsets)
        place = (self.answer[subsets] + self.groups * np.arange(count)[:, None]).ravel()
        length = count * self.groups
        there = np.bincount(place, minlength=length).reshape(count, self.groups) > 0
        there[:, -1] = False
        found = np.empty((len(self.weights), count))
        for i, weight in enumerate(self.weights):
            sums = np.bincount(place, weight[subsets].ravel(), length).reshape(count, self.groups)
            sums[~there] = -1
            top = sums.max(axis=1, keepdims=True)
            chosen = there & (sums >= top * (1 - EQUAL))
            found[i] = chosen @ self.credit / np.maximum(chosen.sum(axis=1), 1)
        return found


@lru_cache(maxsize=64)
def _all_subsets(n: int, k: int) -> NDArray:
    """Every subset of k of n samples, a row each."""
    return np.array(list(combinations(range(n), k)))


Key = tuple[int, int, tuple[int, ...]]


def _distinct(groups: Groups, sizes: Integers) -> dict[int, dict[Key, list[tuple[int, float]]]]:
    """Different counts of a right answer and others, by n, each with the problems and credits that have them."""
    found: dict[int, dict[Key, list[tuple[int, float]]]] = {}
    for problem, n in enumerate(sizes.tolist()):
        mine = slice(groups.starts[problem], groups.starts[problem + 1])
        count, credit = groups.count[mine].tolist(), groups.credit[mine].tolist()
        for place, share in enumerate(credit):
            if share > 0:
                others = tuple(sorted(count[:place] + count[place + 1 :], reverse=True))
                found.setdefault(n, {}).setdefault((n, count[place], others), []).append((problem, share))
    return found


def _mode_shares(target: Integers, others: Integers, n: int, k: int) -> Array:
    """Expected share of a group in the mode of k samples; `others` sorted from the largest, 0 for none."""
    terms = _binomial_terms(n, k)
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


def _binomial_terms(n: int, k: int) -> Array:
    """C(c, j) p^j (1 − p)^{c−j} with p = k / n, for c up to n and j up to k; shape (n + 1, k + 1)."""
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
