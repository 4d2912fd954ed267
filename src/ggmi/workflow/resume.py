"""Going on after a run that died: its orphans are ended, then its own command runs again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from ggmi.errors import UserError
from ggmi.workflow.lock import refuse_if_held
from ggmi.workflow.queue import cancel_orphans
from ggmi.workflow.record import read_run


def resume(results: Path) -> NoReturn:
    """Go on where a results folder's last run ended, with the same profile, configuration and targets.

    Jobs that the run left in SLURM are cancelled first, since nobody would collect them and the
    new run makes the same files. What they had finished is kept; what they were at is made again.

    Parameters
    ----------
    results
        The results folder.

    Raises
    ------
    UserError
        If a run holds the folder, none has ever, or SLURM cannot be asked.
    """
    run = read_run(results)
    if run is None:
        raise UserError(f"{results}: no run to go on with; start one, as with `make run`")
    refuse_if_held(results)
    if cancelled := cancel_orphans(results):
        sys.stderr.write(f"Cancelled {cancelled} of a run that is gone.\n")
    folder, snakemake, words = Path(run.about["folder"]), [sys.executable, "-m", "snakemake"], run.about["command"]
    if any((folder / ".snakemake" / "locks").glob("*")):  # of a run without `nolock`
        unlock = [*snakemake, "--unlock", *words]
        subprocess.run(unlock, cwd=folder, check=True)  # noqa: S603 - the run's own command
    os.chdir(folder)
    sys.stderr.flush()
    # In front, since its words may end in targets behind a `--`.
    os.execv(sys.executable, [*snakemake, "--rerun-incomplete", *words])  # noqa: S606 - the same
