"""What a process of its own does: ask a backend for what a store is missing."""

from __future__ import annotations

import os
import time

from ggmi.models.backend import ask, backend
from ggmi.models.server import running
from ggmi.models.store import Store


def lines_in(path):
    """Number of responses that a file holds, read anew."""
    return path.read_bytes().count(b"\n")


def ask_all(settings, requests, path):
    """Ask until all is there; the exit status of the process tells how it went."""
    ask(backend(settings), requests, Store(path))


def hold(path, ready):
    """Hold a store for writing until killed."""
    with Store(path).writing():
        ready.set()
        while True:
            time.sleep(0.1)


def hold_server(mark, settings, log, ready):
    """Hold a server whose processes carry a mark until killed."""
    os.environ["GGMI_TEST_MARK"] = mark
    with running(settings, log):
        ready.set()
        while True:
            time.sleep(0.1)
