"""Estimates of several sets beside one another: intervals by set, a panel an estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ggmi.plotting.pilot import COLOURS, MARKERS
from ggmi.plotting.style import MUTED, house_style
from ggmi.text.visible import shortened

if TYPE_CHECKING:
    from ggmi.reporting.estimators import Panel

# Panels of a row; inches of a panel besides its sets, and of a set.
ACROSS, PANEL_INCHES, SET_INCHES = 3, 0.75, 0.24
# Characters of a set's name.
LONGEST = 28


def comparison_figure(panels: Sequence[Panel], width_inches: float) -> Figure:
    """Draw every set's interval by each estimator.

    Parameters
    ----------
    panels
        One or more, of the same sets.
    width_inches
        Width of the figure.
    """
    across = min(ACROSS, len(panels))
    down = -(-len(panels) // across)
    height = down * (PANEL_INCHES + SET_INCHES * len(panels[0].names))
    with house_style():
        figure, axes = plt.subplots(down, across, figsize=(width_inches, height), sharey=True, squeeze=False)
        for axis, panel in zip(axes.flat, panels, strict=False):
            _draw(axis, panel)
        for axis in axes.flat[len(panels) :]:
            axis.set_visible(False)
    return figure


def _draw(axis: Axes, panel: Panel) -> None:
    """Intervals of one estimator, from the first set at the top."""
    for null in panel.nulls:
        axis.axvline(null, color=MUTED, linestyle=(0, (4, 2)), linewidth=1)
    for i, (value, low, high) in enumerate(panel.ends):
        if value is None:
            continue
        style: dict[str, Any] = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}
        ends = None if low is None or high is None else [[max(value - low, 0)], [max(high - value, 0)]]
        axis.errorbar([value], [i], xerr=ends, capsize=2.5, markersize=5, **style)
    # Names are of files: a dollar sign begins no formula.
    names = [shortened(name, LONGEST) for name in panel.names]
    axis.set_yticks(range(len(names)), names, parse_math=False)
    axis.set_ylim(len(panel.names) - 0.5, -0.5)
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.set_title(panel.heading, loc="left")
