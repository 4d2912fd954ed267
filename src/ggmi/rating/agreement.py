"""How far several verdicts on the same answers agree: Krippendorff's alpha with missing values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ggmi.rating.intervals import resampled
from ggmi.statistics import Interval

Array = NDArray[np.float64]
Metric = Literal["interval", "ordinal"]


@dataclass(frozen=True)
class Agreement:
    """A judge's agreement with itself.

    Parameters
    ----------
    alpha
        1 for perfect agreement, 0 for that of chance; NaN where no two ratings differ or no answer
        has two.
    interval
        Bootstrap interval over items.
    metric
        What a difference of ratings weighs.
    n_units
        Answers with two verdicts or more; only they count.
    n_items
        Items that these answers belong to.
    n_ratings
        Ratings of these answers.
    """

    alpha: float
    interval: Interval
    metric: Metric
    n_units: int
    n_items: int
    n_ratings: int


def agreement(
    ratings: ArrayLike,
    generator: np.random.Generator,
    *,
    items: Sequence[object] | None = None,
    metric: Metric = "interval",
    resamples: int = 1999,
) -> Agreement:
    """Krippendorff's alpha, one minus observed over expected disagreement, with a bootstrap interval.

    Parameters
    ----------
    ratings
        Shape (units, verdicts); NaN where missing. A unit is an answer.
    generator
        Source of the resamples.
    items
        The item that each unit belongs to, shape (units,): answers of several students to one
        question are resampled together. By default each unit is an item of its own.
    metric
        ``interval``: the squared difference of two ratings; ``ordinal``: the squared count of
        ratings between them, half of both ends included.
    resamples
        Bootstrap resamples.

    Returns
    -------
    Agreement
        The 95 % interval is NaN with fewer than two items.

    References
    ----------
    K. Krippendorff, Computing Krippendorff's alpha-reliability, University of Pennsylvania, 2011.

    Examples
    --------
    >>> from ggmi.random import stream
    >>> round(agreement([[1, 1], [2, 2], [3, 4]], stream(0, "doc")).alpha, 3)
    0.878
    """
    values = np.asarray(ratings, dtype=float)
    labels = range(len(values)) if items is None else [str(item) for item in items]
    table = _Coincidences.of(values, np.unique(np.asarray(labels), return_inverse=True)[1])
    n_items = len(table.counts)
    alpha = float(table.alphas(np.ones((1, n_items)), metric)[0])
    interval = Interval(np.nan, np.nan)
    if n_items > 1 and np.isfinite(alpha):
        resamplings = resampled(n_items, resamples, generator, len(table.values) ** 2)
        found = [table.alphas(counts.astype(float), metric) for counts in resamplings]
        # A resample whose ratings are all equal has no alpha.
        low, high = np.nanquantile(np.concatenate(found), [0.025, 0.975])
        interval = Interval(float(low), float(high))
    return Agreement(alpha, interval, metric, table.n_units, n_items, int(table.counts.sum()))


@dataclass(frozen=True)
class _Coincidences:
    """Ratings of units with two or more, as counts by item.

    values (v,) are those that occur; counts (items, v) how often; pairs (items, v, v) the ordered
    pairs of ratings of one unit, each over the unit's number of ratings less one.
    """

    values: Array
    counts: Array
    pairs: Array
    n_units: int

    @classmethod
    def of(cls, ratings: Array, item: NDArray[np.int_]) -> _Coincidences:
        """Count; item of shape (units,) tells which item a unit belongs to."""
        present = np.isfinite(ratings)
        kept = present.sum(axis=1) >= 2
        ratings, present = ratings[kept], present[kept]
        values, place = np.unique(ratings[present], return_inverse=True)
        cells = np.nonzero(present)[0] * len(values) + place
        by_unit = np.bincount(cells, minlength=len(ratings) * len(values)).reshape(len(ratings), len(values))
        each = by_unit / (present.sum(axis=1, keepdims=True) - 1)
        order = item[kept].argsort(kind="stable")
        starts = np.unique(item[kept][order], return_index=True)[1]
        groups = np.split(order, starts[1:]) if len(order) else []
        counts = np.zeros((len(groups), len(values)))
        pairs = np.zeros((len(groups), len(values), len(values)))
        for i, units in enumerate(groups):
            counts[i] = by_unit[units].sum(axis=0)
            pairs[i] = each[units].T @ by_unit[units] - np.diag(each[units].sum(axis=0))
        return cls(values, counts, pairs, len(ratings))

    def alphas(self, weights: Array, metric: Metric) -> Array:
        """Alpha with each item counted so many times, weights of shape (resamples, items)."""
        observed = np.tensordot(weights, self.pairs, axes=1)
        marginal = weights @ self.counts
        if metric == "interval":
            squared = np.broadcast_to(np.square(self.values[:, None] - self.values), observed.shape)
        else:
            middle = np.cumsum(marginal, axis=1) - marginal / 2
            squared = np.square(middle[:, :, None] - middle[:, None, :])
        total = marginal.sum(axis=1)
        disagreement = np.einsum("rck,rck->r", observed, squared)
        expected = np.einsum("rc,rk,rck->r", marginal, marginal, squared)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(expected > 0, 1 - (total - 1) * disagreement / expected, np.nan)
