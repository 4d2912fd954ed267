"""Figures of slow thinking: the published points with their fits, exact accuracies, accuracy by width."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from ggmi.plotting.style import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, VERMILION, house_style
from ggmi.slow_thinking.published import FORMULAS, Panel, predicted

FORM_STYLES: dict[str, dict[str, Any]] = {
    "inverse": {"color": BLUE, "linewidth": 2},
    "logarithmic": {"color": VERMILION, "linewidth": 1.6, "linestyle": (0, (5, 2))},
    "linear": {"color": MUTED, "linewidth": 1.2, "linestyle": (0, (1.5, 1.5))},
}
METHOD_STYLES: dict[str, dict[str, Any]] = {
    "stepwise": {"color": BLUE, "label": "step-wise search", "marker": "o"},
    "best_of_n": {"color": ORANGE, "label": "best-of-N", "marker": "s"},
    "full_tree": {"color": GREEN, "label": "full tree", "marker": "^"},
}
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILION)
# Points along a curve.
CURVE = 120


def points_figure(shown: list[Panel], fits: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw information per token against length with three fits, a panel each, and the exponents of decay.

    Parameters
    ----------
    shown
        The panels of points.
    fits
        Of `ggmi.slow_thinking.published.fits_table`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        Curves and exponents; the points are data of the study.
    """
    rows = []
    with house_style():
        figure, axes = plt.subplots(2, 4, figsize=(width_inches, 0.56 * width_inches))
        for axis, panel in zip(axes.flat, shown, strict=False):
            small = len(panel.lengths) > 500
            size, alpha = (3, 0.25) if small else (9, 0.5)
            axis.scatter(panel.lengths, panel.information, s=size, color=MUTED, alpha=alpha, linewidths=0)
            lengths = np.geomspace(panel.lengths.min(), panel.lengths.max(), CURVE)
            mine = fits[fits["panel"] == panel.name].set_index("form")
            for form, style in FORM_STYLES.items():
                values = predicted(form, lengths, mine.loc[form, "a"], mine.loc[form, "b"])
                axis.plot(lengths, values, **style, label=f"${_math(form)}$")
                rows += [(panel.name, form, x, y) for x, y in zip(lengths, values, strict=True)]
            axis.set_title(panel.name, loc="left")
            axis.set_ylim(min(0.0, panel.information.min()) - 0.02, np.quantile(panel.information, 0.995) * 1.08)
        for axis in axes.flat[len(shown) :]:
            _exponents(axis, fits)
        for axis in axes[:, 0]:
            axis.set_ylabel("mutual information,\nnats a token")
        for axis in (*axes[1][:3], axes[0][3]):
            axis.set_xlabel("mean length L, tokens")
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(handles))
    exponents = fits[fits["form"] == "power"]
    rows += [(row.panel, "exponent of a L^-b", np.nan, row.b) for row in exponents.itertuples()]
    return figure, pd.DataFrame(rows, columns=["panel", "curve", "length_tokens", "value"])


def _math(form: str) -> str:
    return {"inverse": "a/L", "logarithmic": r"a\,\log L + b", "linear": "a L + b"}.get(form, FORMULAS[form])


def _exponents(axis: Axes, fits: pd.DataFrame) -> None:
    """Exponents of the power law, with intervals, against that of 1/L."""
    power = fits[fits["form"] == "power"].iloc[::-1]
    places = np.arange(len(power))
    error = [power["b"] - power["b_ci_low"], power["b_ci_high"] - power["b"]]
    axis.axvline(1, color=BLUE, linewidth=1.4)
    axis.errorbar(power["b"], places, xerr=error, fmt="o", color=INK, markersize=4, capsize=2.5, linewidth=1.2)
    axis.set_yticks(places, [name.replace("GSM8k, ", "").replace("MATH-500, ", "") for name in power["panel"]])
    axis.set_title("exponent b of $a L^{-b}$", loc="left")
    axis.set_xlabel("b (1: total is constant)")
    axis.grid(visible=False, axis="y")


def exact_figure(exact: pd.DataFrame, crossover: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw accuracy by width for every method, and below it the crossover in the verifier's reliability.

    Parameters
    ----------
    exact, crossover
        The tables of that name.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The rows of ``exact.csv`` that are drawn: the middle lambda, the least and the largest epsilon.
    """
    lengths = sorted(exact["L"].unique())
    growths = sorted(exact["lambda"].unique())
    middle = growths[len(growths) // 2]
    ends = sorted({exact["eps"].min(), exact["eps"].max()}, reverse=True)
    numbers = exact[(exact["lambda"] == middle) & exact["eps"].isin(ends)]
    with house_style():
        figure, axes = plt.subplots(
            2, len(lengths), figsize=(width_inches, 0.56 * width_inches), sharex=True, sharey="row", squeeze=False
        )
        for axis, length in zip(axes[0], lengths, strict=True):
            for (method, eps), rows in numbers[numbers["L"] == length].groupby(["method", "eps"], sort=False):
                faint = eps != ends[0]
                style = {**METHOD_STYLES[str(method)], "linestyle": (0, (3, 2)) if faint else "-", "markersize": 3.5}
                style |= {"label": f"{style['label']}, ε = {eps:g}", "markerfacecolor": "none" if faint else None}
                axis.plot(rows["width"], rows["accuracy"], **style)
            axis.set_title(f"L = {length} steps, log λ = {np.log(middle):g}", loc="left")
        for axis, length in zip(axes[1], lengths, strict=True):
            for colour, growth in zip(COLOURS, growths, strict=False):
                rows = crossover[(crossover["L"] == length) & (crossover["lambda"] == growth)]
                axis.plot(
                    rows["width"], rows["eps_crossover"], color=colour, marker="o", markersize=3.5,
                    label=f"log λ = {np.log(growth):g}",
                )  # fmt: skip
            _widths(axis, exact["width"])
            axis.set_ylim(0, 1.05)
            axis.set_xlabel("width k (samples)")
        axes[0][0].set_ylabel("accuracy")
        axes[1][0].set_ylabel("crossover ε*")
        axes[1][0].text(0.04, 0.06, "below a line: best-of-N is better", transform=axes[1][0].transAxes, color=MUTED)
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
        axes[1][-1].legend(loc="best")
    return figure, numbers.reset_index(drop=True)


def _widths(axis: Axes, widths: pd.Series) -> None:
    """A scale of widths that double, marked by themselves."""
    axis.set_xscale("log", base=2)
    axis.set_xticks(sorted(widths.unique()))
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_formatter(NullFormatter())


def width_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw the published accuracies by width with Wilson's intervals.

    Parameters
    ----------
    table
        Of `ggmi.slow_thinking.width.width_table`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        What is drawn.
    """
    tasks = list(dict.fromkeys(table["task"]))
    names = {"gsm8k": "GSM8k", "prontoqa": "PrOntoQA"}
    with house_style():
        figure, axes = plt.subplots(
            1, len(tasks), figsize=(width_inches, 0.34 * width_inches), sharey=True, squeeze=False
        )
        for axis, task in zip(axes[0], tasks, strict=True):
            rows = table[table["task"] == task]
            error = [rows["accuracy"] - rows["ci_low"], rows["ci_high"] - rows["accuracy"]]
            axis.errorbar(rows["k"], rows["accuracy"], yerr=error, color=BLUE, capsize=2.5, linewidth=1.2)
            sure = rows[rows["step"] == "told apart"]
            axis.plot(rows["k"], rows["accuracy"], "o", color=BLUE, markerfacecolor="white", label="as published")
            axis.plot(sure["k"], sure["accuracy"], "o", color=BLUE, label="told apart from the width before")
            if rows["chance"].notna().any():
                axis.axhline(rows["chance"].iloc[0], color=MUTED, linestyle=(0, (4, 2)), linewidth=1, label="chance")
            axis.set_title(f"{names.get(task, task)}, {rows['questions'].iloc[0]:,} questions", loc="left")
            axis.set_xlabel("width k of the search")
            axis.set_xticks(rows["k"])
            axis.legend(loc="lower right")
        axes[0][0].set_ylabel("accuracy, 95 % interval")
    return figure, table
