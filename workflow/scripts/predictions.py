"""Ask which estimator predicts how good the trained student is."""

import pandas as pd

from ggmi.io import read_csv, write_csv
from ggmi.pipeline.estimation_tables import PLACE, worth_table
from ggmi.text.records import read_records

p, given = snakemake.params, snakemake.input
ratings, risks = (read_csv(path).set_index("condition") for path in (given.ratings, given.risks))
outcomes = pd.DataFrame({"rating": ratings["mean"], "test risk": risks["test_risk_nats"]}).reindex(p.conditions)
places = pd.MultiIndex.from_tuples(map(tuple, p.places), names=PLACE)
lengths = [[len(record.response) for record in read_records(path)] for path in given.sets]
known = pd.DataFrame([{"records": len(of), "characters": sum(of) / max(1, len(of))} for of in lengths], places)
write_csv(snakemake.output[0], worth_table(read_csv(given.estimates), outcomes.set_axis(places), known, p.seed))
