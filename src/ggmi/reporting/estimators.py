"""What estimators are called where a person reads them, and in which order: those of most worth for choosing first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ggmi.pipeline.difficulty import DIFFICULTY, MEANING
from ggmi.pipeline.estimators import ESTIMATORS
from ggmi.pipeline.recommending import OUTCOMES, evidence, ranked
from ggmi.pipeline.wording import BY_WORDS
from ggmi.reporting.text import estimate
from ggmi.text.visible import one_line

Row = Mapping[str, Any]
# What can be estimated of a set.
MEANINGS = ESTIMATORS | BY_WORDS | {DIFFICULTY: MEANING}
# Estimates that are small numbers whatever the sets: tables and charts have a thousand times them.
SMALL = ("mmd", "hsic", "hsic_published")
# Heading, with the unit, and digits of each in the table a person reads.
SUMMARY = {
    "mmd": ("MMD², × 1,000", 2),
    "total_variation": ("D_TV to T ≥", 2),
    "hsic": ("HSIC, × 1,000", 2),
    "cka": ("CKA", 3),
    "semantic_entropy": ("entropy, nats", 2),
    "vendi": ("Vendi", 1),
    "near_repeats": ("repeats", 3),
    "near_duplicates": ("near T", 3),
    "word_repeats": ("repeats by words", 3),
    "word_duplicates": ("near T by words", 3),
    "information_gain": ("ΔI, nats/record", 2),
    DIFFICULTY: ("difficulty, nats/token", 2),
}
# Of those that stand there only where the recommendation rests on them.
FURTHER = {
    "semantic_entropy_miller_madow": ("Miller–Madow entropy, nats", 2),
    "semantic_entropy_chao_shen": ("Chao–Shen entropy, nats", 2),
    "semantic_growth": ("growth of entropy", 2),
    "semantic_entropy_lists": ("entropy of a prompt’s records, nats", 2),
    "distinct_2": ("different word pairs", 3),
    "differential_entropy": ("entropy by neighbours, nats", 0),
    "exact_duplicates": ("in T", 3),
    "exact_repeats": ("exact repeats", 3),
    "information_gain_per_token": ("ΔI, nats/token", 2),
    "information_gain_total": ("ΔI in all, nats", 0),
    "hsic_published": ("published HSIC, × 1,000", 2),
}
HEADINGS = SUMMARY | FURTHER
ENDS = ("value", "ci_low", "ci_high")


class Panel(NamedTuple):
    """One estimator of several sets.

    Parameters
    ----------
    heading
        The estimator, with its unit.
    names
        Of the sets.
    ends
        Value, lower and upper end of its interval of each set; None where there is none.
    nulls
        What T has itself, or what no difference gives; empty where neither is known.
    """

    heading: str
    names: Sequence[str]
    ends: Sequence[Sequence[float | None]]
    nulls: Sequence[float]


def short_name(estimator: str) -> str:
    """An estimator's heading without its unit.

    Examples
    --------
    >>> short_name("mmd"), short_name("total_variation")
    ('MMD²', 'D_TV to T')
    """
    return HEADINGS[estimator][0].split(",")[0].removesuffix(" ≥")


def columns_of(tables: Mapping[str, Sequence[Row]], deciding: str | None = None) -> list[str]:
    """Estimators of the table a person reads, those of most worth first and those of none last.

    Parameters
    ----------
    tables
        Rows of `ggmi.pipeline.comparing.with_holm` by set; what no set has is left out.
    deciding
        The estimator that a recommendation rests on.
    """
    used = {row["estimator"] for rows in tables.values() for row in rows if row["value"] is not None}
    shown = [name for name in HEADINGS if name in used and (name in SUMMARY or name == deciding)]
    return [name for part in ranked(shown, evidence()) for name in part]


def panels_of(tables: Mapping[str, Sequence[Row]], deciding: str | None = None) -> list[Panel]:
    """What a chart of the table shows, a panel an estimator.

    Parameters
    ----------
    tables, deciding
        As of `columns_of`.
    """
    panels = []
    for name in columns_of(tables, deciding):
        scale = 1000.0 if name in SMALL else 1.0
        rows = [row for rows in tables.values() for row in rows if row["estimator"] == name]
        nulls = sorted({scale * row["null_mean"] for row in rows if row["null_mean"] is not None})
        ends = [[None if row[end] is None else scale * row[end] for end in ENDS] for row in rows]
        panels.append(Panel(HEADINGS[name][0], [one_line(set_name) for set_name in tables], ends, nulls))
    return panels


def worthless(columns: Sequence[str]) -> list[tuple[str, str]]:
    """Which of some estimators are of no worth for choosing, and what each goes with most once length is taken out.

    Parameters
    ----------
    columns
        Names of estimators.

    Returns
    -------
    list of tuple
        Short name, and the largest partial correlation in words.
    """
    table = evidence()
    *_, of_none = ranked(columns, table)
    found = []
    for name in of_none:
        rows = table[table["estimator"] == name]
        row = rows.loc[rows["partial"].abs().idxmax()]
        value = estimate(row["partial"], row["partial_ci_low"], row["partial_ci_high"], 2)
        of = f"{row['n']} {OUTCOMES[row['outcome']].compared}"
        found.append((short_name(name), f"ρ = {value} with the {row['outcome']} of {of}"))
    return found
