"""Intervals and tests that every study uses: bootstrap, order statistics, permutation, Holm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, stdtrit

Array = NDArray[np.float64]

# Resampled observations (8 bytes each) held at once.
CHUNK_ELEMENTS = 2**21
# Of all intervals here: a coverage of 95 %.
COVERAGE = 0.95
TAILS = (1 - COVERAGE) / 2, (1 + COVERAGE) / 2


@dataclass(frozen=True)
class Interval:
    """Lower and upper end of a confidence interval; NaN where none can be given."""

    low: float
    high: float


def mean_interval(values: ArrayLike, generator: np.random.Generator, *, resamples: int = 9999) -> Interval:
    """Bias-corrected and accelerated 95 % bootstrap interval of a mean (Efron 1987).

    Parameters
    ----------
    values
        Independent observations, shape (n,).
    generator
        Source of the resamples.
    resamples
        Bootstrap resamples.

    Returns
    -------
    Interval
        NaN when n < 2.

    Examples
    --------
    >>> from ggmi.random import stream
    >>> interval = mean_interval([1.0, 2.0, 3.0, 4.0], stream(0, "doc"))
    >>> 1.0 < interval.low < 2.5 < interval.high < 4.0
    True
    """
    data = np.asarray(values, dtype=float)
    n = len(data)
    if n < 2:
        return Interval(np.nan, np.nan)
    deviations = data - data.mean()
    spread = np.sqrt(np.square(deviations).mean())
    if spread == 0:
        return Interval(float(data[0]), float(data[0]))
    means = np.concatenate([resampled(n, size, generator) @ data / n for size in chunks(resamples, n)])
    # Midpoint rule for ties, so that the correction is zero for a symmetric distribution.
    below = (means < data.mean()).mean() + 0.5 * (means == data.mean()).mean()
    normal = NormalDist()
    edge = 0.5 / resamples
    bias = normal.inv_cdf(float(np.clip(below, edge, 1 - edge)))
    # The jackknife's acceleration of a mean: a sixth of the skewness over sqrt(n).
    acceleration = float((deviations**3).mean() / spread**3 / (6 * np.sqrt(n)))
    ends = []
    for probability in TAILS:
        shifted = bias + normal.inv_cdf(probability)
        ends.append(normal.cdf(bias + shifted / (1 - acceleration * shifted)))
    low, high = np.quantile(means, np.clip(ends, 0, 1))
    return Interval(float(low), float(high))


def median_interval(values: ArrayLike) -> Interval:
    """Distribution-free 95 % interval of a median, from order statistics.

    The interval between the k-th smallest and the k-th largest value covers the median with
    probability ``1 - 2 P(Binomial(n, 1/2) < k)`` whatever the distribution; the largest k that
    keeps the level is used.

    Parameters
    ----------
    values
        Independent observations, shape (n,).

    Returns
    -------
    Interval
        NaN when n is too small for the level (n < 6).

    Examples
    --------
    >>> median_interval(range(1, 11))
    Interval(low=2.0, high=9.0)
    """
    data = np.sort(np.asarray(values, dtype=float))
    n = len(data)
    # P(Binomial(n, 1/2) < k) for k = 1, 2, ... rises, so as many keep the level as the largest says.
    k = int(np.count_nonzero(2 * bdtr(np.arange(n), n, 0.5) <= 1 - COVERAGE))
    if k == 0:
        return Interval(np.nan, np.nan)
    return Interval(float(data[k - 1]), float(data[n - k]))


def wilson(share: float, n: float, *, z: float = NormalDist().inv_cdf(TAILS[1])) -> Interval:
    """Wilson's interval of a share (Wilson 1927).

    Parameters
    ----------
    share
        Of the trials that succeeded.
    n
        Trials, at least 1; a fraction where dependent trials count for less.
    z
        Quantile of the standardised share; that of a coverage of 95 % if not given.

    Returns
    -------
    Interval
        From exactly 0 where nothing succeeded, to exactly 1 where everything did.

    Examples
    --------
    >>> interval = wilson(0, 10)
    >>> interval.low, round(interval.high, 4)
    (0.0, 0.2775)
    """
    shrunk = 1 + z**2 / n
    middle = (share + z**2 / (2 * n)) / shrunk
    half = z / shrunk * np.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return Interval(0.0 if share == 0 else float(middle - half), 1.0 if share == 1 else float(middle + half))


def share_interval(hits: ArrayLike, items: ArrayLike, *, error: float | None = None) -> Interval:
    """Wilson's 95 % interval of a share whose items come in clusters, such as records in responses.

    Items of one response are alike, so they tell less than as many independent ones. The spread of
    the clusters' shares gives the number of independent items that would tell as much, at most the
    items there are (the design effect; Kish 1965). Two clusters of mean size more, one of hits and
    one of none, enter the spread: a kind of response that fails as a whole may be too rare to have
    been seen. Clusters of one item are independent items; where all items agree, each cluster
    counts once. In simulations the interval covers at least what it says;
    few clusters of many independent items make it too wide.

    Parameters
    ----------
    hits, items
        Items that count, and all items, of each cluster; shape (clusters,).
    error
        Standard error of the share, where clusters are not independent; None for that of independent
        ones.

    Returns
    -------
    Interval
        NaN without items.

    Examples
    --------
    >>> interval = share_interval([10, 10, 10], [10, 10, 10])
    >>> round(interval.low, 2), interval.high
    (0.44, 1.0)
    """
    good, total = np.asarray(hits, dtype=float), np.asarray(items, dtype=float)
    good, total = good[total > 0], total[total > 0]
    clusters, count = len(total), total.sum()
    if clusters == 0:
        return Interval(np.nan, np.nan)
    share = good.sum() / count
    effective = float(clusters)
    z = NormalDist().inv_cdf(TAILS[1])
    if clusters > 1 and 0 < share < 1 and (clusters < count or error is not None):
        # Residuals of the clusters at hand, and of the two that are added.
        squares = clusters / (clusters - 1) * np.square(good - share * total).sum()
        if error is not None:
            squares = max(squares, (error * count) ** 2)
        if clusters < count:
            squares += (count / clusters) ** 2 * (share**2 + (1 - share) ** 2)
            z = float(stdtrit(clusters - 1, TAILS[1]))
        effective = min(count, share * (1 - share) * count**2 / squares)
    return wilson(share, effective, z=z)


@dataclass(frozen=True)
class Trend:
    """How an outcome moves along a sweep.

    Parameters
    ----------
    spearman
        Rank correlation of sweep value and outcome over all rounds; NaN when all outcomes are equal.
    spearman_interval
        Its bootstrap interval, rounds resampled within each sweep value.
    slope
        Least-squares slope of the mean outcome on the sweep value.
    slope_interval
        Its bootstrap interval.
    p_value
        Two-sided permutation p-value of the rank correlation, with the +1 correction.
    """

    spearman: float
    spearman_interval: Interval
    slope: float
    slope_interval: Interval
    p_value: float


def trend(
    positions: ArrayLike,
    outcomes: Array,
    generator: np.random.Generator,
    *,
    level: float = COVERAGE,
    resamples: int = 1999,
    permutations: int = 4999,
) -> Trend:
    """Measure a monotone trend and a slope over repeated rounds.

    Parameters
    ----------
    positions
        Sweep values, shape (m,), at least two of them.
    outcomes
        Outcome of each round at each sweep value, shape (m, rounds); tied outcomes share the mean
        of their ranks.
    generator
        Source of resamples and permutations.
    level
        Coverage of the intervals.
    resamples
        Bootstrap resamples.
    permutations
        Permutations for the p-value; the smallest possible p-value is one over this plus one.

    Returns
    -------
    Trend

    Raises
    ------
    ValueError
        If there are fewer than two sweep values.

    Examples
    --------
    >>> import numpy as np
    >>> from ggmi.random import stream
    >>> result = trend([1, 2, 3], np.array([[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]]), stream(0, "doc"))
    >>> round(result.slope, 6)
    1.0
    """
    x = np.asarray(positions, dtype=float)
    m, rounds = outcomes.shape
    if m < 2:
        raise ValueError(f"a trend needs at least two sweep values, got {m}")
    rank_of_position = x.argsort().argsort().astype(float)
    x_rank = np.repeat(rank_of_position - rank_of_position.mean(), rounds)
    _, group, sizes = np.unique(outcomes, return_inverse=True, return_counts=True)
    group = group.ravel()
    order = group.argsort(kind="stable")
    starts = np.cumsum(sizes) - sizes
    n = len(order)
    y_rank = _mid_ranks(sizes[None])[0, group]
    scale = np.sqrt(np.square(x_rank).sum() * np.square(y_rank).sum())
    spearman = float(x_rank @ y_rank / scale) if scale > 0 else np.nan
    x_centred = x - x.mean()
    weights = x_centred / np.square(x_centred).sum()
    slope = float(weights @ outcomes.mean(axis=1))

    extreme = 0 if scale > 0 else permutations
    for size in chunks(permutations if scale > 0 else 0, n):
        shuffled = np.tile(x_rank, (size, 1))
        generator.permuted(shuffled, axis=1, out=shuffled)
        extreme += int(np.count_nonzero(np.abs(shuffled @ y_rank) >= abs(spearman) * scale * (1 - 1e-12)))
    p_value = (extreme + 1) / (permutations + 1)

    slopes, correlations = [], []
    for size in chunks(resamples, n):
        counts = np.concatenate([resampled(rounds, size, generator) for _ in range(m)], axis=1)
        means = np.einsum("smr,mr->sm", counts.reshape(size, m, rounds), outcomes) / rounds
        slopes.append(means @ weights)
        sorted_counts = counts[:, order]
        # A resample is ranked by counting how often each distinct outcome came up; no sorting.
        mid_ranks = _mid_ranks(np.add.reduceat(sorted_counts, starts, axis=1))[:, group[order]]
        weighted = sorted_counts * mid_ranks
        spread = np.sqrt(np.square(x_rank).sum() * (weighted * mid_ranks).sum(axis=1))
        with np.errstate(invalid="ignore"):
            correlations.append(weighted @ x_rank[order] / spread)
    slope_ends = _percentiles(np.concatenate(slopes), level)
    spearman_ends = _percentiles(np.concatenate(correlations), level)
    return Trend(spearman, spearman_ends, slope, slope_ends, p_value)


def holm(p_values: ArrayLike) -> Array:
    """Holm's step-down correction: p-values that hold for the whole family at once.

    Parameters
    ----------
    p_values
        Shape (m,).

    Returns
    -------
    ndarray, shape (m,)
        Adjusted p-values, at most 1, in the order given.

    Examples
    --------
    >>> [round(float(p), 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=float)
    order = p.argsort(kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def power_of_normal_test(effect: float, error: float) -> float:
    """Power of a two-sided test at 5 % of a normal estimate.

    Parameters
    ----------
    effect
        The effect that is to be seen.
    error
        Standard error of the estimate.

    Examples
    --------
    >>> round(power_of_normal_test(2.8, 1.0), 2), round(power_of_normal_test(0.0, 1.0), 2)
    (0.8, 0.05)
    """
    normal, edge = NormalDist(), NormalDist().inv_cdf(TAILS[1])
    return normal.cdf(effect / error - edge) + normal.cdf(-effect / error - edge)


def chunks(total: int, n: int) -> Iterator[int]:
    """Cut a number of resamples into parts that fit in memory.

    Parameters
    ----------
    total
        Resamples.
    n
        Observations of each.

    Yields
    ------
    int
        Resamples of the next part.
    """
    size = max(1, CHUNK_ELEMENTS // n)
    for first in range(0, total, size):
        yield min(size, total - first)


def resampled(n: int, resamples: int, generator: np.random.Generator) -> Array:
    """How often each observation occurs in each bootstrap resample.

    Parameters
    ----------
    n
        Observations.
    resamples
        Resamples.
    generator
        Source of the resamples.

    Returns
    -------
    ndarray, shape (resamples, n)
    """
    picks = generator.integers(0, n, size=(resamples, n))
    picks += n * np.arange(resamples)[:, None]
    return np.bincount(picks.ravel(), minlength=n * resamples).reshape(resamples, n).astype(float)


def _mid_ranks(counts: NDArray) -> Array:
    """Centred mean rank of each distinct value in ascending order, from how often it occurs."""
    upto = np.cumsum(counts, axis=1)
    return upto - 0.5 * (counts - 1) - 0.5 * (upto[:, -1:] + 1)


def _percentiles(values: Array, level: float) -> Interval:
    """Percentile interval of bootstrap values, leaving out those that are undefined."""
    defined = values[np.isfinite(values)]
    if not len(defined):
        return Interval(np.nan, np.nan)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
