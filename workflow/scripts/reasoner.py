"""Train a reasoner on worked chains and keep it in Hugging Face's layout."""

from pathlib import Path

import pandas as pd

from ggmi.io import write_csv, write_json
from ggmi.provenance import record
from ggmi.reasoning.problems import group_table
from ggmi.reasoning.reasoner import Recipe, save, train
from ggmi.workflow.job import steps_shown

p, w = snakemake.params, snakemake.wildcards
name, (shortest, longest) = f"{w.group}/{w.name}", p.lengths
lengths = range(shortest, longest + 1)
trained = train(Recipe(**p.recipe), group_table(w.group), lengths, p.seed, name, steps_shown(name))
save(trained.model, Path(snakemake.output.model))
write_csv(snakemake.output.curve, pd.DataFrame(trained.rows))
write_json(snakemake.output.record, {**record("reasoner", p, []), "criterion_reached": trained.reached})
