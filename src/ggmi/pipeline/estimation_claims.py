"""What the paper claims of its estimators (tables 2 to 4), judged on this run's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ggmi.information.estimate import WIDTH
from ggmi.pipeline.comparing import LEVEL, standard_error, two_sided
from ggmi.pipeline.correlating import corrected, rank_correlation
from ggmi.pipeline.estimation_tables import PLACE

Row = dict[str, Any]
HSICS = ("hsic_published", "hsic", "cka")
# States no error, and differs between sets of different size by its bias alone.
UNTESTED = {
    "hsic_published": "not tested: the published statistic states no error and reads mostly its bias, about "
    "1 / (m - 1); this is the slope of its excess over independent data"
}
ENTROPIES = ("semantic_entropy_lists", "semantic_entropy_miller_madow", "semantic_entropy_chao_shen")
FEWER, GAIN, ENTROPY, SIZE = (
    "more instances lower HSIC",
    "lower HSIC means larger ΔI",
    "more instances lower the entropy",
    "a smaller generator raises both",
)
SLOPE = "weighted least-squares slope along the steps, errors from the estimates' intervals"
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
        contradicted, undecided), ``test``, ``note``.
    """
    rows: list[Row] = []
    for curation, found in estimates.groupby("curation", sort=False):
        cell = found.set_index(["generator", "condition", "estimator"]).to_dict("index")

        for generator in generators:
            keys, where = [(generator, x) for x in conditions], {"generator": generator, "condition": "all"}
            for claim, names in ((FEWER, HSICS), (ENTROPY, ENTROPIES)):
                rows += [
                    {"claim": claim, "estimator": name, **where, "curation": curation, **_along(cell, keys, name, -1)}
                    for name in names
                ]
        for condition in conditions:
            keys, where = [(g, condition) for g in generators], {"generator": "all", "condition": condition}
            rows += [
                {"claim": SIZE, "estimator": name, **where, "curation": curation, **_along(cell, keys, name, 1)}
                for name in (*HSICS, *ENTROPIES)
            ]
        for name in (name for name in HSICS if name not in UNTESTED):
            rows.append({"claim": GAIN, "estimator": name, **_against_gain(cell, name, seed), "curation": curation})
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
    known = [
        (step, float(row["value"]), error)
        for step, row in points
        if row is not None and np.isfinite(row["value"]) and (error := standard_error(row)) > 0
    ]
    nothing = dict.fromkeys(("statistic", "ci_low", "ci_high", "p_value"), float("nan"))
    result: Row = {**nothing, "claimed": claimed, "n": len(known), "test": SLOPE, "note": ""}
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


def _along(cell: Mapping[Any, Row], keys: Sequence[tuple[str, str]], name: str, claimed: int) -> Row:
    """Slope of an estimator along conditions."""
    points = [(step, cell.get((*key, name))) for step, key in enumerate(keys)]
    if name not in UNTESTED:
        return slope(points, claimed)
    excess = [(x, row["value"] - row["null_mean"]) for x, row in points if row and np.isfinite(row["value"])]
    value = float(np.polyfit([x for x, _ in excess], [y for _, y in excess], 1)[0]) if len(excess) > 1 else float("nan")
    nothing = dict.fromkeys(("ci_low", "ci_high", "p_value"), float("nan"))
    note = UNTESTED[name]
    return {"statistic": value, **nothing, "claimed": claimed, "n": len(excess), "test": "none", "note": note}


def _against_gain(cell: Mapping[Any, Row], name: str, seed: int) -> Row:
    """Rank correlation of an HSIC with ΔI over all conditions of one curation."""
    places = dict.fromkeys((generator, condition) for generator, condition, _ in cell)
    pairs = [(cell[(*place, name)]["value"], cell[(*place, "information_gain")]["value"]) for place in places]
    x, y = np.array([pair for pair in pairs if np.isfinite(pair).all()], dtype=float).reshape(-1, 2).T
    found = rank_correlation(x, y, seed, f"gain {name}")
    note = (
        f"{found.n} conditions: the smallest possible p is {found.smallest_p:.2g}, and a true correlation of 0.8 "
        f"would be found with probability {found.power:.2f}"
    )
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
