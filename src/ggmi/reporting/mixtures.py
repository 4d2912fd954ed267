"""What the tables of a mixture study say, in numbers that its page puts into sentences.

Gan & Liu, arXiv 2410.01720, section 4.4 and figure 4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

import pandas as pd

from ggmi.mixtures.study import ALPHA, PUBLISHED_DIRECTION, Verdict
from ggmi.mixtures.worlds import AXES, HISTOGRAMS
from ggmi.text.visible import one_line

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Trend:
    """A verdict or direction with the rank correlation that it rests on."""

    word: str
    value: float
    low: float
    high: float
    conditions: int
    rounds: int


def trend(row: Row, word: str) -> Trend:
    """A row of a table of trends under a verdict or direction."""
    value, low, high = (float(row[f"spearman{end}"]) for end in ("", "_ci_low", "_ci_high"))
    return Trend(word, value, low, high, int(row["conditions"]), int(row["rounds"]))


@dataclass(frozen=True)
class MatrixRow:
    """Verdicts of one variant; an axis that was not swept has None."""

    covariance: str
    anchor_components: str
    estimator: str
    cells: Mapping[str, Trend | None]

    @property
    def words(self) -> dict[str, str]:
        """Verdicts by axis, where something was measured."""
        return {axis: cell.word for axis, cell in self.cells.items() if cell}


@dataclass(frozen=True)
class MixtureStudy:
    """A study's settings and tables.

    Parameters
    ----------
    name
        Name of the study and of its folder.
    title
        What people call it; untrusted text.
    truth
        ``random`` or ``data``.
    base
        K, J and L where another number is swept.
    covariances, anchor_components, estimators
        Variants, the main one first.
    kl_gap, trends, fits, divergences, terms, term_trends, claims
        The study's tables.
    """

    name: str
    title: str
    truth: str
    base: Mapping[str, int]
    covariances: Sequence[str]
    anchor_components: Sequence[str]
    estimators: Sequence[str]
    kl_gap: pd.DataFrame
    trends: pd.DataFrame
    fits: pd.DataFrame
    divergences: pd.DataFrame
    terms: pd.DataFrame
    term_trends: pd.DataFrame
    claims: pd.DataFrame

    @property
    def label(self) -> str:
        """The title on one line, with nothing hidden in it."""
        return one_line(self.title)

    @property
    def place(self) -> str:
        """The unswept condition in words."""
        return ", ".join(f"{axis} = {value}" for axis, value in self.base.items())

    @property
    def main(self) -> tuple[str, str]:
        """Covariance and anchor variant that stand for the study."""
        return self.covariances[0], self.anchor_components[0]

    @property
    def variants(self) -> list[tuple[str, str]]:
        """All pairs of covariance and anchor variant, the main one first."""
        return [(c, a) for c in self.covariances for a in self.anchor_components]

    @cached_property
    def matrix(self) -> list[MatrixRow]:
        """Verdicts of every variant, the main one first."""
        found = {
            (row["covariance"], row["anchor_components"], row["estimator"], row["axis"]): trend(row, row["verdict"])
            for row in self.trends.to_dict("records")
            if row["verdict"] in VERDICTS
        }
        return [
            MatrixRow(c, a, e, {axis: found.get((c, a, e, axis)) for axis in AXES})
            for c, a in self.variants
            for e in self.estimators
        ]

    def rows_of(self, covariance: str, anchors: str) -> list[MatrixRow]:
        """Verdicts of one variant, a row an estimator."""
        return [row for row in self.matrix if (row.covariance, row.anchor_components) == (covariance, anchors)]

    @property
    def main_rows(self) -> list[MatrixRow]:
        """Verdicts of the main variant, a row an estimator."""
        return self.rows_of(*self.main)


def findings(study: MixtureStudy) -> dict[str, Any]:
    """Counts and extremes of a study's tables, which its page and the front page put into sentences.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    dict
        ``measured``, ``whole``: divergences of the main variant under which a trend was measured, and under which all
        are as published; ``tallies``: verdicts by axis over all variants; ``sizes``: conditions and rounds of
        trends, how often; ``gaps``: rows of the KL-gap table where nothing is swept; ``sides``: how many medians
        there clearly favour synthetic data, anchors or neither; and how far the numbers carry.
    """
    measured = [row for row in study.main_rows if row.words]
    cells = [cell for row in study.matrix for cell in row.cells.values() if cell]
    gaps = _gaps_at_base(study)
    sides = Counter(_side(row["median_ci_low_nats"], row["median_ci_high_nats"]) for row in gaps)
    return {
        "measured": [row.estimator for row in measured],
        "whole": [row.estimator for row in measured if set(row.words.values()) == {"as_published"}],
        "tallies": _tallies(study),
        "sizes": Counter((cell.conditions, cell.rounds) for cell in cells),
        "level": ALPHA,
        "gaps": gaps,
        "sides": {side: sides[side] for side in ("synthetic", "anchors", "undecided")},
        "tails": _heavy_tails(study),
        "ranks": _means_against_ranks(study),
        "precision": _precision(study),
        "null": study.divergences[study.divergences["fit"] == "null"]
        .groupby("estimator")["median_nats"]
        .median()
        .to_dict(),
        "fits": _fits(study),
    }


def _tallies(study: MixtureStudy) -> dict[str, Counter[str]]:
    """Verdicts on each axis over all variants, where any was measured."""
    found = {axis: Counter(row.words[axis] for row in study.matrix if axis in row.words) for axis in AXES}
    return {axis: tally for axis, tally in found.items() if tally}


def _gaps_at_base(study: MixtureStudy) -> list[dict[str, Any]]:
    """Rows of the KL-gap table at the unswept condition of the main variant."""
    wanted = {**study.base, "covariance": study.main[0], "anchor_components": study.main[1]}
    table = study.kl_gap
    for column, value in wanted.items():
        table = table[table[column] == value]
    return table.to_dict("records")


def _side(low: float, high: float) -> str:
    """Which data came closer to the truth, by the interval of a gap."""
    return "synthetic" if low > 0 else "anchors" if high < 0 else "undecided"


def _heavy_tails(study: MixtureStudy) -> dict[str, tuple[int, int]]:
    """Rows whose mean gap lies outside its median's interval, and all rows that have one, by estimator."""
    table = study.kl_gap.dropna(subset=["mean_nats", "median_ci_low_nats", "median_ci_high_nats"])
    outside = ~table["mean_nats"].between(table["median_ci_low_nats"], table["median_ci_high_nats"])
    by_estimator = {e: outside[table["estimator"] == e] for e in study.estimators}
    return {e: (int(rows.sum()), len(rows)) for e, rows in by_estimator.items() if len(rows)}


def _means_against_ranks(study: MixtureStudy) -> dict[str, int]:
    """How often the slope of the mean clearly points the other way than the ranks, and how often only ranks decide."""
    table = study.trends
    if table.empty:
        return {"trends": 0, "opposed": 0, "unclear": 0}
    decided = {name: _excludes_zero(table, name) for name in ("slope_nats", "spearman")}
    opposed = decided["slope_nats"] & decided["spearman"] & (table["slope_nats"] * table["spearman"] < 0)
    unclear = ~decided["slope_nats"] & (table["verdict"] != "undecided")
    return {"trends": len(table), "opposed": int(opposed.sum()), "unclear": int(unclear.sum())}


def _excludes_zero(table: pd.DataFrame, name: str) -> pd.Series:
    return (table[f"{name}_ci_low"] > 0) | (table[f"{name}_ci_high"] < 0)


def _precision(study: MixtureStudy) -> dict[str, Any] | None:
    """Of rows of exact divergences: how many there are, how many missed the error asked for, and the worst share."""
    table = study.divergences
    exact = table[~table["estimator"].isin(HISTOGRAMS)].dropna(subset=["precision_reached_share"])
    if exact.empty:
        return None
    share = exact["precision_reached_share"]
    return {
        "rows": len(exact),
        "missed": int((share < 1).sum()),
        "share": float(share.min()),
        "points": int(exact["largest_points"].max()),
    }


def _fits(study: MixtureStudy) -> dict[str, Any] | None:
    """The least share of rounds in which EM converged, and the condition in which components collapsed most often."""
    table = study.fits.dropna(subset=["converged_share", "collapsed_share"])
    if table.empty:
        return None
    worst = table.loc[table["collapsed_share"].idxmax()].to_dict()
    return {"converged": float(table["converged_share"].min()), "worst": worst}


def real_against_simulated(studies: Sequence[MixtureStudy]) -> dict[str, Any] | None:
    """Compare the main variants' verdicts on real geometry with those in a simulated world.

    Parameters
    ----------
    studies
        All mixture studies.

    Returns
    -------
    dict or None
        The first study of each kind, and how many trends that both measured have the ``same`` decided verdict,
        are ``undecided`` in both, ``reversed``, or decided in one only (``simulated``, ``real``); None unless there
        is a study of each kind.
    """
    simulated = next((s for s in studies if s.truth == "random"), None)
    real = next((s for s in studies if s.truth == "data"), None)
    if simulated is None or real is None:
        return None
    others = {row.estimator: row.words for row in real.main_rows}
    found = Counter(
        _compared(word, others[row.estimator][axis])
        for row in simulated.main_rows
        for axis, word in row.words.items()
        if axis in others.get(row.estimator, {})
    )
    kinds = ("same", "undecided", "reversed", "simulated", "real")
    return {"studies": (simulated, real), "total": found.total(), "counts": {kind: found[kind] for kind in kinds}}


def _compared(simulated: str, real: str) -> str:
    if simulated == real:
        return "undecided" if real == "undecided" else "same"
    if real == "undecided":
        return "simulated"
    return "real" if simulated == "undecided" else "reversed"


def mixtures_page(studies: Sequence[MixtureStudy], records: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """What the template ``mixtures.html.j2`` shows, but for its figures.

    Parameters
    ----------
    studies
        The studies, the main one first.
    records
        How each study's tables were made.
    """
    from ggmi.reporting.mixture_terms import CLAIMED, terms_of

    return {
        "studies": studies,
        "axes": AXES,
        "rises": {axis: direction > 0 for axis, direction in PUBLISHED_DIRECTION.items()},
        "found": {study.name: findings(study) for study in studies},
        "terms": {study.name: terms_of(study) for study in studies},
        "claimed": CLAIMED,
        "pair": real_against_simulated(studies),
        "used": {
            kind: list(dict.fromkeys(key for study in studies for key in getattr(study, kind)))
            for kind in ("estimators", "covariances", "anchor_components")
        },
        "records": [record for made in records.values() for record in made],
    }
