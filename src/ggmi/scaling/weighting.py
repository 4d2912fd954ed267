"""Votes weighted by a score among k of a problem's n samples: exact where that is short, otherwise drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from ggmi.random import stream
from ggmi.scaling.samples import Array, Integers, Samples
from ggmi.scaling.sums import WORK, sums_work, votes_of_sums, whole_weights

# Draws of subsets over all problems, and least and most of one problem.
DRAWS, FEWEST, MOST = 2**19, 48, 2**15
# Sums of weights that differ by less, relatively, are equal: order of addition must not decide.
EQUAL = 1e-12


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
    known that is exact and short. Where weights are multiples of one unit, and few, sums are counted
    (`ggmi.scaling.sums`). Else all subsets are gone through where they are no more than the draws that
    would stand for them. Otherwise subsets are drawn, from a stream named by the problem, and the exact
    majority is a control variate: drawn is only how far the weighted vote differs from it.

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
        Standard errors of the draws, 0 where nothing was drawn.
    """
    weights = {name: weights_of(samples, name)[0] for name in samples.scores}
    counted = {
        name: votes_of_sums(samples, whole, ks)
        for name, weight in weights.items()
        if (whole := whole_weights(samples, weight)) is not None and sums_work(samples, whole, ks) <= WORK
    }
    weights = {"": np.ones(len(samples.correct))} | {name: w for name, w in weights.items() if name not in counted}
    names = list(weights)
    shape = (len(names), len(ks), len(samples.problems))
    values, errors = np.zeros(shape), np.zeros(shape)
    draws = int(np.clip(-(-DRAWS // len(samples.problems)), FEWEST, MOST))
    assert samples.answer is not None
    needed = len(names) > 1 or any(majority[k] is None for k in ks)
    for problem, n in enumerate(samples.sizes.tolist() if needed else []):
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
            share = ballot.credits(drawn[:, :k])
            exact = majority[k]
            if exact is not None:
                share = share - share[0] + exact[problem]
            values[:, place, problem] = share.mean(axis=1)
            errors[:, place, problem] = share.std(axis=1) / np.sqrt(draws)
    at = {(name, k): (i, place) for i, name in enumerate(names) for place, k in enumerate(ks)}
    found_values = {key: values[index] for key, index in at.items()}
    found_errors = {key: errors[index] for key, index in at.items()}
    for name, table in counted.items():
        for place, k in enumerate(ks):
            found_values[name, k], found_errors[name, k] = table[:, place], np.zeros(len(table))
    return found_values, found_errors


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
