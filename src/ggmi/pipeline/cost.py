"""What the responses still missing will cost, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ggmi.config.tasks import EMBEDDED, TEMPLATES
from ggmi.embedded.language import Language, Sizes
from ggmi.models.backend import backend
from ggmi.models.cost import CHARACTERS_PER_TOKEN, Estimate, estimate, token_counter
from ggmi.models.settings import EndpointSettings
from ggmi.models.store import Store
from ggmi.pipeline.anchors import embedded_sets, source_split
from ggmi.pipeline.responses import prompts_of, requests_of, store_file
from ggmi.text.records import Record, read_records
from ggmi.text.templates import Prompt, Template, read_template

if TYPE_CHECKING:
    from ggmi.config import Config
    from ggmi.config.tasks import Task


def generation_cost(config: Config, templates: Path) -> tuple[dict[str, Estimate], list[str]]:
    """Price what is missing of every endpoint's responses.

    Parameters
    ----------
    config
        The configuration.
    templates
        Folder of the templates that are called by name.

    Returns
    -------
    estimates : dict
        By task and generator, over all its conditions, which share a store and a budget.
    notes : list of str
        What had to be assumed.

    Raises
    ------
    UserError
        If anchors, a template or a store cannot be read.
    """
    estimates: dict[str, Estimate] = {}
    notes: list[str] = []
    for name, task in config.tasks.items():
        endpoints = {g: s for g, s in task.generators.items() if isinstance(s, EndpointSettings)}
        if not endpoints:
            continue
        prompts = _prompts(config, name, task, templates, notes)
        for generator, settings in endpoints.items():
            identity, sampling, said = backend(settings).identity, task.sampling.model_dump(), task.prompts
            wanted = [
                request
                for group in prompts
                for request in requests_of(group, identity, sampling, system=said.system, draws=said.draws)
            ]
            store = Store(store_file(config.stores, name, generator, "", settings.model_dump()))
            # A record that is written is taken to be as long as an anchor.
            expected = float(task.prompts.count * task.anchors.assumed_tokens)
            count = token_counter(settings.model, settings.revision)
            estimates[f"{name} {generator}"] = estimate(wanted, store, count, settings.prices, expected)
    return estimates, notes


def _prompts(config: Config, name: str, task: Task, templates: Path, notes: list[str]) -> list[list[Prompt]]:
    """The task's prompts, of each number of instances; where no anchors are at hand, of stand-ins of assumed length."""
    named = templates / f"{task.prompts.template}.txt"
    template = read_template(named if task.prompts.template in TEMPLATES else Path(task.prompts.template))
    pool = _anchors(config, name, task)
    if pool is None:
        notes.append(
            f"{name}: the anchors of {task.anchors.source} are not at hand, so each is taken for "
            f"{task.anchors.assumed_tokens} tokens (tasks.{name}.anchors.assumed_tokens)"
        )
        return [[_stand_in(template, task, x, i) for i in range(task.prompts.prompts)] for x in task.instances]
    how = task.prompts.model_dump()
    return [prompts_of(pool, template, x, how, config.seed, f"tasks.{name}") for x in task.instances]


def _anchors(config: Config, name: str, task: Task) -> Sequence[Record] | None:
    """What prompts draw from: read or drawn anew, or of an earlier run's data set; None where there is neither."""
    if task.anchors.source == EMBEDDED:
        world = config.world
        return embedded_sets(Language.draw(config.seed, Sizes(**world.sizes())), world.counts(), config.seed)[0].pool
    if task.anchors.is_here:
        return source_split(task.anchors.read_settings(), config.seed).train
    made = Path(config.results) / name / "anchors" / "pool.jsonl"
    return list(read_records(made)) if made.is_file() else None


def _stand_in(template: Template, task: Task, instances: int, number: int) -> Prompt:
    """A prompt of as many characters as one of real anchors; the number makes it one of its own."""
    text = f"{number:08d}".ljust(task.anchors.assumed_tokens * CHARACTERS_PER_TOKEN, "x")
    return template.fill([Record(str(i), text, "", "x") for i in range(instances)], count=task.prompts.count)
