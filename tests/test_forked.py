"""A forked Python does what a new one does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import forked
import pytest
from forked_client import OF_JOBS

ECHO = """
import atexit, os, sys
atexit.register(print, "the end")
print(sys.argv, os.getcwd(), os.environ.get("MINE"), sys.path[:2], __name__, sys.stdin.read())
print("told", file=sys.stderr)
"""
ENDS = {
    "returns": "",
    "a number": "raise SystemExit(3)",
    "a sentence": "raise SystemExit('wrong')",
    "an error": "1 / 0",
    "a signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
}


def run(python, script, **environment):
    words = [python, script, "a b", "--c"]
    environment = os.environ | OF_JOBS | {"PYTHONPATH": "/nowhere"} | environment
    return subprocess.run(words, cwd=script.parent, env=environment, input="asked", capture_output=True, text=True)


@pytest.mark.parametrize("end", ENDS)
def test_words_files_and_end_are_those_of_a_new_interpreter(tmp_path, end):
    script = tmp_path / "echo.py"
    script.write_text(ECHO + ENDS[end])
    fork, new = (run(python, script, MINE="é") for python in (forked.python(), sys.executable))
    assert (fork.returncode, fork.stdout) == (new.returncode, new.stdout)
    # Between them stand the places of an error, which differ.
    for line in (0, -1):
        assert fork.stderr.splitlines()[line] == new.stderr.splitlines()[line]


def test_what_is_killed_is_gone(tmp_path):
    (tmp_path / "long.py").write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n")
    for kill in (forked.kill, subprocess.Popen.kill, subprocess.Popen.terminate):
        command = [forked.python(), tmp_path / "long.py"]
        with subprocess.Popen(command, env=os.environ | OF_JOBS, stdout=subprocess.PIPE, text=True) as process:
            number = int(process.stdout.readline())
            assert number != process.pid
            kill(process)
        assert process.returncode in (-signal.SIGKILL, -signal.SIGTERM)
        until = time.monotonic() + 60
        while Path(f"/proc/{number}").exists():
            assert time.monotonic() < until
            time.sleep(0.01)


def test_other_jobs_have_an_interpreter_of_their_own(tmp_path):
    (tmp_path / "who.py").write_text("import sys; print('snakemake' in sys.modules)")
    told = [run(forked.python(), tmp_path / "who.py", OMP_NUM_THREADS=number).stdout for number in "12"]
    assert told == ["True\n", "False\n"]
