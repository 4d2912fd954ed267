"""What every backend does, and how it tells what it did."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ggmi.models.requests import Request, Response, Usage
from ggmi.models.settings import Prices


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
