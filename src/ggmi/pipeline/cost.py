"""What the responses still missing will cost, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ggmi.models.backend import backend
from ggmi.models.cost import CHARACTERS_PER_TOKEN, Estimate, estimate, token_counter
from ggmi.models.settings import EndpointSettings
from ggmi.models.store import Store
from ggmi.pipeline.anchors import source_sets
from ggmi.pipeline.responses import requests_of
from ggmi.text.records import Record
from ggmi.text.splitting import instance_sets
from ggmi.text.templates import Prompt, Template, read_prompts, read_template

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
        By task, generator and condition.
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
            identity = backend(settings).identity
            # A record that is written is taken to be as long as an anchor.
            expected = float(task.prompts.count * task.anchors.assumed_tokens)
            count = token_counter(settings.model, settings.revision)
            for x, asked in prompts.items():
                wanted = requests_of(
                    asked, identity, task.sampling.model_dump(), system=task.prompts.system, draws=task.prompts.draws
                )
                store = Store(Path(config.stores) / name / generator / f"{x}-ins.jsonl")
                estimates[f"{name} {generator} {x}-ins"] = estimate(wanted, store, count, settings.prices, expected)
    return estimates, notes


def _prompts(config: Config, name: str, task: Task, templates: Path, notes: list[str]) -> Mapping[int, list[Prompt]]:
    """The task's prompts: those of an earlier run, else made of the source, else of stand-ins of the assumed length."""
    made = {x: Path(config.results) / name / "prompts" / f"{x}-ins.jsonl" for x in task.instances}
    if all(path.is_file() for path in made.values()):
        return {x: read_prompts(path) for x, path in made.items()}
    named = templates / f"{task.prompts.template}.txt"
    template = read_template(named if named.is_file() else Path(task.prompts.template))
    if task.anchors.is_file:
        source = {**task.anchors.model_dump(exclude={"assumed_tokens"}), "is_file": True}
        pool = source_sets(source, config.seed)[0].pool
        sets = instance_sets(pool, task.instances, task.prompts.prompts, config.seed, draw=task.prompts.draw)
        return {x: [template.fill(anchors, count=task.prompts.count) for anchors in asked] for x, asked in sets.items()}
    notes.append(
        f"{name}: the anchors of {task.anchors.source} are not at hand, so each is taken for "
        f"{task.anchors.assumed_tokens} tokens (tasks.{name}.anchors.assumed_tokens)"
    )
    return {x: [_stand_in(template, task, x, i) for i in range(task.prompts.prompts)] for x in task.instances}


def _stand_in(template: Template, task: Task, instances: int, number: int) -> Prompt:
    """A prompt of as many characters as one of real anchors; the number makes it one of its own."""
    text = f"{number:08d}".ljust(task.anchors.assumed_tokens * CHARACTERS_PER_TOKEN, "x")
    return template.fill([Record(str(i), text, "", "x") for i in range(instances)], count=task.prompts.count)
