"""Who answers requests one set after another: a backend with its store, and what its answers have cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from ggmi.errors import UserError
from ggmi.models.backend import ask
from ggmi.models.protocol import Backend, OnProgress
from ggmi.models.requests import Request, Response, Usage
from ggmi.models.server import ServerBackend
from ggmi.models.store import Store


class Answerer:
    """Takes responses from a store, and asks for those that it does not hold.

    Parameters
    ----------
    asked, store
        Who is asked, and where responses are kept.
    on_progress
        Called after each response that had to be asked for.
    servers
        Where a server of the job's own is entered with the first request that needs it, to be left with the rest;
        None starts one anew for every set of requests.
    asks
        False looks into the store only: what is not there counts as given up.

    Attributes
    ----------
    usage
        Of the different responses handed out so far, whether asked for or kept from before.
    lost
        Requests without a response.
    """

    def __init__(
        self,
        asked: Backend,
        store: Store,
        on_progress: OnProgress | None = None,
        servers: ExitStack | None = None,
        *,
        asks: bool = True,
    ) -> None:
        self._asked, self._on_progress, self._servers, self._asks = asked, on_progress, servers, asks
        self.store = store
        self.usage = Usage()
        self.keys: set[str] = set()
        self.lost: set[str] = set()

    @property
    def identity(self) -> Mapping[str, Any]:
        """Who answers."""
        return self._asked.identity

    def responses(self, requests: Sequence[Request]) -> list[Response | None]:
        """Responses in the order of the requests; None for one that was given up.

        Raises
        ------
        UserError
            If nothing can be asked, or the run was stopped before everything was, such as by a budget.
        """
        if self._asks and self.store.missing(requests):
            if self._servers is not None and isinstance(self._asked, ServerBackend):
                self._servers.enter_context(self._asked.held())
            outcome = ask(self._asked, requests, self.store, self._on_progress)
            if outcome.stopped is not None:
                raise UserError(f"{outcome.stopped}; {len(self.store)} responses are kept in {self.store.path}")
        here = [request for request in requests if request.key() in self.store]
        found = {response.key: response for response in self.store.collect(here)}
        for key, response in found.items():
            if key not in self.keys:
                self.keys.add(key)
                self.usage += Usage.of(response)
        self.lost.update(request.key() for request in requests if request.key() not in found)
        return [found.get(request.key()) for request in requests]
