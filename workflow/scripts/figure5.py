"""Draw the setting: target, generator and the two fitted mixtures of one round as ellipses."""

from ggmi.plotting.example import read_example
from ggmi.plotting.mixtures import setting_figure
from ggmi.plotting.style import save_figure
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    p = snakemake.params
    world = read_example(snakemake.input, p.condition)
    figure, numbers = setting_figure(world, p.title, p.coordinate, p.figures["width_inches"])
    save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), p.figures["dpi"])
