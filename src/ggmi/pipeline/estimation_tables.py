"""Estimates of all of a task's conditions in tables: tidy, as published, against the truth, against ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from ggmi.embedded.domains import Domains
from ggmi.information.gain import gain_of_sums
from ggmi.information.semantic_entropy import CurvePoint
from ggmi.pipeline.comparable import compared_records, excess, joined, left_out, too_small
from ggmi.pipeline.comparing import with_holm
from ggmi.pipeline.correlating import corrected, power_of, rank_correlation
from ggmi.pipeline.prediction import MANY, estimators_worth
from ggmi.text.samples import Sample

PLACE = ["generator", "condition", "curation"]
VALUES = ["value", "ci_low", "ci_high", "p_value", "p_holm", "smallest_p", "null_mean", "ceiling"]
# Estimators that need care beside ratings: one reads mostly its bias, one mostly the set's size.
PUBLISHED, TOTAL = "hsic_published", "information_gain_total"
# Estimators beside the exact quantity of the embedded world that each is about.
TRUTHS = {
    "information_gain_first": "information_gain",
    "total_variation": "task_divergence",
    "semantic_entropy": "entropy",
    "semantic_entropy_miller_madow": "entropy",
    "semantic_entropy_chao_shen": "entropy",
    "hsic": "mutual_information",
    "cka": "mutual_information",
}


def estimates_table(tables: Mapping[tuple[str, str, str], Sequence[Mapping[str, Any]]], seed: int) -> pd.DataFrame:
    """All estimates of a task, a row each.

    Parameters
    ----------
    tables
        Rows of `ggmi.pipeline.estimation.estimates` by generator, condition and curation.
    seed
        The run's seed.

    Returns
    -------
    DataFrame
        Columns generator, condition, curation, ``instances`` (anchors in the prompt as a number;
        missing for an imported set), ``seed``, estimator, the fields of an estimate with
        ``smallest_p`` and ``p_holm`` (over all tests of the table), and ``note``.
    """
    named = {"/".join(place): rows for place, rows in tables.items()}
    rows = [
        {**dict(zip(PLACE, place, strict=True)), "instances": instances_of(place[1]), "seed": seed, **row}
        for place, found in zip(tables, with_holm(named).values(), strict=True)
        for row in found
    ]
    columns = [*PLACE, "instances", "seed", "estimator", *VALUES, "n", "unit", "method", "note"]
    return pd.DataFrame(rows, columns=columns).astype({**dict.fromkeys(VALUES, float), "instances": "Int64"})


def instances_of(condition: str) -> int | None:
    """Number of anchors in the prompts of a condition, None where the set was not made from any here.

    Examples
    --------
    >>> instances_of("20-ins"), instances_of("given")
    (20, None)
    """
    number = condition.removesuffix("-ins")
    return int(number) if number != condition and number.isdecimal() else None


def curves_table(tables: Mapping[tuple[str, str, str], Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """Semantic entropy of ever larger subsamples of every set, which shows whether n suffices.

    Parameters
    ----------
    tables
        As for `estimates_table`.

    Returns
    -------
    DataFrame
        Columns generator, condition, curation, ``n``, the mean over random subsamples of n records
        of ``plug_in``, ``miller_madow``, ``chao_shen`` (nats) and of the number of ``clusters``, and
        ``ceiling`` (ln n). No rows for a set whose entropy is not estimated.
    """
    rows = [
        {**dict(zip(PLACE, place, strict=True)), **point}
        for place, found in tables.items()
        for row in found
        for point in row.get("curve", ())
    ]
    return pd.DataFrame(rows, columns=[*PLACE, *(field.name for field in fields(CurvePoint))])


def published_table(estimates: pd.DataFrame) -> pd.DataFrame:
    """Tables 2, 3 and 4 of the paper in their published form, each beside its calibrated form.

    Table 2 is HSIC and table 3 semantic entropy of one generator along the instances; table 4 is
    both for every generator.

    Parameters
    ----------
    estimates
        Of `estimates_table`.

    Returns
    -------
    DataFrame
        A row a condition: ``hsic_published`` beside ``hsic_published_null`` (what independent data
        give), ``hsic`` with interval and Holm-corrected p, ``cka``; ``entropy_published_nats`` (mean
        over the lists of single prompts) with its ceiling, ``entropy_nats`` (of the whole set,
        Miller–Madow) with the plug-in's ceiling and ``entropy_growth`` (at most 0.1: n suffices).
    """
    rows = []
    for place, found in estimates.groupby(PLACE, sort=False):
        e = found.set_index("estimator")
        rows.append(
            {
                **dict(zip(PLACE, place, strict=True)),
                "hsic_published": e.loc["hsic_published", "value"],
                "hsic_published_null": e.loc["hsic_published", "null_mean"],
                "hsic": e.loc["hsic", "value"],
                "hsic_ci_low": e.loc["hsic", "ci_low"],
                "hsic_ci_high": e.loc["hsic", "ci_high"],
                "hsic_p_holm": e.loc["hsic", "p_holm"],
                "cka": e.loc["cka", "value"],
                "entropy_published_nats": e.loc["semantic_entropy_lists", "value"],
                "entropy_published_ceiling_nats": e.loc["semantic_entropy_lists", "ceiling"],
                "entropy_nats": e.loc["semantic_entropy_miller_madow", "value"],
                "entropy_ceiling_nats": e.loc["semantic_entropy", "ceiling"],
                "entropy_growth": e.loc["semantic_growth", "value"],
                "n": e.loc["semantic_entropy", "n"],
            }
        )
    return pd.DataFrame(rows)


def exact_quantities(domains: Domains, counts: np.ndarray) -> dict[str, float]:
    """What is true of one record of the ideal generator after some prompts, in nats.

    Parameters
    ----------
    domains
        The embedded world's.
    counts
        How often each skill occurs among each prompt's anchors, shape (prompts, S).

    Returns
    -------
    dict
        ``information_gain`` H(M(p) | p), ``entropy`` H(M(p)), ``mutual_information`` between prompt
        and record (their difference), ``task_divergence`` D_TV(D, D_M).
    """
    laws = domains.next_skill(counts)
    law = laws.mean(axis=0)
    gain, entropy = float(domains.record_entropy(laws).mean()), float(domains.record_entropy(law))
    return {
        "information_gain": gain,
        "entropy": entropy,
        "mutual_information": entropy - gain,
        "task_divergence": float(domains.task_divergence(law)),
    }


def first_records_gain(sample: Sample, positions: Sequence[int | None], seed: int) -> dict[str, Any]:
    """Information gain of the first record of every response: the one that the exact value is about.

    Parameters
    ----------
    sample
        A synthetic set.
    positions
        Place of each record in its response.
    seed
        Of the bootstrap.

    Returns
    -------
    dict
        As a row of estimates; without a value where there are no such records.
    """
    chosen = [i for i, place in enumerate(positions) if place == 0 and sample.nats[i] is not None and sample.tokens[i]]
    row: dict[str, Any] = {"estimator": "information_gain_first", "value": None, "ci_low": None, "ci_high": None}
    if chosen:
        nats = [max(-float(sample.nats[i] or 0.0), 0.0) for i in chosen]
        keys = [str(sample.keys[i]) for i in chosen]
        row |= gain_of_sums(nats, [sample.tokens[i] or 1 for i in chosen], keys, seed=seed).per_record.row()
    return row


def truth_table(
    estimates: pd.DataFrame,
    firsts: Mapping[tuple[str, str, str], Mapping[str, Any]],
    exact: Mapping[str, Mapping[str, float]],
) -> pd.DataFrame:
    """Estimates beside what is exactly true of the ideal generator after the same prompts.

    Parameters
    ----------
    estimates
        Of `estimates_table`.
    firsts
        Of `first_records_gain`, by generator, condition and curation.
    exact
        Of `exact_quantities`, by condition.

    Returns
    -------
    DataFrame
        Columns generator, condition, curation, quantity, truth, estimator, value, ci_low, ci_high,
        ``records`` (what of the set was compared) and ``too_small`` (fewer than half of the largest's).
    """
    known = estimates.set_index([*PLACE, "estimator"])
    records = compared_records(estimates)
    small = too_small({place: records[place] for place in firsts})
    rows = []
    for place, first in firsts.items():
        for estimator, quantity in TRUTHS.items():
            row = first if estimator == "information_gain_first" else known.loc[(*place, estimator)]
            rows.append(
                {
                    **dict(zip(PLACE, place, strict=True)),
                    "quantity": quantity,
                    "truth": exact[place[1]][quantity],
                    "estimator": estimator,
                    **{name: row[name] for name in ("value", "ci_low", "ci_high")},
                    "records": records[place],
                    "too_small": place in small,
                }
            )
    columns = [*PLACE, "quantity", "truth", "estimator", "value", "ci_low", "ci_high", "records", "too_small"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(("truth", "value", "ci_low", "ci_high"), float))


def predictions_table(
    estimates: pd.DataFrame, ratings: Mapping[tuple[str, str, str], float], seed: int
) -> pd.DataFrame:
    """Which estimator predicts how good the trained student is.

    Conditions whose sets are too small beside the largest are left out (see
    `ggmi.pipeline.comparable.too_small`): what a few records give is their number or noise, and would
    order the conditions by size. The published HSIC counts as what it exceeds independent data by,
    for the rest of it is 1 / (m - 1). The total information gain is left out, since it is the size
    times the gain a record.

    Parameters
    ----------
    estimates
        Of `estimates_table`.
    ratings
        Mean rating of the student of each generator, condition and curation.
    seed
        The run's seed.

    Returns
    -------
    DataFrame
        A row an estimator: Spearman's correlation over conditions with its interval, permutation
        p-value, ``p_holm`` over the estimators, number of conditions, the smallest p-value that so
        many conditions can give, the power to find a true correlation of 0.8 at 0.05 over the number
        of tests (Holm's first step), that number, and ``note``: what is left out.
    """
    records = {place: n for place, n in compared_records(estimates).items() if place in ratings}
    small = too_small(records)
    out = left_out(small, records)
    rows = []
    for estimator, found in estimates.groupby("estimator", sort=False):
        if estimator == TOTAL:
            continue
        reading, how = (excess, "its excess over independent data") if estimator == PUBLISHED else (_value, "")
        pairs = [
            (reading(row), ratings[place])
            for row in found.to_dict("records")
            if (place := tuple(row[name] for name in PLACE)) in ratings
            and place not in small
            and np.isfinite(row["value"])
        ]
        x, y = np.array(pairs, dtype=float).reshape(-1, 2).T
        correlation = rank_correlation(x, y, seed, f"rating {estimator}").row()
        rows.append({"estimator": estimator, **correlation, "note": joined([how, out])})
    table = corrected(pd.DataFrame(rows))
    tests = int(table["p_value"].notna().sum())
    table.insert(list(table).index("smallest_p") + 1, "power", [power_of(n, max(tests, 1)) for n in table["n"]])
    table.insert(list(table).index("power") + 1, "tests", tests)
    return table


def worth_table(estimates: pd.DataFrame, outcomes: pd.DataFrame, known: pd.DataFrame, seed: int) -> pd.DataFrame:
    """What each estimator is worth for each outcome, over so many conditions that one may be named.

    Conditions of all sizes are compared, since size is taken out; those without an MMD, whose sets are too small
    for any estimate, are left out. Of the published HSIC what exceeds independent data is ranked.

    Parameters
    ----------
    estimates
        Of `estimates_table`.
    outcomes, known
        Columns with what is predicted, ``rating`` first, and with what is known of a set without an estimate;
        generator, condition and curation as index.
    seed
        The run's seed.

    Returns
    -------
    DataFrame
        ``outcome``, then the columns of `ggmi.pipeline.prediction.estimators_worth`, whose ``partial`` is without
        what is known; of fewer than `ggmi.pipeline.prediction.MANY` conditions `predictions_table`.
    """
    rows = estimates[estimates["estimator"] != TOTAL]
    values = [excess(row) if row["estimator"] == PUBLISHED else row["value"] for row in rows.to_dict("records")]
    wide = rows.assign(value=values).pivot(index=PLACE, columns="estimator", values="value")
    wide = wide.loc[wide["mmd"].notna(), rows["estimator"].unique()]
    both = outcomes.join(known).dropna()
    both = both[both.index.isin(wide.index)]
    if len(both) < MANY:
        return predictions_table(estimates, outcomes["rating"].dropna().to_dict(), seed)
    found = [
        estimators_worth(wide.loc[both.index], both[name], both[[*known]], seed).assign(outcome=name)
        for name in outcomes
    ]
    table = pd.concat(found, ignore_index=True)
    return table[["outcome", *table.columns.drop("outcome")]]


def _value(row: Mapping[str, Any]) -> float:
    return float(row["value"])
