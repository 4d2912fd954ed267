"""What a run will do, told to the progress display before it starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Protocol

from ggmi.workflow.segments import Segment

# Seconds a condition (a family or statement of the theory) relative to the other rules, as measured
# on the default configuration.
WORK = {
    **{"worlds": 0.02, "synthetic_set": 0.02, "fitted_mixture": 0.15, "terms": 0.4, "divergences": 1.0},
    **{"theory_worlds": 0.5, "counterexamples": 2.0, "slow_thinking_searches": 0.6},
    # A student, by its job's part.
    **{"students": 4.0, "risks": 2.0, "answers": 1.5},
}
# Seconds of a job that starts Python and little else, on the same scale.
OVERHEAD = 0.3


class Job(Protocol):
    """What is needed of one of Snakemake's jobs."""

    jobid: int
    rule: Any
    wildcards: Any


def run_plan(jobs: Iterable[Job], titles: Mapping[str, str]) -> dict[str, Any]:
    """Describe a run: each job's study, its conditions and its share of the work.

    Parameters
    ----------
    jobs
        The jobs that will run.
    titles
        Title of each study by name.

    Returns
    -------
    dict
        ``{"jobs": {jobid: {"study": ..., "conditions": [...], "work": ...}}}``; a condition is
        named with its covariance variant, since each variant makes it anew.
    """
    order = list(titles)
    described = {}
    for job in sorted(jobs, key=lambda j: (_rank(order, j), j.jobid)):
        wildcards = job.wildcards
        conditions = []
        if hasattr(wildcards, "segment"):
            segment = Segment.parse(wildcards.segment)
            conditions = [f"{wildcards.covariance}/{c.name}" for c in segment.conditions]
        items = len(conditions)
        if hasattr(wildcards, "part"):
            first, last = map(int, wildcards.part.split("-"))
            items = last - first + 1
        work = OVERHEAD + WORK.get(job.rule.name, 0.0) * items
        study = titles.get(getattr(wildcards, "study", ""))
        described[job.jobid] = {"study": study, "conditions": conditions, "work": work}
    return {"jobs": described}


def seconds_left(done: float, total: float, failed: float, began: float, advanced: float, now: float) -> float | None:
    """Estimate the time that a run will still take, by the work done when a job last finished.

    Parameters
    ----------
    done, total, failed
        Work done, of all jobs, and of those that failed, in one unit.
    began, advanced, now
        When the run began, when a job last finished and the time, in seconds.

    Returns
    -------
    float or None
        None while too little is done to tell, or when the estimate has just proved too low.
    """
    if now - began < 2 or done <= 0 or done < 0.02 * total:
        return None
    seconds = (total - done - failed) * (advanced - began) / done - (now - advanced)
    return seconds if seconds > 0 else None


def _rank(studies: list[str], job: Job) -> int:
    """Where a job's study stands in the configuration; jobs of no study come last."""
    study = getattr(job.wildcards, "study", "")
    return studies.index(study) if study in studies else len(studies)


def clock_time(seconds: float) -> str:
    """Tell a duration as hours, minutes and seconds.

    Parameters
    ----------
    seconds
        The duration; what a clock set back makes negative is told as none.

    Returns
    -------
    str

    Examples
    --------
    >>> clock_time(3725.4), clock_time(-3)
    ('1:02:05', '0:00:00')
    """
    return str(timedelta(seconds=round(max(seconds, 0))))
