"""The judge that a task's settings ask for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ggmi.models.backend import OnProgress, backend
from ggmi.models.store import Store
from ggmi.pipeline.ratings import Rate, exact_verdicts, model_verdicts
from ggmi.rating.asking import Plan
from ggmi.rating.judging import read_judge_template


def judge_of(
    settings: Mapping[str, Any], template: str | None, store: str, source: str, log: Path, on_progress: OnProgress
) -> Rate:
    """Make the judge; a model is neither loaded nor started yet.

    Parameters
    ----------
    settings
        A task's section `judge`: ``by``, ``sampling``, ``verdicts``, ``retries``.
    template
        File of the judging instruction; the exact judge has none.
    store
        File of the raw verdicts.
    source
        What to call the settings in messages.
    log
        Where a server started for the job writes.
    on_progress
        Called after each verdict.
    """
    if settings["by"]["kind"] == "exact":
        return exact_verdicts
    assert template is not None
    return model_verdicts(
        backend(settings["by"], source=f"{source}.by", log=log),
        read_judge_template(template),
        settings["sampling"],
        Plan(settings["verdicts"], settings["retries"]),
        Store(store),
        on_progress,
    )
