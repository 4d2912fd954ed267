"""Draw the loss curves of all students of a task."""

from ggmi.io import read_csv
from ggmi.plotting.rating import loss_figure
from ggmi.plotting.style import save_figure
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    p = snakemake.params
    title = f"{p.title}: what students lose while they learn"
    figure, numbers = loss_figure(read_csv(snakemake.input[0]), title, p.figures["width_inches"])
    save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), p.figures["dpi"])
