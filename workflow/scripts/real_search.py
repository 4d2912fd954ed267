"""Search problems with a real model, by one kind of search at every width."""

import sys
from contextlib import ExitStack
from pathlib import Path

from ggmi.io import read_json, write_json
from ggmi.real_search.asking import models_of, plan_of
from ggmi.real_search.problems import load_problems
from ggmi.real_search.running import search_all
from ggmi.text.jsonl import write_rows
from ggmi.workflow.job import responses_shown

with ExitStack() as servers:
    p, w, given, made = snakemake.params, snakemake.wildcards, snakemake.input, snakemake.output
    manner = read_json(p.manner)
    settings = {part: {**how, **manner["settings"][part]} for part, how in p.models.items()}
    label = f"{w.name}, {w.job}"
    plan, problems = plan_of(p.plan), load_problems(given.problems)
    models = models_of(
        w.name,
        w.job,
        settings,
        manner["stores"],
        judged=bool(plan.judging),
        log=Path(snakemake.log[0]),
        on_progress=responses_shown(label),
        servers=servers,
    )

    def shown(what):
        sys.stderr.write(f"{label}: {what}\n")

    found = search_all(problems, plan, models, p.seed, w.name, manner["missing_allowed"], shown)
    write_rows(made.searches, (row for searched in found for row in searched.rows(problems)))
    write_json(made.counts, {f"{s.method}/{s.width}": s.counts for s in found})
