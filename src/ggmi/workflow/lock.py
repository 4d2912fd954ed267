"""One run at a time in a results folder, with a lock that dies with its owner."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from ggmi.errors import UserError

_held: list[IO[str]] = []


def hold(results: Path) -> None:
    """Lock a results folder until this process ends, however it ends.

    The operating system releases the lock even after ``kill -9``, so there is nothing to unlock by
    hand (Snakemake's own lock, files under ``.snakemake/locks``, outlives its owner).

    Parameters
    ----------
    results
        The folder; created when missing.

    Raises
    ------
    UserError
        If another run holds it, or the folder cannot be written.
    """
    try:
        results.mkdir(parents=True, exist_ok=True)
        file = (results / ".lock").open("a+")
    except OSError as error:
        raise UserError(f"config: results: {str(results)!r} cannot be written ({error.strerror})") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        raise UserError(f"{results} is in use by another run (process {owner}); wait for it or stop it") from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    _held.append(file)
