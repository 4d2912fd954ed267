"""The paper's figures 1 and 2: test error of V* by number and length of prompts, beside what needs no fine-tuning.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, figures 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ggmi.data_quality.nested import Setting, Tunings
from ggmi.data_quality.prompts import Draws, moments
from ggmi.random import stream
from ggmi.statistics import median_interval

Array = NDArray[np.float64]

CONDITION = ["r", "eta", "n_pre", "n_sft", "n_test", "B", "test_steps", "baseline", "variant"]
SEED_COLUMNS = (*CONDITION, "seed", "err_over_d")
CURVE_COLUMNS = (
    *("r", "eta", "n_pre", "n_sft", "n_test", "B", "test_steps", "seeds", "err_over_d_median", "ci_low", "ci_high"),
    *("baseline", "variant"),
)
# Predictors that are drawn beside every curve: no fine-tuning, no answer, the best V, endless fine-tuning.
BASELINES = ("no fine-tuning", "zero", "best one-step", "limit")
VARIANTS = ("tied", "n_pre", "n_sft", "n_test")
# Weights tried on each test prompt of a chain.
PROBES = 4


@dataclass(frozen=True)
class Curves:
    """Parameters that the curves of a figure share.

    Parameters
    ----------
    seed
        The run's seed.
    seeds
        Independent repetitions.
    d, m
        Coordinates, and how many of them are in the first block, where pretraining has variance ρ.
    rho, eta
        As in the paper.
    test_steps
        Steps at test; one is computed, more are simulated.
    test_prompts
        Test prompts a repetition for that.
    """

    seed: int
    seeds: int
    d: int
    m: int
    rho: float
    eta: float
    test_steps: Sequence[int] = (1,)
    test_prompts: int = 4
    _tests: dict[tuple[int, int], tuple[Array, Array]] = field(default_factory=dict, compare=False, repr=False)

    def setting(self, r: float) -> Setting:
        """Return Σ0 = (ρ, 1), Σ = (ρ + 1, 1) and A / η = (ρ + 1, r / η), by block.

        Parameters
        ----------
        r
            Variance of fine-tuning prompts where test prompts are as in pretraining.
        """
        return two_blocks(self.d, self.m, self.rho, r / self.eta)

    def draws(self, place: int, n: int, prompts: int) -> Draws:
        """Random numbers of the fine-tuning prompts of a repetition.

        Parameters
        ----------
        place
            Number of the repetition.
        n, prompts
            Length and number.
        """
        return Draws.draw(self.seed, ("data_quality", "curves", self.d, place), self.d, n, prompts)

    def tunings(self, r: float, draws: Draws, prompts: Sequence[int]) -> Tunings:
        """Fine-tune on prompts that have been drawn.

        Parameters
        ----------
        r
            As for `setting`.
        draws
            Their random numbers.
        prompts
            Numbers of prompts B.
        """
        setting = self.setting(r)
        return Tunings(setting, draws.products(setting.tuning), draws.weights.T, prompts)

    def test_set(self, place: int, n: int) -> tuple[Array, Array]:
        """Second moments and weights of the test prompts of a repetition; kept until others are asked for.

        Parameters
        ----------
        place
            Number of the repetition.
        n
            Length of the prompts.
        """
        if (place, n) not in self._tests:
            self._tests.clear()
            generator = stream(self.seed, "data_quality", "test", self.d, place, n)
            found = moments(generator, self.setting(0.0).test, n, self.test_prompts)
            self._tests[place, n] = found, generator.standard_normal((self.test_prompts, PROBES, self.d))
        return self._tests[place, n]


def two_blocks(d: int, m: int, rho: float, r_over_eta: float) -> Setting:
    """Return the covariances of the paper's figures 1, 2 and 5.

    Parameters
    ----------
    d, m
        Coordinates, and those in the first block.
    rho
        Variance of pretraining in the first block; one in the second.
    r_over_eta
        Variance of fine-tuning prompts in the second block over η; ρ + 1 in the first.
    """
    first = np.arange(d) < m
    return Setting(
        pretraining=np.where(first, rho, 1.0),
        test=np.where(first, rho + 1.0, 1.0),
        tuning=np.where(first, rho + 1.0, r_over_eta),
    )


def simulate_chains(vs: Array, second_moments: Array, weights: Array, steps: Sequence[int]) -> Array:
    """Return the test error of predictors after several numbers of steps, a coordinate.

    Parameters
    ----------
    vs
        V of each predictor, shape (predictors, d, d), or the diagonals of such, shape (predictors, d).
    second_moments, weights
        S and w* of test prompts, shapes (prompts, d, d) and (prompts, probes, d).
    steps
        Numbers of steps.

    Returns
    -------
    ndarray, shape (len(steps), predictors)
        Mean of ‖(I + V S)^k w*‖² / d over prompts and probes.
    """
    prompts, probes, d = weights.shape
    miss = np.tile(weights[:, None], (1, len(vs), 1, 1))
    found = {}
    for step in range(1, max(steps) + 1):
        seen = (miss.reshape(prompts, len(vs) * probes, d) @ second_moments).reshape(miss.shape)
        rows = seen.swapaxes(0, 1).reshape(len(vs), prompts * probes, d)
        moved = rows * vs[:, None] if vs.ndim == 2 else rows @ vs.swapaxes(1, 2)
        miss = miss + moved.reshape(len(vs), prompts, probes, d).swapaxes(0, 1)
        found[step] = np.square(miss).mean(axis=(0, 2, 3))
    return np.array([found[step] for step in steps])


def by_prompts(
    curves: Curves, rs: Sequence[float], lengths: Sequence[int], prompts: Sequence[int], chained: Sequence[int]
) -> pd.DataFrame:
    """Compute the repetitions behind figure 1: error by number of prompts, the length tied.

    Parameters
    ----------
    curves
        What is shared.
    rs, lengths, prompts
        Values of r, n and B.
    chained
        Those B whose V* is also tested with more than one step.

    Returns
    -------
    DataFrame
        Columns `SEED_COLUMNS`; baselines of one step are computed and have no seed.
    """
    rows: list[tuple] = []
    several = [k for k in curves.test_steps if k > 1]
    for r in rs:
        rows += _computed_baselines(curves, r, [(n, n, n, "tied") for n in lengths])
    for place in range(curves.seeds):
        for n in lengths:
            draws = curves.draws(place, n, max(prompts))
            for r in rs:
                tunings = curves.tunings(r, draws, prompts)
                errors = tunings.traces().error(tunings.setting, n, n)
                at = (r, curves.eta, n, n, n)
                rows += [(*at, b, 1, None, "tied", place, e) for b, e in zip(tunings.prompts, errors, strict=True)]
                if several:
                    rows += _chained(curves, r, n, place, tunings, chained, several)
    return pd.DataFrame(rows, columns=list(SEED_COLUMNS))


def by_length(
    curves: Curves, rs: Sequence[float], lengths: Sequence[int], prompts: Sequence[int], base: int
) -> pd.DataFrame:
    """Compute the repetitions behind figure 2: error by length, tied and each length varied alone.

    Parameters
    ----------
    curves
        What is shared.
    rs, lengths, prompts
        Values of r, n and B.
    base
        Length that the others keep where one is varied alone.

    Returns
    -------
    DataFrame
        Columns `SEED_COLUMNS`.
    """
    triples: list[tuple[int, int, int, str]] = []
    for variant in VARIANTS:
        for n in lengths:
            n_pre, n_sft, n_test = (n if variant in ("tied", name) else base for name in VARIANTS[1:])
            triples.append((n_pre, n_sft, n_test, variant))
    rows: list[tuple] = []
    several = [k for k in curves.test_steps if k > 1]
    for r in rs:
        rows += _computed_baselines(curves, r, triples)
    for place in range(curves.seeds):
        for n_sft in sorted({t[1] for t in triples}):
            draws = curves.draws(place, n_sft, max(prompts))
            for r in rs:
                tunings = curves.tunings(r, draws, prompts)
                reduced = tunings.traces()
                for n_pre, _, n_test, variant in (t for t in triples if t[1] == n_sft):
                    at = (r, curves.eta, n_pre, n_sft, n_test)
                    errors = reduced.error(tunings.setting, n_pre, n_test)
                    rows += [(*at, b, 1, None, variant, place, e) for b, e in zip(tunings.prompts, errors, strict=True)]
                if several and n_sft in lengths:
                    rows += _chained(curves, r, n_sft, place, tunings, prompts, several)
    return pd.DataFrame(rows, columns=list(SEED_COLUMNS))


def _diagonals(setting: Setting, n_pre: int, n_sft: int, n_test: int) -> Array:
    """Diagonals of the baselines, a row each."""
    zero = np.zeros(len(setting.test))
    return np.stack([setting.start(n_pre), zero, setting.best(n_test), setting.limit(n_pre, n_sft)])


def _computed_baselines(curves: Curves, r: float, triples: Sequence[tuple[int, int, int, str]]) -> Iterator[tuple]:
    """Rows of baselines after one step, without chance."""
    setting = curves.setting(r)
    for n_pre, n_sft, n_test, variant in triples:
        for name, diagonal in zip(BASELINES, _diagonals(setting, n_pre, n_sft, n_test), strict=True):
            error = setting.error(diagonal, n_test)
            yield (r, curves.eta, n_pre, n_sft, n_test, None, 1, name, variant, None, error)


def _chained(
    curves: Curves, r: float, n: int, place: int, tunings: Tunings, prompts: Sequence[int], several: Sequence[int]
) -> Iterator[tuple]:
    """Rows of predictors and baselines after more than one step, simulated on the same test prompts."""
    tests = curves.test_set(place, n)
    found = np.concatenate(
        [
            simulate_chains(tunings.predictors(prompts, n), *tests, several),
            simulate_chains(_diagonals(tunings.setting, n, n, n), *tests, several),
        ],
        axis=1,
    )
    named = [*((b, None) for b in prompts), *((None, name) for name in BASELINES)]
    for k, errors in zip(several, found, strict=True):
        for (b, name), error in zip(named, errors, strict=True):
            yield (r, curves.eta, n, n, n, b, k, name, "tied", place, error)


def curve_table(repetitions: pd.DataFrame) -> pd.DataFrame:
    """Summarise repetitions: medians, since errors near B = m and B = d have heavy tails.

    Parameters
    ----------
    repetitions
        Of `by_prompts` or `by_length`.

    Returns
    -------
    DataFrame
        Columns `CURVE_COLUMNS`; the 95 % interval of a median is distribution-free. What is computed
        has 0 seeds and no interval.
    """
    rows = []
    for key, part in repetitions.groupby(CONDITION, sort=False, dropna=False):
        condition = dict(zip(CONDITION, key, strict=True))
        seeds = int(part["seed"].notna().sum())
        interval = median_interval(part["err_over_d"]) if seeds else None
        ends = (interval.low, interval.high) if interval else (np.nan, np.nan)
        row = condition | {"seeds": seeds, "err_over_d_median": part["err_over_d"].median()}
        rows.append(row | dict(zip(("ci_low", "ci_high"), ends, strict=True)))
    table = pd.DataFrame(rows, columns=list(CURVE_COLUMNS))
    table["B"] = table["B"].astype("Int64")
    return table
