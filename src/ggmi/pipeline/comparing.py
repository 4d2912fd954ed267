"""What the estimates of several sets say beside one another: which differ, and what is inside noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

from ggmi.information.diversity import PARTS
from ggmi.information.estimate import WIDTH
from ggmi.pipeline.comparable import joined
from ggmi.statistics import holm

Row = dict[str, Any]
# Probability of a difference at least this extreme below which two sets are told apart.
LEVEL = 0.05
# The question, the estimator that answers it, and which sign of it makes the first set "more".
QUESTIONS = {
    "closer to T": ("mmd", -1),
    "more diverse": ("vendi", 1),
    "more redundant": ("near_repeats", 1),
    "more contaminated": ("near_duplicates", 1),
}
# Degrees of freedom of a difference, and the estimators that are shares of records.
FREEDOM = 2 * (PARTS - 1)
SHARES = ("near_repeats", "near_duplicates")
INSIDE = "inside noise"
# How the note of a test begins whose smallest p-value is too large.
TOO_COARSE = "too few shuffles to find anything"


def standard_error(row: Mapping[str, Any]) -> float:
    """Standard error behind an estimate's interval, NaN where there is none.

    Parameters
    ----------
    row
        With ``ci_low`` and ``ci_high``.

    Examples
    --------
    >>> round(standard_error({"ci_low": -1.959964, "ci_high": 1.959964}), 6)
    1.0
    """
    low, high = row["ci_low"], row["ci_high"]
    return float("nan") if low is None or high is None else float(high - low) / (2 * WIDTH)


def two_sided(z: float) -> float:
    """Two-sided p-value of a standard normal deviate.

    Examples
    --------
    >>> round(two_sided(1.959964), 6)
    0.05
    >>> 0 < two_sided(12.0) < 1e-32
    True
    """
    # erfc keeps small tails, which 1 - erf rounds to zero.
    return math.erfc(abs(z) / math.sqrt(2))


def with_holm(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[Row]]:
    """Add ``p_holm`` to the estimates of several sets: corrected over all their tests together.

    Parameters
    ----------
    tables
        Rows of `ggmi.pipeline.estimation.estimates` by set.

    Returns
    -------
    dict of list of dict
        The same rows with ``p_holm``, None where there is no p-value. CKA repeats HSIC's test and
        takes its corrected value. Where even the row's ``smallest_p`` would be above 0.05 after the
        correction, beside the other p-values as they are, ``note`` says so: such a test can find nothing.

    Examples
    --------
    >>> rows = [{"estimator": "mmd", "p_value": 0.02}, {"estimator": "hsic", "p_value": 0.5}]
    >>> with_holm({"a": rows})["a"][0]["p_holm"]
    0.04
    """
    tests = [
        ((name, row["estimator"]), row["p_value"], row.get("smallest_p"))
        for name, rows in tables.items()
        for row in rows
        if row["p_value"] is not None and row["estimator"] != "cka"
    ]
    values = [p for _, p, _ in tests]
    adjusted: Iterable[float] = holm(values) if tests else []
    corrected = {key: float(p) for (key, _, _), p in zip(tests, adjusted, strict=True)}
    coarse = {key: _too_coarse(values, i, smallest) for i, (key, _, smallest) in enumerate(tests)}
    found: dict[str, list[Row]] = {}
    for name, rows in tables.items():
        found[name] = []
        for row in rows:
            key = (name, "hsic" if row["estimator"] == "cka" else row["estimator"])
            note = coarse.get(key, "") if row["p_value"] is not None else ""
            holms = None if row["p_value"] is None else corrected.get(key)
            found[name].append({**row, "p_holm": holms} | ({"note": joined([note, row["note"]])} if note else {}))
    return found


def _too_coarse(p_values: Sequence[float], place: int, smallest: float | None) -> str:
    """Why a test can find nothing beside the others, empty where it can."""
    if smallest is None:
        return ""
    best = float(holm([*p_values[:place], smallest, *p_values[place + 1 :]])[place])
    if best <= LEVEL:
        return ""
    return f"{TOO_COARSE}: the smallest possible p, {smallest:.2g}, is {best:.2g} after Holm"


def compared(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Row]:
    """Ask of every two sets which is closer, more diverse, more redundant, more contaminated.

    The difference of two estimates is judged by the errors behind their intervals as if these were
    independent. Sets that are compared with one T share its chance deviations, which cancel in the
    difference, so this test is careful rather than bold. It is Student's with the degrees of freedom
    of two jackknives over 20 parts; shares, which move in steps, are corrected for continuity.

    Parameters
    ----------
    tables
        Rows of `ggmi.pipeline.estimation.estimates` by set.

    Returns
    -------
    list of dict
        ``question``, ``estimator``, ``first``, ``second``, ``difference`` (first less second) with
        ``ci_low``, ``ci_high``, ``p_value``, ``p_holm`` (over all rows), and ``verdict``: the set
        that is more so, or ``inside noise``.

    Examples
    --------
    >>> a, b = ({"estimator": "vendi", "value": v, "ci_low": v - 1, "ci_high": v + 1, "n": 9} for v in (9.0, 5.0))
    >>> [row["verdict"] for row in compared({"a": [a], "b": [b]})]
    ['a']
    """
    found: list[Row] = []
    for question, (estimator, sign) in QUESTIONS.items():
        of = {name: next((r for r in rows if r["estimator"] == estimator), None) for name, rows in tables.items()}
        for first, second in combinations(of, 2):
            one, other = of[first], of[second]
            if one is None or other is None or not (is_known(one) and is_known(other)):
                continue
            error = float(np.hypot(standard_error(one), standard_error(other)))
            difference = one["value"] - other["value"]
            half = float(stdtrit(FREEDOM, 1 - LEVEL / 2)) * error
            step = (1 / one["n"] + 1 / other["n"]) / 2 if estimator in SHARES else 0.0
            beyond = max(abs(difference) - step, 0.0)
            p = float(2 * stdtr(FREEDOM, -beyond / error)) if error > 0 else float(difference == 0)
            found.append(
                {
                    "question": question,
                    "estimator": estimator,
                    "first": first,
                    "second": second,
                    "difference": difference,
                    "ci_low": difference - half,
                    "ci_high": difference + half,
                    "p_value": p,
                    "verdict": first if sign * difference > 0 else second,
                }
            )
    adjusted: Iterable[float] = holm([row["p_value"] for row in found]) if found else []
    return [
        {**row, "p_holm": float(p), "verdict": row["verdict"] if p < LEVEL else INSIDE}
        for row, p in zip(found, adjusted, strict=True)
    ]


def is_known(row: Mapping[str, Any]) -> bool:
    """Whether an estimate has a value with an error.

    Parameters
    ----------
    row
        With ``value``, ``ci_low`` and ``ci_high``.

    Examples
    --------
    >>> is_known({"value": 0.5, "ci_low": None, "ci_high": None})
    False
    """
    return row["value"] is not None and bool(np.isfinite(standard_error(row)))


def order_of(
    question: str, tables: Mapping[str, Sequence[Mapping[str, Any]]], comparisons: Sequence[Mapping[str, Any]]
) -> tuple[str, list[str], list[str]]:
    """The set that is most so, those that cannot be told from it, and those that were not compared.

    Parameters
    ----------
    question
        One of `QUESTIONS`.
    tables
        As for `compared`.
    comparisons
        Of `compared`.

    Returns
    -------
    first : str
        Empty where fewer than two sets have an estimate with an error: then nothing is compared.
    alike, left_out : list of str
    """
    estimator, sign = QUESTIONS[question]
    rows = [row for row in comparisons if row["question"] == question]
    of = {name: next((row for row in found if row["estimator"] == estimator), None) for name, found in tables.items()}
    values = {name: row["value"] for name, row in of.items() if row is not None and is_known(row)}
    left_out = [name for name in tables if name not in values]
    if len(values) < 2:
        return "", [], left_out
    first = max(values, key=lambda name: sign * values[name])
    apart = {frozenset((row["first"], row["second"])) for row in rows if row["verdict"] != INSIDE}
    return first, [name for name in values if name != first and frozenset((first, name)) not in apart], left_out
