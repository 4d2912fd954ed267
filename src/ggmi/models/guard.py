"""Runs a command until its own standard input ends, then stops the command and all it started.

``python guard.py COMMAND...``: whoever holds the other end of the pipe keeps the command alive; if
that process ends in whatever way, kill -9 included, the command does not outlive it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

# Seconds between the request to end and the end.
PATIENCE = 10.0


def main(command: list[str]) -> int:
    """Run the command in a session of its own; its exit status, once it has ended."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror or error}\n")
        return 127

    def stop() -> None:
        while os.read(0, 4096):  # sys.stdin would hold a lock at the interpreter's end
            pass
        for number, patience in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, None)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(patience)

    threading.Thread(target=stop, daemon=True).start()
    status = child.wait()
    with contextlib.suppress(ProcessLookupError):  # workers that their parent left behind
        os.killpg(child.pid, signal.SIGKILL)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
