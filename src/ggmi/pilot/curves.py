"""What a loss will be at a size that nothing was trained at, with its uncertainty.

A learning curve is L(n) = c + a n^(-b) with c, a >= 0. Its posterior is taken on a grid of the two shape
parameters; level and noise are integrated out in closed form, so that no sampler can fail to converge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Exponents b, equally likely on a logarithmic scale: from slower than any published law of language models
# (.095 in arXiv 2001.08361, .28 in arXiv 2203.15556) to that of classical statistics, 1.
EXPONENTS = np.geomspace(0.05, 1.0, 40)
# Share of the loss at the largest size seen that more data can remove, equally likely.
REDUCIBLE = (np.arange(40) + 0.5) / 40
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
    sizes: ArrayLike, losses: ArrayLike, noise: Noise, at: Sequence[float], draws: int, generator: np.random.Generator
) -> Array:
    """Draw losses at further sizes from the posterior of the learning curve.

    With s(n) = 1 - r + r (n/m)^(-b), where m is the largest size seen and r the share of the loss there
    that more data can remove, L(n) = l s(n) is linear in the level l. For each (r, b) of the grid, a flat prior of
    l and the scaled inverse chi-squared prior of the noise give the marginal likelihood
    (s's)^(-1/2) (v0 s0^2 + SSE)^(-(v0 + k - 1)/2) of k losses. What no curve of the form fits adds to
    SSE, so that a misfit widens what is drawn.

    Parameters
    ----------
    sizes, losses
        Of the trainings, shape (k,); k is at least 1. Losses in nats.
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
    >>> found = draw_curves(sizes, 1 + 20 * sizes**-0.5, Noise(1e-8, 20), [3200], 1000, np.random.default_rng(0))
    >>> bool(abs(np.median(found) - (1 + 20 * 3200**-0.5)) < 0.02)
    True
    """
    n, y = np.asarray(sizes, dtype=float), np.asarray(losses, dtype=float)
    largest = np.unique(n)[-SIZES:]
    n, y = n[n >= largest[0]], y[n >= largest[0]]
    r, b = (grid.ravel() for grid in np.meshgrid(REDUCIBLE, EXPONENTS, indexing="ij"))

    def shape(where: Array) -> Array:
        return np.asarray(1 - r[:, None] + r[:, None] * (where[None, :] / largest[-1]) ** -b[:, None])

    s = shape(n)
    squares = (s**2).sum(1)
    level = s @ y / squares
    spread = noise.freedom * noise.variance + ((y - level[:, None] * s) ** 2).sum(1)
    freedom = noise.freedom + len(y) - 1
    logs = -0.5 * np.log(squares) - 0.5 * freedom * np.log(spread)
    weights = np.exp(logs - logs.max())
    chosen = generator.choice(len(r), size=draws, p=weights / weights.sum())
    variance = spread[chosen] / generator.chisquare(freedom, draws)
    levels = level[chosen] + np.sqrt(variance / squares[chosen]) * generator.standard_normal(draws)
    return np.asarray(levels[:, None] * shape(np.asarray(at, dtype=float))[chosen])
