"""Every way to choose among k samples, as one probability of a right answer by problem and k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ggmi.random import stream
from ggmi.scaling.expectations import best_of, pass_at
from ggmi.scaling.intervals import Ratios, ratios
from ggmi.scaling.samples import Array, Samples
from ggmi.scaling.voting import WORK, majority_at, majority_work
from ggmi.scaling.weighting import weighted_votes, weights_of

LEVEL = 0.05
EXACT, DRAWN = "exact", "Monte Carlo"
PASS, MAJORITY, BEST, WEIGHTED, RANDOM = "pass", "majority", "best of k", "weighted vote", "random choice"


@dataclass(frozen=True)
class Curve:
    """One method's probability of a right answer, by problem and number of samples.

    Parameters
    ----------
    method, score
        Which; no score where none chooses.
    values
        Shape (problems, ks).
    errors
        Standard errors of drawn subsets, of the same shape; zeros where nothing was drawn.
    """

    method: str
    score: str
    values: Array
    errors: Array

    @property
    def name(self) -> str:
        """The method in words."""
        words = {BEST: f"best of k by {self.score}", WEIGHTED: f"vote weighted by {self.score}"}
        return words.get(self.method, {PASS: "pass@k", MAJORITY: "majority of k"}.get(self.method, self.method))


def grid(most: int) -> list[int]:
    """Numbers of samples that are looked at: the most, its half, and doublings up to there.

    Parameters
    ----------
    most
        The most.

    Examples
    --------
    >>> grid(20)
    [1, 2, 4, 8, 10, 20]
    """
    half = max(1, most // 2)
    return sorted({2**i for i in range(half.bit_length())} | {half, most})


def curves_of(samples: Samples, ks: Sequence[int], seed: int) -> tuple[list[Curve], list[str]]:
    """Every method's values, and what is not exact.

    Parameters
    ----------
    samples
        Of problems with at least max(ks) samples each.
    ks
        Numbers of samples, from 1.
    seed
        Of drawn subsets.

    Returns
    -------
    curves : list of Curve
        First pass@k, then what chooses an answer.
    notes : list of str
    """

    def exact(method: str, score: str, values: Array) -> Curve:
        return Curve(method, score, values, np.zeros_like(values))

    curves = [exact(PASS, "", np.stack([pass_at(samples, k) for k in ks], axis=1))]
    notes: list[str] = []
    choices = [exact(BEST, score, best_of(samples, score, ks)) for score in samples.scores]
    if samples.answer is None:
        return curves + choices, [*notes, "Nothing is known of the samples' answers, so there are no votes."]
    majority = {k: majority_at(samples, k) if majority_work(samples, k) <= WORK else None for k in ks}
    drawn = [k for k in ks if majority[k] is None]
    values: dict[tuple[str, int], Array] = {}
    errors: dict[tuple[str, int], Array] = {}
    if samples.scores or drawn:
        values, errors = weighted_votes(samples, ks, majority, seed)
    votes = np.stack([values["", k] if (found := majority[k]) is None else found for k in ks], axis=1)
    shaken = np.stack([errors["", k] if k in drawn else np.zeros(len(votes)) for k in ks], axis=1)
    curves.append(Curve(MAJORITY, "", votes, shaken))
    for score in samples.scores:
        parts = [np.stack([table[score, k] for k in ks], axis=1) for table in (values, errors)]
        choices.append(Curve(WEIGHTED, score, *parts))
        if weights_of(samples, score)[1] != "score":
            notes.append(f"{score} is negative somewhere; a vote weighs exp({score}) instead.")
    if drawn:
        notes.append(f"The majority of {', '.join(map(str, drawn))} samples takes too long exactly and is drawn.")
    return curves + choices, notes


def stacked(curves: Sequence[Curve]) -> Array:
    """Values of all curves, shape (problems, curves × ks)."""
    return np.concatenate([curve.values for curve in curves], axis=1)


def over_problems(above: Array, seed: int, below: Array | None = None, *, level: float = 1 - LEVEL) -> Ratios:
    """Means, or ratios of means, with intervals; everything shares one set of resampled problems.

    Parameters
    ----------
    above, below
        Shape (problems, measures); without a denominator, means.
    seed
        Of the resamples.
    level
        Coverage.
    """
    return ratios(above, np.ones_like(above) if below is None else below, resamples(seed), level=level)


def resamples(seed: int) -> np.random.Generator:
    """The stream that problems are drawn from."""
    return stream(seed, "scaling", "problems")
