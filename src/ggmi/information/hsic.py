"""Hilbert-Schmidt independence criterion with its null, its ceiling and its interval."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ggmi.errors import UserError, did_you_mean
from ggmi.information import hsic_null
from ggmi.information.estimate import Array, Estimate, check_count, normal_ends
from ggmi.information.kernels import Sets, Variable, tiles, variable

ESTIMATORS = ("unbiased", "biased")
# Fewest observations for which the interval is defined.
INTERVAL_LEAST = 5
# Values that differ by less than this share of the ceiling count as equal.
TIE = 1e-9


@dataclass(frozen=True)
class Sums:
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
    def _itself(self) -> tuple[Sums, Sums]:
        """Sums of x with x and of y with y; their products by row are not kept, only the total."""
        pairs = []
        for side in (0, 1):
            products = np.full(self.n, self.squares[side] / self.n)
            row, own = self.rows[side], self.diagonals[side]
            pairs.append(Sums(products, (row, row), (self.squares[side],) * 2, (own, own)))
        return pairs[0], pairs[1]

    def norms(self, estimator: str) -> tuple[float, float]:
        """Return the statistic of x with itself and of y with itself."""
        xx, yy = (side.value(estimator) for side in self._itself)
        return xx, yy

    def ceiling(self, estimator: str) -> float:
        """Largest statistic of any pairing, by Cauchy and Schwarz: sqrt(HSIC(x, x) HSIC(y, y))."""
        xx, yy = self.norms(estimator)
        return float(np.sqrt(max(xx, 0.0) * max(yy, 0.0)))


def kernel_sums(x: Variable, y: Variable) -> Sums:
    """Sum both kernels and their product over all pairs, tile by tile, in float64.

    Parameters
    ----------
    x, y
        Variables of n observations each.

    Returns
    -------
    Sums
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
    return Sums(products, (a, b), (float(squares[0]), float(squares[1])), (x.diagonal(), y.diagonal()))


def cross_sums(x: Variable, y: Variable, sums: Sums) -> tuple[Array, Array]:
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


def jackknife_error(sums: Sums, cross: tuple[Array, Array]) -> float:
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


def null_variance(sums: Sums) -> float:
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


def hsic(
    x: ArrayLike | Sets,
    y: ArrayLike | Sets,
    estimator: Literal["unbiased", "biased"] = "unbiased",
    kernel: str | tuple[str, str] = "gaussian",
    bandwidth: float | str | tuple[float | str, float | str] = "median",
    n_permutations: int = 999,
    seed: int = 0,
) -> Estimate:
    """Measure the dependence of two paired variables, exactly.

    The unbiased statistic (Song et al. 2012) is, with K and L the kernels without their diagonals::

        [tr K L + 1'K1 1'L1 / ((n-1)(n-2)) - 2 1'K L1 / (n-2)] / (n (n-3))

    and the biased one, ``tr(K H L H) / (n-1)^2`` with diagonals (Gretton et al. 2005), is what
    tables 2 and 4 of the paper publish. Kernels are evaluated in tiles, two passes and a third for
    the permutation null, so memory grows with n and not with its square. Exchanging x and y
    changes nothing but rounding.

    Null and interval take observations as independent. Records that came together (from one prompt)
    are one observation, a set: see `ggmi.information.pairing.pair_by_prompt`.

    Parameters
    ----------
    x, y
        Paired observations: points, shape (n, d), or `Sets`.
    estimator
        ``unbiased`` or ``biased``.
    kernel
        ``gaussian`` or ``linear``, for both or one each.
    bandwidth
        Of Gaussian kernels: ``median`` (of each variable's own distances) or a number, for both or
        one each.
    n_permutations
        Fewest shuffles of the pairing, 0 for no p-value; p is (1 + shuffles at least as large) /
        (1 + shuffles). With n above `n_permutations` the shuffles are all n - 1 cyclic shifts of
        one random order: a group, so the test keeps its level exactly, and all of them follow from
        Fourier transforms along the kernels' diagonals at the price of one more pass. With n at
        most `n_permutations` they are independent random orders (at most 2,000 observations; more
        get the n - 1 shifts).
    seed
        Of the shuffles, and of bandwidths beyond 4,096 points.

    Returns
    -------
    Estimate
        Without unit. `null_mean` is the exact mean over all pairings (zero for the unbiased
        statistic); `ceiling` is sqrt(HSIC(x, x) HSIC(y, y)), which no pairing exceeds. The
        interval is the jackknife's at the bandwidths used, None below five observations; for the
        biased statistic it covers that statistic's mean at this n, not the population's HSIC.

    Raises
    ------
    UserError
        If lengths differ, observations are too few, constant or not finite, or a name is unknown.

    Examples
    --------
    >>> from ggmi.random import stream
    >>> x = stream(0, "doc").normal(size=(60, 3))
    >>> result = hsic(x, x**2, seed=1)
    >>> result.ci_low < result.value < result.ceiling, result.p_value < 0.05
    (True, True)
    """
    if estimator not in ESTIMATORS:
        raise UserError(f"estimator: '{estimator}' is unknown; {did_you_mean(str(estimator), ESTIMATORS)}")
    check_count(n_permutations, "n_permutations", least=0)
    least = 4 if estimator == "unbiased" else 2
    sides = paired_variables(x, y, kernel, bandwidth, seed, least=least)
    n = len(sides[0])
    description = f"{estimator} HSIC, kernels {sides[0].describe()} and {sides[1].describe()}"
    # The side that is shuffled is chosen by content, so that exchanging x and y draws the same.
    sides.sort(key=lambda side: sha256(side.scaled.tobytes()).digest())
    first, second = sides
    sums = kernel_sums(first, second)
    value, ceiling = sums.value(estimator), sums.ceiling(estimator)
    if sums.ceiling("biased") == 0:
        raise UserError("x and y: a kernel is constant, so there is nothing to measure; try another bandwidth")
    ends: tuple[float | None, float | None] = (None, None)
    if n >= INTERVAL_LEAST:
        ends = normal_ends(value, jackknife_error(sums, cross_sums(first, second, sums)))
    p_value = None
    if n_permutations:
        shuffled, how = hsic_null.shuffled(first, second, sums, estimator, n_permutations, seed)
        p_value = (1 + int(np.count_nonzero(shuffled >= value - TIE * ceiling))) / (1 + len(shuffled))
        description += f"; null: {how}"
    null_mean = hsic_null.null_mean(sums, estimator)
    return Estimate(value, *ends, p_value, null_mean, ceiling, n, "", description)


def paired_variables(
    x: ArrayLike | Sets,
    y: ArrayLike | Sets,
    kernel: str | tuple[str, str],
    bandwidth: float | str | tuple[float | str, float | str],
    seed: int,
    *,
    least: int,
) -> list[Variable]:
    """Prepare both sides of a dependence; parameters as for `hsic`, `least` as for `variable`.

    Returns
    -------
    list of Variable
        Two of them, equally long.

    Raises
    ------
    UserError
        As `hsic`.
    """
    kernels = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    widths = bandwidth if isinstance(bandwidth, tuple) else (bandwidth, bandwidth)
    for name, given in (("kernel", len(kernels)), ("bandwidth", len(widths))):
        if given != 2:
            raise UserError(f"{name}: {given} given; one for both variables is needed, or two, for x and for y")
    sides = [
        variable(data, name, kernel=k, bandwidth=w, seed=seed, least=least)
        for data, name, k, w in zip((x, y), "xy", kernels, widths, strict=True)
    ]
    n = len(sides[0])
    if len(sides[1]) != n:
        raise UserError(f"x and y: hold {n} and {len(sides[1])} observations; they are paired, so as many are needed")
    return sides
