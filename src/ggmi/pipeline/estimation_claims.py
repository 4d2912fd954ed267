"""What the paper claims of its estimators (tables 2 to 4), judged on this run's data.

A slope is tested only where its estimates can be compared: conditions of too few records are left out,
and entropies that read the number of records (at their ceiling, of lists of different length, of sets
too small to have shown what is in them) are not tested. The note of each row says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from ggmi.information.estimate import WIDTH
from ggmi.information.semantic_entropy import GROWTH
from ggmi.pipeline.comparable import compared_records, excess, joined, left_out, too_small
from ggmi.pipeline.comparing import LEVEL, standard_error, two_sided
from ggmi.pipeline.correlating import STRONG, corrected, power_of, rank_correlation
from ggmi.pipeline.estimation_tables import PLACE

Row = dict[str, Any]
Key = tuple[str, str]
HSICS = ("hsic_published", "hsic", "cka")
# States no error, and differs between sets of different size by its bias alone.
UNTESTED = {
    "hsic_published": "not tested: the published statistic states no error and reads mostly its bias, about "
    "1 / (m - 1); this is the slope of its excess over independent data"
}
LISTS = "semantic_entropy_lists"
ENTROPIES = (LISTS, "semantic_entropy_miller_madow", "semantic_entropy_chao_shen")
# Share of its ceiling from which a plug-in entropy counts as lying at it: it then tells the number of records.
AT_CEILING = 0.99
FEWER, GAIN, ENTROPY, SIZE = (
    "more instances lower HSIC",
    "lower HSIC means larger ΔI",
    "more instances lower the entropy",
    "a smaller generator raises both",
)
SLOPE = "weighted least-squares slope along the steps, errors from the estimates' intervals"
NO_TEST = dict.fromkeys(("ci_low", "ci_high", "p_value"), float("nan"))
RANKS = "Spearman's correlation over conditions, permutation test"


def claims_table(
    estimates: pd.DataFrame, generators: Sequence[str], conditions: Sequence[str], seed: int
) -> pd.DataFrame:
    """Judge each claim with every form of its estimator.

    Parameters
    ----------
    estimates
        Of `ggmi.pipeline.estimation_tables.estimates_table`.
    generators
        Those that wrote here, the largest first.
    conditions
        Numbers of instances as conditions, in ascending order.
    seed
        The run's seed.

    Returns
    -------
    DataFrame
        Columns claim, estimator, generator, condition, curation (``all`` where a row runs over
        them), statistic (slope a step, or Spearman's correlation) with ``ci_low`` and ``ci_high``,
        ``p_value``, ``p_holm`` over all rows, ``claimed`` sign, ``n``, ``verdict`` (supported,
        contradicted, undecided), ``test``, ``note`` (what was left out and why nothing is tested).
    """
    rows: list[Row] = []
    for curation, found in estimates.groupby("curation", sort=False):
        cells = _Cells.of(found)

        for generator in generators:
            keys, where = [(generator, x) for x in conditions], {"generator": generator, "condition": "all"}
            for claim, names in ((FEWER, HSICS), (ENTROPY, ENTROPIES)):
                rows += [
                    {"claim": claim, "estimator": name, **where, "curation": curation, **_along(cells, keys, name, -1)}
                    for name in names
                ]
        for condition in conditions:
            keys, where = [(g, condition) for g in generators], {"generator": "all", "condition": condition}
            rows += [
                {"claim": SIZE, "estimator": name, **where, "curation": curation, **_along(cells, keys, name, 1)}
                for name in (*HSICS, *ENTROPIES)
            ]
        for name in (name for name in HSICS if name not in UNTESTED):
            rows.append({"claim": GAIN, "estimator": name, **_against_gain(cells, name, seed), "curation": curation})
    columns = [
        "claim",
        "estimator",
        *PLACE,
        "statistic",
        "ci_low",
        "ci_high",
        "p_value",
        "claimed",
        "n",
        "test",
        "note",
    ]
    table = corrected(pd.DataFrame(rows, columns=columns))
    verdicts = [
        verdict(p, statistic * claimed)
        for p, statistic, claimed in zip(table["p_holm"], table["statistic"], table["claimed"], strict=True)
    ]
    table.insert(list(table).index("p_holm") + 1, "verdict", verdicts)
    ranked = table["test"] == RANKS
    notes = table.loc[ranked, ["n", "note"]].itertuples(index=False)
    tests = int(table["p_value"].notna().sum())
    table.loc[ranked, "note"] = [joined([_power_note(n, tests), note]) for n, note in notes]
    order = {claim: i for i, claim in enumerate((FEWER, GAIN, ENTROPY, SIZE))}
    return table.sort_values("claim", key=lambda claims: claims.map(order), kind="stable").reset_index(drop=True)


def verdict(p: float, agreement: float) -> str:
    """What a corrected p-value and a sign come to.

    Examples
    --------
    >>> verdict(0.01, 2.0), verdict(0.01, -2.0), verdict(0.2, 2.0), verdict(float("nan"), 1.0)
    ('supported', 'contradicted', 'undecided', 'undecided')
    """
    if not p < LEVEL:
        return "undecided"
    return "supported" if agreement > 0 else "contradicted"


def slope(points: Sequence[tuple[int, Row | None]], claimed: int) -> Row:
    """Slope of estimates along steps, weighted by their errors, with a normal interval and test.

    Parameters
    ----------
    points
        Step and estimate of each condition; None where a condition does not exist.
    claimed
        Sign of the slope that is claimed.

    Returns
    -------
    dict
        ``statistic``, ``ci_low``, ``ci_high``, ``p_value``, ``claimed``, ``n``, ``test``, ``note``.

    Examples
    --------
    >>> exact = [(x, {"value": 2.0 * x, "ci_low": 2.0 * x - 1, "ci_high": 2.0 * x + 1}) for x in range(3)]
    >>> round(slope(exact, 1)["statistic"], 6)
    2.0
    """
    known = [(step, float(row["value"]), standard_error(row)) for step, row in points if row and _has_error(row)]
    result: Row = {"statistic": np.nan, **NO_TEST, "claimed": claimed, "n": len(known), "test": SLOPE, "note": ""}
    if len(known) < 2:
        missing = "fewer than two conditions have an estimate with an interval"
        return {**result, "note": missing}
    x, y, error = np.array(known).T
    weights = error**-2
    centred = x - weights @ x / weights.sum()
    spread = float(weights @ centred**2)
    value, deviation = float(weights * centred @ y) / spread, spread**-0.5
    ends = {"ci_low": value - WIDTH * deviation, "ci_high": value + WIDTH * deviation}
    return {**result, "statistic": value, **ends, "p_value": two_sided(value / deviation)}


@dataclass(frozen=True)
class _Cells:
    """Estimates of one curation."""

    rows: Mapping[tuple[str, str, str], Row]
    records: Mapping[Key, int]
    small: Mapping[Key, int]

    @classmethod
    def of(cls, found: pd.DataFrame) -> Self:
        records = {(generator, condition): n for (generator, condition, _), n in compared_records(found).items()}
        rows = found.set_index(["generator", "condition", "estimator"]).to_dict("index")
        return cls(rows, records, too_small(records))

    def of_like_size(self, keys: Iterable[Key]) -> tuple[list[tuple[int, Key]], str]:
        """Those of some conditions that exist and are compared, with their steps, and the others in words."""
        there = [(step, key) for step, key in enumerate(keys) if key in self.records]
        small = {key: self.small[key] for _, key in there if key in self.small}
        return [(step, key) for step, key in there if key not in small], left_out(small, self.records)


def _along(cells: _Cells, keys: Sequence[Key], name: str, claimed: int) -> Row:
    """Slope of an estimator along conditions."""
    places, note = cells.of_like_size(keys)
    points = [(step, cells.rows[(*key, name)]) for step, key in places]
    if name in UNTESTED:
        value = _plain_slope([(x, excess(row)) for x, row in points if np.isfinite(row["value"])])
        return _untested(value, claimed, len(points), [UNTESTED[name], note])
    without = [" ".join(key) for (_, key), (_, row) in zip(places, points, strict=True) if not _has_error(row)]
    if without:
        note = joined([note, f"left out, with no estimate or no error: {', '.join(without)}"])
    reason = _reads_its_size(cells, [key for _, key in places], name) if name in ENTROPIES else ""
    if reason:
        value = _plain_slope([(x, row["value"]) for x, row in points if np.isfinite(row["value"])])
        return _untested(value, claimed, len(points), [f"not tested: {reason}", note])
    found = slope(points, claimed)
    return {**found, "note": joined([found["note"], note])}


def _reads_its_size(cells: _Cells, keys: Sequence[Key], name: str) -> str:
    """Why entropies tell the number of records rather than what is in them; empty where they do not."""
    plug_in = {key: cells.rows[(*key, LISTS if name == LISTS else "semantic_entropy")] for key in keys}
    full = [" ".join(key) for key, row in plug_in.items() if row["value"] >= AT_CEILING * row["ceiling"]]
    reasons = [f"the plug-in entropy is at its ceiling, hardly a record repeats, in {', '.join(full)}" if full else ""]
    if name == LISTS:
        ceilings = [row["ceiling"] for row in plug_in.values() if np.isfinite(row["ceiling"])]
        if ceilings and max(ceilings) - min(ceilings) > GROWTH * np.log(2):
            ends = f"{min(ceilings):.2f} to {max(ceilings):.2f}"
            reasons.append(f"lists differ in length, the mean of its logarithm goes from {ends}")
    else:
        growths = [cells.rows[(*key, "semantic_growth")]["value"] for key in keys]
        growing = [growth for growth in growths if growth > GROWTH]
        if growing:
            reasons.append(
                f"n does not suffice, its last doubling added up to {100 * max(growing):.0f} % of ln 2 to the entropy"
            )
    return joined(reasons)


def _has_error(row: Row) -> bool:
    """Whether an estimate has a value with an interval of some width."""
    return bool(np.isfinite(row["value"]) and standard_error(row) > 0)


def _plain_slope(points: Sequence[tuple[int, float]]) -> float:
    """Least-squares slope, NaN below two points."""
    steps, values = [step for step, _ in points], [value for _, value in points]
    return float(np.polyfit(steps, values, 1)[0]) if len(points) > 1 else float("nan")


def _untested(value: float, claimed: int, n: int, notes: Sequence[str]) -> Row:
    """A row that states a slope and judges nothing."""
    return {"statistic": value, **NO_TEST, "claimed": claimed, "n": n, "test": "none", "note": joined(notes)}


def _against_gain(cells: _Cells, name: str, seed: int) -> Row:
    """Rank correlation of an HSIC with ΔI over all conditions of one curation."""
    places, note = cells.of_like_size(cells.records)
    pairs = [(cells.rows[(*key, name)]["value"], cells.rows[(*key, "information_gain")]["value"]) for _, key in places]
    x, y = np.array([pair for pair in pairs if np.isfinite(pair).all()], dtype=float).reshape(-1, 2).T
    if len(x) < len(pairs):
        note = joined([note, f"{len(pairs) - len(x)} more have no estimate of one of the two"])
    found = rank_correlation(x, y, seed, f"gain {name}")
    return {
        "generator": "all",
        "condition": "all",
        "statistic": found.value,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
        "p_value": found.p_value,
        "claimed": -1,
        "n": found.n,
        "test": RANKS,
        "note": note,
    }


def _power_note(n: int, tests: int) -> str:
    """What a rank correlation over n conditions could have found beside the other tests of the table."""
    level = f"{LEVEL:g}/{tests}" if tests > 1 else f"{LEVEL:g}"
    return (
        f"{n} conditions find a true correlation of {STRONG} with probability {power_of(n, max(tests, 1)):.2f} "
        f"at level {level}, Holm's first step"
    )
