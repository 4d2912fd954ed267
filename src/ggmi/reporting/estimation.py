"""Estimates as a person reads them: sentences, tables of a page, a page of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import pandas as pd

from ggmi.pipeline.comparing import LEVEL, QUESTIONS, order_of
from ggmi.pipeline.estimation import ESTIMATORS
from ggmi.reporting.legend import marks, not_estimated, pairings, sizes, unsettled
from ggmi.reporting.page import Block, Figure, Fold, Page, Picture, Points, Prose, Section
from ggmi.reporting.tables import Column, data_table, plain_table
from ggmi.reporting.text import NOTHING, capital, estimate, fixed, listed, plural
from ggmi.text.visible import one_line

Row = Mapping[str, Any]
_PLACE = (
    Column("generator", "generator", "who wrote"),
    Column("condition", "condition", "anchors in the prompt, or given for an imported set"),
    Column("curation", "curation", "name of the curation"),
)
# Estimates that are small numbers whatever the sets: the table a person reads has a thousand times them.
SMALL = ("mmd", "hsic")
# Power below which a test that finds nothing says nothing.
USEFUL_POWER = 0.8
# Columns of the table a person reads: heading, estimator, digits.
SUMMARY = (
    ("MMD², × 1,000", "mmd", 2),
    ("D_TV to T ≥", "total_variation", 2),
    ("HSIC, × 1,000", "hsic", 2),
    ("CKA", "cka", 3),
    ("entropy, nats", "semantic_entropy", 2),
    ("Vendi", "vendi", 1),
    ("repeats", "near_repeats", 3),
    ("near T", "near_duplicates", 3),
    ("ΔI, nats/record", "information_gain", 2),
)
FIELDS = (
    Column("set", "set", "the synthetic set"),
    *_PLACE,
    Column("estimator", "estimator", "what is estimated; explained above the table"),
    Column("value", "value", "the estimate", 5),
    Column("ci_low", "low", "lower end of its 95 % interval", 5),
    Column("ci_high", "high", "upper end of its 95 % interval", 5),
    Column("p_value", "p", "probability of a value at least this extreme under the null", 4),
    Column("p_holm", "p, Holm", "the same, Holm-corrected over all tests of the table", 4),
    Column("null_mean", "null", "expected value under the null", 4),
    Column("ceiling", "ceiling", "largest value that data of this size could give", 4),
    Column("n", "n", "observations behind the value"),
    Column("unit", "unit", "what the value is counted in"),
    Column("method", "method", "estimator, settings, null"),
    Column("note", "note", "why there is no value"),
)

COLUMNS_OF = {
    "estimates": FIELDS,
    "published": (
        *_PLACE,
        Column("hsic_published", "HSIC, published", "biased HSIC of small samples paired by index, narrow kernels", 6),
        Column("hsic_published_null", "its null", "what independent data give", 6),
        Column("hsic", "HSIC", "unbiased HSIC with the anchors of the prompt, median bandwidths", 6),
        Column("hsic_ci_low", "HSIC, low", "lower end of its 95 % interval", 6),
        Column("hsic_ci_high", "HSIC, high", "upper end of its 95 % interval", 6),
        Column("hsic_p_holm", "p, Holm", "permutation p-value, Holm-corrected over all tests of the task", 4),
        Column("cka", "CKA", "HSIC over its ceiling", 4),
        Column("entropy_published_nats", "entropy, published", "plug-in, mean over the lists of prompts, nats", 3),
        Column("entropy_published_ceiling_nats", "its ceiling", "ln of the list's length, nats", 3),
        Column("entropy_nats", "entropy", "of the whole set, Miller–Madow, nats", 3),
        Column("entropy_ceiling_nats", "its ceiling", "ln n, which the plug-in cannot exceed, nats", 3),
        Column("entropy_growth", "growth", "what the last doubling of n added, over ln 2; at most 0.1 suffices", 3),
        Column("n", "n", "records behind the entropy"),
    ),
    "claims": (
        Column("claim", "claim", "what the paper says"),
        Column("estimator", "estimator", "published or calibrated form"),
        *_PLACE,
        Column("verdict", "verdict", "on this run's data"),
        Column("statistic", "statistic", "slope a step, or rank correlation", 5),
        Column("ci_low", "low", "lower end of its 95 % interval", 5),
        Column("ci_high", "high", "upper end of its 95 % interval", 5),
        Column("p_value", "p", "two-sided", 4),
        Column("p_holm", "p, Holm", "the same, Holm-corrected over all rows", 4),
        Column("claimed", "claimed", "sign that is claimed"),
        Column("n", "n", "conditions"),
        Column("test", "test", "which test"),
        Column("note", "note", "what limits it"),
    ),
    "predictions": (
        Column("estimator", "estimator", "what is estimated of a set"),
        Column("spearman", "ρ", "Spearman's correlation with the mean rating over conditions", 3),
        Column("ci_low", "ρ, low", "lower end of its 95 % interval", 3),
        Column("ci_high", "ρ, high", "upper end of its 95 % interval", 3),
        Column("p_value", "p", "two-sided permutation p-value", 4),
        Column("p_holm", "p, Holm", "the same, Holm-corrected over the estimators", 4),
        Column("n", "n", "conditions"),
        Column("smallest_p", "smallest p", "the smallest p-value that so many conditions can give", 4),
        Column("power", "power", "probability to find a true correlation of 0.8", 2),
    ),
    "truth": (
        *_PLACE,
        Column("quantity", "quantity", "what is exactly known of one record of the ideal generator"),
        Column("truth", "truth", "its exact value, nats (divergence: no unit)", 3),
        Column("estimator", "estimator", "what is meant to tell it"),
        Column("value", "estimate", "the estimate", 3),
        Column("ci_low", "low", "lower end of its 95 % interval", 3),
        Column("ci_high", "high", "upper end of its 95 % interval", 3),
    ),
}


def shown(row: Row, decimals: int) -> tuple[str, str]:
    """An estimate in two short texts: value and interval, with a mark where it is inside noise.

    Parameters
    ----------
    row
        Of `ggmi.pipeline.comparing.with_holm`.
    decimals
        Digits after the point.

    Examples
    --------
    >>> row = {"estimator": "cka", "value": 0.5, "ci_low": 0.25, "ci_high": 0.75, "p_value": 0.001, "p_holm": 0.6}
    >>> shown(row, 2)
    ('0.50 ~', '[0.25, 0.75]')
    """
    if row["value"] is None:
        return NOTHING, ""
    scale = 1000.0 if row["estimator"] in SMALL else 1.0
    noise = " ~" if inside_noise(row) else ""
    text = f"{fixed(scale * row['value'], decimals)}{noise}"
    if row["estimator"] == "semantic_entropy":  # what it could be at most says more than its interval
        return text, f"of {fixed(row['ceiling'], decimals)}"
    if row["ci_low"] is None or row["ci_high"] is None:
        return text, ""
    low, high = (f"{scale * row[end]:.{decimals}f}".replace("-", "−") for end in ("ci_low", "ci_high"))
    return text, f"[{low}, {high}]"


def inside_noise(row: Row) -> bool:
    """Whether an estimate cannot be told from what its null gives.

    Parameters
    ----------
    row
        With ``value``, ``ci_low``, ``null_mean``, ``p_value`` and ``p_holm``.
    """
    if row["p_value"] is not None:
        return bool(row["p_holm"] >= LEVEL)
    if row["estimator"] != "near_duplicates" or row["null_mean"] is None:
        return False
    return bool(row["ci_low"] <= row["null_mean"])


def summary_rows(tables: Mapping[str, Sequence[Row]]) -> tuple[list[str], list[list[tuple[str, str]]]]:
    """Headings and cells of the table a person reads; estimators that no set has are left out.

    Parameters
    ----------
    tables
        Rows of `ggmi.pipeline.comparing.with_holm` by set.

    Returns
    -------
    headings : list of str
    cells : list of list of tuple of str
        A row a set, without its name: value and interval of each estimate.
    """
    found = {name: {row["estimator"]: row for row in rows} for name, rows in tables.items()}
    used = [column for column in SUMMARY if any(rows[column[1]]["value"] is not None for rows in found.values())]
    return [heading for heading, _, _ in used], [
        [_marked(rows, estimator, decimals) for _, estimator, decimals in used] for rows in found.values()
    ]


def _marked(rows: Mapping[str, Row], estimator: str, decimals: int) -> tuple[str, str]:
    """An estimate in two short texts, an entropy that more records would raise with a mark."""
    text, ends = shown(rows[estimator], decimals)
    return (f"{text} !" if estimator == "semantic_entropy" and text != NOTHING and unsettled(rows) else text), ends


def findings(tables: Mapping[str, Sequence[Row]], comparisons: Sequence[Row]) -> list[tuple[str, str]]:
    """Answer the questions people ask of synthetic sets, each in a sentence.

    Parameters
    ----------
    tables
        Rows of `ggmi.pipeline.comparing.with_holm` by set.
    comparisons
        Of `ggmi.pipeline.comparing.compared`.

    Returns
    -------
    list of tuple of str
        Term and sentence.
    """
    by_name = {name: {row["estimator"]: row for row in rows} for name, rows in tables.items()}
    said: list[tuple[str, str]] = []
    if len(tables) > 1:
        for question in QUESTIONS:
            first, alike = order_of(question, tables, comparisons)
            if not first:
                continue
            most = question.replace("closer", "Closest").replace("more ", "Most ")
            if len(alike) == len(by_name) - 1:
                said.append((most, f"No set stands out: the differences are inside noise ({QUESTIONS[question][0]})."))
                continue
            rest = f"; {listed([one_line(a) for a in alike])} cannot be told from it" if alike else ""
            said.append((most, f"{one_line(first)}{rest} ({QUESTIONS[question][0]}, Holm-corrected)."))
    said += [
        _of_all("Differs from T", by_name, "mmd"),
        _of_all("Repeats T more than T repeats itself", by_name, "near_duplicates"),
        _of_all("Depends on what it is paired with", by_name, "hsic"),
    ]
    missing: dict[tuple[str, ...], list[str]] = {}
    for name, rows in by_name.items():
        gone = tuple(not_estimated(rows.values()))
        if gone:
            missing.setdefault(gone, []).append(one_line(name))
    missing = {gone: ["every set"] if len(names) == len(by_name) > 1 else names for gone, names in missing.items()}
    said += [("Not estimated", f"{listed(gone)} for {listed(names)}.") for gone, names in missing.items()]
    return said


def _of_all(term: str, by_name: Mapping[str, Mapping[str, Row]], estimator: str) -> tuple[str, str]:
    """For which sets an estimate leaves the noise."""
    known = {name: rows[estimator] for name, rows in by_name.items() if rows[estimator]["value"] is not None}
    if not known:
        return term, f"not estimated ({estimator})."
    outside, inside = (
        [one_line(name) for name, row in known.items() if inside_noise(row) is noise] for noise in (False, True)
    )
    if len(known) > 1 and not (outside and inside):
        return term, f"{'every set' if outside else 'no set, all are inside noise'} ({estimator})."
    rest = f"; inside noise: {listed(inside)}" if inside else ""
    return term, f"{listed(outside) if outside else 'no set'}{rest} ({estimator})."


def estimator_points() -> Points:
    """What each estimator is."""
    return Points([(name, f"{meaning[:1].upper()}{meaning[1:]}.") for name, meaning in ESTIMATORS.items()])


def claims_sentence(claims: pd.DataFrame) -> str:
    """What became of the published claims, in one sentence.

    Parameters
    ----------
    claims
        Of `ggmi.pipeline.estimation_claims.claims_table`.
    """
    parts = []
    for claim, rows in claims.groupby("claim", sort=False):
        counts = [f"{word} {n}" for word, n in rows["verdict"].value_counts(sort=False).sort_index().items()]
        parts.append(f"“{claim}”: {listed(counts)} of {len(rows)}")
    return "; ".join(parts) + "."


@dataclass(frozen=True)
class EstimationResults:
    """What the rules of estimates made.

    Parameters
    ----------
    estimates, published
        Of `ggmi.pipeline.estimation_tables`.
    claims
        Of `ggmi.pipeline.estimation_claims`.
    truth
        Estimates beside exact values; None outside the embedded world.
    predictions
        Which estimator predicts the rating; None without ratings.
    """

    estimates: pd.DataFrame
    published: pd.DataFrame
    claims: pd.DataFrame
    truth: pd.DataFrame | None = None
    predictions: pd.DataFrame | None = None


def estimation_section(name: str, found: EstimationResults, figures: Mapping[str, Figure]) -> Section:
    """What a task's page says of estimates.

    Parameters
    ----------
    name
        The task's.
    found
        What was made.
    figures
        By name.

    Returns
    -------
    Section
    """
    biased = found.published.dropna(subset=["hsic_published"])
    predicted = [] if found.predictions is None else [predictions_sentence(found.predictions)]
    blocks: list[Block] = [
        Prose(
            [
                claims_sentence(found.claims),
                _bias_sentence(biased),
                *predicted,
                "HSIC with the anchors of a prompt as a set falls with their number by itself, since the mean of many "
                "anchors varies less; CKA divides that scale out. Generators are taken in the order of the "
                "configuration, the largest first. p-values are Holm-corrected within each table.",
            ]
        )
    ]
    if found.truth is not None and "figure_estimates" in figures:
        figure, place = figures["figure_estimates"], f"{name}/estimation/figure_estimates"
        blocks.append(
            Picture(
                figure.svg,
                figure.png,
                "Estimates against exact values: information gain, entropy, total variation, mutual information.",
                "Estimates with 95 % intervals against what is exactly true of one record of the ideal generator after "
                "the same prompts; dashed: equality. A classifier bounds D_TV from below; alignment has no unit.",
                [(kind.upper(), f"{place}.{kind}") for kind in ("svg", "png", "csv")],
            )
        )
    captions = {
        "published": "Tables 2 to 4, published and calibrated",
        "claims": "Published claims",
        "predictions": "Which estimator predicts the rating",
        "truth": "Estimates against the truth",
        "estimates": "Every estimate",
    }
    for file, caption in captions.items():
        frame = getattr(found, file)
        if file == "estimates":
            blocks.append(Fold("What each estimator is", [estimator_points()]))
        if frame is not None:
            blocks.append(data_table(frame, COLUMNS_OF[file], caption=caption, source=f"{name}/estimation/{file}.csv"))
    return Section("estimates", "Estimates", "Estimates", blocks)


def predictions_sentence(predictions: pd.DataFrame, outcome: str = "the rating") -> str:
    """Which estimator predicts the outcome, and whether so few conditions could have told.

    Parameters
    ----------
    predictions
        Of `ggmi.pipeline.estimation_tables.predictions_table`.
    outcome
        What is predicted, in words.
    """
    known = predictions.dropna(subset=["spearman"])
    if known.empty:
        return f"Too few conditions have an estimate and {outcome} to ask which estimator predicts {outcome}."
    best = known.loc[known["spearman"].abs().idxmax()]
    certain = known.loc[known["p_holm"] < LEVEL, "estimator"].tolist()
    power = fixed(100 * float(best["power"]), 0)
    cannot = ", so that silence here decides nothing" if best["power"] < USEFUL_POWER else ""
    return (
        f"Which estimator predicts {outcome}: after Holm's correction {listed(certain) if certain else 'none'}. The "
        f"strongest rank correlation is that of {best['estimator']}, "
        f"{estimate(best['spearman'], best['ci_low'], best['ci_high'], 2)}; {int(best['n'])} conditions find a true "
        f"correlation of 0.8 in {power} % of runs{cannot}."
    )


def _bias_sentence(published: pd.DataFrame) -> str:
    """How much of the published statistic is its own bias."""
    if published.empty:
        return "No set was large enough for the published statistic."
    share = (published["hsic_published_null"] / published["hsic_published"]).median()
    apart = int((published["hsic_p_holm"] < LEVEL).sum())
    return (
        f"The published statistic reads {fixed(100 * share, 1)} % (median over conditions) of its value on data that "
        f"are independent by construction; the unbiased one leaves the noise in {apart} of {len(published)} conditions."
    )


def page_of(found: Mapping[str, Any]) -> Page:
    """The page of `ggmi estimate`.

    Parameters
    ----------
    found
        What the command writes as JSON.

    Returns
    -------
    Page
    """
    tables = {one["name"]: one["estimates"] for one in found["sets"]}
    headings, cells = summary_rows(tables)
    rows = [
        [one_line(name), *(f"{value} {ends}".strip() for value, ends in line)]
        for name, line in zip(tables, cells, strict=True)
    ]
    long = pd.DataFrame([{"set": name, **row} for name, estimates in tables.items() for row in estimates])
    said = findings(tables, found["comparisons"])
    blocks: list[Block] = [
        plain_table(
            ["set", *headings],
            rows,
            caption="Values with 95 % intervals; ~ and ! are explained below",
            numeric=range(1, 1 + len(headings)),
        ),
        Prose([*marks(tables), *sizes(found), *pairings(found["sets"])], "note"),
        Prose([f"{one_line(one['name'])}: {plural(one['records'], 'record')}." for one in found["sets"]], "note"),
    ]
    sections = [Section("summary", "Set by set", "Set by set", blocks)]
    if found["comparisons"]:
        pairs = pd.DataFrame(found["comparisons"])
        table = data_table(pairs, FIELDS, caption="Every two sets")
        sections.append(Section("pairs", "Every two sets", "Every two sets", [table]))
    # An endpoint's identity is words, a local model's a hash.
    encoder = one_line(found["encoder"]) if " " in found["encoder"] else found["encoder"][:16]
    everything: list[Block] = [estimator_points(), data_table(long, FIELDS, caption="Every estimate")]
    sections.append(Section("estimates", "Every estimate", "Every estimate", everything))
    return Page(
        title=f"Synthetic sets against {one_line(PurePath(found['train']['name']).name)}",
        kicker="Estimates of ggmi",
        asked=(
            f"{capital(plural(len(tables), 'synthetic set'))} beside a training set T of "
            f"{found['train']['records']:,} records: which is closer to it, more diverse, redundant, contaminated, "
            "and what of that is inside noise."
        ),
        verdict=f"{said[0][0]}: {said[0][1]}" if said else "",
        findings=said[1:],
        sections=sections,
        colophon=f"Seed {found['seed']}; embeddings by {encoder}; all logarithms are natural.",
    )
