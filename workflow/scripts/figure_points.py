"""Draw the published points with their fits."""

from ggmi.io import read_csv
from ggmi.plotting.slow_thinking import points_figure
from ggmi.plotting.style import save_figure
from ggmi.slow_thinking.published import panels

given, settings = snakemake.input, snakemake.params.figures
shown = panels(read_csv(given.gsm8k), read_csv(given.math500))
figure, numbers = points_figure(shown, read_csv(given.fits), settings["width_inches"])
save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), settings["dpi"])
