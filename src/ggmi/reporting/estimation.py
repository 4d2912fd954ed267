"""Estimates as a person reads them: sentences, tables of a page, a page of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ggmi.pipeline.comparing import LEVEL, QUESTIONS, order_of
from ggmi.pipeline.estimation import ESTIMATORS
from ggmi.reporting.page import Block, Page, Points, Prose, Section
from ggmi.reporting.tables import Column, data_table, plain_table
from ggmi.reporting.text import NOTHING, fixed, listed, one_line, plural

Row = Mapping[str, Any]
# Columns of the table a person reads: heading, estimator, digits.
SUMMARY = (
    ("MMD² to T", "mmd", 3),
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
    Column("generator", "generator", "who wrote"),
    Column("condition", "condition", "anchors in the prompt, or given for an imported set"),
    Column("curation", "curation", "name of the curation"),
    Column("estimator", "estimator", "what is estimated; explained above the table"),
    Column("value", "value", "the estimate", 4),
    Column("ci_low", "low", "lower end of its 95 % interval", 4),
    Column("ci_high", "high", "upper end of its 95 % interval", 4),
    Column("p_value", "p", "probability of a value at least this extreme under the null", 4),
    Column("p_holm", "p, Holm", "the same, Holm-corrected over all tests of the table", 4),
    Column("null_mean", "null", "expected value under the null", 4),
    Column("ceiling", "ceiling", "largest value that data of this size could give", 4),
    Column("n", "n", "observations behind the value"),
    Column("unit", "unit", "what the value is counted in"),
    Column("method", "method", "estimator, settings, null"),
    Column("note", "note", "why there is no value"),
)


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
    >>> row = {"estimator": "mmd", "value": 0.5, "ci_low": 0.25, "ci_high": 0.75, "p_value": 0.001, "p_holm": 0.6}
    >>> shown(row, 2)
    ('0.50 ~', '[0.25, 0.75]')
    """
    if row["value"] is None:
        return NOTHING, ""
    scale = 1000.0 if row["estimator"] == "hsic" else 1.0
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
        [shown(rows[estimator], decimals) for _, estimator, decimals in used] for rows in found.values()
    ]


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
        gone = tuple(row["estimator"] for row in rows.values() if row["value"] is None)
        if gone:
            missing.setdefault(gone, []).append(one_line(name))
    said += [("Not estimated", f"{listed(gone)} for {listed(names)}.") for gone, names in missing.items()]
    return said


def _of_all(term: str, by_name: Mapping[str, Mapping[str, Row]], estimator: str) -> tuple[str, str]:
    """For which sets an estimate leaves the noise."""
    known = {name: rows[estimator] for name, rows in by_name.items() if rows[estimator]["value"] is not None}
    groups = ([one_line(n) for n, row in known.items() if inside_noise(row) is noise] for noise in (False, True))
    parts = [f"{word} {listed(names)}" for names, word in zip(groups, ("yes:", "inside noise:"), strict=True) if names]
    return term, f"{'; '.join(parts) or 'not estimated'} ({estimator})."


def estimator_points() -> Points:
    """What each estimator is."""
    return Points([(name, f"{meaning[:1].upper()}{meaning[1:]}.") for name, meaning in ESTIMATORS.items()])


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
            ["set", *headings], rows, caption="~ marks what is inside noise", numeric=range(1, 1 + len(headings))
        ),
        Prose([f"{one_line(one['name'])}: {plural(one['records'], 'record')}." for one in found["sets"]], "note"),
    ]
    sections = [Section("summary", "Set by set", "Set by set", blocks)]
    if found["comparisons"]:
        pairs = pd.DataFrame(found["comparisons"])
        table = data_table(pairs, FIELDS, caption="Every two sets")
        sections.append(Section("pairs", "Every two sets", "Every two sets", [table]))
    everything: list[Block] = [estimator_points(), data_table(long, FIELDS, caption="Every estimate")]
    sections.append(Section("estimates", "Every estimate", "Every estimate", everything))
    return Page(
        title=f"Synthetic sets against {one_line(found['train']['name'])}",
        kicker="Estimates of ggmi",
        asked=(
            f"{plural(len(tables), 'synthetic set')} beside a training set T of {found['train']['records']:,} records: "
            "which is closer to it, more diverse, redundant, contaminated, and what of that is inside noise."
        ),
        verdict=f"{said[0][0]}: {said[0][1]}" if said else "",
        findings=said[1:],
        sections=sections,
        colophon=f"Seed {found['seed']}; embeddings by {found['encoder'][:16]}; all logarithms are natural.",
    )
