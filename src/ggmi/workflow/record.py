"""What a run tells of itself while it goes on: a line of JSON an event, beside its results."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

from ggmi.workflow.job import mistaken

RECORD = ".run.jsonl"
# Of these a person may have to ask for more.
LIMITS = ("mem_mb", "runtime")


class Recorder(logging.Handler):
    """Write the events of Snakemake's log that tell how far a run is.

    Parameters
    ----------
    results
        The results folder; the record of the run before is replaced.
    about
        What the first line says: of the run, and of all jobs ahead.
    """

    def __init__(self, results: Path, about: Mapping[str, Any]) -> None:
        super().__init__()
        self._file = (results / RECORD).open("wb", buffering=0)
        self._said: dict[str, str] = {}
        self._write("began", **about)

    def listen(self, executor: Any, since: float) -> None:
        """Hear of a failure before Snakemake makes another attempt.

        What SLURM said of a group is in none of Snakemake's events. And no further attempt mends what a
        person has to, so a job that met a person's mistake has had its last one.

        Parameters
        ----------
        executor
            One of Snakemake's.
        since
            When the run began (seconds since the epoch): older logs tell nothing of it.
        """
        tell = executor.print_job_error

        def told(info: Any, msg: str | None = None, **aux: Any) -> None:
            job = info.job
            if job.is_group():
                self._said[str(job.groupid)] = msg or ""
            if any(mistaken(log, since) for log in job.log):
                job._attempt = 1 + job.restart_times
            tell(info, msg, **aux)

        executor.print_job_error = told

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line for an event that counts."""
        fields = vars(record)
        event = fields.get("event")
        try:
            if event == LogEvent.JOB_INFO:
                limits = {name: fields["resources"].get(name) for name in LIMITS}
                told = {"rule": fields["rule_name"], "wildcards": dict(fields["wildcards"]), **limits}
                self._write("started", job=fields["jobid"], log=list(fields["log"]), **told)
            elif event == LogEvent.JOB_FINISHED:
                self._write("finished", job=fields["job_id"])
            elif event == LogEvent.JOB_ERROR and not fields["indent"]:
                self._write("failed", job=fields["jobid"], logs=list(fields["log"]), reason=fields["rule_msg"] or "")
            elif event == LogEvent.GROUP_ERROR:
                members = [info["jobid"] for info in fields["job_error_info"]]
                reason = self._said.get(str(fields["groupid"]), "")
                for info in fields["job_error_info"]:
                    logs = [*info["log"], *fields["aux_logs"]]
                    self._write("failed", job=info["jobid"], logs=logs, reason=reason, group=members)
        except Exception:
            self.handleError(record)

    def end(self) -> None:
        """Say that the run came to its end, good or bad."""
        self._write("ended")

    def _write(self, event: str, **fields: Any) -> None:
        # A full disk is told by the job that met it; the record is not what a run fails for.
        with contextlib.suppress(OSError):
            self._file.write(f"{json.dumps({'event': event, 'time': time.time(), **fields})}\n".encode())


@dataclass
class Job:
    """A job as far as a run's record tells."""

    work: float
    study: str | None = None
    conditions: list[str] = field(default_factory=list)
    rule: str = ""
    wildcards: dict[str, str] = field(default_factory=dict)
    limits: dict[str, int | None] = field(default_factory=dict)
    state: str = "waiting"
    since: float = 0.0
    # The job's own log comes first, then the cluster's.
    logs: list[str] = field(default_factory=list)
    reason: str = ""
    group: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Rule and wildcards."""
        values = ", ".join(f"{name}={value}" for name, value in self.wildcards.items())
        return f"{self.rule} ({values})" if values else self.rule


@dataclass
class Run:
    """A run as far as its record tells.

    Parameters
    ----------
    about
        What its first line says: ``pid``, ``host``, ``command``, ``folder``.
    began, advanced
        When it began, and when a job last finished (seconds since the epoch).
    ended
        When it came to its end; None if it goes on or was killed.
    jobs
        Every job that it had ahead, by Snakemake's number.
    """

    about: dict[str, Any]
    began: float
    advanced: float
    ended: float | None
    jobs: dict[int, Job]

    def of(self, state: str) -> list[Job]:
        """Jobs that are ``waiting``, ``running``, ``finished`` or ``failed``."""
        return [job for job in self.jobs.values() if job.state == state]


def read_run(results: Path) -> Run | None:
    """Read the record of a results folder's last run.

    Parameters
    ----------
    results
        The folder.

    Returns
    -------
    Run or None
        None where no run left a record.
    """
    try:
        lines = (results / RECORD).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    run: Run | None = None
    for line in lines:
        try:
            fields = json.loads(line)
        except ValueError:  # the line that a killed run was writing
            break
        event, when = fields.pop("event"), fields.pop("time")
        if run is None:
            if event != "began":  # the disk was full when the run began
                return None
            jobs = {int(number): Job(**told) for number, told in fields.pop("jobs").items()}
            run = Run(fields, when, when, None, jobs)
        elif event == "ended":
            run.ended = when
        elif job := run.jobs.get(fields["job"]):
            _apply(job, event, when, fields)
            run.advanced = when if event == "finished" else run.advanced
    return run


def _apply(job: Job, event: str, when: float, fields: Mapping[str, Any]) -> None:
    job.state, job.since = {"started": "running"}.get(event, event), when
    if event == "started":
        job.rule, job.wildcards, job.logs = fields["rule"], fields["wildcards"], fields["log"]
        job.limits = {name: fields[name] for name in LIMITS}
    elif event == "failed":
        job.logs, job.reason, job.group = fields["logs"], fields["reason"], fields.get("group", [])
