"""Why jobs failed, in sentences that name rule, wildcards, log and what to change."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ggmi.workflow.job import mistaken
from ggmi.workflow.record import Job, Run

# As SLURM's daemons write in a job's log, and as its states are called.
MEMORY = re.compile(r"exceeded (job )?memory limit|oom.kill|OUT_OF_MEMORY", re.IGNORECASE)
TIME = re.compile(r"DUE TO TIME LIMIT|\bTIMEOUT\b")
CANCELLED = re.compile(r"\bCANCELLED\b")
REFUSED = re.compile(r"sbatch failed\. The error message was '(.*?)'", re.DOTALL)
# What a job inside a group begins with, and what is said when one fails.
BEGUN = re.compile(r"^(?:local)?rule \w+:\n((?:    .*\n)+)", re.MULTILINE)
BROKEN = re.compile(r"^Error in rule \w+:\n((?:    .*\n)+)", re.MULTILINE)


def failures_told(run: Run) -> list[str]:
    """Sentences on the jobs that failed for good, but for those that met a person's mistake.

    Parameters
    ----------
    run
        The run.

    Returns
    -------
    list of str
    """
    failed = run.of("failed")
    refused = {tuple(job.group): found[1] for job in failed if job.group and (found := REFUSED.search(job.reason))}
    alone = [job for job in failed if tuple(job.group) not in refused]
    return [
        *(_refused([run.jobs[number].name for number in group], said) for group, said in refused.items()),
        *(_sentence(run, job) for job in alone if _is_culprit(job) and not _is_mistake(job)),
    ]


def _refused(jobs: list[str], said: str) -> str:
    named = f"rule {jobs[0]}" + (f" and {len(jobs) - 1} that share its submission" if len(jobs) > 1 else "")
    return f"{named}: SLURM took no job ({' '.join(said.split())}); change the profile's resources"


def _sentence(run: Run, job: Job) -> str:
    """One failure: what happened to which job, where to read, what to change."""
    text = _cluster_log(job) + job.reason
    had = _limits(run, job)
    logs = f"log: {', '.join(job.logs)}"
    if found := REFUSED.search(text):
        return _refused([job.name], found[1])
    if MEMORY.search(text):
        more = _more(job.rule, "mem_mb", had["mem_mb"])
        return f"rule {job.name} was killed for taking more than its {had['mem_mb']:,} MB of memory; {more}; {logs}"
    if TIME.search(text):
        more = _more(job.rule, "runtime", had["runtime"])
        return f"rule {job.name} was stopped at its limit of {had['runtime']:,} minutes; {more}; {logs}"
    if CANCELLED.search(text):
        return f"rule {job.name} was cancelled; run the same command again to make it; {logs}"
    return f"rule {job.name} failed; {logs}"


def _limits(run: Run, job: Job) -> dict[str, int]:
    """What a job's allocation had: a group runs one member after another."""
    members = [run.jobs[number] for number in job.group if number in run.jobs] or [job]
    memory, minutes = ([member.limits.get(name) or 0 for member in members] for name in ("mem_mb", "runtime"))
    return {"mem_mb": max(memory), "runtime": sum(minutes)}


def _more(rule: str, limit: str, had: int) -> str:
    return f'give it more in the profile, such as set-resources: {{{rule}: {{{limit}: "{2 * had} * attempt"}}}}'


def _is_culprit(job: Job) -> bool:
    """Whether it was this job that failed; SLURM tells of a group only that one of its members did."""
    if not job.group:
        return True
    text = _cluster_log(job)
    blocks = BROKEN.findall(text) or BEGUN.findall(text)[-1:]
    return not blocks or any(job.logs[0] in block for block in blocks)


def _is_mistake(job: Job) -> bool:
    return any(mistaken(log) for log in job.logs[:1])


def _cluster_log(job: Job) -> str:
    return _text(job.logs[1:])


def _text(logs: Iterable[str]) -> str:
    """What these logs say; nothing of those that were never written."""
    return "".join(Path(log).read_text(encoding="utf-8", errors="replace") for log in logs if Path(log).is_file())
