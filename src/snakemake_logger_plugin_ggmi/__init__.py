"""What a person sees while the workflow runs: which study, how many conditions, time left.

Snakemake finds this package by its name; ``logger: ggmi`` in a profile or ``--logger ggmi`` chooses it. The Snakefile
sends the plan once, in ``onstart:``, as an ordinary record::

    jobs = {7: {"study": "Simulated mixtures", "conditions": ["psd/K2_J2_L2"], "work": 3.0}}
    logger.info("1 condition in 1 job", extra={"ggmi_plan": {"jobs": jobs}})

Jobs are keyed by Snakemake's job id. ``work`` is in any unit proportional to time. ``study`` is None for a job of no
study. A condition is done when every job of its study that lists it has finished.
"""

import argparse
import os
import re
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from logging import ERROR, INFO, WARNING, LogRecord
from pathlib import Path
from typing import Any

import snakemake
from rich.console import Console, Group
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from ggmi.config.document import read_yaml
from ggmi.errors import UserError
from ggmi.workflow.job import USER_MISTAKE
from ggmi.workflow.progress import clock_time, seconds_left

SECONDS_BETWEEN_LINES = 5
"""Away from a terminal, a line about progress appears at most this often."""

# What Snakemake says before there is a plan and few want to know; a message it words anew is a line more.
_CHATTER = re.compile("Building DAG|Using shell|Assuming|Config file |Group jobs|Conda env|Singularity|Select jobs")
# What it says while a run goes well and a person wants to know.
_ENDING = re.compile(r"Will exit after|Terminating processes|Shutting down")
_SNAKEMAKE = str(Path(snakemake.__file__).parent)  # a prefix of its executor plugins' folders as well


class Tally:
    """Conditions and work of one study or of the whole run.

    Parameters
    ----------
    name : str
        What its line begins with.
    jobs : mapping of int to mapping
        By job id: ``study`` (str or None), ``conditions`` (list of str) and ``work`` (float).
    """

    def __init__(self, name: str, jobs: Mapping[int, Mapping[str, Any]]) -> None:
        self.name = name
        self.jobs = dict(jobs)
        self.waiting = Counter(condition for job in jobs.values() for condition in _conditions(job))
        self.conditions = len(self.waiting)
        self.work = sum(job["work"] for job in jobs.values())
        self.worked = 0.0

    @property
    def done(self) -> int:
        """Conditions that wait for no job any more."""
        return self.conditions - len(self.waiting)

    def finish(self, jobid: int) -> bool:
        """Count a job as finished, and return whether it was one of these."""
        job = self.jobs.pop(jobid, None)
        if job:
            self.worked += job["work"]
            self.waiting -= Counter(_conditions(job))
        return job is not None


class Plan:
    """What the run has to do and how far it is; studies are shown in the order in which the jobs name them.

    Parameters
    ----------
    jobs : mapping of int to mapping
        As in `Tally`.
    """

    def __init__(self, jobs: Mapping[int, Mapping[str, Any]]) -> None:
        self.total = Tally("Total", jobs)
        self.tallies = [self.total] if jobs else []
        for study in reversed(dict.fromkeys(study for job in jobs.values() for study, _ in _conditions(job))):
            self.tallies.insert(0, Tally(study, {i: job for i, job in jobs.items() if job["study"] == study}))
        self.failed: dict[int, float] = {}
        self.started = self.advanced = time.monotonic()
        self.ended: float | None = None

    def finish(self, jobid: int) -> Tally | None:
        """Count a job as finished; return the tally it tells most about, None if it was not planned."""
        finished = [tally for tally in self.tallies if tally.finish(jobid)]
        self.failed.pop(jobid, None)
        self.advanced = time.monotonic()
        return finished[0] if finished else None

    def fail(self, jobid: int) -> None:
        """Take a failed job's work out of what is left; a retry that finishes counts as usual."""
        if job := self.total.jobs.get(jobid):
            self.failed[jobid] = job["work"]

    def elapsed(self) -> str:
        """Return the time since the plan came, until the run ended."""
        return clock_time((self.ended or time.monotonic()) - self.started)

    def left(self) -> str:
        """Return the time left, by the work done when a job last finished."""
        work, failed = self.total, sum(self.failed.values())
        seconds = seconds_left(work.worked, work.work, failed, self.started, self.advanced, time.monotonic())
        return "estimating time left" if seconds is None else f"{clock_time(seconds)} left"

    def outcome(self) -> str:
        """Return how the run ended and what time it took."""
        return f"{'stopped after' if self.total.jobs else 'finished in'} {self.elapsed()}"

    def line(self, tally: Tally) -> str:
        """Return what is said of a tally where there are no bars."""
        parts = [f"{tally.done} of {tally.conditions} conditions"] if tally.conditions else []
        if tally is self.total:
            parts.append(self.outcome() if self.ended else self.left())
        elif self.total.jobs and not self.ended:
            parts.append(f"{self.left()} in total")
        return f"{tally.name}: {', '.join(parts)}"


def refuse_code(arguments: Sequence[str]) -> None:
    """Leave with a sentence if a file given with ``--configfile`` is not plain YAML.

    Snakemake reads these files before the Snakefile, and runs the Python in those that ask for it (``__use_yte__``).
    A logger is the first part of a workflow that it makes, and the only one before it reads them.

    Parameters
    ----------
    arguments : sequence of str
        Of Snakemake's command line.
    """
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", action="extend", default=[])
    parser.add_argument("--config", "-C", nargs="*")  # else it would be taken for the beginning of the other
    for name in parser.parse_known_args(arguments)[0].configfile:
        path = Path(name)
        if path.is_file():  # of one that is missing, Snakemake says so
            try:
                read_yaml(path)
            except UserError as error:
                sys.stderr.write(f"ggmi: {error}\n")
                sys.exit(USER_MISTAKE)


def _conditions(job: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(job["study"], condition) for condition in job["conditions"] if job["study"]}


class _Status(ProgressColumn):
    """What stands behind a bar."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    def render(self, task: Task) -> Text:
        tally, plan = task.fields["tally"], self.plan
        if tally is not plan.total:
            return Text(f"{tally.done}/{tally.conditions} conditions")
        return Text(plan.outcome() if plan.ended else f"{plan.elapsed()} elapsed, {plan.left()}")


class LogHandler(LogHandlerBase):
    """Snakemake's messages reduced to progress, warnings and errors.

    With ``--dry-run``, ``--verbose``, ``--printshellcmds``, ``--debug-dag`` or ``--quiet`` everything looks as it does
    without this plugin: Snakemake shows itself what no plugin shows.
    """

    writes_to_file = False
    has_filter = False
    has_formatter = False
    needs_rulegraph = False

    @property
    def writes_to_stream(self) -> bool:
        """Whether this is what shows the run."""
        return self.shows

    def __post_init__(self) -> None:
        """Look at the configuration, then choose between Snakemake's own output, bars and plain lines."""
        refuse_code(sys.argv[1:])
        asked = self.common_settings
        stream = sys.stdout if asked.stdout else sys.stderr
        details = asked.dryrun or asked.verbose or asked.printshellcmds or asked.debug_dag or asked.quiet
        self.shows = not details
        terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.console = Console(file=stream, force_terminal=terminal, no_color=asked.nocolor or None)
        self.plan: Plan | None = None
        self.bars: Progress | None = None
        self.tasks: dict[Tally, TaskID] = {}
        self.failing = False
        self.last_line = 0.0
        self.wildcards: dict[int, Mapping[str, str]] = {}
        self.reasons: dict[int | None, str] = {}

    def emit(self, record: LogRecord) -> None:
        """Show a record, or take from it what the display needs."""
        try:
            if self.shows:
                self._take(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Leave the final counts on a terminal in order."""
        try:
            for reason in self.reasons.values():
                self._print(reason, ERROR)
            self.reasons.clear()
            self._end()
        finally:
            super().close()

    def _take(self, record: LogRecord) -> None:
        fields = vars(record)
        event = fields.get("event")
        reason = self.reasons.pop(record.thread, "")
        self.failing |= record.levelno >= ERROR
        if event == LogEvent.JOB_ERROR:
            if self.plan:
                self.plan.fail(fields["jobid"])
            self._print("\n".join(self._failure(fields, reason)), record.levelno)
            return
        self._print(reason, ERROR)
        if event == LogEvent.JOB_INFO:
            self.wildcards[fields["jobid"]] = fields["wildcards"]  # errors come without
        elif event == LogEvent.JOB_FINISHED:
            self._advance(fields["job_id"])
        elif event == LogEvent.ERROR and fields.get("exception") == "RuleException":
            self.reasons[record.thread] = record.getMessage()  # the same thread says next which job failed
        elif not self._is_chatter(record):
            self._print(self.format(record), record.levelno)
        if "ggmi_plan" in fields:
            self._begin(Plan(fields["ggmi_plan"]["jobs"]))

    def _is_chatter(self, record: LogRecord) -> bool:
        event, message = vars(record).get("event"), record.getMessage()
        if record.levelno > INFO:
            return False
        if event is not None:  # steps are the only progress known without a plan
            return self.plan is not None or event != LogEvent.PROGRESS
        if not record.pathname.startswith(_SNAKEMAKE):
            return False
        if self.plan is None or self.failing:
            return bool(_CHATTER.match(message))
        return not _ENDING.match(message)

    def _failure(self, fields: Mapping[str, Any], reason: str) -> Iterator[str]:
        """Yield which job failed, why and what to read, without the shell code Snakemake shows twice."""
        yield f"Error in rule {fields['rule_name']}"
        if wildcards := self.wildcards.get(fields["jobid"]):
            yield f"    wildcards: {', '.join(f'{name}={value}' for name, value in wildcards.items())}"
        where, _, what = reason.partition("\n")[2].partition("\n")
        if where.startswith("CalledProcessError"):
            what = what.rpartition("' ")[2]
        if reason := fields["rule_msg"] or f"{where} {what}".strip():
            yield f"    reason: {textwrap.shorten(reason, 300)}"
        if fields["log"]:
            yield f"    log: {', '.join(fields['log'])}"
            if self.common_settings.show_failed_logs:
                for log in filter(Path.is_file, map(Path, fields["log"])):
                    yield f"Logfile {log}:\n{log.read_text(encoding='utf-8', errors='replace').rstrip()}"

    def _begin(self, plan: Plan) -> None:
        self._end()
        self.plan, self.last_line = plan, time.monotonic()
        if not (plan.tallies and self.console.is_terminal):
            return
        self.bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(20, complete_style="cyan", finished_style="green"),
            _Status(plan),
            console=self.console,
            redirect_stdout=sys.stdout.isatty(),  # what else this process prints goes above the bars
        )
        self.tasks = {t: self.bars.add_task(t.name, total=t.work, tally=t) for t in plan.tallies}
        self.bars.start()

    def _advance(self, jobid: int) -> None:
        plan, now = self.plan, time.monotonic()
        if not plan or not (tally := plan.finish(jobid)):
            return
        if self.bars:
            for shown, task in self.tasks.items():
                self.bars.update(task, completed=shown.worked)
        elif now - self.last_line >= SECONDS_BETWEEN_LINES if tally.jobs else tally is not plan.total:
            self._print(plan.line(tally))
            self.last_line = now
        if not plan.total.jobs:
            self._end()

    def _end(self) -> None:
        plan, bars = self.plan, self.bars
        if not plan or plan.ended:
            return
        plan.ended, self.bars = time.monotonic(), None
        if bars:
            bars.stop()
        else:
            for tally in plan.tallies:
                if tally.jobs or tally is plan.total:
                    self._print(plan.line(tally))

    def _print(self, text: str, level: int = INFO) -> None:
        style = "red" if level > WARNING else "yellow" if level == WARNING else ""
        # Long lines stay whole, so that paths can be copied; printed without a group, they would be wrapped.
        if text.strip():
            self.console.print(Group(Text(text.rstrip(), style, no_wrap=True, overflow="ignore")), crop=False)
