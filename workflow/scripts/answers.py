"""Have the students of some seeds answer the test set."""

from pathlib import Path

from ggmi.models.store import Store
from ggmi.pipeline.students import form_of, part_answers
from ggmi.pipeline.training_sets import read_test
from ggmi.text.jsonl import write_rows
from ggmi.workflow.job import responses_shown

p, w, given = snakemake.params, snakemake.wildcards, snakemake.input
test = read_test(given.test, p.test_records, p.seed)


def shown(number):
    return responses_shown(f"{w.condition}, student {number}")


rows = part_answers(Path(given.students), test, form_of(p.form), p.sampling, p.local, Store(p.store), shown)
write_rows(snakemake.output[0], rows)
