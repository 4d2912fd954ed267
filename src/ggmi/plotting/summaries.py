"""Summaries over rounds along a sweep, as lines that figures share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ggmi.plotting.style import INK

# How the first and the second line of a panel differ.
LOOKS: tuple[dict[str, Any], ...] = (
    {"marker": "o"},
    {"marker": "s", "markerfacecolor": "white", "linestyle": "--"},
)


def summary_line(ax: Axes, part: pd.DataFrame, colour: str, line: int = 0) -> None:
    """Draw means with intervals, medians, and one standard deviation over rounds.

    Parameters
    ----------
    ax
        Where.
    part
        Columns ``value`` (of the sweep), ``mean``, ``ci_low``, ``ci_high``, ``sd`` and ``median``.
    colour
        Of the line.
    line
        Which line of its panel it is, 0 or 1.
    """
    x, mean, sd = part["value"], part["mean"], part["sd"]
    ax.fill_between(x, mean - sd, mean + sd, color=colour, alpha=(0.14, 0.07)[line], linewidth=0)
    ends = np.clip([mean - part["ci_low"], part["ci_high"] - mean], 0, None)
    ax.errorbar(x, mean, ends, color=colour, markersize=3.2, linewidth=1.4, elinewidth=1.1, capsize=2, **LOOKS[line])
    ax.plot(x, part["median"], color=INK, linestyle="none", marker="_", markersize=9, markeredgewidth=1.4)


def summary_legend(figure: Figure) -> None:
    """Say below a figure what its lines are.

    Parameters
    ----------
    figure
        Drawn with `summary_line`.
    """
    handles = [
        Line2D([], [], color=INK, marker="o", markersize=3.5, label="mean, 95 % interval"),
        Line2D([], [], color=INK, linestyle="none", marker="_", markersize=9, label="median"),
        Patch(color=INK, alpha=0.12, label="± standard deviation over rounds"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
