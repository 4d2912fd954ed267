"""Draw accuracy of searches with real models by width and by cost."""

from ggmi.io import read_csv
from ggmi.plotting.reasoning import real_searches_figure
from ggmi.plotting.style import save_figure
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    p, given = snakemake.params, snakemake.input
    figure, numbers = real_searches_figure(read_csv(given[0]), p.figures["width_inches"])
    save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), p.figures["dpi"])
