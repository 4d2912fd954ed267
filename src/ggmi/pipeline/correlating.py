"""Rank correlations over few conditions: with an interval, an exact test, and what they could have found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from itertools import permutations
from math import atanh, factorial, sqrt, tanh
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ggmi.information.estimate import WIDTH, Array
from ggmi.pipeline.comparing import LEVEL
from ggmi.random import stream
from ggmi.statistics import holm

# All orders are enumerated up to this many conditions (40,320 of them); beyond, so many are drawn.
ENUMERATED = 8
DRAWN = 9999
# The true correlation whose detection is asked about, and the simulated sets of conditions that tell.
STRONG = 0.8
SIMULATED = 10_000


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
    """

    value: float
    ci_low: float
    ci_high: float
    p_value: float
    n: int
    smallest_p: float

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
    # Loaded where it is used: loading it takes as long as many a job that can reach this module.
    from scipy.stats import rankdata

    ranks = [rankdata(side) for side in (x, y)]
    n = len(ranks[0])
    nan = float("nan")
    smallest = min(1.0, 2 / factorial(n)) if n <= ENUMERATED else 1 / (DRAWN + 1)
    a, b = (side - side.mean() if n else side for side in ranks)
    scale = sqrt(float(a @ a) * float(b @ b))
    if n < 3 or scale == 0:
        return RankCorrelation(nan, nan, nan, nan, n, smallest)
    value = float(a @ b) / scale
    shuffled = _shuffled(b, DRAWN, stream(seed, "rank correlation", name)) @ a
    extreme = np.abs(shuffled) >= abs(value) * scale * (1 - 1e-12)
    p = float(extreme.mean()) if n <= ENUMERATED else float((1 + extreme.sum()) / (1 + DRAWN))
    low, high = interval_of(value, n)
    return RankCorrelation(value, low, high, p, n, smallest)


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


@cache
def power_of(n: int, tests: int = 1, correlation: float = STRONG) -> float:
    """Probability that a true correlation is found by the permutation test, by simulation.

    Pairs of normal values with that correlation are drawn, n a time, and their ranks tested as
    `rank_correlation` does, at the level that Holm's correction leaves the smallest of several
    p-values. The draws are the same in every call.

    Parameters
    ----------
    n
        Observations.
    tests
        Tests of the family: the level is 0.05 over their number.
    correlation
        The true one, of the values before they are ranked.

    Returns
    -------
    float
        Standard error at most 0.005; 0 where no p-value can be small enough.

    Examples
    --------
    >>> power_of(5) < 0.2, power_of(5, 18), power_of(30) > 0.99
    (True, 0.0, True)
    """
    if n < 3:
        return 0.0
    draw = stream(0, "power", n)
    first, noise = draw.normal(size=(2, SIMULATED, n))
    second = correlation * first + sqrt(1 - correlation**2) * noise
    from scipy.stats import rankdata

    ranks = [rankdata(side, axis=1) - (n + 1) / 2 for side in (first, second)]
    ordered = np.arange(n, dtype=float) - (n - 1) / 2
    null = np.sort(np.abs(_shuffled(ordered, 10 * DRAWN, draw) @ ordered))
    reached = np.abs(np.einsum("ti,ti->t", *ranks)) * (1 - 1e-12)
    tail = (len(null) - np.searchsorted(null, reached)) / len(null)
    p = tail if n <= ENUMERATED else (1 + DRAWN * tail) / (1 + DRAWN)
    return float((p < LEVEL / tests).mean())


def _shuffled(ranks: NDArray, drawn: int, draw: np.random.Generator) -> Array:
    """All orders of few ranks, or so many random ones; shape (orders, n)."""
    if len(ranks) <= ENUMERATED:
        return np.array(list(permutations(ranks)))
    return draw.permuted(np.tile(ranks, (drawn, 1)), axis=1)


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
