"""Train the students of some seeds on one set, or keep the base as it is."""

import os
import sys
from pathlib import Path

from ggmi.io import read_json
from ggmi.pipeline.rewards import rewarded_by
from ggmi.pipeline.students import form_of, keep_base, train_part
from ggmi.pipeline.training_sets import read_set
from ggmi.students.launch import torchrun
from ggmi.students.settings import TrainingSettings
from ggmi.workflow.job import students_shown
from ggmi.workflow.seeds import numbers_of

p, w, given = snakemake.params, snakemake.wildcards, snakemake.input
processes = p.training.get("processes", 1) if given.get("records") else 1
if processes > 1 and "RANK" not in os.environ:  # each of them runs this job anew
    sys.exit(torchrun(frame, processes))
folder, form, model = Path(snakemake.output[0]), form_of(p.form), given.get("base") or p.base
if not given.get("records"):
    keep_base(model, p.revision, form, folder)
else:
    steps = {} if p.steps is None else {"steps": p.steps or read_json(given.matched)["to"]}
    settings = TrainingSettings(**{**p.training, **steps})
    log = Path(snakemake.log[0]).with_suffix(".server.log")
    rewarded = rewarded_by(w.task, f"{w.condition}_{w.part}", p.rl, p.manner, given.get("template"), log)
    train_part(
        *(model, p.revision, read_set(given.records), form, settings, p.seed, numbers_of(w.part), folder),
        source=given.records,
        on_step=students_shown(w.condition),
        rewarded=rewarded,
    )
