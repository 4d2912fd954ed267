"""Ask a generator for the responses that its store is missing."""

import sys
from pathlib import Path

from ggmi.errors import UserError
from ggmi.io import read_json, write_json
from ggmi.models.backend import ask, backend
from ggmi.models.store import Store
from ggmi.pipeline.responses import RecordWatch, check_outcome, collected, cut_prompts, requests_of, store_file
from ggmi.pipeline.sets import format_of
from ggmi.text.jsonl import write_rows
from ggmi.text.templates import read_prompts
from ggmi.workflow.job import responses_shown

p, w, given, made = snakemake.params, snakemake.wildcards, snakemake.input, snakemake.output
manner = read_json(p.manner)
settings = {**p.backend, **manner["settings"], **({"model": given.model} if given.get("model") else {})}
place = f"tasks.{w.task}.generators.{w.generator}"
generator = backend(settings, source=place, log=Path(snakemake.log[0]).with_suffix(".server.log"))
wanted = requests_of(read_prompts(given.prompts), generator.identity, p.sampling, system=p.system, draws=p.draws)
store = Store(store_file(manner["stores"], w.task, w.generator, w.condition, p.backend))
# What is paid for, or costs hours of GPUs, is not asked for in vain.
remote = p.backend["kind"] in ("openai", "vllm")
here = (response.text for response in store.collect([r for r in wanted if r.key() in store]))
watch = RecordWatch(format_of(manner["form"]), here if remote else ())
if store.missing(wanted) and (reason := watch.reason()):
    raise UserError(f"{place}: {reason}; {len(store)} responses are kept in {store.path}")
shown = responses_shown(f"{w.generator} {w.condition}")
outcome = ask(generator, wanted, store, shown, (lambda response: watch(response.text)) if remote else None)
missing = len(store.missing(wanted))
check_outcome(outcome, len(wanted), missing, manner["missing_allowed"])
write_rows(made.responses, collected(store, wanted))
cut = cut_prompts(store, wanted, p.backend["model"], p.backend["revision"]) if remote else None
if cut:
    sys.stderr.write(
        f"{w.generator} {w.condition}: the endpoint counts far fewer tokens than {cut} of the prompts have; "
        "it may cut them (raise its context window, or set context_window to have them refused)\n"
    )
counts = {"wanted": len(wanted), "missing": missing, "cut_prompts": cut}
write_json(made.outcome, {**counts, "failed": dict(sorted(outcome.failed().items()))})
