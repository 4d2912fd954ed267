"""Draw estimates against the truth."""

from ggmi.io import read_csv
from ggmi.plotting.estimates import estimates_figure
from ggmi.plotting.style import save_figure
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    settings = snakemake.params.figures
    figure, numbers = estimates_figure(read_csv(snakemake.input[0]), settings["width_inches"])
    save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), settings["dpi"])
