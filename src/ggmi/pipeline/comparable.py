"""Which conditions' estimates can be set beside each other: of sets of like size, and free of their own bias."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import pandas as pd

Place = TypeVar("Place", bound=tuple[str, ...])

# Share of the largest set's records below which a set is too small to be compared: diversity, repeats
# and entropies grow with the records they see, and an estimate of a few records is mostly noise.
LEAST_SHARE = 0.5
# The estimator whose `n` is the number of records that are compared, `equal_records` at most.
COUNTED = "semantic_entropy"
# Share of a published statistic below which its excess over its null is rounding of the tables' ten digits.
ROUNDING = 1e-8


def compared_records(estimates: pd.DataFrame) -> dict[tuple[str, str, str], int]:
    """Records of each set that diversity, repeats and entropies saw.

    Parameters
    ----------
    estimates
        Of `ggmi.pipeline.estimation_tables.estimates_table`.

    Returns
    -------
    dict
        By generator, condition and curation.
    """
    rows = estimates[estimates["estimator"] == COUNTED]
    places = zip(rows["generator"], rows["condition"], rows["curation"], strict=True)
    return dict(zip(places, rows["n"].astype(int), strict=True))


def too_small(records: Mapping[Place, int]) -> dict[Place, int]:
    """Sets that have less than half as many records as the largest, with their numbers of records.

    Parameters
    ----------
    records
        Of `compared_records`.

    Examples
    --------
    >>> too_small({("large",): 400, ("medium",): 380, ("small",): 7})
    {('small',): 7}
    """
    most = max(records.values(), default=0)
    return {place: n for place, n in records.items() if n < LEAST_SHARE * most}


def left_out(small: Mapping[Place, int], records: Mapping[Place, int]) -> str:
    """Which conditions are left out for their size, in words; empty where none is.

    Parameters
    ----------
    small
        Some of `too_small`.
    records
        Of `compared_records`.

    Examples
    --------
    >>> left_out({("small", "3-ins"): 7}, {("large", "3-ins"): 400, ("small", "3-ins"): 7})
    'left out, with less than half of the 400 records of the largest set: small 3-ins (7)'
    """
    if not small:
        return ""
    names = ", ".join(f"{' '.join(place)} ({n:,})" for place, n in small.items())
    return f"left out, with less than half of the {max(records.values()):,} records of the largest set: {names}"


def excess(row: Mapping[str, Any]) -> float:
    """The published statistic less what independent data give, which depends on the set's size alone.

    Parameters
    ----------
    row
        With ``value`` and ``null_mean``.

    Returns
    -------
    float
        Exactly zero where the difference is rounding.

    Examples
    --------
    >>> excess({"value": 0.25, "null_mean": 0.125}), excess({"value": 0.1 + 1e-11, "null_mean": 0.1})
    (0.125, 0.0)
    """
    difference = float(row["value"] - row["null_mean"])
    return 0.0 if abs(difference) <= ROUNDING * abs(row["value"]) else difference


def joined(notes: Iterable[str]) -> str:
    """Notes as one, without those that are empty.

    Examples
    --------
    >>> joined(["one", "", "two"])
    'one; two'
    """
    return "; ".join(note for note in notes if note)
