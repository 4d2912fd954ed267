"""Draw accuracy against what a search costs."""

from ggmi.io import read_csv
from ggmi.plotting.reasoning import costs_figure
from ggmi.plotting.style import save_figure
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    p, given = snakemake.params, snakemake.input
    figure, numbers = costs_figure(read_csv(given[0]), p.figures["width_inches"])
    save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), p.figures["dpi"])
