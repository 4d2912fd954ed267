"""Jobs of a results folder's runs in SLURM's queue, found by the names that the runs gave them."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ggmi.errors import UserError

# Every SLURM job of a run bears the run's name; names of all runs since the last clean start.
NAMES = ".slurm-runs"
SECONDS_TO_CANCEL = 120.0
# What sbatch calls the resources by which a site decides whether it takes a job.
OPTIONS = {
    **{"slurm_partition": "partition", "slurm_account": "account", "clusters": "clusters"},
    **{name: name for name in ("qos", "constraint", "gres")},
    "gpu": "gpus",
}
# As SLURM's executor says it.
REFUSAL = "SLURM sbatch failed. The error message was '{}'."


def remember(results: Path, name: str) -> None:
    """Write down the name of a run's jobs before the first is submitted."""
    with (results / NAMES).open("a", encoding="utf-8") as file:
        file.write(f"{name}\n")


def forget(results: Path) -> None:
    """Drop the names of runs that have no jobs left."""
    (results / NAMES).unlink(missing_ok=True)


def jobs_in_queue(results: Path) -> dict[str, str]:
    """Find jobs of this folder's runs that SLURM has not ended.

    Parameters
    ----------
    results
        The results folder.

    Returns
    -------
    dict
        State, such as ``RUNNING``, by SLURM's number.

    Raises
    ------
    UserError
        If there were runs on SLURM and it cannot be asked.
    """
    if not (results / NAMES).exists():
        return {}
    names = ",".join((results / NAMES).read_text(encoding="utf-8").split())
    try:
        listing = _slurm("squeue", "--me", "--noheader", "--format=%i|%T", f"--name={names}")
    except UserError as error:
        raise UserError(
            f"{results}: an earlier run submitted jobs to SLURM, which cannot be asked for them ({error}); "
            f"if they are gone for certain, remove {results / NAMES}"
        ) from None
    return dict(line.strip().split("|") for line in listing.splitlines() if line.strip())


def refuse_unreachable() -> None:
    """Stop a run on a SLURM that does not answer; Snakemake would wait for its jobs for ever.

    Raises
    ------
    UserError
        If SLURM cannot be asked for the jobs of this user.
    """
    try:
        _slurm("squeue", "--me", "--noheader", "--format=%i")
    except UserError as error:
        raise UserError(f"SLURM cannot be asked for jobs here ({error}); no job was submitted") from None


def refuse_beside(results: Path) -> None:
    """Stop a run that would make what an earlier run's jobs are still making.

    Raises
    ------
    UserError
        If there are such jobs.
    """
    if orphans := jobs_in_queue(results):
        raise UserError(f"{results}: {counted(orphans)} of an earlier run are still in SLURM; `make resume` goes on")
    forget(results)


def cancel_orphans(results: Path) -> str:
    """Cancel the jobs of dead runs and wait until SLURM has none of them any more.

    Parameters
    ----------
    results
        The results folder, which no run holds.

    Returns
    -------
    str
        What was cancelled; empty if nothing was there.
    """
    orphans = jobs_in_queue(results)
    if orphans:
        _slurm("scancel", *orphans)
        end = time.monotonic() + SECONDS_TO_CANCEL
        while left := jobs_in_queue(results):
            if time.monotonic() > end:
                raise UserError(f"{results}: SLURM does not end the jobs {', '.join(left)}; ask its administrator")
            time.sleep(1)
    forget(results)
    return counted(orphans) if orphans else ""


def refusal(members: Sequence[Mapping[str, Any]]) -> str:
    """Why SLURM takes no group of jobs, by asking it once more without submitting anything.

    Parameters
    ----------
    members
        What each job asks for; one runs after another, so the group asks for the most memory and for the time of all.

    Returns
    -------
    str
        In the form that its executor has for a job that is refused alone.
    """
    asked = {name: member[name] for member in members for name in OPTIONS if member.get(name)}
    options = [f"--{OPTIONS[name]}={value}" for name, value in asked.items()]
    memory, minutes = ([member.get(name) or 0 for member in members] for name in ("mem_mb", "runtime"))
    options += [f"--mem={max(memory)}", f"--time={sum(minutes)}"]
    try:
        _slurm("sbatch", "--test-only", *options, "--wrap=true")
    except UserError as error:
        return REFUSAL.format(error)
    return REFUSAL.format("asked again, it takes such a job")


def counted(jobs: dict[str, str]) -> str:
    """Jobs by state, such as ``3 jobs (2 running, 1 pending)``."""
    states = ", ".join(f"{count:,} {state.lower()}" for state, count in Counter(jobs.values()).most_common())
    return f"{len(jobs):,} job{'s' if len(jobs) != 1 else ''} ({states})"


def _slurm(*command: str) -> str:
    if shutil.which(command[0]) is None:
        raise UserError(f"{command[0]}: not found")
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - names are our own
    if done.returncode != 0:
        raise UserError(f"{command[0]}: {' '.join(done.stderr.split()) or f'exit code {done.returncode}'}")
    return done.stdout
