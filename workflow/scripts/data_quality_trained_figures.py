"""Draw the panels of trained transformers, with the tables behind them."""

from pathlib import Path

import pandas as pd

from ggmi.io import read_csv
from ggmi.plotting import trained as drawn
from ggmi.plotting.style import save_figure

settings, given = snakemake.params.figures, snakemake.input
width = settings["width_inches"]
figures = {
    "figure3": drawn.panel_figure(pd.concat([read_csv(path) for path in given.gpt]), width),
    "figure4": drawn.panel_figure(pd.concat([read_csv(path) for path in given.lsa]), width),
    "figure_rewards": drawn.reward_figure(read_csv(given.rewards), width),
    "figure_balance": drawn.quality_figure(read_csv(given.balance), width),
}
folder = Path(snakemake.output[0]).parent
for name, (figure, numbers) in figures.items():
    save_figure(figure, numbers, str(folder / name), settings["dpi"])
