"""Files of a clock that was ahead: a job that read one would seem to have written its output before."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from ggmi.errors import UserError


def date_back(results: Path) -> None:
    """Give every file that is dated ahead of the clock the present time.

    Snakemake fails a job whose output is older than its input. All such files get the same time, so
    none of them is newer than what was made of it and nothing is made again.

    Parameters
    ----------
    results
        The folder of results.
    """
    now = time.time_ns()
    for folder, _, names in os.walk(results):
        for name in names:
            path = Path(folder, name)
            # What cannot be dated is told when a job needs it.
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime_ns > now:
                    os.utime(path, ns=(now, now), follow_symlinks=False)


def refuse_ahead(inputs: Iterable[str]) -> None:
    """Stop a run whose input files are dated ahead of the clock: they are not the run's to date back.

    Parameters
    ----------
    inputs
        Files that jobs will read; those that do not exist yet are passed over.

    Raises
    ------
    UserError
        Naming the first such file.
    """
    now = time.time_ns()
    for name in sorted(set(inputs)):
        with contextlib.suppress(OSError):
            dated = Path(name).stat().st_mtime_ns
            if dated > now:
                when = datetime.fromtimestamp(dated / 1e9).isoformat(" ", "seconds")
                raise UserError(
                    f"{name}: is dated {when}, ahead of this machine's clock, so what is made of it would seem older; "
                    "set the clock, or date the file with `touch`"
                )
