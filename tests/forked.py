"""A Python that starts at once: forks of a process that has imported other people's libraries, and nothing of ours.

`python()` is a program to call in place of `sys.executable`: `python -m snakemake ...` or `python script.py ...`. What
it runs has the caller's folder, environment, files, signals and exit status; the jobs of a Snakemake that it runs start
the same way. All else, and jobs of several threads, get an interpreter of their own. Forks of a process put sets of
strings in the same order: tests of equal bytes set PYTHONHASHSEED, which has another process forked.
"""

import atexit
import contextlib
import fcntl
import gc
import importlib
import logging
import marshal
import multiprocessing.util
import os
import runpy
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import types
import weakref
from functools import cache, partial
from pathlib import Path

DEADLY = signal.SIGUSR1  # as the client has it
FORKS = "GGMI_FORKS"  # of ggmi.workflow.forks: jobs here are forks already
LIBRARIES = (
    *("snakemake.cli", "snakemake.executors.local", "snakemake.script", "snakemake_executor_plugin_slurm"),
    *("numpy", "pandas", "pyarrow.parquet", "scipy.stats", "scipy.optimize", "scipy.spatial.distance"),
    *("matplotlib.figure", "matplotlib.backends.backend_svg", "matplotlib.backends.backend_agg"),
    *("sklearn.covariance", "sklearn.cluster", "sklearn.datasets", "torch", "torch.utils.data", "tokenizers"),
    *("transformers.models.gpt2.modeling_gpt2", "transformers.models.bert.modeling_bert", "sentence_transformers"),
    *("pydantic", "yaml", "jinja2.sandbox", "rapidfuzz", "httpx"),
)


@cache
def python() -> str:
    """Path of the program; what it has started ends with the tests."""
    # Processes that share the tests share it.
    owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = Path(tempfile.gettempdir(), f"ggmi-forked-{os.getuid()}-{owner}")
    folder.mkdir(mode=0o700, exist_ok=True)
    program, client = folder / "python", Path(__file__).with_name("forked_client.py")
    words = [sys.executable, "-IS", str(client), str(folder), str(owner), str(program), sys.executable]
    beside = folder / f"python.{os.getpid()}"
    beside.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    beside.chmod(0o755)
    beside.replace(program)
    return str(program)


def kill(process: subprocess.Popen) -> None:
    """Kill what a running program stands for, as `kill -9` does."""
    process.send_signal(DEADLY)
    process.wait()


def start(place: str, owner: str) -> None:
    """Start the process of this environment, unless another has."""
    # Larger pages make forks cheaper.
    environment = os.environ | {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    environment.pop("PYTHONPATH", None)
    with Path(place + ".lock").open("w") as lock, Path(place + ".log").open("w") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if Path(place).exists():
            return
        command = [sys.executable, __file__, "serve", place, owner]
        started = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        while not Path(place).exists():
            assert started.poll() is None, Path(place + ".log").read_text()
            time.sleep(0.05)


def serve(place: str, owner: str) -> None:
    """Fork for everyone who asks, until the owner is gone."""
    del sys.path[0]  # this file's folder
    for name in LIBRARIES:
        importlib.import_module(name)
    ours = [name for name in sys.modules if "ggmi" in name]
    assert not ours, ours
    assert threading.active_count() == 1
    # Forks leave what libraries have registered for the end to this process: it takes longer than a fork.
    weakref.finalize._registry.clear()
    weakref.finalize._registered_with_atexit = False
    atexit._clear()
    atexit.register(logging.shutdown)
    atexit.register(multiprocessing.util._exit_function)
    gc.collect()
    gc.freeze()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(place + ".new")
    listening.listen(64)
    Path(place + ".new").rename(place)
    selector = selectors.DefaultSelector()
    selector.register(listening, selectors.EVENT_READ)
    selector.register(os.pidfd_open(int(owner)), selectors.EVENT_READ, partial(_end, Path(place).parent))
    while True:
        for key, _ in selector.select():
            if key.fileobj is not listening:
                key.data()
            elif request := _fork(listening.accept()[0], selector):
                listening.close()
                selector.close()
                _run(*request)


def _end(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _fork(connection: socket.socket, selector: selectors.BaseSelector) -> tuple | None:
    """What is to be run, in the fork that is to run it."""
    length, files, _, _ = socket.recv_fds(connection, 8, 3)
    request = connection.makefile("rb").read(int.from_bytes(length, "big"))
    number = os.fork()
    if number == 0:
        connection.close()
        for fixed, file in enumerate(files):
            os.dup2(file, fixed)
            os.close(file)
        return marshal.loads(request)
    for file in files:
        os.close(file)
    child = os.pidfd_open(number)

    def answer(value: int) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(value.to_bytes(8, "big", signed=True))

    def ended() -> None:
        _, status = os.waitpid(number, 0)
        answer(os.waitstatus_to_exitcode(status))
        selector.unregister(child)
        with contextlib.suppress(KeyError):
            selector.unregister(connection)
        os.close(child)
        connection.close()

    def forsaken() -> None:
        # Who asked was killed, and with it what it stands for; its end is seen above.
        os.kill(number, signal.SIGKILL)
        selector.unregister(connection)

    answer(number)
    selector.register(child, selectors.EVENT_READ, ended)
    selector.register(connection, selectors.EVENT_READ, forsaken)
    return None


def _run(arguments: tuple[str, ...], folder: str, environment: dict[str, str], program: str) -> None:
    """Run a module or a script as a new interpreter does, and end."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.environ[FORKS] = ""
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    at_once = os.isatty(1) or "PYTHONUNBUFFERED" in environment
    sys.stdout = open(1, "w", 1 if at_once else -1, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.executable, tempfile.tempdir = program, None
    module = arguments[0] == "-m"
    searched = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[0:0] = [folder if module else str(Path(arguments[0]).resolve().parent), *searched]
    sys.argv = [*arguments[module:]]
    status = 0
    try:
        if module:
            # It looks where it is while it is imported.
            importlib.import_module("snakemake.workflow").Workflow._rundir = folder
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            main = sys.modules["__main__"] = types.ModuleType("__main__")
            main.__file__ = arguments[0]
            exec(compile(Path(arguments[0]).read_bytes(), arguments[0], "exec"), main.__dict__)
    except SystemExit as end:
        if not (end.code is None or isinstance(end.code, int)):
            sys.stderr.write(f"{end.code}\n")
            end.code = 1
        status = end.code or 0
    except KeyboardInterrupt:
        status = -signal.SIGINT
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    if status < 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(status & 0xFF)


if __name__ == "__main__":
    {"start": start, "serve": serve}[sys.argv[1]](*sys.argv[2:])
