"""The models of a search by its section of the configuration, and where their responses are kept."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ggmi.models.backend import backend
from ggmi.models.protocol import OnProgress
from ggmi.models.store import Store
from ggmi.pipeline.responses import store_file
from ggmi.real_search.running import Models, Plan
from ggmi.text.templates import TextTemplate

PLACES = ("question", "steps")


def store_of(stores: str, name: str, part: str, job: str, settings: Mapping[str, Any]) -> Store:
    """The store of one model's responses.

    Parameters
    ----------
    stores
        The folder of all stores.
    name, part, job
        The search's name, ``policy`` or ``verifier``, and the job; an endpoint has one store for all jobs.
    settings
        The model's, with its ``kind``.
    """
    return Store(store_file(stores, f"slow_thinking/{name}", part, job, settings))


def models_of(
    name: str,
    job: str,
    settings: Mapping[str, Mapping[str, Any]],
    stores: str,
    *,
    judged: bool,
    log: Path | None = None,
    on_progress: OnProgress | None = None,
    servers: ExitStack | None = None,
    asks: bool = True,
) -> Models:
    """Make who writes and who scores; nothing is loaded, sent or started yet.

    Parameters
    ----------
    name, job
        Of the search.
    settings
        Of ``policy`` and, where it is another model, ``verifier``.
    stores
        The folder of all stores.
    judged
        Whether somebody scores; without a ``verifier`` the policy does.
    log
        Beside which servers started for the job write their messages.
    on_progress, servers, asks
        As for `ggmi.real_search.running.Models`.
    """
    made = {
        part: (
            backend(
                how,
                source=f"slow_thinking.real.{name}.{part}",
                log=None if log is None else log.with_suffix(f".{part}.server.log"),
            ),
            store_of(stores, name, part, job, how),
        )
        for part, how in settings.items()
    }
    policy, store = made["policy"]
    verifier, verdicts = made.get("verifier", made["policy"]) if judged else (None, None)
    return Models(policy, store, verifier, verdicts, on_progress, servers, asks)


def plan_of(values: Mapping[str, Any]) -> Plan:
    """What a job is to do, by `ggmi.config.real_search.RealSearch.plan`, with its templates read.

    Raises
    ------
    UserError
        If a template is not as it should be.
    """
    read = {key: read_step_template(values.get(key)) for key in ("template", "judge_template")}
    return Plan(**{**values, **read})


def read_step_template(path: str | None) -> str | None:
    """A prompt of steps as `ggmi.models.stepwise` takes it; None for ours.

    Raises
    ------
    UserError
        If the file cannot be read, or lacks ``{{ question }}`` or ``{{ steps }}``.
    """
    if path is None:
        return None
    return TextTemplate.read(path, PLACES, PLACES).source
