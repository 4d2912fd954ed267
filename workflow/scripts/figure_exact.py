"""Draw exact accuracies of search and their crossover."""

from ggmi.io import read_csv
from ggmi.plotting.slow_thinking import exact_figure
from ggmi.plotting.style import save_figure
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    given, settings = snakemake.input, snakemake.params.figures
    figure, numbers = exact_figure(read_csv(given.exact), read_csv(given.crossover), settings["width_inches"])
    save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), settings["dpi"])
