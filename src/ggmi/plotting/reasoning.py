"""Figures of the reasoners whose right thoughts are known, and of searches with them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ggmi.plotting.style import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, VERMILION, house_style

COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, INK, MUTED)
MARKERS = "osD^vPX"
# Lines of the figure of searches: method, verifier, name.
LINES = (
    ("self_consistency", "none", "self-consistency"),
    ("best_of_n", "orm", "best-of-N, ORM"),
    ("vote", "orm", "vote weighted by ORM"),
    ("stepwise", "prm", "step-wise, PRM"),
    ("beam", "prm", "beam, PRM"),
    ("tree", "prm", "tree, PRM"),
    ("best_of_n", "1", "best-of-N, perfect"),
)
# Of searches with real models, where one verifier scores for all.
REAL_LINES = (
    ("self_consistency", None, "self-consistency"),
    ("best_of_n", None, "best-of-N"),
    ("vote", None, "vote weighted by score"),
    ("beam", None, "beam"),
    ("tree", None, "tree"),
)
Lines = Sequence[tuple[str, str | None, str]]
KIND_TITLES = {"value": "answers of many values", "true_false": "true or false"}
COST_NAMES = {"responses": "whole answers", "calls": "calls of a step", "tokens": "tokens"}


def reasoners_figure(steps: pd.DataFrame, lengths: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw the share of right steps, errors after right and wrong steps, and information per token.

    Parameters
    ----------
    steps, lengths
        The tables of that name.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        What is drawn.
    """
    names = list(dict.fromkeys(steps["reasoner"]))
    numbers = []
    with house_style():
        figure = Figure(figsize=(width_inches, 0.68 * width_inches))
        axes = figure.subplots(2, 2)

        def line(axis: Axes, part: pd.DataFrame, x: str, y: str, i: int, label: str, style: str = "-") -> None:
            colour = COLOURS[i % len(COLOURS)]
            axis.plot(
                part[x], part[y], style, color=colour, marker=MARKERS[i % 7], markersize=3.5, linewidth=1.2, label=label
            )
            if f"{y}_ci_low" in part:
                axis.fill_between(
                    part[x], part[f"{y}_ci_low"], part[f"{y}_ci_high"], color=colour, alpha=0.15, linewidth=0
                )
            shown = part[[x, y]].rename(columns={x: "x", y: "y"}).assign(line=label, quantity=y)
            numbers.append(shown)

        for i, name in enumerate(names):
            part = steps[steps["reasoner"] == name]
            line(axes[0, 0], part, "step", "right_given_right", i, name)
            line(axes[0, 1], part, "step", "error_after_right", i, f"{name}, after right steps")
            line(axes[0, 1], part, "step", "error_after_wrong", i, f"{name}, after a wrong one", "--")
            line(axes[1, 0], part, "step", "error", i, f"{name}, error")
            line(axes[1, 0], part, "step", "bound", i, f"{name}, bound", ":")
        for i, (name, part) in enumerate(lengths.groupby("reasoner", sort=False)):
            control = ", " in str(name)
            own = part.dropna(axis=1, how="all")
            line(axes[1, 1], own, "tokens", "per_token_nats", i, str(name), "--" if control else "-")
        titles = (
            (axes[0, 0], "right after right steps, $p_l$", "step l"),
            (
                axes[0, 1],
                "error, judged from the value before:\nafter right steps (—) and after a wrong one (- -)",
                "step l",
            ),
            (axes[1, 0], "error (—) and the bound of Theorem 3.3 (···)", "step l"),
            (axes[1, 1], "information per token, nats;\n- - controls that lose nothing", "tokens of a chain"),
        )
        for axis, title, label in titles:
            axis.set_title(title, loc="left")
            axis.set_xlabel(label)
        axes[1, 0].axhline(0, color=MUTED, linewidth=0.9, zorder=0.5)
        handles, labels = axes[1, 1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure, pd.concat(numbers, ignore_index=True)


def searches_figure(searches: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw accuracy by width, a row a reasoner, a column a kind of answer, and the synthetic verifiers.

    Parameters
    ----------
    searches
        The table of that name.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The rows that are drawn.
    """
    names = list(dict.fromkeys(searches["reasoner"]))
    drawn = []
    with house_style():
        figure = Figure(figsize=(width_inches, 0.36 * width_inches * len(names) + 0.6))
        axes = figure.subplots(len(names), 3, squeeze=False, sharey=True, sharex=True)
        for row, name in zip(axes, names, strict=True):
            mine = searches[searches["reasoner"] == name]
            for axis, (kind, title) in zip(row, KIND_TITLES.items(), strict=False):
                drawn += _methods(axis, mine[mine["kind"] == kind], "width")
                axis.set_title(f"{name}: {title}", loc="left")
            drawn += _synthetic(row[2], mine[mine["kind"] == "value"])
            row[2].set_title("verifiers of set reliability ε:\nstep-wise (—), best-of-N (- -), predicted ×", loc="left")
            row[0].set_ylabel("accuracy")
            row[2].legend(loc="lower left", title="ε", ncols=2, fontsize=7.5)
        for axis in axes[-1]:
            axis.set_xlabel("width k, or answers N")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure, pd.concat(drawn, ignore_index=True)


def costs_figure(searches: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw accuracy against cost, in whole answers, calls and tokens, on answers of many values.

    Parameters
    ----------
    searches
        The table of that name.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The rows that are drawn.
    """
    names = list(dict.fromkeys(searches["reasoner"]))
    drawn = []
    with house_style():
        figure = Figure(figsize=(width_inches, 0.34 * width_inches * len(names) + 0.6))
        axes = figure.subplots(len(names), 3, squeeze=False, sharey=True)
        for row, name in zip(axes, names, strict=True):
            mine = searches[(searches["reasoner"] == name) & (searches["kind"] == "value")]
            for axis, cost in zip(row, COST_NAMES, strict=True):
                drawn += _methods(axis, mine, cost)
            row[0].set_title(name, loc="left")
            row[0].set_ylabel("accuracy")
        for axis, label in zip(axes[-1], COST_NAMES.values(), strict=True):
            axis.set_xlabel(f"{label} a problem")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure, pd.concat(drawn, ignore_index=True)


def real_searches_figure(searches: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw accuracy of searches with real models by width, calls and tokens, a row a search.

    Parameters
    ----------
    searches
        The table ``real_searches``.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The rows that are drawn.
    """
    columns = {"width": "width k, or answers N", "calls": "calls of a step a problem", "tokens": "tokens a problem"}
    titles = list(dict.fromkeys(searches["title"]))
    drawn = []
    with house_style():
        figure = Figure(figsize=(width_inches, 0.34 * width_inches * len(titles) + 0.6))
        axes = figure.subplots(len(titles), 3, squeeze=False, sharey="row")
        for row, title in zip(axes, titles, strict=True):
            for axis, (column, label) in zip(row, columns.items(), strict=True):
                drawn += _methods(axis, searches[searches["title"] == title], column, REAL_LINES)
                axis.set_xlabel(label)
            row[0].set_title(title, loc="left")
            row[0].set_ylabel("accuracy")
        # A search may lack methods that another has.
        known = {
            label: handle
            for axis in axes[:, 0]
            for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=5)
    return figure, pd.concat(drawn, ignore_index=True)


def _methods(axis: Axes, searches: pd.DataFrame, x: str, lines: Lines = LINES) -> list[pd.DataFrame]:
    """Accuracy of every method along one column."""
    drawn = []
    for i, (method, verifier, label) in enumerate(lines):
        mine = searches["method"] == method
        part = searches[mine if verifier is None else mine & (searches["verifier"] == verifier)].sort_values("width")
        if part.empty:
            continue
        error = [
            part["accuracy"] - part["accuracy_ci_low"],
            part["accuracy_ci_high"] - part["accuracy"],
        ]
        axis.errorbar(
            part[x],
            part["accuracy"],
            yerr=error,
            color=COLOURS[i],
            marker=MARKERS[i],
            markersize=4,
            linewidth=1.2,
            elinewidth=0.8,
            label=label,
            linestyle="--" if verifier == "1" else "-",
        )
        drawn.append(part)
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_formatter("{x:g}")
    return drawn


def _synthetic(axis: Axes, searches: pd.DataFrame) -> list[pd.DataFrame]:
    """Accuracy with verifiers of set reliability, and what the formula predicts."""
    drawn = []
    named = {"orm", "prm", "none"}
    for i, verifier in enumerate(sorted(set(searches["verifier"]) - named, key=float)):
        for method, style in (("stepwise", "-"), ("best_of_n", "--")):
            part = searches[(searches["method"] == method) & (searches["verifier"] == verifier)].sort_values("width")
            label = f"{float(verifier):g}" if method == "stepwise" else None
            axis.plot(part["width"], part["chain_accuracy"], style, color=COLOURS[i], linewidth=1.2, label=label)
            axis.plot(part["width"], part["predicted"], "x", color=COLOURS[i], markersize=4)
            drawn.append(part)
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_formatter("{x:g}")
    return drawn
