"""What a run tells of itself while it goes on: a line of JSON an event, beside its results."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ggmi.workflow.queue import refusal

RECORD = ".run.jsonl"
# Of these a person may have to ask for more.
LIMITS = ("mem_mb", "runtime")
# As its executor says when it begins.
SLURM_RUN = re.compile(r"SLURM run ID: (\S+)")


class Recorder(logging.Handler):
    """Write the events of Snakemake's log that tell how far a run is.

    Parameters
    ----------
    on_failure
        Called whenever an attempt at a job has failed, before Snakemake decides on another.

    Attributes
    ----------
    slurm_run
        The name that SLURM's executor says it gives all jobs of this run; None where it is another executor.
    """

    def __init__(self, on_failure: Callable[[], None]) -> None:
        super().__init__()
        self.slurm_run: str | None = None
        self._on_failure = on_failure
        self._file: BinaryIO | None = None
        self._resources: dict[int, Mapping[str, Any]] = {}

    def begin(self, results: Path, about: Mapping[str, Any]) -> None:
        """Write the first line.

        Parameters
        ----------
        results
            The results folder; the record of the run before is replaced.
        about
            What the first line says: of the run, and of all jobs ahead.
        """
        self._file = (results / RECORD).open("wb", buffering=0)
        self._write("began", **about)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line for an event that counts."""
        try:
            if named := SLURM_RUN.match(record.getMessage()):
                self.slurm_run = named[1]
            self._take(vars(record))
        except Exception:
            self.handleError(record)

    def _take(self, fields: Mapping[str, Any]) -> None:
        # Imported here so that a record is read where Snakemake is not installed.
        from snakemake_interface_logger_plugins.common import LogEvent

        event = fields.get("event")
        if event == LogEvent.JOB_INFO:
            self._resources[fields["jobid"]] = asked = dict(fields["resources"].items())
            limits = {name: asked.get(name) for name in LIMITS}
            told = {"rule": fields["rule_name"], "wildcards": dict(fields["wildcards"]), **limits}
            self._write("started", job=fields["jobid"], log=list(fields["log"]), **told)
        elif event == LogEvent.JOB_FINISHED:
            self._write("finished", job=fields["job_id"])
        elif event == LogEvent.JOB_ERROR and not fields["indent"]:
            self._on_failure()
            self._write("failed", job=fields["jobid"], logs=list(fields["log"]), reason=fields["rule_msg"] or "")
        elif event == LogEvent.GROUP_ERROR:
            self._on_failure()
            failed = fields["job_error_info"]
            members = [info["jobid"] for info in failed]
            # Snakemake tells of a group neither that it was refused nor why; what was never submitted has no number.
            reason = "" if "external_jobid" in fields else refusal([self._resources[member] for member in members])
            for info in failed:
                logs = [*info["log"], *fields["aux_logs"]]
                self._write("failed", job=info["jobid"], logs=logs, reason=reason, group=members)

    def end(self) -> None:
        """Say that the run came to its end, good or bad."""
        self._write("ended")

    def _write(self, event: str, **fields: Any) -> None:
        if self._file is None:  # what is only planned leaves no record
            return
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
