"""Figures of trained students: Table 1 as a picture, and loss curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ggmi.plotting.style import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, VERMILION, house_style
from ggmi.rating.table import short_names

ROW_INCHES = 0.42
# Colour and line style change together, so that lines differ in print without colour too.
_COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, INK, MUTED)
_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2, 1, 2, 1, 2)))


def rating_figure(
    table: pd.DataFrame, students: pd.DataFrame, base: str, real: str | None, title: str, width: float
) -> tuple[Figure, pd.DataFrame]:
    """Mean rating of each condition with its interval, base and real data as lines to compare with.

    Parameters
    ----------
    table
        Table 1 (`ggmi.rating.table.rating_table`); its rows are drawn from the top.
    students
        Mean rating of each student (`ggmi.rating.table.seed_means`).
    base, real
        Conditions drawn as lines through all rows.
    title
        Headline.
    width
        Width in inches.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        Rows of the table, and of each student.
    """
    rows = np.arange(len(table))
    row_of = dict(zip(table["condition"], rows, strict=True))
    shown = students[students["condition"].isin(row_of)]
    with house_style():
        figure = Figure(figsize=(width, 1.5 + ROW_INCHES * len(table)))
        ax = figure.subplots()
        lines = [(base, MUTED, (0, (4, 2)), "base"), *([(real, GREEN, "-", "real data")] if real is not None else [])]
        for name, colour, dashes, label in lines:
            ax.axvline(
                table.loc[table["condition"] == name, "mean"].iloc[0],
                color=colour,
                linestyle=dashes,
                linewidth=1.3,
                zorder=1,
                label=f"mean of {name}" if name == label else f"mean of {name} ({label})",
            )
        ax.scatter(
            shown["mean"], shown["condition"].map(row_of) + 0.2, s=12, facecolor="none", edgecolor=INK, linewidth=0.7
        )
        ends = np.nan_to_num(np.clip([table["mean"] - table["ci_low"], table["ci_high"] - table["mean"]], 0, None))
        ax.errorbar(table["mean"], rows, xerr=ends, color=BLUE, linestyle="none", marker="o", elinewidth=2.2, zorder=3)
        for row in range(len(table)):
            _beside(ax, row, _told(table.iloc[row]))
        _beside(ax, -0.75, f"mean    gain over {base}", color=MUTED)
        ax.set_yticks(rows, table["condition"].map(short_names(table["condition"])))
        ax.tick_params(axis="y", labelsize=9, labelcolor=INK, length=0)
        ax.set_ylim(len(table) - 0.5, -0.6)
        ax.grid(visible=False, axis="y")
        ax.set_xlabel("mean rating (judge's scale from 1 to 10)")
        student = Line2D([], [], color=INK, linestyle="none", marker="o", markersize=3.5, markerfacecolor="none")
        student.set_label("one student (seed)")
        mean = Line2D([], [], color=BLUE, marker="o", linewidth=2.2, label="mean, 95 % interval")
        handles = [mean, student, *ax.get_legend_handles_labels()[0]]
        figure.legend(handles=handles, loc="outside lower center", ncols=2 if width < 8 else 4)
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    numbers = pd.concat(
        [table.assign(kind="condition"), shown[["condition", "seed", "mean"]].assign(kind="student")], ignore_index=True
    )
    return figure, numbers


def loss_figure(losses: pd.DataFrame, title: str, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Loss along training, a line a condition and its spread over seeds.

    Parameters
    ----------
    losses
        Row a measurement: condition, seed, split (a panel each, such as training and test),
        epoch, loss_nats (a token).
    title
        Headline.
    width_inches
        Width in inches.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        split, condition, epoch, n_seeds, mean_nats, least_nats, most_nats.
    """
    grouped = losses.groupby(["split", "condition", "epoch"], sort=False)["loss_nats"]
    numbers = grouped.agg(n_seeds="count", mean_nats="mean", least_nats="min", most_nats="max").reset_index()
    numbers = numbers.dropna(subset=["mean_nats"])
    splits, conditions = (list(dict.fromkeys(losses[key])) for key in ("split", "condition"))
    looks = {name: (_COLOURS[i % len(_COLOURS)], _DASHES[i % len(_DASHES)]) for i, name in enumerate(conditions)}
    shown = short_names(conditions)
    with house_style():
        figure = Figure(figsize=(width_inches, 0.42 * width_inches))
        axes = figure.subplots(1, len(splits), sharey=True, squeeze=False)[0]
        for ax, split in zip(axes, splits, strict=True):
            _loss_panel(ax, numbers[numbers["split"] == split], looks)
            ax.set_title(f"on {split} records" if len(splits) > 1 else f"{split} records", loc="left")
        axes[0].set_ylabel("loss (nats a token)")
        handles = [
            Line2D([], [], color=colour, linestyle=dashes, linewidth=1.8, label=shown[name])
            for name, (colour, dashes) in looks.items()
        ]
        figure.legend(
            handles=handles, loc="outside right center", handlelength=3.2, title="mean; band:\nleast to most of seeds"
        )
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    return figure, numbers


def _loss_panel(ax: Axes, part: pd.DataFrame, looks: Mapping[str, tuple[str, Any]]) -> None:
    """One split."""
    for name, of_condition in part.groupby("condition", sort=False):
        colour, dashes = looks[name]
        line = of_condition.sort_values("epoch")
        ax.fill_between(
            line["epoch"], line["least_nats"], line["most_nats"], color=colour, alpha=0.15, linewidth=0, zorder=1
        )
        # A condition that is not trained has a single point.
        marker = "o" if len(line) == 1 else None
        ax.plot(line["epoch"], line["mean_nats"], color=colour, linestyle=dashes, linewidth=1.8, marker=marker)
    # Most of a training happens far below its first loss.
    ax.set_yscale("log")
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))


def _beside(ax: Axes, row: float, text: str, color: str = INK) -> None:
    """Write beside a row, right of the axes."""
    ax.text(1.02, row, text, transform=ax.get_yaxis_transform(), va="center", fontsize=8.5, color=color)


def _told(row: pd.Series) -> str:
    """A row's numbers: the mean, the gain over base and what it may be chance of."""
    if np.isnan(row["mean"]):
        return "no ratings"
    if np.isnan(row["difference_to_base"]):
        return f"{row['mean']:.2f}"
    p = row["p_holm"]
    chance = "" if np.isnan(p) else ", p < 0.001" if p < 0.001 else f", p = {p:.2g}"
    return f"{row['mean']:.2f}    {row['difference_to_base']:+.2f}{chance}"
