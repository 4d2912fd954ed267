"""What outcome supervision does in a small model: curvature, how much data it wants, and what must be learnt before.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, section 6 and insights 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ggmi.data_quality.closed_forms import tuned
from ggmi.data_quality.curves import simulate_chains, two_blocks
from ggmi.data_quality.nested import Setting
from ggmi.data_quality.outcome import Outcomes
from ggmi.data_quality.prompts import moments
from ggmi.random import stream

Array = NDArray[np.float64]

CURVATURE_COLUMNS = ("n", "k", "place", "seed", "curvature", "radius", "radius_of_shift", "loss")
OUTCOME_COLUMNS = ("varied", "n", "B", "k", "steps", "shift", "radius_of_shift", "method", "seed", "err_over_d")
# Where the loss is looked at: after pretraining, at the fine-tuned V*, and where outcome supervision ends.
PLACES = ("start", "fine-tuned", "outcome")
TEST_PROMPTS, PROBES = 100, 4


@dataclass(frozen=True)
class Small:
    """A small model whose outcomes are supervised on prompts of the test distribution.

    Parameters
    ----------
    seed, seeds
        The run's seed, and repetitions.
    d, m, rho
        Sizes and variance, as in the figures.
    shift
        Variance that the shift Δ adds to the first block.
    """

    seed: int
    seeds: int
    d: int
    m: int
    rho: float
    shift: float = 1.0

    @property
    def setting(self) -> Setting:
        """Covariances; fine-tuning prompts have the test's, times η."""
        plain = two_blocks(self.d, self.m, self.rho, 1.0)
        test = plain.pretraining + np.where(np.arange(self.d) < self.m, self.shift, 0.0)
        return Setting(plain.pretraining, test, test)

    def prompts(self, place: int, n: int, prompts: int, k: int) -> Outcomes:
        """Training prompts of a repetition; their first are the same at any number.

        Parameters
        ----------
        place
            Number of the repetition.
        n, prompts
            Length and number.
        k
            Steps of the chain.
        """
        generator = stream(self.seed, "data_quality", "outcome", self.d, place, n)
        weights = stream(self.seed, "data_quality", "outcome weights", self.d, place).standard_normal((prompts, self.d))
        return Outcomes(moments(generator, self.setting.test, n, prompts), weights, k)

    def tested(self, vs: Array, n: int, place: int, k: int) -> Array:
        """Test error of predictors after k steps, a coordinate.

        Parameters
        ----------
        vs
            Shape (predictors, d, d).
        n
            Length of test prompts.
        place
            Number of the repetition.
        k
            Steps.
        """
        generator = stream(self.seed, "data_quality", "outcome test", self.d, place, n)
        weights = generator.standard_normal((TEST_PROMPTS, PROBES, self.d))
        return simulate_chains(vs, moments(generator, self.setting.test, n, TEST_PROMPTS), weights, [k])[0]

    def start(self, n: int) -> Array:
        """The pretrained V, shape (d, d)."""
        return np.diag(self.setting.start(n))

    def shift_radius(self, n: int) -> float:
        """ρ(Γ0⁻¹Δ), how far the shift is from learnt."""
        return float(np.abs(self.setting.start(n) * (self.setting.test - self.setting.pretraining)).max())


def supervised(outcomes: Outcomes, start: Array) -> Array:
    """Return V* fine-tuned on the same prompts, scaled so that its targets fit them.

    Parameters
    ----------
    outcomes
        The prompts, of the test's covariance: with A = η Σ, η Ω Φ⁺ is Ω Φ⁺ of these.
    start
        V before, shape (d, d).
    """
    phi = np.einsum("bij,bj->ib", outcomes.moments, outcomes.weights)
    return tuned(phi, outcomes.weights.T, 1.0, start)


def curvature_table(small: Small, lengths: Sequence[int], prompts: int, steps: Sequence[int]) -> pd.DataFrame:
    """Measure the curvature of the outcome's loss where training begins and where it ends.

    Parameters
    ----------
    small
        The model.
    lengths
        Values of n.
    prompts
        Training prompts B.
    steps
        Values of k.

    Returns
    -------
    DataFrame
        Columns `CURVATURE_COLUMNS`; ``radius`` is the spectral radius of I + V Σ, ``radius_of_shift`` ρ(Γ0⁻¹Δ).
    """
    rows = []
    for n in lengths:
        start = small.start(n)
        for place in range(small.seeds):
            for k in steps:
                outcomes = small.prompts(place, n, prompts, k)
                tuned_v = supervised(outcomes, start)
                for name, v in zip(PLACES, (start, tuned_v, outcomes.minimiser(tuned_v)), strict=True):
                    radius = float(np.abs(np.linalg.eigvals(np.eye(small.d) + v @ np.diag(small.setting.test))).max())
                    found = (outcomes.curvature(v), radius, small.shift_radius(n), outcomes.loss(v))
                    rows.append((n, k, name, place, *found))
    return pd.DataFrame(rows, columns=list(CURVATURE_COLUMNS))


def outcome_table(
    small: Small,
    lengths: Sequence[int],
    prompts: Sequence[int],
    steps: Sequence[int],
    descents: Sequence[int],
    shifts: Sequence[float],
) -> pd.DataFrame:
    """Train by outcome supervision with more data, longer prompts, more steps, and after less of a shift.

    Parameters
    ----------
    small
        The model.
    lengths, prompts
        Values of n and B, each varied with the other at its middle.
    steps
        Values of k, the same in training and test.
    descents
        Numbers of steps of gradient descent, at half the inverse of the curvature at the start.
    shifts
        Variances that the shift adds.

    Returns
    -------
    DataFrame
        Columns `OUTCOME_COLUMNS`; ``method`` is ``pretrained``, ``outcome`` (its minimum, found by L-BFGS from
        the start; under ``steps`` and ``shift``, by so many steps of gradient descent) or ``fine-tuned`` (V*
        of the same prompts). ``steps`` is empty where the minimum was sought.
    """
    n, b = (values[len(values) // 2] for values in (lengths, prompts))
    rows: list[tuple] = []
    for place in range(small.seeds):
        for k in steps:
            for varied, at_n, at_b in [("B", n, x) for x in prompts] + [("n", x, b) for x in lengths]:
                outcomes, start = small.prompts(place, at_n, at_b, k), small.start(at_n)
                vs = np.stack([start, outcomes.minimiser(start), supervised(outcomes, start)])
                at = (varied, at_n, at_b, k, None, small.shift, small.shift_radius(at_n))
                errors = small.tested(vs, at_n, place, k)
                rows += [
                    (*at, m, place, e) for m, e in zip(("pretrained", "outcome", "fine-tuned"), errors, strict=True)
                ]
            for varied, shift in [("steps", small.shift), *(("shift", x) for x in shifts)]:
                model = Small(small.seed, small.seeds, small.d, small.m, small.rho, shift)
                rows += _descended(model, varied, n, b, k, sorted(descents), place)
    return pd.DataFrame(rows, columns=list(OUTCOME_COLUMNS))


def _descended(model: Small, varied: str, n: int, b: int, k: int, descents: Sequence[int], place: int) -> list[tuple]:
    """Rows of gradient descent: along its way, or at its end only."""
    outcomes, start = model.prompts(place, n, b, k), model.start(n)
    rate = 0.5 / outcomes.curvature(start)
    vs, taken = [start], 0
    for steps in descents if varied == "steps" else descents[-1:]:
        vs.append(outcomes.descend(vs[-1], rate, steps - taken))
        taken = steps
    errors = model.tested(np.stack(vs), n, place, k)
    at = (varied, n, b, k)
    taken_steps = [0, *(descents if varied == "steps" else descents[-1:])]
    methods = ["pretrained", *["outcome"] * (len(vs) - 1)]
    return [
        (*at, s, model.shift, model.shift_radius(n), m, place, e)
        for s, m, e in zip(taken_steps, methods, errors, strict=True)
    ]
