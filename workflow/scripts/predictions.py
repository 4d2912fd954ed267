"""Ask which estimator predicts how good the trained student is."""

from ggmi.io import read_csv, write_csv
from ggmi.pipeline.estimation_tables import predictions_table

p, given = snakemake.params, snakemake.input
means = read_csv(given.ratings).set_index("condition")["mean"].dropna()
ratings = {tuple(place): float(means[name]) for name, place in p.places.items() if name in means}
write_csv(snakemake.output[0], predictions_table(read_csv(given.estimates), ratings, p.seed))
