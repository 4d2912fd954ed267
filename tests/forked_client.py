"""What `forked.python()` calls: have something run in a fork, and end as it ends. Starts fast, so it imports little."""

import marshal
import os
import sys
import zlib
from _signal import (
    SIG_BLOCK,
    SIG_DFL,
    SIG_UNBLOCK,
    SIGHUP,
    SIGINT,
    SIGKILL,
    SIGTERM,
    SIGUSR1,
    pthread_sigmask,
    signal,
)
from _socket import AF_UNIX, SCM_RIGHTS, SOL_SOCKET, socket

# A job of one thread has these from Snakemake and the Snakefile.
OF_JOBS = {
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")},
    **{"VECLIB_MAXIMUM_THREADS": "1", "TQDM_DISABLE": "1"},
    **{"MALLOC_TRIM_THRESHOLD_": str(2**28), "MALLOC_MMAP_THRESHOLD_": str(2**28)},
    **{"HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"},
}
# What is read at the start or while libraries are imported: each set of values has a process of its own.
READ_AT_IMPORT = ("HF_", "TRANSFORMERS_", "TORCH", "MPL", "TQDM_", "TOKENIZERS_", "PYTHONHASHSEED")
# Nobody can hand on the signal that kills; this one stands for it.
DEADLY = SIGUSR1


def ask(folder: str, owner: str, program: str, real: str, *arguments: str) -> None:
    """Ask the process that has an environment's libraries."""
    environment = dict(os.environ)
    main = arguments[:2] == ("-m", "snakemake")
    job = arguments and arguments[0].endswith(".py") and OF_JOBS.items() <= environment.items()
    if not (main or job):
        os.execv(real, [real, *arguments])
    read = {n: v for n, v in environment.items() if n.startswith(READ_AT_IMPORT)} | OF_JOBS
    # Marshalled, equal values may be other bytes: those depend on who else holds a string.
    place = f"{folder}/{zlib.crc32(repr(sorted(read.items())).encode()):08x}"
    connection = socket(AF_UNIX)
    try:
        connection.connect(place)
    except FileNotFoundError:
        command = [real, f"{os.path.dirname(__file__)}/forked.py", "start", place, owner]  # noqa: PTH120
        assert os.spawnve(os.P_WAIT, real, command, environment | read) == 0
        connection.connect(place)
    request = marshal.dumps((arguments, os.getcwd(), environment, program if main else real))  # noqa: PTH109
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    # What comes before it is known whom to hand it on waits until then.
    handed_on = (SIGTERM, SIGINT, SIGHUP, DEADLY)
    pthread_sigmask(SIG_BLOCK, handed_on)
    connection.sendmsg([len(request).to_bytes(8, "big")], [(SOL_SOCKET, SCM_RIGHTS, files)])
    connection.sendall(request)
    number = _received(connection)
    for each in (SIGTERM, SIGINT, SIGHUP):
        signal(each, lambda which, _frame: os.kill(number, which))
    signal(DEADLY, lambda *_: os.kill(number, SIGKILL))
    pthread_sigmask(SIG_UNBLOCK, handed_on)
    status = _received(connection)
    if status < 0:
        if status != -SIGKILL:
            signal(-status, SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _received(connection: socket) -> int:
    answer = connection.recv(8)
    if not answer:
        sys.exit("the process that forks is gone")
    return int.from_bytes(answer, "big", signed=True)


if __name__ == "__main__":
    ask(*sys.argv[1:])
