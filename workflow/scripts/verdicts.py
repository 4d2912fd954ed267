"""Have the answers of a condition's students judged."""

from pathlib import Path

from ggmi.io import read_json
from ggmi.pipeline.judges import judge_of
from ggmi.pipeline.ratings import verdict_rows
from ggmi.pipeline.training_sets import read_test
from ggmi.text.jsonl import read_rows, write_rows
from ggmi.workflow.job import responses_shown

p, w, given = snakemake.params, snakemake.wildcards, snakemake.input
test = read_test(given.test, p.test_records, p.seed)
answers = [row for path in given.answers for _, row in read_rows(path)]
log = Path(snakemake.log[0]).with_suffix(".server.log")
shown = responses_shown(f"judge, {w.condition}")
rate = judge_of(w.task, w.condition, p.judge, read_json(p.manner), given.get("template"), log, shown)
write_rows(snakemake.output[0], verdict_rows(answers, test, rate))
