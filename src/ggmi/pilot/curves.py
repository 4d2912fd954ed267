"""What a loss will be at a size that nothing was trained at, with its uncertainty.

A learning curve is L(n) = c + a (n + d)^(-b) with c, a, d >= 0: a power law that begins after some records, before
which a model learns next to nothing. All curves of a pilot have the same b and d, as the same model learns them all,
and each its own c and a. Their posterior is taken on a grid of the parameters of the shape, finest where they are
likely; level and noise are integrated out in closed form, so that no sampler can fail to converge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Exponents b, equally likely on a logarithmic scale: from hardly any fall, 3 % of what can be removed for twice the
# records, to the rate of an average over them, 1.
EXPONENTS = np.geomspace(0.05, 1.0, 100)
# Shifts d as multiples of the largest size that all arms were seen at or beyond, each as likely as another.
SHIFTS = np.array([0.0, 0.25, 0.5, 1.0, 2.0, 4.0])
# Points of the share r of the loss at the largest size seen that more data can remove, for each b; all shares
# from 0 to 1 are equally likely beforehand.
POINTS = 64
# The largest sizes seen that a curve goes through: smaller ones say less of what comes.
SIZES = 4


@dataclass(frozen=True)
class Noise:
    """How much repeated trainings differ, from all cells of a pilot.

    Parameters
    ----------
    variance
        Of the loss of one training, nats squared; 0 is not allowed.
    freedom
        Degrees of freedom it was estimated with, at least 1.
    """

    variance: float
    freedom: float

    @classmethod
    def pooled(cls, cells: Sequence[ArrayLike]) -> Noise:
        """Pool the variances within cells, such as the seeds of one set at one size.

        Parameters
        ----------
        cells
            Losses of each cell; those with a single one tell nothing.

        Raises
        ------
        ValueError
            If no cell has two losses.

        Examples
        --------
        >>> Noise.pooled([[1.0, 3.0], [5.0, 5.0]])
        Noise(variance=1.0, freedom=2.0)
        """
        arrays = [np.asarray(cell, dtype=float) for cell in cells]
        freedom = sum(len(cell) - 1 for cell in arrays)
        if freedom < 1:
            raise ValueError("no cell has two losses")
        squares = sum(float(((cell - cell.mean()) ** 2).sum()) for cell in arrays)
        # Two equal losses are a coincidence of rounding, not certainty.
        return cls(max(squares / freedom, 1e-12), float(freedom))


@dataclass(frozen=True)
class MeasuredCurve:
    """What was seen of a curve, and where it is wanted.

    Parameters
    ----------
    sizes, losses, counts
        Sizes trained at, mean loss at each in nats, and of how many trainings, shape (k,); k is at least 1.
    at
        Sizes that losses are wanted at.
    """

    sizes: Sequence[float]
    losses: Sequence[float]
    counts: Sequence[int]
    at: Sequence[float]


def draw_curves(seen: Sequence[MeasuredCurve], noise: Noise, draws: int, generator: np.random.Generator) -> list[Array]:
    """Draw losses at further sizes from the posterior of learning curves.

    With s(n) = 1 - r + r ((n + d)/(m + d))^(-b), where m is the largest size seen and r the share of the loss there
    that more data can remove, L(n) = l s(n) is linear in the level l. The k mean losses carry the weights m of how
    many trainings each is of; the spread within cells is in the noise already. For each (r, b, d) of the grid, a
    flat prior of l and the scaled inverse chi-squared prior of the noise give the marginal likelihood
    (s'ms)^(-1/2) (v0 s0^2 + SSE)^(-(v0 + k - 1)/2). What no curve of the form fits adds to SSE, so that a misfit
    widens what is drawn. Summed over r, the likelihoods of all curves are multiplied: b and d are theirs together.

    Parameters
    ----------
    seen
        Of each curve.
    noise
        Between trainings that differ in their seed only.
    draws
        How many.
    generator
        Source of randomness.

    Returns
    -------
    list of ndarray
        Of each curve, shape (draws, sizes wanted), in nats; the curves' means, without the noise of another training.
        A row of one and the same row of another have the same shape.

    Examples
    --------
    >>> sizes = np.array([100, 200, 400, 800])
    >>> seen = MeasuredCurve(sizes, 1 + 20 * sizes**-0.5, [2, 2, 2, 2], [3200])
    >>> (found,) = draw_curves([seen], Noise(1e-8, 20), 1000, np.random.default_rng(0))
    >>> bool(abs(np.median(found) - (1 + 20 * 3200**-0.5)) < 0.02)
    True
    """
    unit = min(max(one.sizes) for one in seen)
    b, d = (values.ravel() for values in np.meshgrid(EXPONENTS, SHIFTS * unit))
    curves = [_Posterior(one, noise, b, d) for one in seen]
    logs = np.sum([curve.of_shapes for curve in curves], axis=0)
    weights = np.exp(logs - logs.max())
    shapes = generator.choice(len(b), size=draws, p=weights / weights.sum())
    return [curve.draw(shapes, generator) for curve in curves]


class _Posterior:
    """Of one curve: how likely each shape (b, d) is, and what is drawn given the shape."""

    def __init__(self, seen: MeasuredCurve, noise: Noise, b: Array, d: Array) -> None:
        order = np.argsort(seen.sizes)[-SIZES:]
        n, y, m = (np.asarray(values, dtype=float)[order] for values in (seen.sizes, seen.losses, seen.counts))
        self._seen, self._b, self._d, self._largest = seen, b, d, n[-1]
        fall = self._fall(np.arange(len(b)), n)
        self._r, spacing = _likely_shares(fall, y, m, noise)
        s = 1 + self._r[..., None] * fall[:, None, :]
        self._squares = s**2 @ m
        self._level = s @ (m * y) / self._squares
        self._spread = noise.freedom * noise.variance + (y - self._level[..., None] * s) ** 2 @ m
        self._freedom = noise.freedom + len(y) - 1
        logs = np.log(spacing) - 0.5 * np.log(self._squares) - 0.5 * self._freedom * np.log(self._spread)
        most = logs.max(axis=1, keepdims=True)
        self._below = np.cumsum(np.exp(logs - most), axis=1)
        self.of_shapes = most[:, 0] + np.log(self._below[:, -1])

    def _fall(self, shapes: NDArray[np.intp], sizes: ArrayLike) -> Array:
        """How far curves of some shapes have still to fall at some sizes, where all of the loss can be removed."""
        b, d = self._b[shapes, None], self._d[shapes, None]
        return np.asarray(((np.asarray(sizes, dtype=float) + d) / (self._largest + d)) ** -b - 1)

    def draw(self, shapes: NDArray[np.intp], generator: np.random.Generator) -> Array:
        """Losses at the sizes that are wanted, a row a shape."""
        from scipy.special import ndtr, ndtri

        below = self._below[shapes]
        chosen = shapes, (below < generator.random((len(shapes), 1)) * below[:, -1:]).sum(axis=1)
        variance = self._spread[chosen] / generator.chisquare(self._freedom, len(shapes))
        error = np.sqrt(variance / self._squares[chosen])
        # No loss is below zero: the law of the level is cut there.
        cut = ndtr(-self._level[chosen] / error)
        levels = self._level[chosen] + error * ndtri(1 - (1 - cut) * generator.random(len(shapes)))
        falls = self._fall(shapes, self._seen.at)
        return np.asarray(levels[:, None] * (1 + self._r[chosen][:, None] * falls))


def _likely_shares(fall: Array, y: Array, m: Array, noise: Noise) -> tuple[Array, Array]:
    """Shares r for each shape, shape (shapes, points), where they are likely, and how far they lie apart."""
    low, high = np.zeros(len(fall)), np.ones(len(fall))
    if len(y) > 1:
        # Given b, y = l + a (n^(-b) - 1) is linear, and r = a/l.
        mean_fall, mean_y = fall @ m / m.sum(), y @ m / m.sum()
        centred = fall - mean_fall[:, None]
        squares = centred**2 @ m
        a = centred @ (m * y) / squares
        level = mean_y - a * mean_fall
        residual = (y - level[:, None] - a[:, None] * fall) ** 2 @ m
        error = np.sqrt((noise.freedom * noise.variance + residual) / noise.freedom / squares)
        # A level that is not above zero says nothing of r.
        positive = np.where(level > 0, level, np.nan)
        centre, width = np.nan_to_num(a / positive, nan=0.5), np.nan_to_num(8 * error / positive, nan=1.0)
        low, high = np.clip(centre - width, 0, 1), np.clip(centre + width, 0, 1)
        # Beyond an end of what is possible, the likely shares lie at that end.
        low, high = np.minimum(low, np.clip(1 - width, 0, 1)), np.maximum(high, np.clip(width, 0, 1))
    places = (np.arange(POINTS) + 0.5) / POINTS
    return low[:, None] + (high - low)[:, None] * places, ((high - low) / POINTS)[:, None]
