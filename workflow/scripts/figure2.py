"""Draw one round in the plane: anchors on the target's density, synthetic points on the generator's."""

from ggmi.plotting.example import read_example
from ggmi.plotting.mixtures import world_figure
from ggmi.plotting.style import save_figure
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    p = snakemake.params
    world = read_example(snakemake.input, p.condition)
    figure, numbers = world_figure(world, p.title, p.coordinate, p.figures["width_inches"])
    save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), p.figures["dpi"])
