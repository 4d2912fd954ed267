"""Read a labelled table and reduce it to the study's dimensions."""

from ggmi.io import block_writer
from ggmi.mixtures.labelled_points import labelled_points, read_table

table = snakemake.params.table
coordinates, labels = read_table(table["source"], table["label"])
data = labelled_points(coordinates, labels, snakemake.params.dimensions, standardise=table["standardise"])
with block_writer(snakemake.output[0]) as writer:
    writer.write("points", 0, data.arrays())
