"""The one result type of every estimator: a value and what is needed to read it."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ggmi.errors import UserError, did_you_mean

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Key = TypeVar("Key", bound=Hashable)

# Half the width of a normal 95 % interval, in standard errors.
WIDTH = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Estimate:
    """An estimate with its interval, its null and its ceiling; None where one does not apply.

    Parameters
    ----------
    value
        The estimate.
    ci_low, ci_high
        Ends of the 95 % interval.
    p_value
        Probability of a value at least this extreme under the null named by `method`.
    null_mean
        Expected value under the null.
    ceiling
        Largest value that data of this size and with these marginals could give.
    n
        Observations behind the value.
    unit
        What the value is counted in, e.g. ``nats``.
    method
        Estimator, settings and null in words.

    Examples
    --------
    >>> Estimate(0.5, 0.4, 0.6, n=10, unit="nats", method="plug-in").row()["ci_high"]
    0.6
    """

    value: float
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None
    null_mean: float | None = None
    ceiling: float | None = None
    n: int = 0
    unit: str = ""
    method: str = ""

    def row(self) -> dict[str, float | int | str | None]:
        """Return the fields as a dict, in the order of the table's columns.

        Returns
        -------
        dict
        """
        return asdict(self)


def normal_ends(value: float, standard_error: float) -> tuple[float, float]:
    """Ends of the normal 95 % interval around a value.

    Parameters
    ----------
    value, standard_error
        The estimate and its standard error.

    Returns
    -------
    tuple of float
    """
    return value - WIDTH * standard_error, value + WIDTH * standard_error


def left_out_error(value: float, n: int, left_out: Array, sizes: Array | Indices, times: Array | None = None) -> float:
    """Jackknife standard error with groups of unequal sizes left out (Busing et al. 1999).

    With h = n / size the group's pseudo-value is ``h value - (h - 1) left_out``; the variance is the
    mean over groups of its squared deviation from the jackknife's estimate, over h - 1. For equal
    sizes this is the usual ``(g - 1) / g sum (left_out - mean)^2``.

    Parameters
    ----------
    value
        The estimate from all n observations.
    n
        Observations.
    left_out
        The estimate without a group, shape (g,).
    sizes
        Observations in that group, shape (g,); none of them all.
    times
        How many groups give this value, shape (g,); None for one each.

    Returns
    -------
    float

    Examples
    --------
    >>> error = left_out_error(2.0, 3, np.array([2.5, 2.0, 1.5]), np.ones(3))  # the mean of 1, 2, 3
    >>> round(error, 6)  # 1 / sqrt(3)
    0.57735
    """
    h = n / sizes
    times = np.ones(len(h)) if times is None else times
    pseudo = h * value - (h - 1) * left_out
    estimate = float(times @ (pseudo / h))
    return float(np.sqrt(times @ (np.square(pseudo - estimate) / (h - 1)) / times.sum()))


def points(values: ArrayLike, name: str, *, least: int = 2) -> Array:
    """Check observations and return them as a float64 matrix.

    Parameters
    ----------
    values
        Shape (n, d), or (n,) for one dimension.
    name
        What a message calls them.
    least
        Fewest observations allowed.

    Returns
    -------
    ndarray, shape (n, d)

    Raises
    ------
    UserError
        If there are too few, or a value is NaN or infinite, or the shape is not (n, d).

    Examples
    --------
    >>> points([1.0, 2.0], "x").shape
    (2, 1)
    """
    try:
        data = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise UserError(f"{name}: must be numbers of one shape (n, d) ({error})") from error
    data = data[:, None] if data.ndim == 1 else data
    if data.ndim != 2 or (len(data) and not data.shape[1]):
        raise UserError(f"{name}: has shape {data.shape}; it must be (n, d), one row an observation")
    if len(data) < least:
        raise UserError(f"{name}: holds {len(data)} observations; at least {least} are needed")
    bad = np.flatnonzero(~np.isfinite(data).all(axis=1))
    if len(bad):
        raise UserError(f"{name}: observation {bad[0]} holds NaN or infinity; every value must be finite")
    return data


def check_count(count: int, name: str, *, least: int) -> None:
    """Check a number of things wanted.

    Parameters
    ----------
    count
        How many.
    name
        What a message calls it.
    least
        Fewest allowed.

    Raises
    ------
    UserError
        If it is no whole number, or too small.
    """
    if not hasattr(count, "__index__") or operator.index(count) < least:
        raise UserError(f"{name}: {count!r} is not allowed; use a whole number of at least {least}")


def unique_ids(ids: Iterable[str], name: str) -> list[str]:
    """Return ids as a list after checking that none comes twice.

    Parameters
    ----------
    ids
        The ids.
    name
        What a message calls them.

    Returns
    -------
    list of str

    Raises
    ------
    UserError
        If an id comes twice.
    """
    seen: dict[str, int] = {}
    for position, key in enumerate(ids):
        if key in seen:
            raise UserError(f"{name}: id '{key}' comes twice, at {seen[key]} and {position}; ids must differ")
        seen[key] = position
    return list(seen)


def group_codes(groups: Sequence | NDArray | None, n: int, name: str) -> Indices:
    """Number the groups of n observations from zero; every observation its own where none are given.

    Parameters
    ----------
    groups
        One label an observation, or None.
    n
        Observations.
    name
        What a message calls the labels.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    UserError
        If there are not n labels.
    """
    if groups is None:
        return np.arange(n)
    if len(groups) != n:
        raise UserError(f"{name}: {len(groups)} labels for {n} observations; each needs one")
    return np.unique(np.asarray(groups), return_inverse=True)[1].ravel()


def places_by(keys: Iterable[Key]) -> dict[Key, list[int]]:
    """Places of the observations that bear each key, in the order in which keys first come.

    Parameters
    ----------
    keys
        The key of each observation.

    Examples
    --------
    >>> places_by(["p", "q", "p"])
    {'p': [0, 2], 'q': [1]}
    """
    places: dict[Key, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    return places


def nearest_id(key: str, known: Iterable[str]) -> str:
    """Name the known id nearest to a wrong one; long lists are counted, not spelt out.

    Parameters
    ----------
    key
        What was written.
    known
        What exists.

    Returns
    -------
    str
        A phrase to end an error message with.

    Examples
    --------
    >>> nearest_id("zz", (f"p{i}" for i in range(30)))
    'none of the 30 known ids is like it'
    """
    ids = list(known)
    hint = did_you_mean(key, ids)
    return hint if len(ids) <= 10 or hint.startswith("did") else f"none of the {len(ids)} known ids is like it"
