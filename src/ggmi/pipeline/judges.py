"""The judge that a task's settings ask for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ggmi.models.backend import backend
from ggmi.models.protocol import OnProgress
from ggmi.models.store import Store
from ggmi.pipeline.ratings import Rate, exact_verdicts, model_verdicts
from ggmi.pipeline.responses import store_file
from ggmi.rating.asking import JudgeRequests
from ggmi.rating.judging import read_judge_template
from ggmi.text.thinking import Marks

JUDGE = "judge"


def judge_of(
    task: str,
    condition: str,
    settings: Mapping[str, Any],
    manner: Mapping[str, Any],
    template: str | None,
    log: Path,
    on_progress: OnProgress,
) -> Rate:
    """Make the judge; a model is neither loaded nor started yet.

    Parameters
    ----------
    task, condition
        What is judged.
    settings
        A task's section `judge`: ``by``, ``sampling``, ``verdicts``, ``retries``; and the
        configuration's ``thinking_marks``.
    manner
        ``settings`` of the judge that decide no verdict, and the folder of all ``stores``.
    template
        File of the judging instruction; the exact judge has none.
    log
        Where a server started for the job writes.
    on_progress
        Called after each verdict.
    """
    by = settings["by"]
    if by["kind"] == "exact":
        return exact_verdicts
    assert template is not None
    return model_verdicts(
        backend({**by, **manner["settings"]}, source=f"tasks.{task}.judge.by", log=log),
        read_judge_template(template),
        settings["sampling"],
        JudgeRequests(settings["verdicts"], settings["retries"]),
        Store(store_file(manner["stores"], task, JUDGE, condition, by)),
        on_progress,
        Marks.of(settings["thinking_marks"]),
    )
