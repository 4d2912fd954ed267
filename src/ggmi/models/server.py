"""A server started for the job on this machine, asked like any endpoint, and always stopped."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from ggmi.errors import UserError
from ggmi.models import guard
from ggmi.models.conversation import converse
from ggmi.models.directory import fingerprint, looks_like_path
from ggmi.models.faults import inert
from ggmi.models.protocol import Meter, OnProgress, OnResponse, Outcome
from ggmi.models.requests import Request, Usage, missing
from ggmi.models.settings import ServerSettings

# Seconds between two questions whether the server is ready.
EVERY = 0.2


def free_port() -> int:
    """A port of loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(settings: ServerSettings, log: Path) -> Iterator[str]:
    """Run a server as long as the block lasts.

    A guard of its own process stops it when the block is left and when this process ends in any
    other way, SIGTERM and SIGKILL included.

    Parameters
    ----------
    settings
        The command, the model, and how long to wait until it answers.
    log
        Where its messages go; appended to.

    Yields
    ------
    str
        The address to ask, up to and with ``/v1``.

    Raises
    ------
    UserError
        If it ends or does not answer in time; its last message is told.
    """
    port = free_port()
    filled = {
        "{model}": settings.model,
        "{port}": str(port),
        "{revision}": settings.revision or "main",
        "{gpus}": str(settings.gpus),
    }
    command = []
    for word in settings.command:
        for name, value in filled.items():
            word = word.replace(name, value)
        command.append(word)
    # What is installed beside this interpreter is found whether or not its environment is activated.
    beside = shutil.which(command[0], path=str(Path(sys.executable).parent))
    command[0] = beside or command[0]
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        messages = log.open("ab")
    except OSError as error:
        raise UserError(f"{log}: cannot be written ({error.strerror or error})") from error
    with messages:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, guard.__file__, *command],
            stdin=subprocess.PIPE,
            stdout=messages,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, port, settings, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, settings: ServerSettings, log: Path) -> None:
    deadline = time.monotonic() + settings.ready_timeout
    with httpx.Client(trust_env=False, timeout=5.0) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise UserError(
                    f"{settings.command[0]}: the server ended before it was ready ({_last(log)}); see {log}"
                )
            with contextlib.suppress(httpx.TransportError):
                if client.get(f"http://127.0.0.1:{port}/health").is_success:
                    return
            time.sleep(EVERY)
    raise UserError(
        f"{settings.command[0]}: the server was not ready within ready_timeout, {settings.ready_timeout:g} s; see {log}"
    )


def _last(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return inert(lines[-1]) if lines else "it said nothing"


class ServerBackend:
    """A model behind a server that is started for the job.

    Parameters
    ----------
    settings
        See `ggmi.models.settings.ServerSettings`.
    log
        Where the server's messages go; None for a new file among the system's temporary ones.

    Raises
    ------
    UserError
        If the model is a directory that holds none.
    """

    def __init__(self, settings: ServerSettings, log: Path | None = None) -> None:
        self._settings = settings
        self._log = log
        self._base_url: str | None = None
        directory = looks_like_path(settings.model)
        self._model = fingerprint(Path(settings.model)) if directory else settings.model

    @property
    def identity(self) -> Mapping[str, Any]:
        """The model by its content (directory) or name, its revision, and the command with its settings."""
        settings = self._settings
        command = list(settings.command)
        extra = {"extra": settings.extra} if settings.extra else {}
        who = {"kind": settings.kind, "model": self._model, "revision": settings.revision}
        return {**who, "command": command, **extra}

    def generate(
        self,
        requests: Sequence[Request],
        *,
        kept: Container[str],
        spent: Usage,
        on_response: OnResponse,
        on_progress: OnProgress | None = None,
    ) -> Outcome:
        """Start the server and ask for what is missing; see `ggmi.models.protocol.Backend.generate`.

        Raises
        ------
        UserError
            Also if the server does not start.
        """
        todo = missing(requests, kept)
        if not todo:
            return Outcome(0)
        total = len(missing(requests, ()))
        with self.held() as base_url:
            meter = Meter(total, total - len(todo), spent, self._settings.prices, on_progress)
            return converse(self._settings, base_url, todo, meter, on_response)

    @contextlib.contextmanager
    def held(self) -> Iterator[str]:
        """Keep one server for everything that is asked in the block; yields its address.

        Raises
        ------
        UserError
            If the server does not start.
        """
        if self._base_url is not None:
            yield self._base_url
            return
        log = self._log
        if log is None:
            with tempfile.NamedTemporaryFile(prefix="server-", suffix=".log", delete=False) as file:
                log = Path(file.name)
        with running(self._settings, log) as base_url:
            self._base_url = base_url
            try:
                yield base_url
            finally:
                self._base_url = None
