"""Draw a figure of tables with the function of ggmi.plotting that the rule names."""

from importlib import import_module
from pathlib import Path

from ggmi.io import read_csv
from ggmi.plotting.style import save_figure

p = snakemake.params
module, function = p.draw.split(".")
draw = getattr(import_module(f"ggmi.plotting.{module}"), function)
figure, numbers = draw(*map(read_csv, snakemake.input), **p.arguments, width_inches=p.figures["width_inches"])
save_figure(figure, numbers, str(Path(snakemake.output[0]).with_suffix("")), p.figures["dpi"])
