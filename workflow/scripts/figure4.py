"""Draw the KL gap along every sweep by every estimator, for one variant."""

from ggmi.io import read_csv
from ggmi.mixtures.study import PUBLISHED_DIRECTION
from ggmi.mixtures.worlds import Condition
from ggmi.plotting.mixtures import kl_gap_figure
from ggmi.plotting.style import save_figure

p, w = snakemake.params, snakemake.wildcards
tables = []
for path in (snakemake.input.table, snakemake.input.trends):
    table = read_csv(path)
    tables.append(table[(table["covariance"] == w.covariance) & (table["anchor_components"] == w.anchors)])
sweeps = {axis: [Condition.parse(name) for name in names] for axis, names in p.sweeps.items()}
fitted = {"released": "K", "text": "K + J + L"}[w.anchors]
title = f"{p.title}: {w.covariance} covariances, {fitted} components fitted to anchors"
figure, numbers = kl_gap_figure(*tables, sweeps, PUBLISHED_DIRECTION, title, p.figures["width_inches"])
save_figure(figure, numbers, snakemake.output.svg.removesuffix(".svg"), p.figures["dpi"])
