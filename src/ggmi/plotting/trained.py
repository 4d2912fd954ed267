"""Figures of trained transformers: the panels of figures 3 and 4, policy gradients, balance and difficulty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from ggmi.data_quality.trained.claims import NAMES, varied_length
from ggmi.plotting.style import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, VERMILION, house_style
from ggmi.statistics import median_interval

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILION)
PANELS = {"B": "training prompts B", "n": "length n of prompts", "k": "chain k in training"}
VARIED = {"tied": "all lengths", "n_pre": "pretraining n alone", "n_sft": "training n alone", "n_test": "test n alone"}
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)))
FAMILIES = {
    "balance": "least variance of pretraining",
    "balance, equal error": "least variance, pretrained error equal",
    "scale": "scale of the data, factor of Δ",
    "alignment": "share of the trace in the shift",
}
# Errors above are cut off, so that the rest can be read.
CEILING = 1e3


def medians(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Summarise repetitions: medians with distribution-free 95 % intervals.

    Parameters
    ----------
    table
        Repetitions, with ``err_over_d`` and ``pretrained_over_d``.
    keys
        Columns that tell settings apart.

    Returns
    -------
    DataFrame
        ``keys``, ``err_over_d_median``, ``ci_low``, ``ci_high`` (NaN with fewer than six repetitions),
        ``pretrained_over_d_median``, ``seeds``.
    """
    rows = []
    for key, part in table.groupby(list(keys), sort=False, dropna=False):
        interval = median_interval(part["err_over_d"])
        middle = [part[name].median() for name in ("err_over_d", "pretrained_over_d")]
        rows.append((*key, middle[0], interval.low, interval.high, middle[1], len(part)))
    found = ("err_over_d_median", "ci_low", "ci_high", "pretrained_over_d_median", "seeds")
    return pd.DataFrame(rows, columns=[*keys, *found])


def panel_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw the six panels, SFT and outcome supervision over B, n and k, after one test step and as many as in training.

    Parameters
    ----------
    table
        Columns `ggmi.data_quality.trained.plan.TRAINED_COLUMNS`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        Medians over repetitions.
    """
    numbers = medians(table, [name for name in table if name not in ("seed", "err_over_d", "pretrained_over_d")])
    numbers["n"] = varied_length(numbers).where(numbers["panel"] == "n", numbers["n_test"])
    rows = [(method, tested) for method in NAMES for tested in ("1 test step", "test steps as in training")]
    with house_style():
        figure, axes = plt.subplots(
            len(rows), len(PANELS), figsize=(width_inches, 1.3 * width_inches), sharex="col", sharey="row"
        )
        for line, (method, tested) in zip(axes, rows, strict=True):
            wanted = 1 if tested.startswith("1") else numbers["k"]
            part = numbers[(numbers["method"] == method) & (numbers["k_test"] == wanted)]
            for axis, (panel, text) in zip(line, PANELS.items(), strict=True):
                mine = part[part["panel"] == panel]
                for style, curve in _curves(mine, panel):
                    _draw(axis, curve.sort_values(panel), panel, style)
                _log_axes(axis, sorted(numbers.loc[numbers["panel"] == panel, panel].unique()))
                axis.set_title(f"{method}, {tested}", loc="left", fontsize=8.5)
                axis.axhline(1, color=INK, linewidth=0.8)
                if axis in axes[-1]:
                    axis.set_xlabel(text)
            line[0].set_ylabel("test error / d")
            top = min(CEILING, 1.5 * part[["err_over_d_median", "pretrained_over_d_median"]].max().max())
            line[0].set_ylim(None, top)
        # SFT has every curve that outcome supervision has; below the last panels nothing is hidden.
        for first, last in zip(axes[0], axes[-1], strict=True):
            last.legend(*_once(first), loc="upper center", bbox_to_anchor=(0.5, -0.28), fontsize=7, handlelength=2.6)
    return figure, numbers


def _curves(part: pd.DataFrame, panel: str) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Curves of a panel with their styles: colour by what is kept, dash by schedule or share."""
    by_colour = "varied" if panel == "n" else "n"
    colours = {value: COLOURS[i] for i, value in enumerate(dict.fromkeys(part[by_colour]))}
    etas, rates = (sorted(part[name].dropna().unique()) for name in ("eta", "rate"))
    keys = [by_colour, "eta", "rate", "schedule"]
    for (value, eta, rate, schedule), curve in part.groupby(keys, dropna=False, sort=False):
        place = (etas.index(eta) if eta in etas else 0) * len(rates) + rates.index(rate)
        words = [VARIED[value] if panel == "n" else f"n = {value:g}"]
        words += [f"η = {eta:g}"] if len(etas) > 1 else []
        words += [f"rate {rate:g}"] if len(rates) > 1 else []
        words += [f"fixed {schedule}"] if panel == "B" else []
        colour = colours[value]
        style = {"color": colour, "linestyle": DASHES[place % len(DASHES)], "label": ", ".join(words)}
        if schedule == "steps":
            style |= {"marker": "o", "markersize": 2.5}
        yield style, curve


def _draw(axis: Axes, curve: pd.DataFrame, x: str, style: dict[str, Any]) -> None:
    """Median with its interval, and the pretrained model beside it."""
    low, high = curve["ci_low"], curve["ci_high"]
    axis.fill_between(curve[x], low, high, color=style["color"], alpha=0.12, linewidth=0)
    axis.plot(curve[x], curve["err_over_d_median"], linewidth=1.3, **style)
    axis.plot(curve[x], curve["pretrained_over_d_median"], color=style["color"], linewidth=0.9, alpha=0.45)


def _once(axis: Axes) -> tuple[list[Any], list[str]]:
    """Handles and labels, each label once, and what pale lines are."""
    handles, labels = axis.get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    found["pale: pretrained"] = plt.Line2D([], [], color=MUTED, linewidth=0.9, alpha=0.6)
    return list(found.values()), list(found)


def _log_axes(axis: Axes, ticks: Sequence[float]) -> None:
    """Logarithmic axes with the values that were tried as ticks."""
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xticks(list(ticks), [f"{x:g}" for x in ticks], rotation=60 if len(ticks) > 5 else 0)
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())


def reward_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw policy gradients beside SFT and outcome supervision over B, n and k.

    Parameters
    ----------
    table
        Columns `ggmi.data_quality.trained.rewards.REWARD_COLUMNS`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        Medians over repetitions.
    """
    numbers = medians(table, ["panel", "method", "n", "B", "k"])
    return _by_method([(numbers[numbers["panel"] == x], x, text) for x, text in PANELS.items()], width_inches), numbers


def quality_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw the error after post-training by balance of pretraining, scale and alignment of the data.

    Parameters
    ----------
    table
        Columns `ggmi.data_quality.trained.rewards.QUALITY_COLUMNS`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        Medians over repetitions.
    """
    numbers = medians(table, ["family", "value", "method", "n_pre", "difficulty_over_d"])
    panels = [(numbers[numbers["family"] == family], "value", text) for family, text in FAMILIES.items()]
    return _by_method(panels, width_inches), numbers


def _by_method(panels: Sequence[tuple[pd.DataFrame, str, str]], width_inches: float) -> Figure:
    """Panels side by side, a curve a method."""
    with house_style():
        figure, axes = plt.subplots(1, len(panels), figsize=(width_inches, 0.4 * width_inches))
        for axis, (part, x, text) in zip(axes, panels, strict=True):
            for colour, (method, curve) in zip(COLOURS, part.groupby("method", sort=False), strict=False):
                mine = curve.sort_values(x)
                axis.fill_between(mine[x], mine["ci_low"], mine["ci_high"], color=colour, alpha=0.15, linewidth=0)
                axis.plot(mine[x], mine["err_over_d_median"], color=colour, linewidth=1.4, label=method)
            first = part[part["method"] == "OS"].sort_values(x)
            axis.plot(first[x], first["pretrained_over_d_median"], color=MUTED, linestyle=DASHES[2], label="pretrained")
            axis.axhline(1, color=INK, linewidth=0.8)
            _log_axes(axis, sorted(part[x].unique()))
            axis.set_xlabel(text, fontsize=8)
        axes[0].set_ylabel("test error / d")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=6)
    return figure
