"""Learning curves of a pilot up to full size, and the probability of each arm to be the best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from ggmi.plotting.style import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, VERMILION, house_style

COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, INK)
MARKERS = "osD^vP"


def pilot_figure(
    trainings: pd.DataFrame, curves: pd.DataFrame, arms: pd.DataFrame, width_inches: float
) -> tuple[Figure, pd.DataFrame]:
    """Draw what was measured and what is predicted.

    Parameters
    ----------
    trainings, curves
        Tables of `ggmi.pilot.study.Pilot`.
    arms
        Its descriptions of the arms, a row each.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        What is drawn.
    """
    with house_style():
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(width_inches, 0.46 * width_inches), width_ratios=[1.7, 1], layout="constrained"
        )
        for i, arm in enumerate(arms.to_dict("records")):
            # Beyond six arms colours come again with other marks.
            style = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[(i + i // len(COLOURS)) % len(MARKERS)]}
            _curve(left, arm, trainings[trainings["arm"] == arm["arm"]], curves[curves["arm"] == arm["arm"]], style)
        left.set_xscale("log", base=2)
        left.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        left.set_xlabel("records trained on")
        left.set_ylabel("loss on held-out real records, nats a token")
        left.set_title("Measured, predicted, and at full size", loc="left")
        _probabilities(right, arms)
    drawn = curves.assign(drawn="predicted")
    measured = trainings.rename(columns={"loss_nats_per_token": "loss"}).assign(drawn="measured")
    return figure, pd.concat([measured, drawn], ignore_index=True)


def _curve(
    axis: Axes, arm: Mapping[str, Any], measured: pd.DataFrame, predicted: pd.DataFrame, style: dict[str, Any]
) -> None:
    """One arm: a point a training, its band, and its prediction at full size."""
    axis.plot(measured["records"], measured["loss_nats_per_token"], linestyle="", markersize=3.5, alpha=0.7, **style)
    axis.plot(predicted["records"], predicted["loss"], color=style["color"], linewidth=1.3, label=arm["arm"])
    axis.fill_between(
        predicted["records"],
        predicted["loss_ci_low"],
        predicted["loss_ci_high"],
        color=style["color"],
        alpha=0.1,
        linewidth=0,
    )
    ends = [[arm["loss"] - arm["loss_ci_low"]], [arm["loss_ci_high"] - arm["loss"]]]
    axis.errorbar([arm["records"]], [arm["loss"]], ends, markersize=7, markerfacecolor="white", capsize=3, **style)


def _probabilities(axis: Axes, arms: pd.DataFrame) -> None:
    """A bar an arm."""
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(arms))]
    bars = axis.barh(arms["arm"], arms["probability"], color=colours, height=0.6)
    axis.bar_label(bars, [f"{share:.2f}" for share in arms["probability"]], padding=3, color=MUTED)
    axis.set_xlim(0, 1.15)
    axis.set_xticks([0, 0.5, 1])
    axis.invert_yaxis()
    axis.set_xlabel("probability")
    axis.set_title("Best at full size", loc="left")
