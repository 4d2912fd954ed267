"""Figure of the study of language models: ratings by number and difficulty of records, and by balance."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from ggmi.plotting.style import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, VERMILION, house_style

CURVES = {
    ("random", ""): (BLUE, "-", "random records"),
    ("easiest", "base_loss"): (GREEN, "--", "easiest by the base's loss"),
    ("hardest", "base_loss"): (VERMILION, "-", "hardest by the base's loss"),
    ("easiest", "skill"): (ORANGE, "--", "easiest by skill"),
    ("hardest", "skill"): (PURPLE, "-", "hardest by skill"),
}
TITLES = {"sft": "Fine-tuning", "rl": "Reinforcement"}
# Curves stand apart by this factor, so that intervals do not hide one another.
APART = 1.06


def language_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw mean ratings against the number of records, a panel a method, and gains by balance of the base.

    Parameters
    ----------
    table
        Of `ggmi.language.claims.conditions_table`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The table.
    """
    shown = table.fillna({"by": ""})
    unbalanced = shown[shown["base"] == "unbalanced"]
    with house_style():
        figure, axes = plt.subplots(
            1, 3, figsize=(width_inches, 0.42 * width_inches), gridspec_kw={"width_ratios": [2, 2, 1.3]}
        )
        for axis, method in zip(axes, TITLES, strict=False):
            _by_size(axis, unbalanced, method)
        axes[1].sharey(axes[0])
        _by_balance(axes[2], shown)
        handles = {label: handle for axis in axes[:2] for handle, label in zip(*axis.get_legend_handles_labels())}  # noqa: B905
        figure.legend(list(handles.values()), list(handles), loc="outside upper center", ncols=4)
    return figure, table


def _by_size(axis: Axes, table: pd.DataFrame, method: str) -> None:
    """One method's ratings by number of records, and the base's."""
    base = table[table["method"] == "none"].iloc[0]
    axis.axhline(base["rating"], color=INK, linewidth=0.9, label="the base itself")
    mine = table[(table["method"] == method) & (table["matched"] == "updates")]
    for place, ((subset, by), (colour, line, label)) in enumerate(CURVES.items()):
        part = mine[(mine["subset"] == subset) & (mine["by"] == by)].sort_values("size")
        if len(part):
            style: dict[str, Any] = {"color": colour, "linestyle": line, "marker": "o", "markersize": 3.5}
            axis.errorbar(*_points(part, APART ** (place - 2)), **style, linewidth=1.4, capsize=2, label=label)
    longer = table[(table["method"] == method) & (table["matched"] == "tokens")]
    if len(longer):
        x, y, ends = _points(longer, 1.0)
        label = "random, as many tokens as reinforcement"
        axis.errorbar(x, y, ends, color=MUTED, marker="s", markersize=4.5, linestyle="none", capsize=2, label=label)
    axis.set_xscale("log")
    ticks = sorted(mine["size"].unique())
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("records")
    axis.set_ylabel("mean rating, 1 to 10")
    axis.set_title(TITLES[method], loc="left")


def _points(part: pd.DataFrame, apart: float) -> tuple[Any, Any, Any]:
    """Sizes, ratings, and lengths of their intervals below and above."""
    y = part["rating"].to_numpy(float)
    ends = [y - part["ci_low"].to_numpy(float), part["ci_high"].to_numpy(float) - y]
    return part["size"].to_numpy(float) * apart, y, ends


def _by_balance(axis: Axes, table: pd.DataFrame) -> None:
    """Gains over the own base on all records, by balance."""
    largest = table["size"].max()
    mine = table[(table["size"] == largest) & (table["matched"] == "updates") & (table["subset"] == "random")]
    for shift, (base, colour) in zip((-0.12, 0.12), (("balanced", BLUE), ("unbalanced", ORANGE)), strict=True):
        part = mine[mine["base"] == base].set_index("method").loc[list(TITLES)]
        y = part["gain"].to_numpy(float)
        ends = [y - part["gain_ci_low"].to_numpy(float), part["gain_ci_high"].to_numpy(float) - y]
        places = [i + shift for i in range(len(TITLES))]
        axis.errorbar(places, y, ends, color=colour, marker="o", linestyle="none", capsize=2, label=f"{base} skills")
    axis.axhline(0, color=INK, linewidth=0.9)
    axis.set_xticks(range(len(TITLES)), TITLES.values())
    axis.set_xlim(-0.5, len(TITLES) - 0.5)
    axis.set_ylabel("gain over the own base")
    axis.set_title("Two bases of equal loss", loc="left")
    low, high = axis.get_ylim()
    axis.set_ylim(low - 0.3 * (high - low), high)  # room for the legend
    axis.legend(loc="lower center", fontsize="small", borderpad=0.1)
