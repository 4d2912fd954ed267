"""One run at a time in a results folder, with a lock that dies with its owner."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import IO

from ggmi.errors import UserError

LOCK = ".lock"
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
        file = (results / LOCK).open("a+")
    except OSError as error:
        raise _unwritable(results, error) from None
    if not _take(file, fcntl.LOCK_EX):
        # `ggmi status` looks with a lock of its own, for less than a millisecond.
        time.sleep(0.2)
        if not _take(file, fcntl.LOCK_EX):
            file.close()
            raise UserError(_held_by(results))
    try:
        file.truncate(0)
        os.write(file.fileno(), f"{os.getpid()}\n".encode())
    except OSError as error:
        file.close()
        raise _unwritable(results, error) from None
    _held.append(file)


def is_held(results: Path) -> bool:
    """Whether a run that lives holds a results folder."""
    try:
        with (results / LOCK).open() as file:
            return not _take(file, fcntl.LOCK_SH)
    except OSError:
        return False


def refuse_if_held(results: Path) -> None:
    """Stop what must not happen beside a run.

    Raises
    ------
    UserError
        If a run holds the folder.
    """
    if is_held(results):
        raise UserError(_held_by(results))


def _unwritable(results: Path, error: OSError) -> UserError:
    return UserError(f"config: results: {str(results)!r} cannot be written ({error.strerror})")


def _take(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _held_by(results: Path) -> str:
    owner = (results / LOCK).read_text().strip() or "unknown"
    return f"{results} is in use by another run (process {owner}); wait for it or stop it"
