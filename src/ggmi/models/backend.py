"""The choice of a backend by its settings, and asking it for what a store is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ggmi.errors import UserError, did_you_mean
from ggmi.models.protocol import Backend, OnProgress, OnResponse, Outcome
from ggmi.models.requests import Request, Response
from ggmi.models.settings import (
    BackendSettings,
    EndpointSettings,
    LocalSettings,
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
