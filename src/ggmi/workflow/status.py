"""What is done, running and failed in a results folder, and the time left."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ggmi.errors import UserError
from ggmi.workflow.failures import failures_told
from ggmi.workflow.lock import is_held
from ggmi.workflow.progress import clock_time, seconds_left
from ggmi.workflow.queue import counted, jobs_in_queue
from ggmi.workflow.record import Job, Run, read_run

# Of jobs that run at the same time, so many are named.
NAMED = 12


def status(results: Path) -> str:
    """Tell how far a results folder's last run is.

    Parameters
    ----------
    results
        The results folder.

    Returns
    -------
    str
        Lines for a person.

    Raises
    ------
    UserError
        If the folder has seen no run.
    """
    run = read_run(results)
    if run is None:
        raise UserError(f"{results}: no run has left a record here")
    return "\n".join(_lines(run, is_held(results), _in_slurm(results), time.time()))


def _in_slurm(results: Path) -> str:
    """What SLURM still has of this folder's runs, or why it does not tell; empty if there is nothing to say."""
    try:
        queued = jobs_in_queue(results)
    except UserError as error:
        return f"SLURM cannot be asked: {error}"
    return f"in SLURM: {counted(queued)}" if queued else ""


def _lines(run: Run, held: bool, in_slurm: str, now: float) -> Iterator[str]:
    last = run.ended or max([run.advanced, *(job.since for job in run.jobs.values())])
    if run.ended is None and held:
        owner = f"process {run.about['pid']} on {run.about['host']}"
        yield f"The run of {owner} goes on, {clock_time(now - run.began)} so far."
    elif run.ended is None:
        after = clock_time(last - run.began)
        yield f"The run was killed {clock_time(now - last)} ago, after {after}; `make resume` goes on."
    else:
        yield f"The run ended {clock_time(now - run.ended)} ago, after {clock_time(run.ended - run.began)}."
    finished, running, failed = (run.of(state) for state in ("finished", "running", "failed"))
    parts = [f"{len(finished):,} of {len(run.jobs):,} jobs done"]
    alive = held and run.ended is None
    parts += [f"{len(running):,} under way"] if alive else []
    parts += [f"{len(failed):,} failed"] if failed else []
    left = seconds_left(_work(finished), _work(run.jobs.values()), _work(failed), run.began, run.advanced, now)
    parts += [f"{clock_time(left)} left"] if alive and left is not None else []
    yield ", ".join(parts)
    if in_slurm:
        yield in_slurm
    yield from _by_study(run)
    if alive:
        for job in sorted(running, key=lambda job: job.since)[:NAMED]:
            yield f"  {job.name} for {clock_time(now - job.since)}"
        if len(running) > NAMED:
            yield f"  and {len(running) - NAMED:,} more"
    yield from (f"failed: {sentence}" for sentence in failures_told(run))


def _by_study(run: Run) -> Iterator[str]:
    """Conditions of each study that wait for no job any more."""
    for study in dict.fromkeys(job.study for job in run.jobs.values() if job.study):
        jobs = [job for job in run.jobs.values() if job.study == study]
        wanted = {condition for job in jobs for condition in job.conditions}
        waiting = {condition for job in jobs if job.state != "finished" for condition in job.conditions}
        if wanted:
            yield f"{study}: {len(wanted - waiting):,} of {len(wanted):,} conditions"


def _work(jobs: Iterable[Job]) -> float:
    return sum(job.work for job in jobs)
