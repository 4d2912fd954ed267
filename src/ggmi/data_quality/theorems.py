"""Theorems 4.1 and 4.2, Remark 4.1 and Propositions 4.3 and 5.1, measured on random prompts of a small model.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ggmi.data_quality.closed_forms import (
    chain_error,
    contraction,
    descend,
    one_step_error,
    pretrained,
    step_limit,
    tuned,
    tuned_limit,
)
from ggmi.data_quality.curves import simulate_chains, two_blocks
from ggmi.data_quality.prompts import Draws, moments
from ggmi.data_quality.supervision import Supervision
from ggmi.random import stream

Array = NDArray[np.float64]

THEOREM_COLUMNS = ("check", "setting", "seed", "value")
ETA, K, RHO = 0.2, 2, 0.1
# Shares of the step limit at which gradient descent runs, steps it takes, and k that Remark 4.1 compares.
RATES, STEPS, CHAINS = (0.1, 0.5, 0.9, 0.99), 200, (0, 8)
# Prompts over d: few and many for Theorem 4.1, ever more for Proposition 4.3.
SIZES, GROWING = (0.5, 1.0, 2.0, 4.0), (16, 64, 256)
TEST_PROMPTS, PROBES = 400, 4


def theorem_table(seed: int, seeds: int, d: int) -> pd.DataFrame:
    """Measure what the theorems say.

    Parameters
    ----------
    seed
        The run's seed.
    seeds
        Repetitions.
    d
        Coordinates; half of them are in each block, prompts have 2 d examples.

    Returns
    -------
    DataFrame
        Columns `THEOREM_COLUMNS`. Checks: ``gradient in W`` at (V*, I) over that at the start, ``loss of the
        joint minimum`` over that at (V*, I), and their test errors' ratio, by B / d; ``distance over bound``
        and ``distance, W trained``, the largest of ‖V_t - V*‖ over Theorem 4.2's bound with W held and
        trained, by the step over its limit; ``factor`` α by k and step; ``distance to limit`` ‖V* - V∞‖ by
        B / d; ``simulated`` error over the formula's, less one, by steps.
    """
    covariance = two_blocks(d, d // 2, RHO, 0.5)
    pretraining, test, tuning = (np.diag(x) for x in (covariance.pretraining, covariance.test, covariance.tuning))
    n = 2 * d
    start = pretrained(pretraining, n)
    rows: list[tuple] = []
    for place in range(seeds):
        generator = stream(seed, "data_quality", "theorems", d, place)
        many = round(max(SIZES) * d)
        weights = generator.standard_normal((many, d))
        second = moments(generator, ETA * covariance.tuning, n, many)
        for size in SIZES:
            told = Supervision(second[: round(size * d)], weights[: round(size * d)], ETA, K)
            rows += [(*found[:2], place, found[2]) for found in _joint(told, start, test, n, size)]
        told = Supervision(second[: 2 * d], weights[: 2 * d], ETA, K)
        rows += [(*found[:2], place, found[2]) for found in _descents(told, start)]
        drawn = Draws.draw(seed, ("data_quality", "growing", d, place), d, n, max(GROWING) * d)
        phi = drawn.products(covariance.tuning)
        limit = tuned_limit(tuning, n, 1.0, start)
        for size in GROWING:
            v = tuned(phi[:, : size * d], drawn.weights.T[:, : size * d], 1.0, start)
            rows.append(("distance to limit", size, place, np.linalg.norm(v - limit)))
        v = told_v = tuned(told.phi, told.weights.T, ETA, start)
        tests = moments(generator, covariance.test, n, TEST_PROMPTS)
        probes = generator.standard_normal((TEST_PROMPTS, PROBES, d))
        found = simulate_chains(told_v[None], tests, probes, [1, 2])[:, 0]
        rows.append(("simulated", 1, place, found[0] * d / one_step_error(v, test, n) - 1))
        rows.append(("simulated", 2, place, found[1] * d / chain_error(v, test, n, 2) - 1))
    return pd.DataFrame(rows, columns=list(THEOREM_COLUMNS))


def _joint(told: Supervision, start: Array, test: Array, n: int, size: float) -> Iterator[tuple[str, float, float]]:
    """How far (V*, I) is from stationary, and from the joint minimum."""
    d = len(start)
    v, one = tuned(told.phi, told.weights.T, ETA, start), np.eye(d)
    steepest = np.linalg.norm(told.gradient(start, one)[1])
    yield "gradient in W", size, float(np.linalg.norm(told.gradient(v, one)[1]) / steepest)
    loss = told.loss(v, one)
    # Few prompts are fitted exactly, so that there is nothing to gain.
    if len(told.weights) > d:
        joint, joint_w = told.minimiser(v, one)
        yield "loss of the joint minimum", size, told.loss(joint, joint_w) / loss
        ratio = one_step_error(joint, test, n) / one_step_error(v, test, n)
        yield "test error of the joint minimum", size, float(ratio)


def _descents(told: Supervision, start: Array) -> Iterator[tuple[str, float, float]]:
    """Gradient descent against its bound, with W held at I and with W trained too."""
    star = tuned(told.phi, told.weights.T, ETA, start)
    powers = np.arange(STEPS + 1)
    apart = np.linalg.norm(start - star)
    for share in RATES:
        rate = share * step_limit(told.phi, ETA, K)
        bound = contraction(told.phi, ETA, K, rate) ** powers * apart
        path = descend(told.phi, told.weights.T, ETA, start, K, rate, STEPS)
        yield "distance over bound", share, float((np.linalg.norm(path - star, axis=(1, 2)) / bound).max())
        for k in CHAINS:
            # One step size for both k: the share is of the smaller limit.
            yield (
                f"factor, k = {k}",
                share,
                contraction(told.phi, ETA, k, share * step_limit(told.phi, ETA, max(CHAINS))),
            )
    v, w, rate = start, np.eye(len(start)), 0.5 * step_limit(told.phi, ETA, K)
    for _ in range(STEPS):
        in_v, in_w = told.gradient(v, w)
        v, w = v - rate * in_v, w - rate * in_w
    held = descend(told.phi, told.weights.T, ETA, start, K, rate, STEPS)[-1]
    yield "distance, W trained", 0.5, float(np.linalg.norm(v - star) / np.linalg.norm(held - star))
