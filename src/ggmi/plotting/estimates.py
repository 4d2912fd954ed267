"""Estimates against what is exactly true in the embedded world."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import CARETDOWN, CARETUP

from ggmi.plotting.style import INK, KIND_COLOURS, MUTED, house_style

# What each panel shows: estimator, exact quantity, and whether both are in one unit.
PANELS = (
    ("information_gain_first", "ΔI of a first record, nats", True),
    ("semantic_entropy_chao_shen", "entropy of a record, nats", True),
    ("total_variation", "D_TV to the task", True),
    ("cka", "mutual information, nats", False),
)
TITLES = {
    "information_gain_first": "from log-probabilities",
    "semantic_entropy_chao_shen": "semantic entropy, Chao–Shen",
    "total_variation": "held-out classifier",
    "cka": "centred kernel alignment",
}


EXACT: dict[str, Any] = {"color": MUTED, "linestyle": (0, (4, 2)), "linewidth": 1}
# Room around the points, and steps between generators whose intervals would hide each other, as shares of
# their range.
ROOM, ASIDE = 0.08, 0.015


def estimates_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw estimates against the truth, a panel a quantity, a colour a generator.

    Estimates of sets that are too small beside the largest are hollow and set no axis, for a few
    records give anything; one beyond a panel is a caret at its edge.

    Parameters
    ----------
    table
        Of `ggmi.pipeline.estimation_tables.truth_table`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The rows that are drawn.
    """
    numbers = table[table["estimator"].isin([name for name, _, _ in PANELS])].reset_index(drop=True)
    generators = list(dict.fromkeys(numbers["generator"]))
    colours = dict(zip(generators, list(KIND_COLOURS.values()) * len(generators), strict=False))
    markers = dict(zip(generators, "osDvph" * len(generators), strict=False))
    with house_style():
        figure, axes = plt.subplots(1, len(PANELS), figsize=(width_inches, 0.32 * width_inches))
        for axis, (estimator, truth, one_unit) in zip(axes, PANELS, strict=True):
            mine = numbers[(numbers["estimator"] == estimator) & numbers["value"].notna()]
            _frame(axis, mine, one_unit)
            for i, generator in enumerate(generators):
                part = mine[mine["generator"] == generator]
                aside = (i - (len(generators) - 1) / 2) * ASIDE * np.ptp(axis.get_xlim())
                _draw(axis, part, aside, colours[generator], markers[generator])
            if not len(mine):
                axis.text(0.5, 0.5, "no estimate", transform=axis.transAxes, ha="center", color=MUTED)
            axis.set_title(TITLES[estimator], loc="left", color=INK)
            axis.set_xlabel(f"exact {truth}")
        axes[0].set_ylabel("estimate")
        hollow = numbers.groupby("generator")["too_small"].all()
        handles = [
            Line2D(
                [],
                [],
                linestyle="none",
                marker=markers[g],
                color=colours[g],
                markerfacecolor="none" if hollow[g] else None,
                label=f"{g} (too few records)" if hollow[g] else g,
            )
            for g in generators
        ]
        handles.append(Line2D([], [], **EXACT, label="exact"))
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure, numbers


def _frame(axis: Axes, mine: pd.DataFrame, one_unit: bool) -> None:
    """Limits by the sets that are large enough (all, where none is), and the line of equality."""
    counted = mine[~mine["too_small"]] if (~mine["too_small"]).any() else mine
    if not len(counted):
        return
    x = counted["truth"].to_numpy(float)
    y = counted[["value", "ci_low", "ci_high"]].to_numpy(float)
    if one_unit:
        axis.plot([x.min(), x.max()], [x.min(), x.max()], **EXACT)
        y = np.append(y, [x.min(), x.max()])
    for limits, values in ((axis.set_xlim, x), (axis.set_ylim, y)):
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        room = ROOM * (high - low) or 0.5
        limits(low - room, high + room)


def _draw(axis: Axes, part: pd.DataFrame, aside: float, colour: str, marker: str) -> None:
    """One generator's estimates: filled, hollow for small sets, a caret beyond the panel."""
    low, high = axis.get_ylim()
    for row in part.to_dict("records"):
        value, fill = row["value"], "none" if row["too_small"] else colour
        style: dict[str, Any] = {"linestyle": "none", "marker": marker, "color": colour, "markerfacecolor": fill}
        if not low <= value <= high:
            style |= {"marker": CARETUP if value > high else CARETDOWN, "clip_on": False}
            axis.plot([row["truth"] + aside], [np.clip(value, low, high)], **style)
            continue
        error = [[np.nan_to_num(value - row["ci_low"])], [np.nan_to_num(row["ci_high"] - value)]]
        axis.errorbar([row["truth"] + aside], [value], yerr=error, capsize=2.5, markersize=5, **style)
