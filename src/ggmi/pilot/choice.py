"""Which arm is best at its full size, with which probability, and what a wrong choice would cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ggmi.pilot.curves import MeasuredCurve, Noise, draw_curves
from ggmi.pilot.halving import Rung
from ggmi.random import stream
from ggmi.statistics import TAILS

Array = NDArray[np.float64]

DRAWS = 20_000
# From this probability on an arm is said to be the best.
DECIDED = 0.9
# Part of the loss of guessing all tokens alike that a student has to come below to have learned anything.
LEARNED = 0.99


@dataclass(frozen=True, eq=False)
class Trained:
    """One training of a pilot.

    Parameters
    ----------
    arm
        What was trained on.
    records
        How many of them, n.
    replicate
        Which seed, from 0.
    nats
        Loss of each test record, nats, shape (t,).
    tokens
        Response tokens of each, shape (t,).
    read
        Tokens read in training.
    answers
        What the student answers to test records, if it was asked: `ggmi.students.answering.Answer` as rows.
    """

    arm: str
    records: int
    replicate: int
    nats: Array
    tokens: NDArray[np.int64]
    read: int
    answers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def loss(self) -> float:
        """Nats a token over the test set."""
        return float(self.nats.sum() / self.tokens.sum())


@dataclass(frozen=True)
class Prediction:
    """What training on an arm at full size is predicted to give.

    Parameters
    ----------
    arm
        Its name.
    loss, loss_ci_low, loss_ci_high
        Mean and 95 % interval, nats a token.
    probability
        That no arm has a lower loss.
    gain, gain_ci_low, gain_ci_high
        By how much its loss is lower than the first arm's; zero for the first.
    doubling, doubling_ci_low, doubling_ci_high
        By how much the loss would fall with twice the records.
    regret
        Expected excess of its loss over the best arm's, nats a token.
    """

    arm: str
    loss: float
    loss_ci_low: float
    loss_ci_high: float
    probability: float
    gain: float
    gain_ci_low: float
    gain_ci_high: float
    doubling: float
    doubling_ci_low: float
    doubling_ci_high: float
    regret: float


def predict(trained: Sequence[Trained], full: Mapping[str, int], seed: int) -> list[Prediction]:
    """Predict every arm at its full size, jointly.

    Training noise is independent between arms; the test records are the same for all, so their sampling
    error is drawn jointly, from the records' losses in each arm's largest trainings.

    Parameters
    ----------
    trained
        All trainings; every arm has at least one, and some cell two.
    full
        Records of each arm's full training; the first arm is what others are compared with.
    seed
        Of the draws.

    Returns
    -------
    list of Prediction
        In the order of `full`.
    """
    drawn = _drawn(trained, {arm: [records, 2 * records] for arm, records in full.items()}, seed)
    doubled = [found[:, 0] - found[:, 1] for found in drawn]
    losses = np.stack([found[:, 0] for found in drawn], axis=1) + _test_errors(trained, list(full), seed)
    best = losses.argmin(1)
    regrets = losses - losses.min(1, keepdims=True)
    gains = losses[:, :1] - losses
    rows = []
    for i, arm in enumerate(full):
        rows.append(
            Prediction(
                arm,
                *_summary(losses[:, i]),
                float((best == i).mean()),
                *_summary(gains[:, i]),
                *_summary(doubled[i]),
                float(regrets[:, i].mean()),
            )
        )
    return rows


def _drawn(trained: Sequence[Trained], at: Mapping[str, Sequence[float]], seed: int) -> list[Array]:
    """Losses of each arm at further sizes, shape (draws, sizes)."""
    cells: dict[str, dict[int, list[float]]] = {}
    for one in trained:
        cells.setdefault(one.arm, {}).setdefault(one.records, []).append(one.loss)
    noise = Noise.pooled([cell for sizes in cells.values() for cell in sizes.values()])
    seen = [
        MeasuredCurve(
            [*cells[arm]],
            [float(np.mean(cell)) for cell in cells[arm].values()],
            [*map(len, cells[arm].values())],
            sizes,
        )
        for arm, sizes in at.items()
    ]
    return draw_curves(seen, noise, DRAWS, stream(seed, "pilot", "curves"))


def curve_bands(trained: Sequence[Trained], full: Mapping[str, int], seed: int, points: int = 40) -> pd.DataFrame:
    """Predicted curves with 95 % bands, from the smallest size trained to twice the full one.

    Parameters
    ----------
    trained, full, seed
        Of `predict`.
    points
        Sizes of each arm, evenly on a logarithmic scale.

    Returns
    -------
    DataFrame
        Columns arm, records, loss, loss_ci_low, loss_ci_high; nats a token.
    """
    least = {arm: min(one.records for one in trained if one.arm == arm) for arm in full}
    at = {arm: np.geomspace(least[arm], 2 * records, points).tolist() for arm, records in full.items()}
    rows = []
    for (arm, sizes), drawn in zip(at.items(), _drawn(trained, at, seed), strict=True):
        for size, losses in zip(sizes, drawn.T, strict=True):
            loss, low, high = _summary(losses)
            rows.append({"arm": arm, "records": size, "loss": loss, "loss_ci_low": low, "loss_ci_high": high})
    return pd.DataFrame(rows)


def _summary(values: Array) -> tuple[float, float, float]:
    """Mean and 95 % interval of draws."""
    low, high = np.quantile(values, TAILS)
    return float(values.mean()), float(low), float(high)


def _test_errors(trained: Sequence[Trained], arms: Sequence[str], seed: int) -> Array:
    """Errors of all arms' losses by the sampling of test records, shape (draws, arms)."""
    influences = []
    for arm in arms:
        own = [one for one in trained if one.arm == arm]
        most = max(one.records for one in own)
        largest = [one for one in own if one.records == most]
        nats = np.mean([one.nats for one in largest], axis=0)
        tokens = largest[0].tokens
        # A ratio of sums: its error is that of the mean of (nats - loss tokens) / mean tokens.
        influences.append((nats - nats.sum() / tokens.sum() * tokens) / tokens.mean())
    table = np.stack(influences)
    errors = np.atleast_2d(np.cov(table)) / table.shape[1]
    # The covariance can be singular: two arms may lose the same.
    values, vectors = np.linalg.eigh(errors)
    normal = stream(seed, "pilot", "test records").standard_normal((DRAWS, len(arms)))
    return np.asarray(normal * np.sqrt(np.clip(values, 0, None)) @ vectors.T)


def recommended(predictions: Sequence[Prediction]) -> Prediction:
    """The arm of least expected loss, whose expected regret is the least, too."""
    return min(predictions, key=lambda one: one.loss)


def contenders(predictions: Sequence[Prediction], level: float = 0.9) -> list[Prediction]:
    """The fewest arms that hold the best one with a probability, likeliest first.

    Parameters
    ----------
    predictions
        Of `predict`.
    level
        The probability.
    """
    ordered = sorted(predictions, key=lambda one: -one.probability)
    total = np.cumsum([one.probability for one in ordered])
    return ordered[: int(np.searchsorted(total, level - 1e-12)) + 1]


@dataclass(frozen=True, eq=False)
class PilotResult:
    """What a pilot found.

    Parameters
    ----------
    rungs
        As planned.
    seeds
        Trainings of each arm at each size.
    trained
        All trainings, by rung.
    predictions
        Of every arm at its full size.
    left
        Arms that were trained to the last.
    together
        Fewest records of an update that the device took at a time.
    """

    rungs: list[Rung]
    seeds: int
    trained: list[Trained]
    predictions: list[Prediction]
    left: list[str]
    together: int

    def largest(self) -> dict[str, list[Trained]]:
        """The largest trainings of each arm that was trained to the last."""
        own = {arm: [one for one in self.trained if one.arm == arm] for arm in self.left}
        return {arm: [t for t in found if t.records == max(o.records for o in found)] for arm, found in own.items()}

    def choice(self, guessing: float) -> dict[str, Any]:
        """The arm to train on, the probability that it is the best, and which others may be.

        Parameters
        ----------
        guessing
            Loss of taking all tokens for equally likely, nats a token: students above it have learned nothing, and
            nothing is decided.
        """
        best = recommended(self.predictions)
        learned = min(one.loss for one in self.trained) < LEARNED * guessing
        others = [one.arm for one in contenders(self.predictions)]
        return {
            "arm": best.arm,
            "probability": best.probability,
            "regret_nats_per_token": best.regret,
            "decided": learned and best.probability >= DECIDED,
            "learned": learned,
            "contenders": others,
        }
