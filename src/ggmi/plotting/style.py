"""The look that every figure shares, and how figures reach the disk."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from ggmi.io import atomic, write_csv

if TYPE_CHECKING:
    import pandas as pd

# Okabe and Ito's palette, told apart under every common form of colour blindness.
BLUE, ORANGE, GREEN, VERMILION, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
INK, MUTED, GRID = "#1b1b1f", "#5f6368", "#d9dce1"

# One colour and line style a kind of component, in every figure.
KIND_COLOURS = {"K": BLUE, "J": ORANGE, "L": PURPLE}
KIND_NAMES = {"K": "anchored (K)", "J": "unsampled (J)", "L": "irrelevant (L)"}

_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.constrained_layout.use": True,
    # Element names in SVG files are hashes; a fixed salt makes equal figures equal files.
    "svg.hashsalt": "ggmi",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style inside the block."""
    with mpl.rc_context(_STYLE):
        yield


def save_figure(figure: Figure, numbers: pd.DataFrame, stem: str, dpi: int) -> None:
    """Write a figure as SVG and PNG, and the numbers behind it as CSV of the same name.

    Parameters
    ----------
    figure
        The figure.
    numbers
        What is drawn.
    stem
        Path without extension.
    dpi
        Resolution of the PNG, dots an inch.
    """
    for kind, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
        # The salt counts when the file is written, so the style is needed here too.
        with house_style(), atomic(f"{stem}.{kind}") as beside, beside.open("wb") as file:
            figure.savefig(file, format=kind, dpi=dpi, metadata=metadata, transparent=kind == "svg")
    write_csv(f"{stem}.csv", numbers)


def svg_bytes(figure: Figure) -> bytes:
    """A figure as SVG, for a page that embeds it: texts stay texts, so that fonts are those of the reader.

    Parameters
    ----------
    figure
        The figure; closed afterwards.
    """
    beside = io.BytesIO()
    embedded = {"svg.fonttype": "none", "font.family": "sans-serif"}
    with house_style(), mpl.rc_context(embedded), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # which ours lack the reader's may have
        figure.savefig(beside, format="svg", metadata={"Date": None}, transparent=True)
    plt.close(figure)
    return beside.getvalue()
