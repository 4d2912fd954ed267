"""One student on several devices of this machine, by ``torchrun``."""

from __future__ import annotations

import logging


def torchrun(script: str, processes: int) -> int:
    """Run a Python file in several processes, one a GPU (NCCL) or on the CPU (gloo).

    As a person would: ``torchrun --standalone --nproc-per-node PROCESSES SCRIPT``. Every process then finds its
    place in the environment, where transformers' Trainer reads it (see `ggmi.students.finetune.finetune`). When
    one fails, the others are ended.

    Parameters
    ----------
    script
        The file. What it learns of a failure it must tell itself; this says no more than that there was one.
    processes
        How many.

    Returns
    -------
    int
        0, or 1 if a process failed.
    """
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main

    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # it logs tracebacks
    try:
        main(["--standalone", f"--nproc-per-node={processes}", script])
    except ChildFailedError:
        return 1
    return 0
