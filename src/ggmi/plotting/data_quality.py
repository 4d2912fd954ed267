"""Figures of data quality: error by number and length of prompts, the limit, small sets, difficulty, outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from ggmi.plotting.style import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, VERMILION, house_style

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILION)
BASELINE_STYLES: dict[str, dict[str, Any]] = {
    "no fine-tuning": {"linestyle": (0, (1, 1.5)), "label": "no fine-tuning"},
    "best one-step": {"linestyle": (0, (5, 2)), "label": "best one-step predictor"},
    "limit": {"linestyle": "-.", "label": "endless fine-tuning, V∞"},
}
VARIANT_NAMES = {
    "tied": "all lengths tied (published)",
    "n_pre": "pretraining n alone",
    "n_sft": "fine-tuning n alone",
    "n_test": "test n alone",
}
# Errors above are cut off: after eight steps some would need another scale.
CEILING = 1e12


def number_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw test error against the number of prompts, a column an interference r, a row a number of test steps.

    Parameters
    ----------
    table
        Of `ggmi.data_quality.curves.curve_table`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The table.
    """
    rs, steps, lengths = (sorted(table[name].unique()) for name in ("r", "test_steps", "n_sft"))
    with house_style():
        figure, axes = plt.subplots(
            len(steps), len(rs), figsize=(width_inches, (0.08 + 0.26 * len(steps)) * width_inches),
            sharex=True, sharey="row", squeeze=False,
        )  # fmt: skip
        for row, k in zip(axes, steps, strict=True):
            for axis, r in zip(row, rs, strict=True):
                part = table[(table["r"] == r) & (table["test_steps"] == k)]
                for colour, n in zip(COLOURS, lengths, strict=False):
                    _by_number(axis, part[part["n_sft"] == n], colour, f"n = {n}")
                axis.axhline(1, color=INK, linewidth=0.9)
                axis.set_yscale("log")
                axis.set_title(f"r = {r:g}, {k} test step{'s' if k > 1 else ''}", loc="left")
            top = min(CEILING, 2 * table.loc[table["test_steps"] == k, "err_over_d_median"].max())
            row[0].set_ylim(None, top)
            row[0].set_ylabel("test error / d")
        for axis in axes[-1]:
            axis.set_xlabel("fine-tuning prompts B")
        _baseline_legend(figure, axes[0][0])
    return figure, table


def _by_number(axis: Axes, part: pd.DataFrame, colour: str, label: str) -> None:
    """One length's curve with its interval, and its baselines."""
    curve = part[part["B"].notna()].sort_values("B")
    x = curve["B"].astype(float)
    axis.fill_between(x, curve["ci_low"], curve["ci_high"], color=colour, alpha=0.2, linewidth=0)
    axis.plot(x, curve["err_over_d_median"], color=colour, linewidth=1.5, label=label)
    for name, style in BASELINE_STYLES.items():
        level = part.loc[part["baseline"] == name, "err_over_d_median"]
        axis.axhline(level.iloc[0], color=colour, linewidth=0.9, **{k: v for k, v in style.items() if k != "label"})


def _baseline_legend(figure: Figure, axis: Axes) -> None:
    """One legend for curves and for what is drawn beside them."""
    handles, labels = axis.get_legend_handles_labels()
    handles += [plt.Line2D([], [], color=MUTED, linewidth=1.1, **style) for style in BASELINE_STYLES.values()]
    labels += [style["label"] for style in BASELINE_STYLES.values()]
    handles.append(plt.Line2D([], [], color=INK, linewidth=0.9))
    labels.append("no answer, ŵ = 0")
    figure.legend(handles, labels, loc="outside upper center", ncols=4)


def length_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw test error of one step against the length of prompts, tied and each length alone.

    Parameters
    ----------
    table
        Of `ggmi.data_quality.curves.curve_table`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The table, with the rows of more test steps.
    """
    one = table[table["test_steps"] == 1]
    rs, variants, numbers = sorted(one["r"].unique()), list(VARIANT_NAMES), sorted(one["B"].dropna().unique())
    with house_style():
        figure, axes = plt.subplots(
            len(variants),
            len(rs),
            figsize=(width_inches, 0.98 * width_inches),
            sharex=True,
            sharey="row",
            squeeze=False,
        )
        for row, variant in zip(axes, variants, strict=True):
            column = "n_sft" if variant == "tied" else variant
            for axis, r in zip(row, rs, strict=True):
                part = one[(one["r"] == r) & (one["variant"] == variant)].sort_values(column)
                for colour, b in zip(COLOURS, numbers, strict=False):
                    curve = part[part["B"] == b]
                    axis.fill_between(
                        curve[column], curve["ci_low"], curve["ci_high"], color=colour, alpha=0.2, linewidth=0
                    )
                    axis.plot(curve[column], curve["err_over_d_median"], color=colour, linewidth=1.5, label=f"B = {b}")
                for name, style in BASELINE_STYLES.items():
                    level = part[part["baseline"] == name]
                    shape = {k: v for k, v in style.items() if k != "label"}
                    axis.plot(level[column], level["err_over_d_median"], color=MUTED, linewidth=1.1, **shape)
                axis.axhline(1, color=INK, linewidth=0.9)
                axis.set_yscale("log")
                axis.set_title(f"r = {r:g}: {VARIANT_NAMES[variant]}", loc="left", fontsize=8.5)
            row[0].set_ylabel("test error / d")
        for axis in axes[-1]:
            axis.set_xlabel("length n of prompts")
        _baseline_legend(figure, axes[0][0])
    return figure, table


def limit_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw F as printed and as corrected beside the simulated errors of Ṽ and of V*.

    Parameters
    ----------
    table
        Of `ggmi.data_quality.limit.limit_table`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The table.
    """
    lengths = sorted(table["n"].unique())
    styles: dict[str, dict[str, Any]] = {
        "F_printed": {"color": VERMILION, "linestyle": (0, (4, 2)), "label": "F as printed"},
        "F_corrected": {"color": BLUE, "label": "F corrected (ours)"},
        "V_tilde": {"color": BLUE, "marker": "o", "linestyle": "", "label": "Ṽ simulated"},
        "V_star": {"color": GREEN, "marker": "s", "linestyle": "", "label": "V* simulated"},
    }
    with house_style():
        figure, axes = plt.subplots(1, len(lengths), figsize=(width_inches, 0.4 * width_inches), squeeze=False)
        for axis, n in zip(axes[0], lengths, strict=True):
            for quantity, style in styles.items():
                part = table[(table["n"] == n) & (table["quantity"] == quantity)].sort_values("B")
                if quantity.startswith("F"):
                    axis.plot(part["B"], part["err_over_d_median"], linewidth=1.6, **style)
                    continue
                error = [part["err_over_d_median"] - part["ci_low"], part["ci_high"] - part["err_over_d_median"]]
                axis.errorbar(part["B"], part["err_over_d_median"], yerr=error, markersize=4, capsize=2, **style)
            axis.set_yscale("log")
            axis.set_title(f"n = {n}", loc="left")
            axis.set_xlabel("fine-tuning prompts B")
        axes[0][0].set_ylabel("test error / d")
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure, table


def small_set_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw by how much the best small set is better or worse than each rival, over interference and length.

    Parameters
    ----------
    table
        Of `ggmi.data_quality.small_sets.small_sets`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The table.
    """
    rivals = {
        "err_no_tuning": "no fine-tuning", "err_zero": "no answer, ŵ = 0",
        "err_best_one_step": "best one-step", "err_limit": "endless fine-tuning",
    }  # fmt: skip
    with house_style():
        figure, axes = plt.subplots(1, len(rivals), figsize=(width_inches, 0.34 * width_inches), sharey=True)
        for axis, (column, name) in zip(axes, rivals.items(), strict=True):
            ratio = np.log10(table["err_small_median"] / table[column])
            grid = table.assign(ratio=ratio).pivot_table(index="r_over_eta", columns="n_over_d", values="ratio")
            drawn = axis.imshow(
                grid.to_numpy(), cmap="PuOr_r", norm=TwoSlopeNorm(0, -2, 2), origin="lower", aspect="auto"
            )
            for (y, x), value in np.ndenumerate(grid.to_numpy()):
                colour = "white" if abs(value) > 1.2 else INK
                axis.text(
                    x, y, f"{10**value:.{0 if value > 1 else 2}f}", ha="center", va="center", fontsize=7, color=colour
                )
            axis.set_xticks(range(grid.shape[1]), [f"{x:g}" for x in grid.columns])
            axis.set_yticks(range(grid.shape[0]), [f"{x:g}" for x in grid.index])
            axis.set_title(f"over {name}", loc="left")
            axis.set_xlabel("n / d")
            axis.grid(visible=False)
        axes[0].set_ylabel("interference r / η")
        bar = figure.colorbar(drawn, ax=axes, fraction=0.02, ticks=[-2, -1, 0, 1, 2])
        bar.ax.set_yticklabels(["1/100", "1/10", "1", "10", "100"])
        bar.set_label("error of the best small set, ratio")
    return figure, table


def difficulty_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw test error against difficulty for data that differ in one thing alone.

    Parameters
    ----------
    table
        Of `ggmi.data_quality.difficulty.difficulty_table`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The table.
    """
    families = {
        "alignment": "share of the trace in the shift",
        "scale": "scale, factor of the published A",
        "spread": "ratio of variances in the shift",
    }
    lengths = sorted(table["n"].unique())
    with house_style():
        figure, axes = plt.subplots(
            2, len(families), figsize=(width_inches, 0.56 * width_inches), sharex="col", squeeze=False
        )
        for column, (family, text) in zip(axes.T, families.items(), strict=True):
            part = table[table["family"] == family].sort_values("value")
            for colour, n in zip(COLOURS, lengths, strict=False):
                mine = part[part["n"] == n]
                _difficulties(column, mine, colour, f"n = {n}")
            for axis in column:
                axis.set_yscale("log")
                if family != "alignment":
                    axis.set_xscale("log", base=2)
            column[0].set_title(family, loc="left")
            column[1].set_xlabel(text)
        axes[0][0].set_ylabel("test error / d")
        axes[1][0].set_ylabel("difficulty / d")
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
        axes[1][1].legend(*axes[1][1].get_legend_handles_labels(), loc="upper left")
    return figure, table


def _difficulties(axes: Sequence[Axes], part: pd.DataFrame, colour: str, label: str) -> None:
    """Error by number of prompts above, difficulty in both scales below."""
    dashes = ["-", (0, (5, 2)), (0, (1.5, 1.5))]
    sizes = [None, *sorted(part["B"].dropna().unique(), reverse=True)]
    for size, dash in zip(sizes, dashes, strict=False):
        curve = part[part["B"].isna()] if size is None else part[part["B"] == size]
        name = f"{label}, endless prompts" if size is None else f"{label}, B = {size:g}"
        axes[0].plot(
            curve["value"], curve["err_over_d_median"], color=colour, linestyle=dash, linewidth=1.4, label=name
        )
    once = part[part["B"].isna()]
    axes[1].plot(once["value"], once["difficulty_full_scale_over_d"], color=colour, label=f"{label}, test's scale")
    axes[1].plot(
        once["value"], once["difficulty_over_d"], color=colour, linestyle=dashes[1], label=f"{label}, A itself"
    )


def outcome_figure(curvature: pd.DataFrame, outcome: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw curvature against the chain's length, and what outcome supervision ends at.

    Parameters
    ----------
    curvature, outcome
        Of `ggmi.data_quality.outcome_study`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The medians that are drawn.
    """
    bent = curvature.groupby(["n", "k", "place"], sort=False)["curvature"].median().reset_index()
    keys = ["varied", "n", "B", "k", "steps", "shift", "radius_of_shift", "method"]
    ends = outcome.groupby(keys, sort=False, dropna=False)["err_over_d"].median().reset_index()
    panels = {"B": "training prompts B", "n": "length n", "steps": "steps of descent", "radius_of_shift": "ρ(Γ0⁻¹Δ)"}
    with house_style():
        figure, axes = plt.subplots(2, 3, figsize=(width_inches, 0.56 * width_inches))
        places = {"start": BLUE, "fine-tuned": ORANGE, "outcome": GREEN}
        for axis, (n, part) in zip(axes[0], bent.groupby("n"), strict=False):
            for place, colour in places.items():
                mine = part[part["place"] == place]
                axis.plot(mine["k"], mine["curvature"], color=colour, marker="o", markersize=3.5, label=place)
            axis.set_title(f"curvature, n = {n}", loc="left")
            axis.set_xlabel("steps k")
            axis.set_ylabel("largest eigenvalue")
        axes[0][0].legend(loc="upper left")
        rest = [axis for axis in axes.flat if not axis.lines]
        for axis, (column, text) in zip(rest, panels.items(), strict=False):
            part = ends[ends["varied"] == ("shift" if column == "radius_of_shift" else column)]
            _outcomes(axis, part, column)
            axis.set_xlabel(text)
            axis.set_xscale("log")
            ticks = sorted(float(x) for x in part[column].unique() if x > 0)
            axis.set_xticks(ticks, [f"{x:.2g}" if x < 100 else f"{x:.0f}" for x in ticks])
            axis.xaxis.set_minor_formatter(NullFormatter())
            axis.set_ylabel("test error / d")
            axis.set_title({"radius_of_shift": "by how much is to learn"}.get(column, f"by {text}"), loc="left")
        for axis in axes.flat:
            axis.set_yscale("log")
        figure.legend(*rest[0].get_legend_handles_labels(), loc="outside upper center", ncols=6)
    numbers = pd.concat([bent.assign(varied="curvature"), ends])
    return figure, numbers


def _outcomes(axis: Axes, part: pd.DataFrame, column: str) -> None:
    """Error before and after, a colour a chain's length."""
    dashes = {"outcome": "-", "fine-tuned": (0, (5, 2)), "pretrained": (0, (1, 1.5))}
    for colour, (k, mine) in zip(COLOURS, part.groupby("k"), strict=False):
        for method, dash in dashes.items():
            curve = mine[(mine["method"] == method) & (mine[column] > 0)].sort_values(column)
            if len(curve):
                label = f"{method}, k = {k}"
                axis.plot(curve[column], curve["err_over_d"], color=colour, linestyle=dash, linewidth=1.4, label=label)
