"""Put the students of all bases and methods into tables, and judge what is claimed of their records."""

import pandas as pd

from ggmi.claims import claims_table
from ggmi.io import read_csv, write_csv, write_json
from ggmi.language.claims import conditions_table, language_claims, seed_ratings
from ggmi.provenance import record

p, given, made = snakemake.params, snakemake.input, snakemake.output
students = pd.concat([read_csv(path) for path in given.students], ignore_index=True).fillna({"by": ""})
ratings = pd.concat([read_csv(path) for path in given.ratings], ignore_index=True)
write_csv(made.students, seed_ratings(students, ratings))
write_csv(made.conditions, conditions_table(students, ratings))
write_csv(made.claims, claims_table(language_claims(students, ratings)))
write_json(made.provenance, record("language_tables", p, [*given.students, *given.ratings]))
