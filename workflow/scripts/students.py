"""Train the students of some seeds on one set, or keep the base as it is."""

from pathlib import Path

from ggmi.io import read_json, write_json
from ggmi.pipeline.students import NO_STUDENTS, form_of, keep_base, train_part
from ggmi.pipeline.training_sets import read_set
from ggmi.students.base import Base
from ggmi.students.settings import TrainingSettings
from ggmi.students.tokenise import tokenise
from ggmi.workflow.job import job, steps_shown
from ggmi.workflow.seeds import numbers_of

with job(snakemake.log[0]):
    p, w, given = snakemake.params, snakemake.wildcards, snakemake.input
    folder = Path(snakemake.output[0])
    base, form = Base(given.get("base") or p.base, p.revision), form_of(p.form)
    chat = form["form"] == "chat"
    records = read_set(given.records) if given.get("records") else []
    if not given.get("records"):
        keep_base(base, folder, chat=chat)
    elif not records:
        write_json(folder / NO_STUDENTS, {"condition": w.condition, "reason": "the set holds no records"})
    else:
        steps = {} if p.steps is None else {"steps": p.steps or read_json(given.matched)["to"]}
        settings = TrainingSettings(**{**p.training, **steps})
        examples = tokenise(records, base, **form, source=given.records)
        line = steps_shown(w.condition)

        def shown(number, step, most, _left):
            line(f"student {number}", step, most, {})

        train_part(base, examples, settings, p.seed, numbers_of(w.part), folder, chat=chat, on_step=shown)
