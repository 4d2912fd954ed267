"""The terms of Theorem 4.10 along the sweeps, with the paper's claims on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ggmi.mixtures.worlds import Condition
from ggmi.plotting.mixtures import AXIS_NAMES
from ggmi.plotting.style import KIND_COLOURS, MUTED, house_style
from ggmi.plotting.summaries import summary_legend, summary_line


@dataclass(frozen=True)
class Row:
    """A row of panels: its label with unit, and one or two terms with their names."""

    label: str
    terms: Mapping[str, str]


def rows(anchors: str) -> list[Row]:
    """The rows of the figure.

    Parameters
    ----------
    anchors
        Variant of the components fitted to anchors, for the bound.
    """
    return [
        Row("ΔI\n(nats a point)", {"information_gain": ""}),
        Row("ΔH\n(nats a point)", {"entropy_change": ""}),
        Row("stand-in for\n$H(S_{anchor}|W)$\n(nats a point)", {"anchor_given_student": ""}),
        Row(
            "stand-ins for\n$H(S_{gen}|W)$\n(nats a point)",
            {"synthetic_given_student": "cross-entropy", "student_entropy": "student's own entropy"},
        ),
        Row("bound of Theorem\n4.10, from stand-ins\n(nats a point)", {f"bound_{anchors}": ""}),
        Row(
            "total variation\ndistance (from 0 to 1)",
            {"task_divergence": "$D_{TV}(D, D_M)$", "student_divergence": "$D_{TV}(D_M, \\pi^{gen})$"},
        ),
    ]


def terms_figure(
    table: pd.DataFrame,
    trends: pd.DataFrame,
    claims: pd.DataFrame,
    sweeps: Mapping[str, Sequence[Condition]],
    anchors: str,
    title: str,
    width: float,
) -> tuple[Figure, pd.DataFrame]:
    """Terms (rows) along each sweep (columns).

    Parameters
    ----------
    table, trends, claims
        Rows of ``terms.csv``, ``term_trends.csv`` and ``claims.csv`` of one covariance variant.
    sweeps
        Conditions of each sweep, by axis.
    anchors
        Variant of the components fitted to anchors, for the bound.
    title
        Headline.
    width
        Width in inches.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
    """
    summaries = table.set_index(["K", "J", "L", "term"])
    shown = rows(anchors)
    drawn = []
    with house_style():
        figure = Figure(figsize=(width, 0.17 * width * len(shown) + 1.2))
        axes = figure.subplots(len(shown), len(sweeps), squeeze=False, sharey="row")
        for i, row in enumerate(shown):
            for j, (axis, conditions) in enumerate(sweeps.items()):
                ax = axes[i, j]
                for k, term in enumerate(row.terms):
                    found = [summaries.loc[(c.K, c.J, c.L, term)] for c in conditions]
                    part = pd.DataFrame(found).reset_index(drop=True)
                    part.insert(0, "value", [getattr(c, axis) for c in conditions])
                    summary_line(ax, part, KIND_COLOURS[axis], k)
                    drawn.append(part.assign(axis=axis, term=term))
                ax.set_title(_panel_title(trends, claims, row.terms, axis, named=j == 0), fontsize=8, loc="left")
                ax.xaxis.set_major_locator(MaxNLocator(integer=True))
                if i == len(shown) - 1:
                    ax.set_xlabel(AXIS_NAMES[axis])
            low, high = axes[i, 0].get_ylim()
            for ax in axes[i] if low < 0 < high else ():
                ax.axhline(0, color=MUTED, linewidth=0.9, zorder=0.5)
            axes[i, 0].set_ylabel(row.label)
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")
        summary_legend(figure)
    return figure, pd.concat(drawn, ignore_index=True)


def _panel_title(
    trends: pd.DataFrame, claims: pd.DataFrame, terms: Mapping[str, str], axis: str, *, named: bool
) -> str:
    """The claim on a panel with its verdict, if there is one, and its lines with their rank correlations."""
    marks = ["● ", "□ "] if len(terms) > 1 else [""]
    claimed: list[str] = []
    lines = []
    for mark, (term, name) in zip(marks, terms.items(), strict=True):
        for c in claims[(claims["term"] == term) & (claims["axis"] == axis)].itertuples():
            claimed += [*([] if claimed else [f"claimed: {c.claimed}"]), f"{mark}{c.verdict}"]
        said = [name] if named and name else []
        for t in trends[(trends["term"] == term) & (trends["axis"] == axis)].itertuples():
            said.append(f"ρ = {t.spearman:+.2f} [{t.spearman_ci_low:+.2f}, {t.spearman_ci_high:+.2f}]")
        lines += [mark + ", ".join(said)] if said else []
    return "\n".join([*([" · ".join(claimed)] if claimed else []), *lines])
