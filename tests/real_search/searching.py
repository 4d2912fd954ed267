"""A search of a configuration as its rule runs it, without the workflow."""

from __future__ import annotations

from contextlib import ExitStack

from ggmi.real_search.asking import models_of, plan_of
from ggmi.real_search.problems import read_problems
from ggmi.real_search.running import search_all


def searched(config, job, *, asks=True):
    """What a job of the search called sums finds, as its rule runs it: rows, and counts by method and width."""
    search = config.slow_thinking.real["sums"]
    source = search.problems
    problems, _ = read_problems(source.read_settings(), source.answer, source.most, config.seed, "sums")
    settings = {part: how.model_dump() for part, how in search.models_of(job).items()}
    plan = plan_of(search.plan(job))
    with ExitStack() as servers:
        models = models_of("sums", job, settings, config.stores, judged=bool(plan.judging), servers=servers, asks=asks)
        found = search_all(problems, plan, models, config.seed, "sums", 0.0)
    return [row for one in found for row in one.rows(problems)], {f"{s.method}/{s.width}": s.counts for s in found}
