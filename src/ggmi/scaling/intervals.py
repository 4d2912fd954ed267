"""Intervals over problems of many measures at once, which share their resamples, so that differences are paired."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from ggmi.scaling.samples import Array
from ggmi.statistics import chunks, resampled, wilson

RESAMPLES = 1999
# With more problems a mean is normal for every purpose here, and resampling only takes time.
NORMAL = 5_000


@dataclass(frozen=True)
class Ratios:
    """Ratios of means over problems, shape (measures,) each.

    Parameters
    ----------
    value
        The ratio.
    low, high
        Ends of its interval.
    error
        Standard error, by the delta method.
    p
        Two-sided p-value of a ratio of zero, by Student's t over problems.
    """

    value: Array
    low: Array
    high: Array
    error: Array
    p: Array


def resampled_sums(values: Array, generator: np.random.Generator, resamples: int = RESAMPLES) -> Array:
    """Sums of columns over problems that are drawn with replacement; of very many, from the normal law instead.

    Parameters
    ----------
    values
        Shape (problems, measures).
    generator
        Source of the draws.
    resamples
        Draws of as many problems as there are.

    Returns
    -------
    ndarray, shape (resamples, measures)
    """
    n = len(values)
    if n > NORMAL:
        spread = np.atleast_2d(np.cov(values, rowvar=False)) * n
        return generator.multivariate_normal(
            values.sum(axis=0), spread, size=resamples, method="eigh", check_valid="ignore"
        )
    return np.concatenate([resampled(n, size, generator) @ values for size in chunks(resamples, n)])


def ratios(above: Array, below: Array, generator: np.random.Generator, *, level: float = 0.95) -> Ratios:
    """Bias-corrected and accelerated intervals of ratios of means over problems (Efron 1987).

    They are expanded for few problems as Student's t is against the normal law (Hesterberg 2015).
    Where problems do not differ at all, a bootstrap knows no error: there the interval is what so
    many problems without an exception allow (Wilson), to both sides. With more than `NORMAL` problems
    the intervals are Student's.

    Parameters
    ----------
    above, below
        Numerators and denominators, shape (problems, measures); a denominator of ones for a mean.
    generator
        Source of the resamples.
    level
        Coverage.

    Returns
    -------
    Ratios
        NaN ends below two problems.

    Examples
    --------
    >>> from ggmi.random import stream
    >>> values = np.array([[0.0], [0.5], [1.0], [0.5]])
    >>> found = ratios(values, np.ones((4, 1)), stream(0, "doc"))
    >>> found.value.tolist(), bool(found.low[0] < 0.5 < found.high[0])
    ([0.5], True)
    """
    n, measures = above.shape
    with np.errstate(invalid="ignore", divide="ignore"):
        value = above.sum(axis=0) / below.sum(axis=0)
        if n < 2:
            none = np.full(measures, np.nan)
            return Ratios(value, none, none, none, none)
        # A problem's share in the deviation of the ratio.
        influence = (above - value * below) / below.mean(axis=0)
        square = np.square(influence).sum(axis=0)
        error = np.sqrt(square / (n - 1) / n)
        acceleration = (influence**3).sum(axis=0) / (6 * square**1.5)
    low, high = np.full(measures, np.nan), np.full(measures, np.nan)
    alike = wilson(0.0, n).high
    student = stdtrit(n - 1, (1 + level) / 2)
    if n <= NORMAL:
        sums = resampled_sums(np.concatenate([above, below], axis=1), generator)
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = sums[:, :measures] / sums[:, measures:]
    p = np.full(measures, np.nan)
    for i in np.flatnonzero(np.isfinite(value)):
        if error[i] <= 1e-12 * max(1.0, abs(value[i])):
            low[i], high[i] = value[i] - alike, value[i] + alike
            p[i] = 1.0 if abs(value[i]) <= 1e-12 else 2.0 ** (1 - n)
            continue
        p[i] = 2 * stdtr(n - 1, -abs(value[i]) / error[i])
        if n > NORMAL:
            low[i], high[i] = value[i] - student * error[i], value[i] + student * error[i]
        else:
            reach = np.sqrt(n / (n - 1)) * student
            low[i], high[i] = _accelerated(drawn[:, i], value[i], acceleration[i], reach)
    return Ratios(value, low, high, error, p)


def _accelerated(drawn: Array, value: float, acceleration: float, reach: float) -> tuple[float, float]:
    """Ends of the bias-corrected and accelerated interval that reaches so many standard errors."""
    reached = drawn[np.isfinite(drawn)]
    # Midpoint rule for ties, so that the correction is zero for a symmetric distribution.
    under = (reached < value).mean() + 0.5 * (reached == value).mean()
    edge = 0.5 / len(reached)
    bias = ndtri(np.clip(under, edge, 1 - edge))
    ends = bias + reach * np.array([-1, 1])
    low, high = np.quantile(reached, ndtr(bias + ends / (1 - acceleration * ends)))
    return float(low), float(high)
