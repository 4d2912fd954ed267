"""Draw Table 1: mean ratings with intervals, beside the untrained student and real data."""

from ggmi.io import read_csv
from ggmi.plotting.rating import rating_figure
from ggmi.plotting.style import save_figure
from ggmi.rating.table import seed_means

p, given = snakemake.params, snakemake.input
table = read_csv(given.table)
rated = set(table.dropna(subset=["mean"])["condition"])
figure, numbers = rating_figure(
    table,
    seed_means(read_csv(given.ratings)),
    "base",
    "real" if "real" in rated else None,
    f"{p.title}: which set was worth training on",
    p.figures["width_inches"],
)
save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), p.figures["dpi"])
