"""Sums over all pairs of two kernels, and what follows from them for the Hilbert-Schmidt criterion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ggmi.information.estimate import Array
from ggmi.information.kernels import Variable, tiles


@dataclass(frozen=True)
class KernelSums:
    """What every form of the statistic is made of: sums over the off-diagonal kernels K and L.

    Parameters
    ----------
    products
        ``sum_j K_ij L_ij``, shape (n,).
    rows
        ``sum_j K_ij`` and ``sum_j L_ij``, two of shape (n,).
    squares
        ``sum_ij K_ij^2`` and ``sum_ij L_ij^2``.
    diagonals
        ``K_ii`` and ``L_ii``, two of shape (n,).
    """

    products: Array
    rows: tuple[Array, Array]
    squares: tuple[float, float]
    diagonals: tuple[Array, Array]

    @property
    def n(self) -> int:
        """Observations."""
        return len(self.products)

    def statistic(self, estimator: str, overlap: Array | float, aligned: Array | float, own: Array | float) -> Array:
        """Turn sums over paired entries into the statistic; for many pairings of x and y at once.

        Parameters
        ----------
        estimator
            ``unbiased`` or ``biased``.
        overlap
            ``sum_ij K_ij L_ij`` off the diagonal.
        aligned
            ``sum_i a_i b_i`` of the row sums a of K and b of L: off the diagonal for the unbiased
            statistic, whole for the biased.
        own
            ``sum_i K_ii L_ii``.

        Returns
        -------
        ndarray
        """
        n, (a, b) = self.n, self.row_sums(estimator)
        if estimator == "unbiased":
            inner = overlap + a.sum() * b.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * np.asarray(aligned)
            return inner / (n * (n - 3))
        return (overlap + own + a.sum() * b.sum() / n**2 - 2 / n * np.asarray(aligned)) / (n - 1) ** 2

    def row_sums(self, estimator: str) -> tuple[Array, Array]:
        """Row sums of both kernels, with the diagonal for the biased statistic.

        Parameters
        ----------
        estimator
            ``unbiased`` or ``biased``.

        Returns
        -------
        tuple of ndarray, shape (n,)
        """
        if estimator == "unbiased":
            return self.rows
        return self.rows[0] + self.diagonals[0], self.rows[1] + self.diagonals[1]

    def value(self, estimator: str) -> float:
        """Return the statistic for the pairing as given."""
        a, b = self.row_sums(estimator)
        own = self.diagonals[0] @ self.diagonals[1]
        return float(self.statistic(estimator, float(self.products.sum()), float(a @ b), float(own)))

    @cached_property
    def _itself(self) -> tuple[KernelSums, KernelSums]:
        """Sums of x with x and of y with y; their products by row are not kept, only the total."""
        pairs = []
        for side in (0, 1):
            products = np.full(self.n, self.squares[side] / self.n)
            row, own = self.rows[side], self.diagonals[side]
            pairs.append(KernelSums(products, (row, row), (self.squares[side],) * 2, (own, own)))
        return pairs[0], pairs[1]

    def norms(self, estimator: str) -> tuple[float, float]:
        """Return the statistic of x with itself and of y with itself."""
        xx, yy = (side.value(estimator) for side in self._itself)
        return xx, yy

    def ceiling(self, estimator: str) -> float:
        """Largest statistic of any pairing, by Cauchy and Schwarz: sqrt(HSIC(x, x) HSIC(y, y))."""
        xx, yy = self.norms(estimator)
        return float(np.sqrt(max(xx, 0.0) * max(yy, 0.0)))


def kernel_sums(x: Variable, y: Variable) -> KernelSums:
    """Sum both kernels and their product over all pairs, tile by tile, in float64.

    Parameters
    ----------
    x, y
        Variables of n observations each.

    Returns
    -------
    KernelSums
    """
    n = len(x)
    products, a, b = np.zeros(n), np.zeros(n), np.zeros(n)
    squares = np.zeros(2)
    for rows, columns, (k, ell) in tiles([x, y]):
        below = columns[0] != rows[0]
        squares += (1 + below) * np.array([np.vdot(k, k), np.vdot(ell, ell)])
        a[rows] += k.sum(axis=1)
        b[rows] += ell.sum(axis=1)
        if below:
            a[columns] += k.sum(axis=0)
            b[columns] += ell.sum(axis=0)
        np.multiply(k, ell, out=k)
        products[rows] += k.sum(axis=1)
        if below:
            products[columns] += k.sum(axis=0)
    return KernelSums(products, (a, b), (float(squares[0]), float(squares[1])), (x.diagonal(), y.diagonal()))


def cross_sums(x: Variable, y: Variable, sums: KernelSums) -> tuple[Array, Array]:
    """Kernels times the other side's row sums, K b and L a, which the interval needs.

    Parameters
    ----------
    x, y
        The variables.
    sums
        Their sums.

    Returns
    -------
    tuple of ndarray, shape (n,)
    """
    (a, b), n = sums.rows, sums.n
    kb, la = np.zeros(n), np.zeros(n)
    for rows, columns, (k, ell) in tiles([x, y]):
        kb[rows] += k @ b[columns]
        la[rows] += ell @ a[columns]
        if columns[0] != rows[0]:
            kb[columns] += b[rows] @ k
            la[columns] += a[rows] @ ell
    return kb, la


def jackknife_error(sums: KernelSums, cross: tuple[Array, Array]) -> float:
    """Jackknife standard error of the unbiased statistic.

    The statistic is a U-statistic of order 4, so its value without observation i follows from the
    mean h_i of its kernel over all quadruples with i in them (Song et al. 2012, theorem 5):
    ``T_(-i) = (n T - 4 h_i) / (n - 4)``. Where x and y are independent the first-order variance
    vanishes and this jackknife is about sqrt(2) too large, so its interval stays conservative there;
    the exact permutation variance is its floor.

    Parameters
    ----------
    sums
        Sums of the kernels.
    cross
        K b and L a.

    Returns
    -------
    float
    """
    n, (a, b), (kb, la) = sums.n, sums.rows, cross
    total = (n - 1) * (n - 2) * (n - 3)
    h = (n - 2) ** 2 * sums.products + (n - 2) * (sums.products.sum() - kb - la) - n * a * b
    h += b.sum() * a + a.sum() * b - a @ b
    h /= 2 * total
    influence = 4 * (h - h.mean()) / (n - 4)
    variance = (n - 1) / n * float(influence @ influence)
    return float(np.sqrt(max(variance, null_variance(sums))))


def null_variance(sums: KernelSums) -> float:
    """Exact variance of the unbiased statistic over all n! pairings of x and y.

    With A and B the U-centred kernels (zero diagonal, zero row sums), counting the index patterns
    of ``(sum_ij A_ij B_ij)^2`` gives ``2 |A|^2 |B|^2 / (n (n - 3))``, that is
    ``2 HSIC(x, x) HSIC(y, y) / (n (n - 3))``.

    Parameters
    ----------
    sums
        Sums of the kernels.

    Returns
    -------
    float
    """
    return 2 * sums.ceiling("unbiased") ** 2 / (sums.n * (sums.n - 3))


def null_mean(sums: KernelSums, estimator: str) -> float:
    """Exact mean of the statistic over all n! pairings.

    Parameters
    ----------
    sums
        Sums of the kernels.
    estimator
        ``unbiased`` (zero) or ``biased``: ``tr(K H) tr(L H) / (n - 1)^3``.

    Returns
    -------
    float
    """
    if estimator == "unbiased":
        return 0.0
    n = sums.n
    traces = [own.sum() - row.sum() / n for own, row in zip(sums.diagonals, sums.row_sums("biased"), strict=True)]
    return float(traces[0] * traces[1] / (n - 1) ** 3)
