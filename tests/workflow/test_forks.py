"""A job that is a fork does what a job with an interpreter of its own does, and ends with its run."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ggmi.workflow import forks

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or any(map(os.path.exists, forks.GPUS)), reason="jobs are no forks here"
)

# As workflow/scripts/step.py, with a rule's script in place.
STEP = """
import os, sys
from ggmi.workflow.forks import run_in_fork
status = run_in_fork("worlds", int(sys.argv[1]))
if status is not None:
    os.kill(os.getpid(), -status) if status < 0 else sys.exit(status)
print(os.getpid(), "scipy.stats" in sys.modules, "ggmi.io" in sys.modules, flush=True)
print("the end")
print(sys.argv, os.getcwd(), os.environ.get("MINE"), sys.path[0], __name__, file=sys.stderr)
"""
ENDS = {
    "": 0,
    "raise SystemExit(3)": 3,
    "raise SystemExit('wrong')": 1,
    "1 / 0": 1,
    "os.kill(os.getpid(), 15)": -15,
}


@pytest.fixture(scope="module")
def run():
    """A process that stands for the run: where its processes are asked, and the process."""
    code = f"""
import os, sys, time
from ggmi.workflow import forks
started = forks.start({{"step": ["worlds"] * {forks.FEWEST_JOBS}, "models": ["students"]}})
folder = os.environ[forks.VARIABLE].partition(os.pathsep)[0]
while not os.path.exists(folder + "/worlds"):
    time.sleep(0.02)
print(os.environ[forks.VARIABLE], *(each.pid for each in started), flush=True)
sys.stdin.read()
"""
    environment = {name: value for name, value in os.environ.items() if name != forks.VARIABLE}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        address, *started = process.stdout.readline().split()
        yield address, process, [int(number) for number in started]
        process.kill()


def job(address, folder, *, end="", threads=1):
    """A job's process."""
    script = folder / "job.step.py"
    script.write_text(STEP + end)
    environment = os.environ | {forks.VARIABLE: address, "MINE": "é\n"}
    words = [sys.executable, script, str(threads)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(words, cwd=folder, env=environment, **pipes)


@pytest.mark.parametrize("end", ENDS)
def test_words_files_and_end_are_those_of_an_interpreter_of_its_own(run, tmp_path, end):
    processes = [job(address, tmp_path, end=end) for address in (run[0], "")]
    (fork, told), (own, wanted) = (process.communicate() for process in processes)
    assert [process.returncode for process in processes] == [ENDS[end]] * 2
    # What the library does there is read when the job starts.
    number, *loaded = fork.split("\n")[0].split()
    assert loaded == ["True", "False"]
    assert int(number) != processes[0].pid
    assert fork.splitlines()[1:] == own.splitlines()[1:]
    # Between them stand the places of an error, which differ.
    for line in (0, -1):
        assert told.splitlines()[line] == wanted.splitlines()[line]


def test_jobs_of_several_threads_and_of_other_interpreters_have_their_own(run, tmp_path):
    folder = run[0].partition(os.pathsep)[0]
    for address, threads in (
        (run[0], 2),
        (f"{folder}{os.pathsep}/usr/bin/python", 1),
        (f"{tmp_path}{os.pathsep}{sys.executable}", 1),
    ):
        process = job(address, tmp_path, threads=threads)
        assert int(process.communicate()[0].split()[0]) == process.pid
    # Of the other kind were fewer jobs ahead than pay for a process.
    assert sorted(path.name for path in Path(folder).iterdir()) == [".step", "worlds"]


def test_who_is_killed_while_asking_keeps_nobody_from_a_fork(run, tmp_path):
    for asked in (b"", b".[1"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"{run[0].partition(os.pathsep)[0]}/worlds")
            connection.sendall(asked)
    process = job(run[0], tmp_path)
    assert int(process.communicate()[0].split()[0]) != process.pid


def test_a_fork_is_killed_with_the_process_that_it_stands_for(run, tmp_path):
    for deadly in (signal.SIGKILL, signal.SIGTERM):
        process = job(run[0], tmp_path, end="import time; time.sleep(600)")
        number = int(process.stdout.readline().split()[0])
        process.send_signal(deadly)
        process.communicate()
        assert number != process.pid
        wait_until(lambda number=number: not Path(f"/proc/{number}").exists())


def test_processes_and_forks_of_a_killed_run_end_and_a_rerun_gives_the_same(finished, fresh_project, tmp_path):
    environment = {name: value for name, value in fresh_project.environment.items() if name != forks.VARIABLE}
    environment["TMPDIR"] = str(tmp_path)
    wanted = [str(p.relative_to(finished.path)) for p in finished.path.glob("results/gmm/*/*/divergences_forward.npz")]
    command = fresh_project.command("--cores", "2", *wanted)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=fresh_project.path, env=environment, **quiet) as process:
        wait_until(lambda: list(tmp_path.glob("ggmi-*/.step")))
        (folder,) = tmp_path.glob("ggmi-*")
        more = 2 + len(archives(fresh_project))
        wait_until(lambda: len(archives(fresh_project)) >= more)
        process.kill()
    wait_until(lambda: not folder.exists())
    subprocess.run(command, cwd=fresh_project.path, env=environment, check=True, **quiet)
    made = fresh_project.tables()
    assert set(wanted) <= {f"results/{name}" for name in made}
    assert made.items() <= finished.tables().items()


def archives(project):
    """Files of arrays that have been made."""
    return list((project.path / "results").rglob("*.npz"))


def wait_until(true):
    """Wait a minute at most."""
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)
