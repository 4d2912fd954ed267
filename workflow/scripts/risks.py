"""Measure what students lose on their own set and on the test set."""

from pathlib import Path

from ggmi.embedded.language import Language, Sizes
from ggmi.io import write_arrays, write_csv
from ggmi.pipeline.students import form_of, part_risks
from ggmi.pipeline.training_sets import read_set, read_test

p, given, made = snakemake.params, snakemake.input, snakemake.output
test = read_test(given.test, p.test_records, p.seed)
train = read_set(given.records) if given.get("records") else []
language = None if p.world is None else Language.draw(p.seed, Sizes(**p.world))
table, arrays = part_risks(Path(given.students), train, test, form_of(p.form), language, p.threads)
write_csv(made.table, table)
write_arrays(made.arrays, arrays)
