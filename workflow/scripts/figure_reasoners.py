"""Draw how errors and information go along the reasoners' chains."""

from ggmi.io import read_csv
from ggmi.plotting.reasoning import reasoners_figure
from ggmi.plotting.style import save_figure
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    p, given = snakemake.params, snakemake.input
    figure, numbers = reasoners_figure(read_csv(given.steps), read_csv(given.lengths), p.figures["width_inches"])
    save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), p.figures["dpi"])
