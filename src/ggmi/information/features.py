"""The Hilbert-Schmidt criterion by random features, for more observations than exact sums can reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ggmi.errors import UserError
from ggmi.information.estimate import Array, Estimate, Indices, normal_ends
from ggmi.information.hsic import INTERVAL_LEAST, Sums, jackknife_error, paired_variables
from ggmi.information.hsic_null import GAMMA_LEAST, gamma_tail, moments
from ggmi.information.kernels import Sets, Variable, blocks
from ggmi.random import stream

# Independent groups of features: their spread gives the error of the approximation.
GROUPS = 8
# Observations whose features are held at once.
ROWS = 2048


@dataclass(frozen=True)
class Features:
    """Cosines and sines whose inner products approximate a Gaussian kernel (Rahimi and Recht 2007).

    Over draws of the frequencies the mean of ``f(x) . f(x')`` is ``k(x, x')``. Sets get the mean of
    their points' features.

    Parameters
    ----------
    variable
        A variable with the Gaussian kernel.
    frequencies
        Standard normal, shape (d, F / 2).
    """

    variable: Variable
    frequencies: Array

    @property
    def count(self) -> int:
        """Number of features F."""
        return 2 * self.frequencies.shape[1]

    def __call__(self, rows: Indices) -> Array:
        """Features of some observations, shape (len(rows), F), computed anew: memory stays bounded."""
        v = self.variable
        if v.owners is not None:
            weights = v.owners[rows]
            used, weights = np.unique(weights.indices), weights[:, np.unique(weights.indices)]
        else:
            used = rows
        angles = v.scaled[used] @ self.frequencies
        features = np.empty((len(used), self.count))
        np.cos(angles, out=features[:, 0::2])
        np.sin(angles, out=features[:, 1::2])
        features /= np.sqrt(self.count / 2)
        return features if v.owners is None else weights @ features


def hsic_random_features(
    x: ArrayLike | Sets,
    y: ArrayLike | Sets,
    *,
    n_features: int = 1024,
    bandwidth: float | str | tuple[float | str, float | str] = "median",
    seed: int = 0,
) -> tuple[Estimate, float]:
    """Unbiased HSIC with Gaussian kernels replaced by inner products of random features.

    The statistic is bilinear in the two kernels and their features are drawn independently, so its
    mean over draws is the exact unbiased statistic. Time grows with ``n * n_features^2``; memory
    with n, and with ``n_features^2`` once.

    Parameters
    ----------
    x, y
        Paired observations: points, shape (n, d), or `Sets`.
    n_features
        Features a variable, a multiple of 16: the error falls with its square root.
    bandwidth
        As for `ggmi.information.hsic.hsic`.
    seed
        Of features and bandwidths.

    Returns
    -------
    estimate : Estimate
        Its interval holds the error of the features too; its p-value is that of the shifted gamma
        distribution, None below 20 observations.
    standard_error : float
        Of the value over draws of features, from 8 groups of features a side: the spread of the
        rows and of the columns of the 8 x 8 table of group with group (7 degrees of freedom each).

    Raises
    ------
    UserError
        As `ggmi.information.hsic.hsic`, or if `n_features` is not a multiple of 16.

    Examples
    --------
    >>> x = stream(0, "doc").normal(size=(300, 2))
    >>> estimate, error = hsic_random_features(x, x[:, :1] ** 2)
    >>> error < 0.2 * estimate.value, estimate.p_value < 0.001
    (True, True)
    """
    if n_features < 2 * GROUPS or n_features % (2 * GROUPS):
        raise UserError(f"n_features: {n_features} is not allowed; use a multiple of {2 * GROUPS}")
    sides = paired_variables(x, y, "gaussian", bandwidth, seed, least=4)
    n = len(sides[0])
    features = [
        Features(v, stream(seed, "hsic features", name).standard_normal((v.scaled.shape[1], n_features // 2)))
        for v, name in zip(sides, "xy", strict=True)
    ]
    sums, cross, error = _sums(*features)
    value, ceiling = sums.value("unbiased"), sums.ceiling("unbiased")
    ends: tuple[float | None, float | None] = (None, None)
    if n >= INTERVAL_LEAST:
        ends = normal_ends(value, float(np.hypot(jackknife_error(sums, cross), error)))
    p_value = gamma_tail(value, moments(sides[0], sides[1], sums, "unbiased", seed)) if n >= GAMMA_LEAST else None
    method = (
        f"unbiased HSIC by {n_features:,} random features (standard error {error:.2g}), kernels "
        f"{sides[0].describe()} and {sides[1].describe()}; null: shifted gamma"
    )
    return Estimate(value, *ends, p_value, 0.0, ceiling, n, "", method), error


def _sums(f: Features, g: Features) -> tuple[Sums, tuple[Array, Array], float]:
    """Sums of the two inner-product kernels, K b and L a, and the standard error over draws of features."""
    n, count = len(f.variable), f.count
    size = count // GROUPS
    products, grams = np.zeros((count, count)), [np.zeros((count, count)) for _ in "xy"]
    totals = [np.zeros(count) for _ in "xy"]
    for rows in blocks(n, ROWS):
        block = [h(rows) for h in (f, g)]
        products += block[0].T @ block[1]
        for side, h in enumerate(block):
            grams[side] += h.T @ h
            totals[side] += h.sum(axis=0)

    overlap = np.empty(n)
    own, row = [np.empty((n, GROUPS)) for _ in "xy"], [np.empty((n, GROUPS)) for _ in "xy"]
    weighted = [np.zeros(count) for _ in "xy"]
    for rows in blocks(n, ROWS):
        block = [h(rows) for h in (f, g)]
        overlap[rows] = np.einsum("if,if->i", block[0] @ products, block[1])
        for side, h in enumerate(block):
            split = h.reshape(len(rows), GROUPS, size)
            own[side][rows] = np.einsum("igs,igs->ig", split, split)
            row[side][rows] = np.einsum("igs,gs->ig", split, totals[side].reshape(GROUPS, size)) - own[side][rows]
        for side, h in enumerate(block):
            weighted[side] += h.T @ row[1 - side][rows].sum(axis=1)
    cross = [np.empty(n) for _ in "xy"]
    for rows in blocks(n, ROWS):
        for side, feature in enumerate((f, g)):
            other = row[1 - side][rows].sum(axis=1)
            cross[side][rows] = feature(rows) @ weighted[side] - own[side][rows].sum(axis=1) * other

    diagonals = own[0].sum(axis=1), own[1].sum(axis=1)
    squares = [float(np.vdot(gram, gram) - d @ d) for gram, d in zip(grams, diagonals, strict=True)]
    overlap -= diagonals[0] * diagonals[1]
    sums = Sums(overlap, (row[0].sum(axis=1), row[1].sum(axis=1)), (squares[0], squares[1]), diagonals)

    # Each group of features alone is an unbiased kernel after multiplication by their number.
    tables = np.square(products.reshape(GROUPS, size, GROUPS, size)).sum(axis=(1, 3)) - own[0].T @ own[1]
    margins = np.outer(row[0].sum(axis=0), row[1].sum(axis=0))
    inner = tables + margins / ((n - 1) * (n - 2)) - 2 / (n - 2) * (row[0].T @ row[1])
    table = GROUPS**2 * inner / (n * (n - 3))
    variance = sum(table.mean(axis=axis).var(ddof=1) / GROUPS for axis in (0, 1))
    return sums, (cross[0], cross[1]), float(np.sqrt(variance))
