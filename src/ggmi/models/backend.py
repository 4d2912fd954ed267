"""What every backend does, and the choice of one by its settings."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from ggmi.errors import UserError, did_you_mean
from ggmi.models.requests import Request, Response, Usage
from ggmi.models.settings import (
    BackendSettings,
    EndpointSettings,
    LocalSettings,
    Prices,
    RewardSettings,
    ServerSettings,
    Settings,
)
from ggmi.models.store import Store

KINDS: dict[str, type[Settings]] = {
    "local": LocalSettings,
    "world": LocalSettings,
    "openai": EndpointSettings,
    "vllm": ServerSettings,
    "reward": RewardSettings,
}


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    done, failed, total
        Responses kept, requests given up in this run, responses wanted.
    usage
        Of the whole store.
    cost
        Of the whole store, by the price table.
    seconds_left
        At the speed so far; None before the first response of the run.
    """

    done: int
    failed: int
    total: int
    usage: Usage
    cost: float
    seconds_left: float | None


# Keeps a response; the sentence that it may return tells why going on is no use.
OnResponse = Callable[[Response], str | None]
OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class Failure:
    """A request that was given up; it is not in the store, so a new run asks it again.

    Parameters
    ----------
    key, prompt_id
        Of the request.
    reason
        One of few words, to be counted.
    message
        What happened at the last attempt.
    attempts
        How often it was tried.
    """

    key: str
    prompt_id: str
    reason: str
    message: str
    attempts: int


@dataclass(frozen=True)
class Outcome:
    """What a run brought.

    Parameters
    ----------
    received
        Responses received and kept in this run.
    failures
        Requests given up.
    retried
        Attempts that failed and were made again, by reason.
    stopped
        Why the run ended before everything was asked; None if everything was.
    """

    received: int
    failures: tuple[Failure, ...] = ()
    retried: Mapping[str, int] = field(default_factory=dict)
    stopped: str | None = None

    def failed(self) -> Counter[str]:
        """How many requests were given up, by reason."""
        return Counter(failure.reason for failure in self.failures)


class Backend(Protocol):
    """Turns requests into responses."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Who answers: everything about it that decides a response; part of every key."""

    def generate(
        self,
        requests: Sequence[Request],
        *,
        kept: Container[str],
        spent: Usage,
        on_response: OnResponse,
        on_progress: OnProgress | None,
    ) -> Outcome:
        """Ask for what is missing.

        Parameters
        ----------
        requests
            Everything that is wanted, what is kept already included.
        kept
            Keys of the responses at hand.
        spent
            What they used.
        on_response
            Called with each response the moment it arrives; where it returns a sentence, nothing
            more is asked of an endpoint.
        on_progress
            Called after each response.

        Raises
        ------
        UserError
            If nothing can be asked at all, such as an unknown model or a missing key.
        """


class Meter:
    """Keeps count during a run.

    Parameters
    ----------
    total, done
        Responses wanted, and how many of them are at hand.
    spent
        Usage of the store so far.
    prices
        What tokens cost.
    on_progress
        Who wants to know.
    """

    def __init__(
        self, total: int, done: int, spent: Usage, prices: Prices | None = None, on_progress: OnProgress | None = None
    ) -> None:
        self.usage = spent
        self.received = 0
        self.failed = 0
        self._total = total
        self._before = done
        self._prices = prices or Prices()
        self._on_progress = on_progress
        self._started = time.monotonic()

    def count(self, response: Response | None) -> None:
        """Count a response, or None for a request given up, and tell."""
        if response is None:
            self.failed += 1
        else:
            self.received += 1
            self.usage += Usage.of(response)
        if self._on_progress is None:
            return
        done = self._before + self.received
        left = None
        if self.received:
            left = (time.monotonic() - self._started) / self.received * (self._total - done - self.failed)
        cost = self._prices.cost(self.usage.prompt_tokens, self.usage.completion_tokens)
        self._on_progress(Progress(done, self.failed, self._total, self.usage, cost, left))


def check_settings(values: Mapping[str, Any], source: str = "backend") -> BackendSettings:
    """Validate the settings of a backend.

    Parameters
    ----------
    values
        Plain values by key, ``kind`` among them.
    source
        What to call them in messages.

    Returns
    -------
    LocalSettings, EndpointSettings, ServerSettings or RewardSettings

    Raises
    ------
    UserError
        One sentence: the key, the bad value and what is allowed.

    Examples
    --------
    >>> check_settings({"kind": "lokal", "model": "m"})
    Traceback (most recent call last):
    ...
    ggmi.errors.UserError: backend: kind is 'lokal': did you mean 'local'?
    >>> check_settings({"kind": "local", "modle": "m"})
    Traceback (most recent call last):
    ...
    ggmi.errors.UserError: backend: unknown key 'modle': did you mean 'model'?
    """
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise UserError(f"{source}: kind is {kind!r}: {did_you_mean(str(kind), KINDS)}")
    allowed = KINDS[kind].model_fields
    for key in values:
        if key not in allowed:
            raise UserError(f"{source}: unknown key {key!r}: {did_you_mean(str(key), allowed)}")
    try:
        checked: BackendSettings = TypeAdapter(BackendSettings).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"] if part != kind)
        got = "" if first["type"] == "missing" else f", got {first['input']!r}"
        raise UserError(f"{source}: {where}: {first['msg'].lower()}{got}") from None
    return checked


def backend(
    settings: Mapping[str, Any] | BackendSettings, *, source: str = "backend", log: Path | None = None
) -> Backend:
    """Make the backend that the settings ask for; nothing is loaded, sent or started yet.

    Parameters
    ----------
    settings
        Plain values by key, ``kind`` among them (see `ggmi.models.settings`), or checked settings.
    source
        What to call the settings in messages.
    log
        Where a server started for the job writes its messages; by default a temporary file.

    Raises
    ------
    UserError
        If a setting is wrong, or a local model's directory is.
    """
    chosen = check_settings(settings, source) if isinstance(settings, Mapping) else settings
    # torch and the client take seconds to import; only what is used is.
    if isinstance(chosen, LocalSettings):
        from ggmi.models.local import LocalBackend

        return LocalBackend(chosen)
    if isinstance(chosen, EndpointSettings):
        from ggmi.models.endpoint import EndpointBackend

        return EndpointBackend(chosen)
    if isinstance(chosen, RewardSettings):
        from ggmi.models.reward import RewardBackend

        return RewardBackend(chosen)
    from ggmi.models.server import ServerBackend

    return ServerBackend(chosen, log)


def ask(
    asked: Backend,
    requests: Iterable[Request],
    store: Store,
    on_progress: OnProgress | None = None,
    watch: OnResponse | None = None,
) -> Outcome:
    """Ask a backend for what a store is missing, keeping every response the moment it arrives.

    Parameters
    ----------
    asked
        The backend.
    requests
        Everything that is wanted; give the same list after an interruption.
    store
        Where responses are kept.
    on_progress
        Called after each response.
    watch
        Looks at each response once it is kept; the sentence that it returns ends the run.

    Returns
    -------
    Outcome
        Failures and the reason of an early stop are for the caller to tell.

    Raises
    ------
    UserError
        If nothing can be asked, the store is held by another process, or the disk is full.
    ValueError
        If a request is meant for another backend.
    """
    wanted = list(requests)
    if any(request.identity != asked.identity for request in wanted):
        raise ValueError("a request is meant for another backend")

    def keep(response: Response) -> str | None:
        store.append(response)
        return watch(response) if watch else None

    with store.writing():
        return asked.generate(wanted, kept=store, spent=store.usage, on_response=keep, on_progress=on_progress)
