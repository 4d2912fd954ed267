"""Compare a task's sets by small trainings."""

from pathlib import Path

import pandas as pd

from ggmi.io import read_json, write_csv, write_json
from ggmi.pilot.arms import drawn_test
from ggmi.pilot.rating import PilotJudge
from ggmi.pilot.settings import PilotSettings
from ggmi.pilot.study import run_pilot
from ggmi.pipeline.judges import judge_of
from ggmi.pipeline.training_sets import read_set
from ggmi.provenance import versions
from ggmi.workflow.job import responses_shown, work_shown

if __name__ == "__main__":  # processes that train import this file anew
    p, given, made = snakemake.params, snakemake.input, snakemake.output
    sets = {name: read_set(path) for name, path in zip(p.names, given.sets, strict=True)}
    judge = None
    if p.judge:
        log = Path(snakemake.log[0]).with_suffix(".server.log")
        manner, template = read_json(p.manner), given.get("template")
        shown = responses_shown("judge, pilot")
        rate = judge_of(snakemake.wildcards.task, "pilot", p.judge, manner, template, log, shown)
        judge = PilotJudge(p.judge["by"].get("model", "exact"), rate)
    train, test = read_set(given.train), drawn_test(read_set(given.test), p.seed)
    found, trainings, curves = run_pilot(
        train,
        {name: records for name, records in sets.items() if records},
        test,
        PilotSettings(**p.settings, processes=snakemake.threads),
        Path(made.found).parent,
        seed=p.seed,
        progress=work_shown(snakemake.wildcards.task),
        judge=judge,
    )
    described = {
        "format": 1,
        "train": {"name": p.title, "records": len(train)},
        "test": {"name": given.test, "records": len(test)},
        "sets": [{"name": name, "records": len(records)} for name, records in sets.items()],
    }
    write_json(made.found, {**described, **found, "versions": versions()})
    write_csv(made.trainings, trainings)
    write_csv(made.curves, curves)
    write_csv(made.arms, pd.DataFrame(found["arms"]))
