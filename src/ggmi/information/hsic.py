"""Hilbert-Schmidt independence criterion with its null, its ceiling and its interval."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ggmi.errors import UserError, did_you_mean
from ggmi.information.estimate import Estimate, check_count, normal_ends
from ggmi.information.hsic_null import shuffled_statistics
from ggmi.information.kernel_sums import cross_sums, jackknife_error, kernel_sums, null_mean
from ggmi.information.kernels import Sets, Variable, variable

ESTIMATORS = ("unbiased", "biased")
# Fewest observations for which the interval is defined.
INTERVAL_LEAST = 5
# Values that differ by less than this share of the ceiling count as equal.
TIE = 1e-9


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
        shuffled, how = shuffled_statistics(first, second, sums, estimator, n_permutations, seed)
        p_value = (1 + int(np.count_nonzero(shuffled >= value - TIE * ceiling))) / (1 + len(shuffled))
        description += f"; null: {how}"
    return Estimate(value, *ends, p_value, null_mean(sums, estimator), ceiling, n, "", description)


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
