"""Ask a generator for the responses that its store is missing."""

from pathlib import Path

from ggmi.io import read_json, write_json
from ggmi.models.backend import ask, backend
from ggmi.models.store import Store
from ggmi.pipeline.responses import check_outcome, collected, requests_of, store_file
from ggmi.text.jsonl import write_rows
from ggmi.text.templates import read_prompts
from ggmi.workflow.job import job, responses_shown

with job(snakemake.log[0]):
    p, w, given, made = snakemake.params, snakemake.wildcards, snakemake.input, snakemake.output
    manner = read_json(p.manner)
    settings = {**p.backend, **manner["settings"], **({"model": given.model} if given.get("model") else {})}
    place = f"tasks.{w.task}.generators.{w.generator}"
    generator = backend(settings, source=place, log=Path(snakemake.log[0]).with_suffix(".server.log"))
    wanted = requests_of(read_prompts(given.prompts), generator.identity, p.sampling, system=p.system, draws=p.draws)
    store = Store(store_file(manner["stores"], w.task, w.generator, w.condition, p.backend))
    outcome = ask(generator, wanted, store, responses_shown(f"{w.generator} {w.condition}"))
    missing = len(store.missing(wanted))
    check_outcome(outcome, len(wanted), missing, manner["missing_allowed"])
    write_rows(made.responses, collected(store, wanted))
    write_json(
        made.outcome, {"wanted": len(wanted), "missing": missing, "failed": dict(sorted(outcome.failed().items()))}
    )
