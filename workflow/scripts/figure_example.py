"""Draw one round of a mixture study with the function of ggmi.plotting that the rule names."""

from ggmi.plotting import mixtures
from ggmi.plotting.example import read_example
from ggmi.plotting.style import save_figure

p = snakemake.params
draw = getattr(mixtures, p.draw.removeprefix("mixtures."))
world = read_example(snakemake.input, p.condition)
figure, numbers = draw(world, p.title, p.coordinate, p.figures["width_inches"])
save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), p.figures["dpi"])
