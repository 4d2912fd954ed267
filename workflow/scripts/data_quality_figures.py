"""Draw the figures of data quality, with the tables behind them."""

from pathlib import Path

from ggmi.data_quality.curves import curve_table
from ggmi.data_quality.limit import limit_table
from ggmi.io import read_csv
from ggmi.plotting import data_quality as drawn
from ggmi.plotting.style import save_figure

settings = snakemake.params.figures
tables = {name: read_csv(path) for name, path in snakemake.input.items()}
width = settings["width_inches"]
figures = {
    "1": drawn.number_figure(curve_table(tables["numbers"]), width),
    "2": drawn.length_figure(curve_table(tables["lengths"]), width),
    "5": drawn.limit_figure(limit_table(tables["limit"]), width),
    "_small_sets": drawn.small_set_figure(tables["small_sets"], width),
    "_difficulty": drawn.difficulty_figure(tables["difficulty"], width),
    "_outcome": drawn.outcome_figure(tables["curvature"], tables["outcome"], width),
}
folder = Path(snakemake.output[0]).parent
for name, (figure, numbers) in figures.items():
    save_figure(figure, numbers, str(folder / f"figure{name}"), settings["dpi"])
