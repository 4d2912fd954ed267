"""What a page says of students: Table 1, the judge, risks and loss curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ggmi.rating.table import short_names
from ggmi.reporting.page import Block, Figure, Heading, Picture, Prose, Section
from ggmi.reporting.tables import COLUMNS, data_table
from ggmi.reporting.text import estimate, fixed, listed, plural

# Holm-corrected p below which a difference is called one.
LEVEL = 0.05
# Below the interval's names in tables.
ENDS = ("_nats", "_ci_low_nats", "_ci_high_nats")


@dataclass(frozen=True)
class StudentResults:
    """What the rules of students and ratings made.

    Parameters
    ----------
    sets, risks, generalization
        Of `ggmi.pipeline.risk_tables`.
    table1, agreement
        Of `ggmi.pipeline.ratings`; None without a judge.
    calibration, separations
        Of `ggmi.rating.calibration`.
    notes
        ``judge``, ``notes`` on Table 1, and ``warnings`` about the judge.
    """

    sets: pd.DataFrame
    risks: pd.DataFrame
    generalization: pd.DataFrame
    table1: pd.DataFrame | None = None
    agreement: pd.DataFrame | None = None
    calibration: pd.DataFrame | None = None
    separations: pd.DataFrame | None = None
    notes: Mapping[str, Any] | None = None


def rating_sentence(title: str, found: StudentResults) -> str:
    """Which set was worth training on, in one sentence.

    Parameters
    ----------
    title
        The task's.
    found
        What was made.
    """
    if found.table1 is None or found.notes is None:
        return f"{title}: {plural(len(found.risks), 'student')} trained and not rated, since there is no judge."
    rated = found.table1.dropna(subset=["mean"])
    synthetic = rated[~rated["condition"].isin(["base", "anchors", "real"])]
    if synthetic.empty:
        return f"{title}: no synthetic set had a record to train a student on."
    best = synthetic.loc[synthetic["mean"].idxmax()]
    base = rated[rated["condition"] == "base"].iloc[0]
    short = short_names(rated["condition"])
    parts = [
        f"students of {short[best['condition']]} were rated highest among synthetic sets, {_mean(best)} of 10 where "
        f"the base has {_mean(base)} ({_against(best, 'base')})"
    ]
    real = rated[rated["condition"] == "real"]
    if len(real):
        parts.append(f"and real data {_mean(real.iloc[0])} ({_against(best, 'real')})")
    doubt = "; the judge did not pass its own test" if found.notes["warnings"] else ""
    return f"{title}: {' '.join(parts)}{doubt}."


def student_sections(name: str, found: StudentResults, figures: Mapping[str, Figure]) -> list[Section]:
    """Sections of a task's page.

    Parameters
    ----------
    name
        The task's.
    found
        What was made.
    figures
        By name: ``figure_ratings``, ``figure_losses``.
    """
    sections = [_rating_section(name, found, figures), _judge_section(name, found)] if found.notes is not None else []
    return [*sections, _risk_section(name, found), _training_section(name, found, figures)]


def _mean(row: pd.Series) -> str:
    return f"{fixed(row['mean'], 2)} [{fixed(row['ci_low'], 2)}, {fixed(row['ci_high'], 2)}]"


def _p_name(reference: str) -> str:
    return "p_holm" if reference == "base" else f"p_holm_{reference}"


def _verdict(row: pd.Series, reference: str) -> str:
    """``better``, ``worse`` or ``undecided``."""
    if not row[_p_name(reference)] < LEVEL:
        return "undecided"
    return "better" if row[f"difference_to_{reference}"] > 0 else "worse"


def _against(row: pd.Series, reference: str) -> str:
    """A condition against another, in words with the difference."""
    name = f"difference_to_{reference}"
    difference = estimate(row[name], row[f"{name}_ci_low"], row[f"{name}_ci_high"], decimals=2)
    words = {"better": "a gain of", "worse": "a loss of", "undecided": "not told apart:"}
    return f"{words[_verdict(row, reference)]} {difference}"


def _comparison(rated: pd.DataFrame, reference: str, said: str) -> str:
    """All conditions against one, in one sentence."""
    rows = rated.dropna(subset=[f"difference_to_{reference}"])
    groups = {verdict: [] for verdict in ("better", "worse", "undecided")}  # type: dict[str, list[str]]
    short = short_names(rated["condition"])
    for _, row in rows.iterrows():
        name = f"difference_to_{reference}"
        value = estimate(row[name], row[f"{name}_ci_low"], row[f"{name}_ci_high"], decimals=2)
        groups[_verdict(row, reference)].append(f"{short[row['condition']]} {value}")
    words = {
        "better": f"Better than {said}",
        "worse": f"Worse than {said}",
        "undecided": f"Not told apart from {said}, which these intervals leave open rather than prove",
    }
    return " ".join(f"{words[verdict]}: {listed(members)}." for verdict, members in groups.items() if members)


def _rating_section(name: str, found: StudentResults, figures: Mapping[str, Figure]) -> Section:
    assert found.table1 is not None
    assert found.notes is not None
    table = found.table1
    rated = table.dropna(subset=["mean"])
    paragraphs = [_comparison(rated, "base", "the untrained base")]
    if "real" in set(rated["condition"]):
        paragraphs.append(_comparison(rated, "real", "students of real data"))
    empty = table[table["mean"].isna()]["condition"].tolist()
    if empty:
        paragraphs.append(
            f"Without a record to train on, so without a student: {listed(empty)} (“/” in the published tables)."
        )
    repeated = found.sets[(found.sets["records"] > 0) & (found.sets["distinct"] < found.sets["records"] / 2)]
    if len(repeated):
        short = short_names(table["condition"])
        parts = [
            f"{short[row['condition']]} {row['distinct']:,} of {row['records']:,}" for _, row in repeated.iterrows()
        ]
        paragraphs.append(f"Few records, repeated to the common size; distinct ones: {listed(parts)}.")
    picture = Picture(
        figures["figure_ratings"].svg,
        figures["figure_ratings"].png,
        "Mean rating of each condition with its interval, a row a condition, base and real data as lines.",
        "Mean rating of the answers to the test set, with 95 % intervals over questions and seeds; rings: single "
        "students.",
        [(kind.upper(), f"{name}/rating/figure_ratings.{kind}") for kind in ("svg", "png", "csv")],
    )
    blocks: list[Block] = [Prose([p for p in paragraphs if p]), picture]
    caption = "Table 1: ratings of students"
    blocks.append(data_table(table, COLUMNS["table1"], caption=caption, source=f"{name}/rating/table1.csv"))
    blocks.append(Prose(found.notes["notes"], "note"))
    if found.agreement is not None and len(found.agreement):
        source = f"{name}/rating/agreement.csv"
        blocks.append(Heading("The judge's agreement with itself"))
        blocks.append(data_table(found.agreement, COLUMNS["agreement"], caption="Krippendorff's alpha", source=source))
    return Section("ratings", "Which set was worth training on", "Ratings", blocks)


def _judge_section(name: str, found: StudentResults) -> Section:
    assert found.notes is not None
    assert found.calibration is not None
    assert found.separations is not None
    exact = (
        "The judge is exact and knows the answer: 1 for what is not letters; otherwise 2, and 2 more for the right "
        "length, and up to 6 for the share of letters at their place."
    )
    judge = exact if found.notes["judge"] == "exact" else f"The judge is {found.notes['judge']}."
    warnings = found.notes["warnings"]
    passed = "It tells answers apart whose order is known." if not warnings else "It did not pass its own test."
    blocks: list[Block] = [Prose([f"{judge} {passed}", *warnings])]
    for key, caption in (("calibration", "Ratings of answers whose order is known"), ("separations", "Their order")):
        frame = getattr(found, key)
        blocks.append(data_table(frame, COLUMNS[key], caption=caption, source=f"{name}/rating/{key}.csv", tools=False))
    return Section("judge", "Whether the judge can be believed", "The judge", blocks)


def _risk_section(name: str, found: StudentResults) -> Section:
    table = found.generalization
    paragraphs = [
        "The generalization error is |R_D − R_S|, the difference of a student's risk on the target distribution, here "
        "on the test set, and on its own training set S (section 3.3); the gain is that of students of the anchor data "
        "less that of the condition's, so positive where the synthetic set generalizes better."
    ]
    told = table.dropna(subset=["gain_nats"]) if "gain_nats" in table else table.iloc[:0]
    told = told[told["condition"] != "real"]
    if len(told):
        short = short_names(table["condition"])
        parts = [
            f"{short[row['condition']]} {estimate(*(row[f'gain{end}'] for end in ENDS))}" for _, row in told.iterrows()
        ]
        paragraphs.append(f"Gain over the anchor data, nats a record: {listed(parts)}.")
    if "exact_risk_nats" in table:
        paragraphs.append(
            "In the embedded world the risk on D is known exactly too, over every record of the target task; responses "
            "are certain there, so it is D_KL of the student's law of responses to the truth as well."
        )
    caption = "Risks and generalization errors"
    source = f"{name}/rating/generalization.csv"
    blocks: list[Block] = [Prose(paragraphs)]
    blocks.append(data_table(table, COLUMNS["generalization"], caption=caption, source=source))
    blocks.append(data_table(found.risks, COLUMNS["risks"], caption="Every student", source=f"{name}/rating/risks.csv"))
    return Section("risks", "What students lose on what they have not seen", "Risks", blocks)


def _training_section(name: str, found: StudentResults, figures: Mapping[str, Figure]) -> Section:
    picture = Picture(
        figures["figure_losses"].svg,
        figures["figure_losses"].png,
        "Training loss against epochs, a line a condition.",
        "Training loss, nats a response token: mean of a condition's students, and least to most of them.",
        [(kind.upper(), f"{name}/rating/figure_losses.{kind}") for kind in ("svg", "png", "csv")],
    )
    blocks: list[Block] = [picture]
    source = f"{name}/rating/sets.csv"
    blocks.append(data_table(found.sets, COLUMNS["sets"], caption="What students learned", source=source, tools=False))
    return Section("training", "How students learned", "Training", blocks)
