"""Test the judge on answers whose order is known."""

from pathlib import Path

from ggmi.io import read_json, write_csv, write_json
from ggmi.pipeline.judges import judge_of
from ggmi.pipeline.ratings import probe_rows
from ggmi.pipeline.training_sets import read_test
from ggmi.rating.calibration import make_probes
from ggmi.text.jsonl import write_rows
from ggmi.workflow.job import responses_shown

p, w, given, made = snakemake.params, snakemake.wildcards, snakemake.input, snakemake.output
test = read_test(given.test, p.test_records, p.seed)
log = Path(snakemake.log[0]).with_suffix(".server.log")
rate = judge_of(
    w.task, "probes", p.judge, read_json(p.manner), given.get("template"), log, responses_shown("judge, probes")
)
rows, calibration = probe_rows(make_probes(test, p.questions, p.seed), rate, p.seed)
write_rows(made.verdicts, rows)
write_csv(made.means, calibration.means)
write_csv(made.separations, calibration.separations)
write_json(made.warnings, {"warnings": list(calibration.warnings)})
