"""Votes weighted by a score among k of a problem's n samples: exact where that is short, otherwise drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
# So few subsets are all gone through in any case.
SMALL = 256
# Numbers held at once.
CHUNK_ELEMENTS = 2**21
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
    shape = (len(weights), len(ks), len(samples.problems))
    values, errors = np.zeros(shape), np.zeros(shape)
    if len(weights) > 1 or any(majority[k] is None for k in ks):
        for n in np.unique(samples.sizes).tolist():
            for problems in _alike(samples, n, ks):
                ballots = _Ballots.of(samples, list(weights.values()), problems, n)
                _vote(ballots, samples, problems, ks, majority, seed, values, errors)
    at = {(name, k): (i, place) for i, name in enumerate(weights) for place, k in enumerate(ks)}
    found_values = {key: values[index] for key, index in at.items()}
    found_errors = {key: errors[index] for key, index in at.items()}
    for name, table in counted.items():
        for place, k in enumerate(ks):
            found_values[name, k], found_errors[name, k] = table[:, place], np.zeros(len(table))
    return found_values, found_errors


def _draws(problems: int) -> int:
    """Subsets that are drawn of each problem."""
    return int(np.clip(-(-DRAWS // problems), FEWEST, MOST))


def _whole(n: int, k: int, problems: int) -> bool:
    """Whether all subsets are gone through."""
    return comb(n, k) <= max(SMALL, _draws(problems))


def _alike(samples: Samples, n: int, ks: Sequence[int]) -> list[Integers]:
    """Problems of n samples in parts that fit in memory, those of as many answers together."""
    problems = np.flatnonzero(samples.sizes == n)
    answers = np.diff(samples.groups.starts)[problems]
    total = len(samples.problems)
    subsets = max(comb(n, k) if _whole(n, k, total) else _draws(total) for k in ks)
    size = max(1, CHUNK_ELEMENTS // (subsets * max(n, int(answers.max()) + 1)))
    ordered = problems[np.argsort(answers, kind="stable")]
    return [ordered[first : first + size] for first in range(0, len(ordered), size)]


def _vote(
    ballots: _Ballots,
    samples: Samples,
    problems: Integers,
    ks: Sequence[int],
    majority: Mapping[int, Array | None],
    seed: int,
    values: Array,
    errors: Array,
) -> None:
    """Fill in the values of some problems of equally many samples."""
    total, n = len(samples.problems), ballots.answer.shape[1]
    drawn = None
    for place, k in enumerate(ks):
        if _whole(n, k, total):
            values[:, place, problems] = ballots.credits(_all_subsets(n, k)[None]).mean(axis=2)
            continue
        if drawn is None:
            rows = np.tile(np.arange(n, dtype=np.int32), (_draws(total), 1))
            drawn = np.stack(
                [stream(seed, "scaling", "subsets", samples.problems[i]).permuted(rows, axis=1) for i in problems]
            )
        share = ballots.credits(drawn[:, :, :k])
        exact = majority[k]
        if exact is not None:
            share = share - share[0] + exact[problems][:, None]
        values[:, place, problems] = share.mean(axis=2)
        errors[:, place, problems] = share.std(axis=2) / np.sqrt(drawn.shape[1])


@dataclass(frozen=True)
class _Ballots:
    """Problems of equally many samples: answers (problems, n), weights (weightings, problems, n), credits of groups.

    No answer is a group after all others, which cannot be chosen.
    """

    answer: Integers
    weights: Array
    credit: Array

    @classmethod
    def of(cls, samples: Samples, weights: Sequence[Array], problems: Integers, n: int) -> _Ballots:
        """Of some problems."""
        assert samples.answer is not None
        rows = samples.starts[problems][:, None] + np.arange(n)
        ends = samples.groups.starts
        most = int((ends[problems + 1] - ends[problems]).max())
        place = ends[problems][:, None] + np.arange(most)
        there = place < ends[problems + 1][:, None]
        credit = np.zeros((len(problems), most + 1))
        credit[:, :-1][there] = samples.groups.credit[place[there]]
        answer = samples.answer[rows]
        return cls(np.where(answer < 0, most, answer), np.array([weight[rows] for weight in weights]), credit)

    def credits(self, subsets: NDArray) -> Array:
        """Credit of each weighting's choice in each subset; subsets (problems or 1, subsets, k)."""
        problems, groups = self.credit.shape
        each = np.arange(problems)[:, None, None]
        answer = self.answer[each, subsets]
        shape = (problems, subsets.shape[1], groups)
        place = (answer + groups * np.arange(shape[0] * shape[1]).reshape(*shape[:2], 1)).ravel()
        length = shape[0] * shape[1] * shape[2]
        there = np.bincount(place, minlength=length).reshape(shape) > 0
        there[:, :, -1] = False
        found = np.empty((len(self.weights), *shape[:2]))
        for i, weight in enumerate(self.weights):
            sums = np.bincount(place, weight[each, subsets].ravel(), length).reshape(shape)
            sums[~there] = -1
            chosen = there & (sums >= sums.max(axis=2, keepdims=True) * (1 - EQUAL))
            found[i] = (chosen @ self.credit[:, :, None])[:, :, 0] / np.maximum(chosen.sum(axis=2), 1)
        return found


@lru_cache(maxsize=64)
def _all_subsets(n: int, k: int) -> NDArray:
    """Every subset of k of n samples, a row each."""
    return np.array(list(combinations(range(n), k)))
