"""How claims on data quality are tested: repetitions against zero, and against what is close enough."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from ggmi.statistics import power_of_normal_test

PAPER = "arXiv 2603.01293"


# The effect that powers are about, of logarithms of ratios.
FACTOR = float(np.log(2))


def side_of_zero(values: ArrayLike, *, sign: int) -> dict[str, Any]:
    """Test whether repetitions lie on one side of zero (t-test, two-sided).

    Parameters
    ----------
    values
        One of each repetition.
    sign
        The claim's side, 1 or -1.

    Returns
    -------
    dict
        Fields of `ggmi.claims.Claim`.
    """
    data, mean, error, tail = _moments(values)
    p = 2 * tail(abs(mean) / error) if error > 0 else float(mean == 0)
    return _fields(data, mean, error, p, bool(sign * mean > 0), FACTOR)


def close(values: ArrayLike, *, margin: float) -> dict[str, Any]:
    """Test whether repetitions lie within a margin of zero: two one-sided t-tests, or one that they lie beyond.

    Parameters
    ----------
    values
        One of each repetition.
    margin
        What is close enough.

    Returns
    -------
    dict
        Fields of `ggmi.claims.Claim`; p is of the side on which the mean lies.
    """
    data, mean, error, tail = _moments(values)
    inside = abs(mean) < margin
    p = tail(abs(margin - abs(mean)) / error) if error > 0 else 0.0
    return _fields(data, mean, error, p if inside else min(1.0, 2 * p), bool(inside), margin)


def both(first: ArrayLike, second: ArrayLike) -> dict[str, Any]:
    """Test whether two quantities are both positive: the weaker of two t-tests (intersection and union).

    Parameters
    ----------
    first, second
        One of each repetition.

    Returns
    -------
    dict
        Fields of `ggmi.claims.Claim` of the weaker one; the claim is that both are positive.
    """
    found = [side_of_zero(values, sign=1) for values in (first, second)]
    against = [f for f in found if not f["supports"]]
    return max(against or found, key=lambda f: f["p"] if not against else -f["p"])


def _moments(values: ArrayLike) -> tuple[np.ndarray, float, float, Any]:
    """Values, mean, standard error, and upper tail of the t-distribution."""
    data = np.asarray(values, dtype=float)
    n = len(data)
    return data, float(data.mean()), float(data.std(ddof=1) / np.sqrt(n)), lambda x: float(student.sf(x, n - 1))


def _fields(data: np.ndarray, mean: float, error: float, p: float, supports: bool, effect: float) -> dict[str, Any]:
    half = float(student.isf(0.025, len(data) - 1)) * error
    power = power_of_normal_test(effect, error) if error > 0 else 1.0
    found = {"estimate": mean, "ci_low": mean - half, "ci_high": mean + half, "p": p, "n": len(data), "power": power}
    return {**found, "supports": supports}
