"""The frame around every script: errors in one sentence, a log file, and no life after its run."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ggmi.errors import UserError

if TYPE_CHECKING:
    from ggmi.models.protocol import OnProgress, Progress

# Set by the Snakefile to the process that runs the workflow.
RUN_VARIABLE = "GGMI_RUN_PID"
# What a log file of a job that met a user's mistake begins with.
MISTAKE = "mistake: "
USER_MISTAKE = 2
ORPHANED = 75
# Long jobs say this often how far they are.
SECONDS_BETWEEN_LINES = 10.0


@contextlib.contextmanager
def job(log: str) -> Iterator[None]:
    """Run a script's body so that its mistakes reach a person and nothing outlives the run.

    A `UserError` becomes one sentence in the log, which the run repeats, and exit code 2. When
    the process that started the run is gone, the job ends before it writes anything more.

    Parameters
    ----------
    log
        The rule's log file.
    """
    _end_with_run()
    path = Path(log)
    with contextlib.suppress(OSError):  # said when the first file cannot be written
        path.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    try:
        yield
    except UserError as error:
        if not _logged(path, f"{MISTAKE}{error}\n"):
            sys.stderr.write(f"ggmi: {error}\n")
        sys.exit(USER_MISTAKE)
    except SystemExit:  # whoever ends a job so has said why
        raise
    except BaseException:
        _logged(path, traceback.format_exc())
        raise
    _logged(path, f"done in {time.monotonic() - started:.2f} s\n")


def _logged(path: Path, text: str) -> bool:
    """Whether a log could be written; where the disk is full, it is not what a job fails for."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError:
        return False
    return True


def steps_shown(name: str) -> Callable[[str, int, int, Mapping[str, Any]], None]:
    """A callback that tells the terminal, now and then, how far a training is.

    Parameters
    ----------
    name
        What is trained.
    """
    line = _Line(name)

    def tell(stage: str, step: int, most: int, _row: Mapping[str, Any]) -> None:
        line.show(f"{stage}, step {step:,} of at most {most:,}")

    return tell


def work_shown(name: str) -> Callable[[str, int, int], None]:
    """A callback that tells the terminal, now and then, what a job does, how much of it is done, and of how much.

    Parameters
    ----------
    name
        What the job is.
    """
    line = _Line(name)

    def tell(what: str, done: int, of: int) -> None:
        line.show(f"{what}, {done:,} of {of:,}")

    return tell


def students_shown(condition: str) -> Callable[[int, int, int, float | None], None]:
    """A callback that tells the terminal, now and then, how far the training of students is.

    Parameters
    ----------
    condition
        What they learn from.

    Returns
    -------
    callable
        Can be pickled, for a student that several processes train.
    """
    return partial(_tell_student, _Line(condition))


def _tell_student(line: _Line, number: int, step: int, most: int, seconds_left: float | None) -> None:
    line.show(f"student {number}, step {step:,} of at most {most:,}{_left(seconds_left)}")


def students_done(name: str) -> Callable[[str, int, int, int], None]:
    """A callback that tells the terminal, now and then, how many students of a job are trained and rated.

    Parameters
    ----------
    name
        What the job is.
    """
    line = _Line(name)

    def tell(condition: str, number: int, done: int, total: int) -> None:
        line.show(f"{condition}, student {number}: {done:,} of {total:,} done")

    return tell


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f", {timedelta(seconds=round(seconds))} left"


def responses_shown(name: str) -> OnProgress:
    """A callback that tells the terminal, now and then, how far a generation is and what it has cost.

    Parameters
    ----------
    name
        Who is asked, and what.
    """
    line = _Line(name)

    def tell(progress: Progress) -> None:
        failed = f", {progress.failed:,} failed" if progress.failed else ""
        spent = f", spent {progress.cost:,.2f}" if progress.cost else ""
        line.show(
            f"{progress.done:,} of {progress.total:,} responses{failed}, {progress.usage.tokens:,} tokens{spent}"
            f"{_left(progress.seconds_left)}"
        )

    return tell


class _Line:
    """Lines on the terminal, `SECONDS_BETWEEN_LINES` apart at least."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._next = time.monotonic() + SECONDS_BETWEEN_LINES

    def show(self, text: str) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + SECONDS_BETWEEN_LINES
            sys.stderr.write(f"{self._name}: {text}\n")
            sys.stderr.flush()


def mistakes(logs: Path, since: float) -> list[str]:
    """Sentences that jobs left in their logs.

    Parameters
    ----------
    logs
        Folder of log files.
    since
        Only logs changed after this time (seconds since the epoch).

    Returns
    -------
    list of str
    """
    return [mistake for path in sorted(logs.rglob("*.log")) if (mistake := mistaken(path, since))]


def mistaken(log: str | Path, since: float = 0.0) -> str:
    """The sentence that a job left in its log; empty if it met no user's mistake.

    Parameters
    ----------
    log
        The job's log file, which need not exist.
    since
        As for `mistakes`.
    """
    path = Path(log)
    if not path.is_file() or path.stat().st_mtime < since:
        return ""
    text = path.read_text(encoding="utf-8", errors="replace")
    return text.removeprefix(MISTAKE).strip() if text.startswith(MISTAKE) else ""


def _end_with_run() -> None:
    """Watch the run's process; a job whose run was killed would write into the next run's files."""
    run = os.environ.get(RUN_VARIABLE)
    if run is None:
        return

    def watch() -> None:
        while True:
            try:
                os.kill(int(run), 0)
            except ProcessLookupError:
                os._exit(ORPHANED)
            except PermissionError:
                pass
            time.sleep(0.2)

    threading.Thread(target=watch, daemon=True).start()
