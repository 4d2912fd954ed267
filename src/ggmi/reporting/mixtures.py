"""What the tables of a mixture study say, in verdicts and sentences.

Gan & Liu, arXiv 2410.01720, section 4.4 and figure 4. Every number in a sentence is read from the
study's tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

import pandas as pd

from ggmi.mixtures.study import ALPHA, PUBLISHED_DIRECTION, Verdict
from ggmi.mixtures.worlds import AXES
from ggmi.reporting.text import capital, count_word, estimate, listed
from ggmi.text.visible import one_line

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
VERDICT_VERBS = {"as_published": "supported", "against": "contradicted", "undecided": "undecided"}
ESTIMATOR_NAMES = {
    "released_histogram": "released histogram",
    "aligned_histogram": "aligned histogram",
    "forward": "forward divergence",
    "reverse": "reverse divergence",
}
ESTIMATOR_DETAILS = {
    "released_histogram": "own bin edges",
    "aligned_histogram": "common bin edges",
    "forward": "D_KL(π‖G), exact",
    "reverse": "D_KL(G‖π), exact",
}
COVARIANCE_NAMES = {
    "psd": "proper covariances (psd)",
    "released": "covariances as released",
    "empirical": "covariances of the real classes",
}
ANCHOR_NAMES = {"released": "K components fitted to anchors (released)", "text": "K+J+L fitted to anchors (text)"}


@dataclass(frozen=True)
class MixtureStudy:
    """A study's settings and tables, as its page section needs them.

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

    @cached_property
    def matrix(self) -> list[MatrixRow]:
        """Verdicts of every variant, the main one first."""
        found = {
            (row["covariance"], row["anchor_components"], row["estimator"], row["axis"]): _cell(row)
            for row in self.trends.to_dict("records")
        }
        return [
            MatrixRow(c, a, e, {axis: found.get((c, a, e, axis)) for axis in AXES})
            for c in self.covariances
            for a in self.anchor_components
            for e in self.estimators
        ]

    @property
    def main_rows(self) -> list[MatrixRow]:
        """Verdicts of the main variant, a row an estimator."""
        return [row for row in self.matrix if (row.covariance, row.anchor_components) == self.main]


@dataclass(frozen=True)
class Cell:
    """One trend and the verdict on it."""

    verdict: Verdict
    spearman: float
    low: float
    high: float
    conditions: int
    rounds: int

    @property
    def correlation(self) -> str:
        """Rank correlation with its interval."""
        return estimate(self.spearman, self.low, self.high, decimals=2)


@dataclass(frozen=True)
class MatrixRow:
    """Verdicts of one variant; an axis that was not swept has None."""

    covariance: str
    anchor_components: str
    estimator: str
    cells: Mapping[str, Cell | None]

    def axes(self, *verdicts: str) -> list[str]:
        """Axes with one of these verdicts; all measured axes when none is named."""
        return [axis for axis, cell in self.cells.items() if cell and cell.verdict in (verdicts or VERDICTS)]


def _cell(row: Mapping) -> Cell | None:
    """A row of the trends table as a cell, None when it holds no verdict."""
    if row["verdict"] not in VERDICTS:
        return None
    return Cell(
        row["verdict"],
        float(row["spearman"]),
        float(row["spearman_ci_low"]),
        float(row["spearman_ci_high"]),
        int(row["conditions"]),
        int(row["rounds"]),
    )


def claim(axis: str) -> str:
    """A published trend in words.

    Examples
    --------
    >>> claim("J")
    'rise with J'
    """
    return f"{'rise' if PUBLISHED_DIRECTION[axis] > 0 else 'fall'} with {axis}"


def estimator_name(estimator: str) -> str:
    """An estimator's name in sentences."""
    return ESTIMATOR_NAMES.get(estimator, estimator)


def headline(study: MixtureStudy) -> str:
    """The answer in one sentence: under how many divergences all published trends appear.

    Parameters
    ----------
    study
        The study; its main variant is judged.
    """
    rows = [row for row in study.main_rows if row.axes()]
    if not rows:
        return "No trend was measured: no number of components is swept over two values or more."
    whole = [row for row in rows if row.axes("as_published") == row.axes()]
    trends = _trends_noun(max(len(row.axes()) for row in rows))
    if not whole and len(rows) == 1:
        return f"The {_names(rows)} does not show {trends}."
    if not whole:
        return f"None of the {count_word(len(rows))} divergences shows {trends}."
    if len(whole) == len(rows):
        return f"Every divergence shows {trends}." if len(rows) > 1 else f"The {_names(rows)} shows {trends}."
    verb = "appear" if trends.endswith("s") else "appears"
    share = f"{count_word(len(whole))} of {count_word(len(rows))} divergences"
    return f"{capital(trends)} {verb} under {share}: the {_names(whole)}."


def answers(study: MixtureStudy) -> list[tuple[str, str]]:
    """Short answers on the main variant, one an estimator.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    list of (estimator, sentence)
        How many published trends the estimator supports, contradicts and leaves undecided, with
        every rank correlation and its interval.
    """
    found = []
    for row in study.main_rows:
        parts = [
            f"{len(axes)} {verb} (ρ: {_correlations(row, axes)})"
            for verdict, verb in VERDICT_VERBS.items()
            if (axes := row.axes(verdict))
        ]
        trends = f"{len(row.axes())} published trend{'s' if len(row.axes()) > 1 else ''}"
        found.append((row.estimator, f"Of {trends}, {listed(parts)}." if parts else "No trend was measured."))
    return found


def over_variants(study: MixtureStudy) -> str:
    """How each published trend fares over all variants of a study, in one sentence.

    Parameters
    ----------
    study
        The study.
    """
    parts = []
    for axis in AXES:
        cells = [cell for row in study.matrix if (cell := row.cells[axis])]
        tally = {verdict: sum(cell.verdict == verdict for cell in cells) for verdict in VERDICTS}
        if not cells:
            continue
        said = [f"{VERDICT_VERBS[v]} in {'all ' if n == len(cells) > 1 else ''}{n}" for v, n in tally.items() if n]
        parts.append(f"the {claim(axis)} is {listed(said)}")
    if not parts:
        return "No trend was measured in any variant."
    variants = sum(bool(row.axes()) for row in study.matrix)
    noun = f"the {variants} variants" if variants > 1 else "the one variant"
    return f"Over {noun} of covariance, fit and divergence, {'; '.join(parts)}."


def gap_at_base(study: MixtureStudy, *, numbers: bool = True) -> str:
    """Whether synthetic data helped at the unswept condition, by each estimator, in one sentence.

    Parameters
    ----------
    study
        The study; its main variant is read.
    numbers
        Whether the median gaps are told with their intervals.
    """
    parts, sides, rounds = [], set(), 0
    for estimator in study.estimators:
        row = base_row(study, estimator)
        if row is None:
            continue
        low, high = row["median_ci_low_nats"], row["median_ci_high_nats"]
        sides.add("helped" if low > 0 else "harmed" if high < 0 else "undecided")
        parts.append(f"{estimate(row['median_nats'], low, high)} by the {estimator_name(estimator)}")
        rounds = int(row["rounds"])
    if not parts:
        return f"No KL gap was measured at {study.place}."
    winners = {
        "helped": "synthetic data came closer to the truth than anchor data",
        "harmed": "anchor data came closer to the truth than synthetic data",
    }
    decided = sides - {"undecided"}
    if len(decided) > 1:
        verdict = f"whether {winners['helped']} depends on the divergence"
    elif decided:
        verdict = winners[decided.pop()] + (" by every divergence that decides" if "undecided" in sides else "")
    else:
        verdict = "whether synthetic or anchor data came closer to the truth is undecided"
    medians = f"; over {rounds:,} rounds the median KL gap, in nats, is {listed(parts)}" if numbers else ""
    return f"At {study.place}, {verdict}{medians}."


def base_row(study: MixtureStudy, estimator: str) -> Mapping | None:
    """The row of the KL-gap table at the unswept condition of the main variant, None if there is none."""
    wanted = {**study.base, "covariance": study.main[0], "anchor_components": study.main[1], "estimator": estimator}
    table = study.kl_gap
    for column, value in wanted.items():
        table = table[table[column] == value]
    return None if table.empty else table.iloc[0].to_dict()


def how_judged(study: MixtureStudy) -> str:
    """What a verdict rests on, in one sentence.

    Parameters
    ----------
    study
        The study.
    """
    cells = [cell for row in study.matrix for cell in row.cells.values() if cell]
    if not cells:
        return "There are no verdicts."
    sizes = listed(sorted({f"{c.conditions} conditions × {c.rounds:,} rounds" for c in cells}), "or")
    return (
        f"A verdict is the sign of a rank correlation (Spearman's ρ, 95 % bootstrap interval) over {sizes}, "
        f"and undecided unless its permutation p-value, Holm-corrected for all {len(cells)} trends of the study, "
        f"is at most {ALPHA:g}."
    )


def of(study: MixtureStudy, sentence: str) -> str:
    """A sentence that names its study."""
    return f"{study.label}: {sentence[:1].lower()}{sentence[1:]}"


def _correlations(row: MatrixRow, axes: Sequence[str]) -> str:
    cells = ((axis, row.cells[axis]) for axis in axes)
    return ", ".join(f"{axis} {cell.correlation}" for axis, cell in cells if cell)


def _trends_noun(n: int) -> str:
    return "the one published trend" if n == 1 else f"{'both' if n == 2 else f'all {count_word(n)}'} published trends"


def _names(rows: Sequence[MatrixRow]) -> str:
    return listed([estimator_name(row.estimator) for row in rows])
