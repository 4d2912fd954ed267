"""Jobs as forks of processes that have loaded other people's libraries: transformers takes four seconds, a fork none.

A run on Linux starts two such processes, one with torch and one without. They load nothing of ggmi, so a job reads the
code that is there when it starts. A job has an interpreter of its own where that is not to be had: on a cluster's
nodes, in another conda environment or a container, with several threads, and on a machine with a GPU, which a process
and its forks cannot share. Forks put sets of strings in one order, on which nothing that is written may depend, and
end as multiprocessing's do: without what was registered with `atexit`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

# Where a run's processes are asked, and the interpreter that they are; empty where jobs are forks already.
VARIABLE = "GGMI_FORKS"
LIBRARIES = {
    "step": (
        *("snakemake.script", "snakemake.iocontainers", "pandas", "scipy.stats", "scipy.optimize", "scipy.spatial"),
        *("matplotlib.figure", "matplotlib.backends.backend_svg", "matplotlib.backends.backend_agg"),
        *("sklearn.cluster", "sklearn.covariance", "pydantic", "yaml", "jinja2.sandbox", "latex2mathml.converter"),
    ),
    "models": (
        *("snakemake.script", "snakemake.iocontainers", "pandas", "scipy.stats", "pydantic", "httpx", "transformers"),
        *("transformers.trainer", "transformers.models.gpt2.modeling_gpt2", "transformers.models.llama.modeling_llama"),
        *("transformers.models.bert.modeling_bert", "sentence_transformers"),
    ),
}
# Devices of machines with a GPU.
GPUS = ("/dev/nvidiactl", "/dev/kfd")
# A process of fewer jobs would not be worth its start.
FEWEST_JOBS = 4


def start(rules: Mapping[str, Iterable[str]]) -> list[subprocess.Popen[bytes]]:
    """Start processes whose forks the jobs of a run will be; they end with this process.

    Parameters
    ----------
    rules
        Names of the rules whose jobs are ahead, one a job, by the key of `LIBRARIES` that holds what they need.

    Returns
    -------
    list of Popen
        Holds what the processes end with.
    """
    worth = {kind: jobs for kind, names in rules.items() if len(jobs := list(names)) >= FEWEST_JOBS}
    if not worth or VARIABLE in os.environ or sys.platform != "linux" or any(map(os.path.exists, GPUS)):
        return []
    folder = tempfile.mkdtemp(prefix="ggmi-")
    # One thread, since only the thread that forks goes on in a fork.
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")}
    environment = {**os.environ, **one}
    os.environ[VARIABLE] = os.pathsep.join((folder, sys.executable))
    started = []
    for kind, jobs in worth.items():
        for name in set(jobs):
            Path(folder, name).symlink_to(f".{kind}")
        command = [sys.executable, "-P", __file__, folder, kind]
        # A fork gets the job's own files; a pipe from the run ends with it.
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=null, stderr=null)  # noqa: S603
        started.append(process)
    return started


def run_in_fork(rule: str, threads: int) -> int | None:
    """Run this very script once more, in a fork, and wait for its end.

    Parameters
    ----------
    rule
        The job's rule.
    threads
        The job's.

    Returns
    -------
    int or None
        The fork's exit status, negative for a signal; None if it has to run here.
    """
    folder, _, python = os.environ.get(VARIABLE, "").partition(os.pathsep)
    if python != sys.executable or threads > 1:
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(f"{folder}/{rule}")
        except OSError:  # not there yet, or gone
            return None
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the fork as well
        environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
        request = json.dumps([sys.argv, os.getcwd(), environment])  # noqa: PTH109 - a text
        socket.send_fds(connection, [b"."], [0, 1, 2])
        connection.sendall(f"{request}\n".encode())
        return int(connection.recv(8) or 1)


def serve(folder: str, kind: str) -> None:
    """Load libraries, then run jobs in forks until the run is gone.

    Parameters
    ----------
    folder
        Where to listen.
    kind
        A key of `LIBRARIES`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in LIBRARIES[kind]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"{folder}/.{kind}.new")
    listening.listen(64)
    Path(folder, f".{kind}.new").rename(Path(folder, f".{kind}"))
    jobs: dict[socket.socket, BaseProcess] = {}
    while True:
        ready = wait([0, listening, *jobs, *(job.sentinel for job in jobs.values())])
        if 0 in ready:
            break
        for connection, job in list(jobs.items()):
            if job.sentinel in ready:
                job.join()
                with contextlib.suppress(OSError):
                    connection.sendall(str(job.exitcode).encode())
            elif connection in ready:  # who asked was killed
                job.kill()
                job.join()
            else:
                continue
            connection.close()
            del jobs[connection]
        if listening in ready:
            connection = listening.accept()[0]
            try:
                _, files, _, _ = socket.recv_fds(connection, 1, 3)
                with connection.makefile() as lines:
                    request = json.loads(lines.readline())
            except (OSError, ValueError):  # who asked was killed while asking
                connection.close()
                continue
            job = get_context("fork").Process(target=_run, args=(*request, files, [listening, connection, *jobs]))
            job.start()
            for file in files:
                os.close(file)
            jobs[connection] = job
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _run(
    arguments: list[str], folder: str, environment: dict[str, str], files: list[int], others: list[socket.socket]
) -> None:
    """Run a script as a new interpreter does."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for each in others:
        each.close()
    for fixed, file in enumerate(files):
        os.dup2(file, fixed)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    sys.argv = arguments
    sys.path.insert(0, str(Path(arguments[0]).resolve().parent))
    runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    serve(*sys.argv[1:])
