"""Accuracy against the number of samples by method, and how reliable scores are against what chance attains."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ggmi.plotting.style import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, VERMILION, house_style

# Colours of scores in turn, those of best-of-k and of weighted votes by one score differ in style.
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE)
STYLES: dict[str, dict[str, Any]] = {
    "pass": {"color": MUTED, "linestyle": "--", "marker": "^"},
    "majority": {"color": INK, "marker": "s"},
    "best of k": {"marker": "o"},
    "weighted vote": {"marker": "D", "markerfacecolor": "white", "linestyle": (0, (5, 1.5))},
}
NAMES = {"pass": "pass@k", "majority": "majority", "best of k": "best by {}", "weighted vote": "vote by {}"}


def scaling_figure(curves: pd.DataFrame, reliability: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw accuracy by method, and the reliability of each score where there are scores.

    Parameters
    ----------
    curves, reliability
        Tables of `ggmi.scaling.study.Scaling`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        What is drawn.
    """
    scores = list(dict.fromkeys(curves["score"][curves["score"] != ""]))
    colours = {score: COLOURS[i % len(COLOURS)] for i, score in enumerate(scores)}
    panels = 1 if reliability.empty else 2
    with house_style():
        figure, axes = plt.subplots(
            1, panels, figsize=(width_inches, 0.46 * width_inches), squeeze=False, width_ratios=[1.25, 1][:panels]
        )
        accuracy = axes[0, 0]
        for (method, score), part in curves.groupby(["method", "score"], sort=False):
            style = STYLES[str(method)] | ({"color": colours[str(score)]} if score else {})
            _line(accuracy, part, "value", NAMES[str(method)].format(score), style)
        _ticks(accuracy, curves["k"])
        accuracy.set_title("Share of problems solved", loc="left")
        if panels == 2:
            _reliability(axes[0, 1], reliability, colours)
        figure.legend(*accuracy.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    drawn = curves.assign(panel="solved")
    return figure, pd.concat([drawn, reliability.assign(panel="reliability")], ignore_index=True)


def _reliability(axis: Axes, reliability: pd.DataFrame, colours: dict[str, str]) -> None:
    """Right choices where there is a right sample."""
    for score, part in reliability.groupby("score", sort=False):
        _line(axis, part, "reliability", "", {"color": colours[str(score)], "marker": "o"})
    chance = reliability.drop_duplicates("k")
    axis.plot(chance["k"], chance["threshold"], color=MUTED, linestyle="--", linewidth=1.2, label="choice at random")
    axis.plot(chance["k"], chance["one_over_k"], color=MUTED, linestyle=":", linewidth=1.2, label="1/k")
    _ticks(axis, reliability["k"])
    axis.set_ylim(0, 1.02)
    axis.set_title("Reliability: a right choice where one is there", loc="left")
    axis.legend(loc="lower left")


def _line(axis: Axes, part: pd.DataFrame, value: str, label: str, style: dict[str, Any]) -> None:
    """One curve with its interval."""
    axis.plot(part["k"], part[value], label=label, linewidth=1.5, markersize=4, **style)
    if part["ci_low"].notna().all():
        axis.fill_between(part["k"], part["ci_low"], part["ci_high"], color=style["color"], alpha=0.09, linewidth=0)


def _ticks(axis: Axes, ks: pd.Series) -> None:
    """Doublings on a logarithmic scale, as whole numbers."""
    if ks.max() > 1:
        axis.set_xscale("log", base=2)
    marks = sorted({int(k) for k in ks if k & (k - 1) == 0} | {int(ks.max())})
    if len(marks) > 1 and marks[-1] < 1.4 * marks[-2]:
        del marks[-2]
    axis.set_xticks(marks, [f"{mark:,}" for mark in marks])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("samples a problem, k")
