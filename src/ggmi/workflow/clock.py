"""Files of a clock that was ahead: a job that read one would seem to have written its output before."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path


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
