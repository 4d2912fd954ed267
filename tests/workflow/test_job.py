import os
import re
import subprocess
import sys
import textwrap
import time

import pytest

from ggmi.workflow.job import ORPHANED, RUN_VARIABLE, USER_MISTAKE, mistakes

HEAD = "from ggmi.errors import UserError\nfrom ggmi.workflow.job import job\n"


@pytest.fixture
def script(tmp_path):
    """Start a script that runs its body as a job whose log is logs/worlds/gmm.log."""
    started = []

    def start(body, run=None):
        environment = {k: v for k, v in os.environ.items() if k != RUN_VARIABLE}
        if run is not None:
            environment[RUN_VARIABLE] = str(run)
        path = tmp_path / "script.py"
        path.write_text(f"{HEAD}with job('logs/worlds/gmm.log'):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n")
        process = subprocess.Popen(
            [sys.executable, path], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, encoding="utf-8"
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def log(tmp_path):
    return tmp_path / "logs/worlds/gmm.log"


def ended(process):
    """Exit code and error stream of a process that ends by itself."""
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def wait_for(path):
    for _ in range(3000):
        if path.exists():
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} did not appear")


def test_a_job_that_ends_well_leaves_a_line_that_says_so(script, log, tmp_path):
    assert ended(script("open('made', 'w').close()")) == (0, "")
    assert (tmp_path / "made").exists()
    assert re.fullmatch(r"done in \d+\.\d\d s\n", log.read_text(encoding="utf-8"))


def test_a_users_mistake_is_a_sentence_in_the_log_and_exit_code_two(script, log):
    code, said = ended(script("raise UserError('cells.csv: row 3 has no label')"))
    assert code == USER_MISTAKE == 2
    assert "Traceback" not in said
    assert log.read_text(encoding="utf-8") == "mistake: cells.csv: row 3 has no label\n"


def test_a_bug_leaves_its_traceback_in_the_log_and_exit_code_one(script, log):
    code, said = ended(script("def halve(x):\n    return x / 0\nhalve(1)"))
    assert code == 1
    text = log.read_text(encoding="utf-8")
    assert text.startswith("Traceback (most recent call last):")
    assert "in halve" in text
    assert text.endswith("ZeroDivisionError: division by zero\n")
    assert "ZeroDivisionError" in said
    assert mistakes(log.parent, 0) == []


def test_an_error_of_the_same_kind_as_a_mistake_is_still_a_bug(script, log):
    # UserError is a ValueError; the reverse does not hold.
    code, _ = ended(script("raise ValueError('wrong shape')"))
    assert code == 1
    assert log.read_text(encoding="utf-8").endswith("ValueError: wrong shape\n")


def test_an_interrupted_job_says_so_in_its_log(script, log):
    code, _ = ended(script("raise KeyboardInterrupt"))
    assert code not in (0, USER_MISTAKE)
    assert log.read_text(encoding="utf-8").rstrip().endswith("KeyboardInterrupt")


def test_the_log_of_an_earlier_run_is_replaced(script, log):
    ended(script("raise UserError('first')"))
    assert ended(script("pass"))[0] == 0
    assert log.read_text(encoding="utf-8").startswith("done in")


def test_a_sentence_keeps_its_letters_whatever_the_locale(script, log, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    ended(script("raise UserError('Größe π fehlt')"))
    assert log.read_text(encoding="utf-8") == "mistake: Größe π fehlt\n"


# Life and death with the run.

WORK = """
    import time
    open('started', 'w').close()
    for _ in range(6000):
        time.sleep(0.01)
        if __import__('os').path.exists('go on'):
            break
    open('made', 'w').close()
"""


@pytest.fixture
def run():
    """A process that stands for the run."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def test_a_job_whose_run_is_killed_ends_by_itself_without_its_output(script, run, log, tmp_path):
    process = script(WORK, run=run.pid)
    wait_for(tmp_path / "started")
    assert process.poll() is None
    run.kill()
    run.wait()
    assert ended(process)[0] == ORPHANED
    assert not (tmp_path / "made").exists()
    assert not log.exists()


def test_a_job_works_as_long_as_its_run_lives(script, run, log, tmp_path):
    process = script(WORK, run=run.pid)
    wait_for(tmp_path / "started")
    time.sleep(0.5)  # longer than a job waits between looks at its run
    assert process.poll() is None
    (tmp_path / "go on").touch()
    assert ended(process)[0] == 0
    assert (tmp_path / "made").exists()
    assert log.read_text(encoding="utf-8").startswith("done in")


def test_a_job_started_after_its_run_has_gone_ends_without_its_output(script, run, tmp_path):
    run.kill()
    run.wait()
    assert ended(script(WORK, run=run.pid))[0] == ORPHANED
    assert not (tmp_path / "made").exists()


def test_a_job_started_by_hand_has_no_run_to_die_with(script, tmp_path):
    process = script(WORK)
    wait_for(tmp_path / "started")
    (tmp_path / "go on").touch()
    assert ended(process)[0] == 0


# What the run repeats in the end.


@pytest.fixture
def logs(tmp_path):
    """Logs of an earlier run (at 1000 seconds) and of this one (at 2000)."""
    for name, text, at in (
        ("worlds/old.log", "mistake: of yesterday\n", 1000),
        ("worlds/gmm.log", "mistake: cells.csv: row 3 has no label\n", 2000),
        ("gaps/gmm.log", "mistake: gaps.npz: is damaged\nsecond line\n", 2001),
        ("trends/gmm.log", "done in 1.00 s\n", 2000),
        ("kl_gap/gmm.log", "Traceback\nValueError: mistake: no\n", 2000),
        ("kl_gap/bytes.log", b"\xff\xfe", 2000),
        ("kl_gap/notes.txt", "mistake: not a log\n", 2000),
    ):
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.utime(path, (at, at))
    return tmp_path / "logs"


def test_mistakes_are_the_sentences_of_this_runs_logs_in_order_of_their_names(logs):
    assert mistakes(logs, 2000) == ["gaps.npz: is damaged\nsecond line", "cells.csv: row 3 has no label"]


def test_sentences_of_earlier_runs_are_not_repeated(logs):
    assert mistakes(logs, 2000.5) == ["gaps.npz: is damaged\nsecond line"]
    assert mistakes(logs, 3000) == []
    assert "of yesterday" in mistakes(logs, 0)


def test_without_logs_there_are_no_mistakes(tmp_path):
    assert mistakes(tmp_path / "nowhere", 0) == []


def test_what_a_job_says_is_what_the_run_repeats(script, log):
    before = time.time() - 1
    ended(script("raise UserError('worlds.npz: is damaged')"))
    assert mistakes(log.parent.parent, before) == ["worlds.npz: is damaged"]
