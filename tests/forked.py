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
import hashlib
import importlib
import json
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
from functools import cache, partial
from pathlib import Path

LIBRARIES = (
    *("snakemake.cli", "snakemake.executors.local", "snakemake.script", "snakemake_executor_plugin_slurm"),
    *("numpy", "pandas", "pyarrow.parquet", "scipy.stats", "scipy.optimize", "scipy.spatial.distance"),
    *("matplotlib.figure", "matplotlib.backends.backend_svg", "matplotlib.backends.backend_agg"),
    *("sklearn.covariance", "sklearn.cluster", "sklearn.datasets", "torch", "torch.utils.data", "tokenizers"),
    *("transformers.models.gpt2.modeling_gpt2", "transformers.models.bert.modeling_bert", "sentence_transformers"),
    *("pydantic", "yaml", "jinja2.sandbox", "rapidfuzz", "httpx", "openai", "tenacity"),
)
# A job of one thread has these from Snakemake and the Snakefile.
OF_JOBS = {
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")},
    **{"VECLIB_MAXIMUM_THREADS": "1", "TQDM_DISABLE": "1"},
    **{"MALLOC_TRIM_THRESHOLD_": str(2**28), "MALLOC_MMAP_THRESHOLD_": str(2**28)},
    **{"HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"},
}
# What libraries read while they are imported: each set of values has a process of its own.
READ_AT_IMPORT = ("HF_", "TRANSFORMERS_", "TORCH", "MPL", "TQDM_", "TOKENIZERS_", "PYTHONHASHSEED")
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# The program has no chance to hand on the signal that kills; this one stands for it.
DEADLY = signal.SIGUSR1


@cache
def python() -> str:
    """Path of the program; what it has started ends with the tests."""
    # Processes that share the tests share it.
    owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = Path(tempfile.gettempdir(), f"ggmi-forked-{os.getuid()}-{owner}")
    folder.mkdir(mode=0o700, exist_ok=True)
    program = folder / "python"
    words = [sys.executable, "-IS", __file__, "ask", str(folder), str(owner), str(program), sys.executable]
    beside = folder / f"python.{os.getpid()}"
    beside.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    beside.chmod(0o755)
    beside.replace(program)
    return str(program)


def kill(process: subprocess.Popen) -> None:
    """Kill what a running program stands for, as `kill -9` does."""
    process.send_signal(DEADLY)
    process.wait()


# The program.


def ask(folder: str, owner: str, program: str, real: str, *arguments: str) -> None:
    """Have something run in a fork, and end as it ends."""
    environment = dict(os.environ)
    main = arguments[:2] == ("-m", "snakemake")
    job = arguments and arguments[0].endswith(".py") and OF_JOBS.items() <= environment.items()
    if not (main or job):
        os.execv(real, [real, *arguments])
    read = {n: v for n, v in environment.items() if n.startswith(READ_AT_IMPORT)} | OF_JOBS
    name = hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:16]
    connection = _connected(Path(folder, name), owner, real, {**environment, **read})
    request = {"main": main, "program": program if main else real, "arguments": arguments, "folder": str(Path.cwd())}
    text = json.dumps({**request, "environment": environment}).encode()
    socket.send_fds(connection, [len(text).to_bytes(8, "big")], [0, 1, 2])
    connection.sendall(text)
    answers = connection.makefile("rb")
    number = int(answers.readline())
    for each in FORWARDED:
        signal.signal(each, lambda which, _frame: os.kill(number, which))
    signal.signal(DEADLY, lambda *_: os.kill(number, signal.SIGKILL))
    status = int(answers.readline())
    if status < 0:
        if status != -signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _connected(place: Path, owner: str, real: str, environment: dict[str, str]) -> socket.socket:
    """A connection to the process of an environment, which is started if there is none."""
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            environment.pop("PYTHONPATH", None)
            command = [real, __file__, "serve", str(place), owner]
            with place.with_suffix(".log").open("w") as log:
                started = subprocess.Popen(
                    command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            while not place.exists():
                assert started.poll() is None, place.with_suffix(".log").read_text()
                time.sleep(0.05)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(place))
    return connection


# The process with the libraries.


def serve(place: str, owner: str) -> None:
    """Fork for everyone who asks, until the owner is gone."""
    del sys.path[0]  # this file's folder
    for name in LIBRARIES:
        importlib.import_module(name)
    ours = [name for name in sys.modules if "ggmi" in name]
    assert not ours, ours
    assert threading.active_count() == 1
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
                return _run(request)


def _end(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _fork(connection: socket.socket, selector: selectors.BaseSelector) -> dict | None:
    """What is to be run, in the fork that is to run it."""
    length, files, _, _ = socket.recv_fds(connection, 8, 3)
    request = connection.makefile("rb").read(int.from_bytes(length, "big"))
    number = os.fork()
    if number == 0:
        connection.close()
        for fixed, file in enumerate(files):
            os.dup2(file, fixed)
            os.close(file)
        return json.loads(request)
    for file in files:
        os.close(file)
    child = os.pidfd_open(number)

    def ended() -> None:
        _, status = os.waitpid(number, 0)
        answer(os.waitstatus_to_exitcode(status))
        selector.unregister(child)
        with contextlib.suppress(KeyError):
            selector.unregister(connection)
        os.close(child)
        connection.close()

    def answer(value: int) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(b"%d\n" % value)

    def forsaken() -> None:
        # Who asked was killed, and with it what it stands for; its end is seen above.
        os.kill(number, signal.SIGKILL)
        selector.unregister(connection)

    answer(number)
    selector.register(child, selectors.EVENT_READ, ended)
    selector.register(connection, selectors.EVENT_READ, forsaken)
    return None


def _run(request: dict) -> None:
    """Run a module or a script as a new interpreter does, and end."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", 1 if os.isatty(1) else -1, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.executable = request["program"]
    arguments = request["arguments"]
    searched = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[0:0] = [str(Path.cwd()) if request["main"] else str(Path(arguments[0]).resolve().parent), *searched]
    status = 0
    try:
        if request["main"]:
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
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
    {"ask": ask, "serve": serve}[sys.argv[1]](*sys.argv[2:])
