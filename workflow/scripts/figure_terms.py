"""Draw the theory's terms along every sweep, for one covariance variant."""

from ggmi.io import read_csv
from ggmi.mixtures.worlds import Condition
from ggmi.plotting.style import save_figure
from ggmi.plotting.terms import terms_figure

p, w = snakemake.params, snakemake.wildcards
tables = []
for path in (snakemake.input.terms, snakemake.input.trends, snakemake.input.claims):
    table = read_csv(path)
    tables.append(table[table["covariance"] == w.covariance])
sweeps = {axis: [Condition.parse(name) for name in names] for axis, names in p.sweeps.items()}
title = f"{p.title}: terms of Theorem 4.10, {w.covariance} covariances"
figure, numbers = terms_figure(*tables, sweeps, p.anchors, title, p.figures["width_inches"])
save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), p.figures["dpi"])
