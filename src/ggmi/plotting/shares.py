"""What generators of the embedded world write after more and more anchors."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ggmi.plotting.style import INK, KIND_COLOURS, KIND_NAMES, MUTED, house_style

# How far kinds stand aside, so that no interval hides another.
ASIDE = 0.06
KINDS = {"anchored": "K", "unsampled": "J", "irrelevant": "L"}


def shares_figure(table: pd.DataFrame, width_inches: float) -> tuple[Figure, pd.DataFrame]:
    """Draw shares of the three kinds of skill against instances in context, a panel a generator.

    Parameters
    ----------
    table
        Of `ggmi.pipeline.world.shares_table`.
    width_inches
        Width of the figure.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        What is drawn: generator, instances, kind, share, ci_low, ci_high, ideal.
    """
    ideal = table[table["generator"] == "ideal"].set_index("instances")
    names = [name for name in table["generator"].unique() if name != "ideal"]
    rows = []
    for row in table[table["generator"] != "ideal"].to_dict("records"):
        for kind in KINDS:
            rows.append(
                {
                    **{"generator": row["generator"], "instances": row["instances"], "kind": kind, "share": row[kind]},
                    **{"ci_low": row[f"{kind}_ci_low"], "ci_high": row[f"{kind}_ci_high"]},
                    "ideal": ideal.loc[row["instances"], kind],
                }
            )
    numbers = pd.DataFrame(rows)
    with house_style():
        figure, axes = plt.subplots(
            1, len(names), figsize=(width_inches, 0.34 * width_inches), sharey=True, squeeze=False
        )
        places = {x: i for i, x in enumerate(sorted(ideal.index))}
        for name, axis in zip(names, axes[0], strict=True):
            mine = numbers[numbers["generator"] == name]
            for place, (kind, letter) in enumerate(KINDS.items()):
                part = mine[mine["kind"] == kind].sort_values("instances")
                x = np.array([places[i] for i in part["instances"]])
                colour = KIND_COLOURS[letter]
                axis.plot(x, part["ideal"], color=colour, linestyle=(0, (4, 2)), linewidth=1, zorder=2)
                axis.errorbar(
                    x + ASIDE * (place - 1),
                    part["share"],
                    yerr=np.abs(part[["ci_low", "ci_high"]].to_numpy().T - part["share"].to_numpy()),
                    color=colour,
                    marker={"K": "o", "J": "s", "L": "^"}[letter],
                    markersize=5,
                    linewidth=1.6,
                    capsize=2.5,
                    label=KIND_NAMES[letter],
                    zorder=3,
                )
            records = table.loc[table["generator"] == name, "records"].sum()
            axis.set_title(f"{name} ({records:,} records)", loc="left", color=INK)
            axis.set_xticks(list(places.values()), [f"{x}" for x in places])
            axis.set_xlim(-0.35, len(places) - 0.65)
            axis.set_ylim(-0.02, 1.02)
            axis.set_xlabel("anchors in the prompt")
            if not mine["share"].notna().any():
                axis.text(0.5, 0.5, "no valid record", transform=axis.transAxes, ha="center", color=MUTED)
        axes[0][0].set_ylabel("share of skills in what was written")
        axes[0][0].plot([], [], color=MUTED, linestyle=(0, (4, 2)), linewidth=1, label="ideal generator")
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure, numbers
