"""One student on several devices of this machine, by torchrun's own launcher."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Mapping
from typing import Any

from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, record
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from ggmi.errors import UserError
from ggmi.students.base import Base
from ggmi.students.finetune import Training, finetune
from ggmi.students.sets import Examples
from ggmi.students.settings import TrainingSettings

_MISTAKE = f"{UserError.__name__}: "


def finetune_on(
    model: str,
    examples: Examples,
    directory: str | os.PathLike[str],
    settings: TrainingSettings,
    *,
    revision: str | None = None,
    **others: Any,
) -> Training:
    """Train a student in the processes its settings name, one a GPU (NCCL) or on the CPU (gloo).

    The number of processes changes the result by rounding only (and by dropout, which every
    process draws for its own records): an update has the same records. When one process fails,
    the others are ended.

    Parameters
    ----------
    model, revision
        See `ggmi.students.base.Base`.
    examples, directory, settings, **others
        See `ggmi.students.finetune.finetune`; one process trains in this one, several want an
        `on_step` that can be pickled.

    Raises
    ------
    UserError
        As `finetune` raises it, or if a process dies.
    """
    processes = settings.processes
    if processes == 1:
        return finetune(Base(model, revision), examples, directory, settings, **others)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",  # any free port
        max_restarts=0,
        start_method="spawn",
    )
    # It would log the traceback of what is told in a sentence below.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    try:
        results: dict[int, Training] = elastic_launch(config, _work)(
            model, revision, examples, directory, settings, others
        )
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        told = failure.message if isinstance(failure.message, str) else str(failure.message.get("message"))
        if told.startswith(_MISTAKE):
            raise UserError(told.removeprefix(_MISTAKE)) from None
        raise UserError(f"training: process {rank} of {processes} died ({told})") from None
    return results[0]


@record
def _work(
    model: str,
    revision: str | None,
    examples: Examples,
    directory: str | os.PathLike[str],
    settings: TrainingSettings,
    others: Mapping[str, Any],
) -> Training:
    # Else accelerate warns that it chooses.
    os.environ.setdefault("OMP_NUM_THREADS", str(settings.threads))
    return finetune(Base(model, revision), examples, directory, settings, **others)
