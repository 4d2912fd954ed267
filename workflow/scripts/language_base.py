"""Pretrain a base on skills that it sees equally often, or not, and say how hard each record is for it."""

from pathlib import Path

from ggmi.io import write_csv, write_json
from ggmi.language.bases import Pretraining, pretrain, save_base
from ggmi.language.students import drawn_records, records_table
from ggmi.students.base import Base
from ggmi.workflow.job import steps_shown

p, made, balance = snakemake.params, snakemake.output, snakemake.wildcards.balance
how = Pretraining(**p.model)
shown = steps_shown(f"base, {balance} skills")
model, rows, reached = pretrain(how, balance, p.seed, lambda step, row: shown("pretraining", step, how.most_steps, row))
language = how.language(p.seed)
save_base(model, language, Path(made.model))
pool, _ = drawn_records(language, p.test_records, p.seed)
write_csv(made.records, records_table(Base(made.model), language, pool))
write_json(made.record, {"balance": balance, "criterion_reached": reached, **rows[-1]})
