"""Estimates against what is exactly true in the embedded world."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ggmi.plotting.style import INK, KIND_COLOURS, MUTED, house_style

# What each panel shows: estimator, exact quantity, and whether both are in one unit.
PANELS = (
    ("information_gain_first", "ΔI of a first record, nats", True),
    ("semantic_entropy_chao_shen", "entropy of a record, nats", True),
    ("total_variation", "D_TV to the task", True),
    ("cka", "mutual information, nats", False),
)
TITLES = {
    "information_gain_first": "from log-probabilities",
    "semantic_entropy_chao_shen": "semantic entropy, Chao–Shen",
    "total_variation": "held-out classifier",
    "cka": "centred kernel alignment",
}


def estimates_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw estimates against the truth, a panel a quantity, a colour a generator.

    Parameters
    ----------
    table
        Of `ggmi.pipeline.estimation_tables.truth_table`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        The rows that are drawn.
    """
    numbers = table[table["estimator"].isin([name for name, _, _ in PANELS])].reset_index(drop=True)
    generators = list(dict.fromkeys(numbers["generator"]))
    colours = dict(zip(generators, list(KIND_COLOURS.values()) * len(generators), strict=False))
    markers = dict(zip(generators, "os^Dvp" * len(generators), strict=False))
    with house_style():
        figure, axes = plt.subplots(1, len(PANELS), figsize=(width_inches, 0.32 * width_inches))
        for axis, (estimator, truth, one_unit) in zip(axes, PANELS, strict=True):
            mine = numbers[(numbers["estimator"] == estimator) & numbers["value"].notna()]
            for generator in generators:
                part = mine[mine["generator"] == generator]
                ends = part[["ci_low", "ci_high"]].to_numpy(float).T
                error = np.nan_to_num(np.abs(ends - part["value"].to_numpy(float)))
                style = {"linestyle": "none", "marker": markers[generator], "color": colours[generator]}
                axis.errorbar(
                    part["truth"], part["value"], yerr=error, capsize=2.5, markersize=5, label=generator, **style
                )
            if one_unit and len(mine):
                edges = [min(mine["truth"].min(), mine["value"].min()), max(mine["truth"].max(), mine["value"].max())]
                axis.plot(edges, edges, color=MUTED, linestyle=(0, (4, 2)), linewidth=1, label="exact")
            if not len(mine):
                axis.text(0.5, 0.5, "no estimate", transform=axis.transAxes, ha="center", color=MUTED)
            axis.set_title(TITLES[estimator], loc="left", color=INK)
            axis.set_xlabel(f"exact {truth}")
        axes[0].set_ylabel("estimate")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(generators) + 1)
    return figure, numbers
