"""What holds requests back: rates, cool-downs and the budget."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping

from aiolimiter import AsyncLimiter

from ggmi.errors import UserError
from ggmi.models.requests import Request, Usage
from ggmi.models.settings import ClientSettings

# Seconds between two requests after a first refusal, and what an answer makes of them.
LEAST_GAP, SPEED_UP = 0.005, 0.9


def limiter(per_minute: float | None, largest: float) -> AsyncLimiter | None:
    """A leaky bucket that never lets a burst of more than a second's worth through.

    A bucket of a whole minute's size would let twice the rate through in the first minute, and
    the endpoint would refuse the half of it.

    Parameters
    ----------
    per_minute
        Units a minute; None for no limit.
    largest
        Most units that are taken at once.
    """
    if per_minute is None:
        return None
    size = max(per_minute / 60, largest)
    return AsyncLimiter(size, 60 * size / per_minute)


class Pace:
    """When the next attempt may go out.

    Parameters
    ----------
    settings
        Requests and tokens a minute.
    most
        Tokens of the largest request: its prompt and `max_tokens`.

    Raises
    ------
    UserError
        If one request alone is over the limit of tokens a minute.
    """

    def __init__(self, settings: ClientSettings, most: int) -> None:
        if settings.tokens_per_minute is not None and most > settings.tokens_per_minute:
            raise UserError(
                f"tokens_per_minute: is {settings.tokens_per_minute:g}, but one request alone has about {most} tokens "
                "(its prompt and max_tokens)"
            )
        self._requests = limiter(settings.requests_per_minute, 1)
        self._volume = limiter(settings.tokens_per_minute, most)
        self._resume = 0.0
        # Seconds between two requests, and who may send next: learned from an endpoint that limits without saying how.
        self._gap = self._next = 0.0
        self._refused = 0
        self._heard = False
        self._first_wait, self._longest_wait = settings.first_wait, settings.longest_wait

    async def turn(self, tokens: int) -> None:
        """Wait until a request of so many tokens may be sent."""
        if self._requests is not None:
            await self._requests.acquire()
        if self._volume is not None:
            await self._volume.acquire(tokens)
        loop = asyncio.get_running_loop()
        waited = False
        while (left := max(self._resume, self._next) - loop.time()) > 0:  # may be put off again meanwhile
            waited = True
            await asyncio.sleep(left)
        # Those who waited together do not go out together, which would be the burst that was refused.
        self._next = loop.time() + max(self._gap, LEAST_GAP if waited else 0.0)

    def cool_down(self, seconds: float | None) -> None:
        """Let nobody send for so long; where the endpoint does not say how long, ever longer and then ever slower."""
        now = asyncio.get_running_loop().time()
        if seconds is None and now < self._resume:
            return  # refused together with those before
        if seconds is None:
            seconds = min(self._first_wait * 2**self._refused, self._longest_wait)
            self._refused += 1
            if self._heard:
                self._gap = min(max(2 * self._gap, LEAST_GAP), self._longest_wait)
        self._resume = max(self._resume, now + seconds)

    def answered(self) -> None:
        """Take up speed again."""
        self._refused, self._heard = 0, True
        self._gap *= SPEED_UP
        if self._gap < LEAST_GAP / 2:
            self._gap = 0.0


class Purse:
    """Keeps a run within its budget: a request goes out only if it fits in whatever it turns out to cost.

    Parameters
    ----------
    settings
        Prices and budget.
    spent
        What the store holds already.
    tokens
        Tokens counted for each request's prompt, by key.

    Attributes
    ----------
    spent
        Kept up with what is received.
    """

    def __init__(self, settings: ClientSettings, spent: Usage, tokens: Mapping[str, int]) -> None:
        self._prices = settings.prices
        self._budget = settings.budget
        self._tokens = tokens
        self._reserved = Usage()
        self._change = asyncio.Event()
        self.spent = spent

    async def reserve(self, request: Request) -> str | None:
        """Set a request's worst case aside, waiting for those under way to settle if need be.

        Returns
        -------
        str or None
            Why the budget does not allow it; None if it does.
        """
        worst = self._worst(request)
        while (reason := self._exceeded(self.spent + self._reserved + worst)) is not None:
            if not self._reserved.responses:
                return reason
            self._change.clear()
            await self._change.wait()
        self._reserved += worst
        return None

    def settle(self, request: Request, used: Usage) -> None:
        """Book what a request really used, nothing if it failed."""
        worst = self._worst(request)
        self._reserved = Usage(
            self._reserved.responses - 1,
            self._reserved.prompt_tokens - worst.prompt_tokens,
            self._reserved.completion_tokens - worst.completion_tokens,
        )
        self.spent += used
        self._change.set()

    def _worst(self, request: Request) -> Usage:
        return Usage(1, self._tokens[request.key()], request.sampling.max_tokens)

    def _exceeded(self, usage: Usage) -> str | None:
        def limit(value: float | None) -> float:
            return math.inf if value is None else value

        budget, spent = self._budget, self.spent
        cost = self._prices.cost(usage.prompt_tokens, usage.completion_tokens)
        if cost > limit(budget.max_cost):
            now = self._prices.cost(spent.prompt_tokens, spent.completion_tokens)
            return f"max_cost: {budget.max_cost:g} would be passed by the next request ({now:.4g} is spent)"
        if usage.tokens > limit(budget.max_tokens):
            return f"max_tokens: {budget.max_tokens} would be passed by the next request ({spent.tokens} are spent)"
        if usage.responses > limit(budget.max_requests):
            return f"max_requests: {budget.max_requests} would be passed by the next request"
        return None
