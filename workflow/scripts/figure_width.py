"""Draw the published accuracies by width."""

from ggmi.io import read_csv
from ggmi.plotting.slow_thinking import width_figure
from ggmi.plotting.style import save_figure
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    settings = snakemake.params.figures
    figure, numbers = width_figure(read_csv(snakemake.input[0]), settings["width_inches"])
    save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), settings["dpi"])
