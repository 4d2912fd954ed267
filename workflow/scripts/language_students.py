"""Train and rate the students of one base and method."""

import pandas as pd

from ggmi.io import read_csv, write_csv
from ggmi.language.bases import Pretraining
from ggmi.language.students import Study, drawn_records, study_conditions
from ggmi.students.settings import ReinforcementSettings, TrainingSettings
from ggmi.workflow.job import students_done

p, w, given, made = snakemake.params, snakemake.wildcards, snakemake.input, snakemake.output
how = Pretraining(**p.model)
language = how.language(p.seed)
pool, test = drawn_records(language, p.test_records, p.seed)
# Each is trained in seconds, so none needs a checkpoint.
tuned = TrainingSettings(**p.fine_tuning, device="cpu", save_every=10**9)
rewarded = ReinforcementSettings(**p.rewards, max_tokens=how.length + 1)
study = Study(given.base, language, pool, test, read_csv(given.records), tuned, rewarded)
wanted = study_conditions(w.balance, w.method, **p.design)
rows, ratings = [], []
for row, rated in study.students(wanted, p.seeds, p.seed, students_done(f"{w.balance}, {w.method}")):
    rows.append(row)
    about = {"condition": row["condition"], "seed": row["seed"]}
    ratings.append(pd.DataFrame({**about, "item": [record.id for record in test], "rating": rated}))
write_csv(made.students, pd.DataFrame(rows))
write_csv(made.ratings, pd.concat(ratings, ignore_index=True))
