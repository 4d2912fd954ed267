"""OpenAI-compatible endpoints that somebody runs."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping, Sequence
from typing import Any

from ggmi.errors import UserError
from ggmi.models.conversation import converse
from ggmi.models.protocol import Meter, OnProgress, OnResponse, Outcome
from ggmi.models.requests import Request, Usage, missing
from ggmi.models.settings import EndpointSettings


def read_key(key_env: str | None) -> str:
    """The key from the environment.

    Parameters
    ----------
    key_env
        Name of the variable; None for an endpoint that needs no key.

    Raises
    ------
    UserError
        If the variable is not set, or holds what cannot be a key; its value is not told.
    """
    if key_env is None:
        return ""
    key = os.environ.get(key_env, "").strip()
    if not key:
        raise UserError(f"key_env: the environment variable {key_env} is not set; the endpoint's key is read from it")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise UserError(f"key_env: the value of {key_env} cannot be a key (it holds spaces or other odd characters)")
    return key


class EndpointBackend:
    """An OpenAI-compatible endpoint that somebody runs.

    Log-probabilities are natural logarithms as the endpoint gives them. Usually they are of the
    model's own distribution, so with a temperature or top-p other than 1 they are not of the
    distribution sampled from and are left out, with the reason; usually too they leave out the
    end-of-text token.

    Parameters
    ----------
    settings
        See `ggmi.models.settings.EndpointSettings`.
    """

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings

    @property
    def identity(self) -> Mapping[str, Any]:
        """The address, the model's name and its revision, and what else each request says."""
        s = self._settings
        extra = {"extra": s.extra} if s.extra else {}
        return {"kind": s.kind, "base_url": s.base_url.rstrip("/"), "model": s.model, "revision": s.revision, **extra}

    def generate(
        self,
        requests: Sequence[Request],
        *,
        kept: Container[str],
        spent: Usage,
        on_response: OnResponse,
        on_progress: OnProgress | None = None,
    ) -> Outcome:
        """Ask for what is missing; see `ggmi.models.protocol.Backend.generate`.

        On SIGINT or SIGTERM nothing new is sent and what is under way gets ten seconds to finish;
        then KeyboardInterrupt or SystemExit is raised.

        Raises
        ------
        UserError
            If the key is missing or refused, the model unknown, the address wrong, a prompt too
            long, or if nothing but faults is ever heard.
        """
        todo = missing(requests, kept)
        if not todo:
            return Outcome(0)
        key = read_key(self._settings.key_env)
        total = len(missing(requests, ()))
        meter = Meter(total, total - len(todo), spent, self._settings.prices, on_progress)
        return converse(self._settings, self._settings.base_url, todo, meter, on_response, key)
