"""Rank correlations over few conditions: with an interval, an exact test, and what they could have found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import permutations
from math import atanh, factorial, sqrt, tanh
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from ggmi.information.estimate import WIDTH
from ggmi.random import stream
from ggmi.statistics import holm

# All orders are enumerated up to this many conditions (40,320 of them); beyond, so many are drawn.
ENUMERATED = 8
DRAWN = 9999
# The true correlation whose detection is asked about.
STRONG = 0.8


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's correlation over n conditions.

    Parameters
    ----------
    value
        NaN below three conditions, or where one side is constant.
    ci_low, ci_high
        95 % interval (Fisher's transformation with Bonett and Wright's error); NaN below four.
    p_value
        Two-sided permutation p-value.
    n
        Conditions.
    smallest_p
        The smallest p-value that n distinct ranks can give.
    power
        Probability that a true correlation of 0.8 is found at 0.05, by the same approximation.
    """

    value: float
    ci_low: float
    ci_high: float
    p_value: float
    n: int
    smallest_p: float
    power: float

    def row(self) -> dict[str, Any]:
        """Return the fields as a dict, the correlation named ``spearman``."""
        fields = asdict(self)
        return {"spearman": fields.pop("value"), **fields}


def rank_correlation(x: ArrayLike, y: ArrayLike, seed: int, name: str) -> RankCorrelation:
    """Correlate ranks.

    Parameters
    ----------
    x, y
        Shape (n,).
    seed, name
        Of the permutations, where there are too many to go through.

    Returns
    -------
    RankCorrelation

    Examples
    --------
    >>> found = rank_correlation([1, 2, 3, 4, 5], [1, 3, 2, 4, 5], 0, "doc")
    >>> round(found.value, 3), round(found.p_value, 4), round(found.smallest_p, 4)
    (0.9, 0.0833, 0.0167)
    """
    ranks = [rankdata(side) for side in (x, y)]
    n = len(ranks[0])
    nan = float("nan")
    smallest = min(1.0, 2 / factorial(n)) if n <= ENUMERATED else 1 / (DRAWN + 1)
    a, b = (side - side.mean() if n else side for side in ranks)
    scale = sqrt(float(a @ a) * float(b @ b))
    if n < 3 or scale == 0:
        return RankCorrelation(nan, nan, nan, nan, n, smallest, power_of(STRONG, n))
    value = float(a @ b) / scale
    if n <= ENUMERATED:
        shuffled = np.array(list(permutations(b)))
        extreme = np.abs(shuffled @ a) >= abs(value) * scale * (1 - 1e-12)
        p = float(extreme.mean())
    else:
        shuffled = stream(seed, "rank correlation", name).permuted(np.tile(b, (DRAWN, 1)), axis=1)
        extreme = np.abs(shuffled @ a) >= abs(value) * scale * (1 - 1e-12)
        p = float((1 + extreme.sum()) / (1 + DRAWN))
    low, high = interval_of(value, n)
    return RankCorrelation(value, low, high, p, n, smallest, power_of(STRONG, n))


def interval_of(value: float, n: int) -> tuple[float, float]:
    """95 % interval of Spearman's correlation (Bonett and Wright 2000); NaN below four observations.

    Parameters
    ----------
    value
        The correlation.
    n
        Observations.

    Examples
    --------
    >>> low, high = interval_of(0.5, 30)
    >>> round(low, 2), round(high, 2)
    (0.15, 0.74)
    """
    if n < 4:
        return float("nan"), float("nan")
    # A correlation of one has an infinite transform; the nearest that n ranks tell from it stands in.
    middle = atanh(min(abs(value), 1 - 6 / (n * (n**2 - 1)))) * (1 if value >= 0 else -1)
    half = WIDTH * sqrt((1 + value**2 / 2) / (n - 3))
    low, high = tanh(middle - half), tanh(middle + half)
    return (low, 1.0) if value == 1 else (-1.0, high) if value == -1 else (low, high)


def power_of(correlation: float, n: int) -> float:
    """Probability to find a true rank correlation at 0.05 with n observations.

    Parameters
    ----------
    correlation
        The true one.
    n
        Observations.

    Examples
    --------
    >>> power_of(0.8, 5) < 0.4, power_of(0.8, 30) > 0.99
    (True, True)
    """
    if n < 4:
        return 0.0
    centre = abs(atanh(correlation)) / sqrt((1 + correlation**2 / 2) / (n - 3))
    normal = NormalDist()
    return normal.cdf(centre - WIDTH) + normal.cdf(-centre - WIDTH)


def corrected(table: pd.DataFrame) -> pd.DataFrame:
    """Add ``p_holm`` behind ``p_value``, over all rows that have one.

    Parameters
    ----------
    table
        With a column ``p_value``.
    """
    known = table["p_value"].notna()
    adjusted = pd.Series(np.nan, index=table.index, dtype=float)
    if known.any():
        adjusted[known] = holm(table.loc[known, "p_value"].astype(float))
    table.insert(list(table).index("p_value") + 1, "p_holm", adjusted)
    return table
