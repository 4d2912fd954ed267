"""What models of transformers in this process have in common: batches, progress, memory, identity."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch

from ggmi.errors import UserError
from ggmi.loading import chosen_device, chosen_dtype, threads
from ggmi.models.hub import HubModel
from ggmi.models.protocol import Meter, OnProgress, OnResponse, Outcome
from ggmi.models.requests import Request, Response, Usage, missing
from ggmi.models.settings import LocalSettings, RewardSettings


class InProcessBackend:
    """A model in this process; who derives from it says how requests are cut into batches, and answers a batch.

    Parameters
    ----------
    settings
        See `ggmi.models.settings`.
    refusal
        See `ggmi.models.hub.HubModel`.

    Raises
    ------
    UserError
        If the directory does not exist, or there is no such device.
    """

    kind: str
    # What a batch holds, for a message.
    unit: str

    def __init__(self, settings: LocalSettings | RewardSettings, refusal: str) -> None:
        self._settings = settings
        self._hub = HubModel(settings.model, settings.revision, refusal)
        self._device = chosen_device(settings.device)
        self._dtype = chosen_dtype(settings.dtype, self._device)

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """The model by its content (directory) or commit (hub), and its number format."""
        return {"kind": self.kind, **self._hub.content, "dtype": self._dtype}

    def generate(
        self,
        requests: Sequence[Request],
        *,
        kept: Container[str],
        spent: Usage,
        on_response: OnResponse,
        on_progress: OnProgress | None = None,
    ) -> Outcome:
        """Answer what is missing, batch by batch.

        Parameters and errors are those of `ggmi.models.protocol.Backend.generate`.

        Raises
        ------
        UserError
            Also if the context window is too small for a request, before the first.
        """
        todo, unique = missing(requests, kept), missing(requests, ())
        keys = {request.key() for request in todo}
        meter = Meter(len(unique), len(unique) - len(todo), spent, on_progress=on_progress)
        with threads(self._settings.threads):
            for batch in self._batches(unique, todo) if todo else ():
                if keys.isdisjoint(request.key() for request in batch):
                    continue
                started = time.monotonic()
                try:
                    answers = self._answer(batch)
                except torch.OutOfMemoryError:
                    raise UserError(
                        f"{self._settings.model}: {len(batch)} {self.unit} at the same time do not fit into the memory "
                        f"of the GPU; set batch_size below {self._settings.batch_size}"
                    ) from None
                about: dict[str, Any] = {
                    "model": self._hub.label,
                    "seconds": round(time.monotonic() - started, 3),
                    "attempts": 1,
                }
                for request, fields in zip(batch, answers, strict=True):
                    if request.key() in keys:
                        response = Response(key=request.key(), **fields, **about)
                        on_response(response)
                        meter.count(response)
        return Outcome(meter.received)

    def _batches(self, unique: Sequence[Request], todo: Sequence[Request]) -> list[list[Request]]:
        """Batches in which all, or all missing, requests stand once."""
        raise NotImplementedError

    def _answer(self, batch: Sequence[Request]) -> list[dict[str, Any]]:
        """What a model writes to the requests of a batch, in their order: the fields of each response."""
        raise NotImplementedError

    def _cut(self, ordered: Iterable[Request], alike: Callable[[Request], Any] = lambda _: None) -> list[list[Request]]:
        """Cut requests into batches in which all are alike."""
        batches: list[list[Request]] = []
        for request in ordered:
            last = batches[-1] if batches else []
            if last and len(last) < self._settings.batch_size and alike(last[0]) == alike(request):
                last.append(request)
            else:
                batches.append([request])
        return batches
