"""What a loss will be at a size that nothing was trained at, with its uncertainty.

A learning curve is L(n) = c + a n^(-b) with c, a >= 0. Its posterior is taken on a grid of the two parameters of
its shape, finest where they are likely; level and noise are integrated out in closed form, so that no sampler can
fail to converge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Exponents b, equally likely on a logarithmic scale: from hardly any fall, 3 % of what can be removed for twice the
# records, to the rate of an average over them, 1.
EXPONENTS = np.geomspace(0.05, 1.0, 300)
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


def draw_curves(
    sizes: ArrayLike,
    losses: ArrayLike,
    counts: ArrayLike,
    noise: Noise,
    at: Sequence[float],
    draws: int,
    generator: np.random.Generator,
) -> Array:
    """Draw losses at further sizes from the posterior of the learning curve.

    With s(n) = 1 - r + r (n/m)^(-b), where m is the largest size seen and r the share of the loss there
    that more data can remove, L(n) = l s(n) is linear in the level l. The k mean losses carry the weights m of how
    many trainings each is of; the spread within cells is in the noise already. For each (r, b) of the grid, a
    flat prior of l and the scaled inverse chi-squared prior of the noise give the marginal likelihood
    (s'ms)^(-1/2) (v0 s0^2 + SSE)^(-(v0 + k - 1)/2). What no curve of the form fits adds to SSE, so that a misfit
    widens what is drawn.

    Parameters
    ----------
    sizes, losses, counts
        Sizes trained at, mean loss at each in nats, and of how many trainings, shape (k,); k is at least 1.
    noise
        Between trainings that differ in their seed only.
    at
        Sizes that losses are wanted at.
    draws
        How many.
    generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (draws, len(at))
        In nats; the curves' means, without the noise of another training.

    Examples
    --------
    >>> sizes = np.array([100, 200, 400, 800])
    >>> losses, counts = 1 + 20 * sizes**-0.5, [2, 2, 2, 2]
    >>> found = draw_curves(sizes, losses, counts, Noise(1e-8, 20), [3200], 1000, np.random.default_rng(0))
    >>> bool(abs(np.median(found) - (1 + 20 * 3200**-0.5)) < 0.02)
    True
    """
    from scipy.special import ndtr, ndtri

    order = np.argsort(sizes)[-SIZES:]
    n, y, m = (np.asarray(values, dtype=float)[order] for values in (sizes, losses, counts))
    b = EXPONENTS[:, None]
    fall = (n / n[-1]) ** -b - 1
    r, spacing = _likely_shares(fall, y, m, noise)
    s = 1 + r[..., None] * fall[:, None, :]
    squares = s**2 @ m
    level = s @ (m * y) / squares
    spread = noise.freedom * noise.variance + (y - level[..., None] * s) ** 2 @ m
    freedom = noise.freedom + len(y) - 1
    logs = np.log(spacing) - 0.5 * np.log(squares) - 0.5 * freedom * np.log(spread)
    weights = np.exp(logs - logs.max()).ravel()
    chosen = generator.choice(weights.size, size=draws, p=weights / weights.sum())
    variance = spread.ravel()[chosen] / generator.chisquare(freedom, draws)
    error = np.sqrt(variance / squares.ravel()[chosen])
    # No loss is below zero: the law of the level is cut there.
    below = ndtr(-level.ravel()[chosen] / error)
    levels = level.ravel()[chosen] + error * ndtri(1 - (1 - below) * generator.random(draws))
    exponents, shares = np.broadcast_to(b, r.shape).ravel()[chosen], r.ravel()[chosen]
    falls = (np.asarray(at, dtype=float) / n[-1]) ** -exponents[:, None] - 1
    return np.asarray(levels[:, None] * (1 + shares[:, None] * falls))


def _likely_shares(fall: Array, y: Array, m: Array, noise: Noise) -> tuple[Array, Array]:
    """Shares r for each exponent, shape (exponents, points), where they are likely, and how far they lie apart."""
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
