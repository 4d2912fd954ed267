"""Many requests to one endpoint at the same time: retries, limits, and a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import httpx

from ggmi.errors import UserError
from ggmi.models.answers import THOUGHT_ONLY, read_answer, why_no_log_probs
from ggmi.models.connection import http_client
from ggmi.models.cost import token_counter
from ggmi.models.faults import Fault, decoded, of_error, of_status, unwanted
from ggmi.models.limits import Pace, Purse
from ggmi.models.protocol import Failure, Meter, OnResponse, Outcome
from ggmi.models.requests import Request, Response, Usage
from ggmi.models.settings import ClientSettings

# Seconds that requests under way are given to finish once a run is stopped; SLURM kills after 30.
GRACE = 10.0
# So many requests given up, or so many answers that are no JSON, and nothing else ever heard: no use going on.
# A gateway fails at once and a model answers after minutes, so those asked before the first fault are waited for.
HOPELESS = 3
# So many answers one after another that are nothing but thoughts: no use paying for more.
VAIN = 36
# What the protocol says where a key is left out.
DEFAULTS = {"temperature": 1, "top_p": 1}
# HTTP states in which an endpoint tells what it does not take.
UNWANTED = (400, 403, 404, 405, 422)


def converse(
    settings: ClientSettings,
    base_url: str,
    todo: Sequence[Request],
    meter: Meter,
    on_response: OnResponse,
    key: str = "",
) -> Outcome:
    """Send requests to an endpoint until all are answered or given up, or a limit is reached.

    Parameters
    ----------
    settings
        How to ask.
    base_url
        Address of the endpoint.
    todo
        What to ask, each once.
    meter
        Counts, and knows what was spent before.
    on_response
        Called with each response the moment it arrives.
    key
        The endpoint's key; empty for none.

    Raises
    ------
    UserError
        If a prompt is too long, or nothing that is sent can be answered.
    """
    budget = settings.budget
    exact = settings.context_window or settings.tokens_per_minute or budget.max_tokens or budget.max_cost is not None
    count = token_counter(settings.model, settings.revision) if exact else token_counter()
    tokens = {request.key(): count(request) for request in todo}
    for request in todo:
        length = tokens[request.key()]
        if settings.context_window and length + request.sampling.max_tokens > settings.context_window:
            raise UserError(
                f"{settings.model}: the context window holds {settings.context_window} tokens, but prompt "
                f"{request.prompt_id!r} has about {length} (by the {count.rule}) and max_tokens is "
                f"{request.sampling.max_tokens}; put fewer examples into the prompt or lower max_tokens"
            )
    conversation = _Conversation(settings, base_url, todo, meter, on_response, key, tokens)
    outcome = asyncio.run(conversation.run())
    if conversation.signal == signal.SIGINT:
        raise KeyboardInterrupt
    if conversation.signal is not None:
        raise SystemExit(128 + conversation.signal)
    if conversation.fatal is not None:
        raise UserError(f"{base_url}: {conversation.fatal}; {outcome.received} responses of this run are kept")
    return outcome


@dataclass(frozen=True)
class _Wire:
    """How requests are put to an endpoint, as far as it decides no response.

    Parameters
    ----------
    max_tokens
        The name of that key.
    stream
        Whether the answer is asked for in pieces, and whether with the counts of tokens.
    left_out
        Keys that the endpoint does not take and that say nothing but the protocol's default.
    renamed
        Whether the other name of max_tokens was tried.
    """

    max_tokens: str
    stream: bool = False
    counts: bool = True
    left_out: frozenset[str] = frozenset()
    renamed: bool = False

    def adapted(self, said: str, body: Mapping[str, object]) -> _Wire:
        """The same, as an endpoint asks for it in refusing a request."""
        said = said.lower()
        if "max_completion_tokens" in said and not self.renamed:
            if self.max_tokens == "max_tokens":
                return replace(self, max_tokens="max_completion_tokens", renamed=True)
            if unwanted(said, ["max_completion_tokens"]):
                return replace(self, max_tokens="max_tokens", renamed=True)
        if "stream_options" in said:
            return replace(self, counts=False)
        if (
            not self.stream
            and re.search(r"\bstream", said)
            and re.search(r"only|must|enable|requir|non-?_?stream|false", said)
        ):
            return replace(self, stream=True)
        idle = [name for name in unwanted(said, DEFAULTS) if body.get(name) == DEFAULTS[name]]
        return replace(self, left_out=self.left_out.union(idle))


class _Conversation:
    """One run against one endpoint.

    Parameters are those of `converse`, and prompt tokens by key. Afterwards, `fatal` tells what
    made going on useless and `signal` which signal ended it.
    """

    def __init__(
        self,
        settings: ClientSettings,
        base_url: str,
        todo: Sequence[Request],
        meter: Meter,
        on_response: OnResponse,
        key: str,
        tokens: Mapping[str, int],
    ) -> None:
        self._settings = settings
        self._base_url = base_url
        self._todo = todo
        self._left = iter(todo)
        self._meter = meter
        self._on_response = on_response
        self._key = key
        self._tokens = tokens
        self._wire = _Wire(settings.max_tokens_name)
        self._vain = 0
        self._failures: list[Failure] = []
        self._retried: Counter[str] = Counter()
        self._over_budget: str | None = None
        self.fatal: str | None = None
        self.signal: int | None = None
        self._halted = asyncio.Event()
        self._on_wire: dict[asyncio.Task[None], float] = {}  # since when
        self._first_fault = math.inf
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> Outcome:
        """Ask until nothing is left to ask, or the run is halted."""
        settings = self._settings
        self._pace = Pace(settings, max(self._tokens[r.key()] + r.sampling.max_tokens for r in self._todo))
        self._purse = Purse(settings, self._meter.usage, self._tokens)
        timeout = httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout, pool=settings.total_timeout)
        async with http_client(httpx.AsyncClient, self._base_url, self._key, timeout) as self._client:
            with self._signals():
                workers = min(settings.concurrency, len(self._todo))
                self._tasks = [asyncio.create_task(self._work()) for _ in range(workers)]
                await self._watch()
        return Outcome(self._meter.received, tuple(self._failures), dict(self._retried), self._over_budget)

    async def _watch(self) -> None:
        """Wait for the workers; once halted, for those whose request is on the wire, and not for long."""
        halted = asyncio.create_task(self._halted.wait())
        workers = asyncio.create_task(asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION))
        await asyncio.wait([workers, halted], return_when=asyncio.FIRST_COMPLETED)
        if self._halted.is_set():
            await asyncio.wait(self._tasks, timeout=GRACE)
        everything = (*self._tasks, workers, halted)
        for task in everything:
            task.cancel()
        for result in await asyncio.gather(*everything, return_exceptions=True):
            if isinstance(result, Exception):  # a cancelled task is none
                raise result

    def _halt(self) -> None:
        """Send nothing more; a second time, wait for nothing either."""
        for task in self._tasks:
            if self._halted.is_set() or task not in self._on_wire:
                task.cancel()
        self._halted.set()

    async def _work(self) -> None:
        """Take one request after another."""
        for request in self._left:
            reason = await self._purse.reserve(request)
            if reason is not None:
                self._over_budget = reason
            if self._over_budget is not None or self._halted.is_set():
                return
            used = Usage()
            try:
                response = await self._ask(request)
                used = Usage.of(response)
                useless = self._on_response(response)
                self._meter.count(response)
                self._pace.answered()
                self._vain = 0
                if useless and self.fatal is None:
                    self.fatal = useless
                    self._halt()
            except Fault as fault:
                if not self._halted.is_set():
                    self._give_up(request, fault)
            finally:
                self._purse.settle(request, used)

    def _give_up(self, request: Request, fault: Fault) -> None:
        self._failures.append(Failure(request.key(), request.prompt_id, fault.reason, fault.message, fault.attempts))
        self._meter.count(None)
        self._vain += fault.reason == THOUGHT_ONLY
        if fault.ends or self._vain >= VAIN or self._hopeless(len(self._failures)):
            self.fatal = fault.message
            self._halt()

    def _hopeless(self, faults: int) -> bool:
        """Whether so many faults are all that was ever heard, and nobody waits since before the first of them."""
        self._first_fault = min(self._first_fault, time.monotonic())
        waiting = any(since <= self._first_fault for since in self._on_wire.values())
        return faults >= HOPELESS and self._meter.received == 0 and not waiting

    async def _ask(self, request: Request) -> Response:
        """Ask until there is an answer, the fault is final, or attempts run out."""
        started = time.monotonic()
        tried = faults = refused = 0
        while True:
            await self._pace.turn(self._tokens[request.key()] + request.sampling.max_tokens)
            heard, wire = self._meter.received, self._wire
            tried += 1
            try:
                return await self._attempt(request, started, tried)
            except Fault as fault:
                self._purse.spent += fault.used
                fault.attempts = tried
                if self._wire != wire and not self._halted.is_set():  # put in another way, it may be taken
                    continue
                # To be told to slow down is no attempt as long as anybody is answered in between.
                if not fault.everyone:
                    faults += 1
                else:
                    refused = 0 if self._meter.received > heard else refused + 1
                if not fault.again or faults + refused >= self._settings.attempts or self._halted.is_set():
                    raise
                self._retried[fault.reason] += 1
                self._tell_no_endpoint(fault)
                await self._rest(fault, faults + refused)

    async def _rest(self, fault: Fault, attempts: int) -> None:
        """Wait before the next attempt: with jitter, longer from time to time, and as long as the endpoint asks."""
        first = self._settings.first_wait
        jitter = random.uniform(0, first)  # noqa: S311 - decides no result
        if fault.everyone:
            self._pace.cool_down(fault.wait)
        if not fault.everyone or fault.wait is not None:
            backoff = min(first * 2 ** max(attempts - 1, 0), self._settings.longest_wait)
            await asyncio.sleep(max(fault.wait or 0.0, backoff) + jitter)

    def _tell_no_endpoint(self, fault: Fault) -> None:
        """End the run if nothing but answers without JSON is ever heard."""
        hopeless = self._hopeless(self._retried["no JSON"])
        if hopeless and set(self._retried) == {"no JSON"} and not self._failures:
            self.fatal = f"{fault.message}; is base_url the address of an OpenAI-compatible endpoint?"
            self._halt()

    async def _attempt(self, request: Request, started: float, number: int) -> Response:
        task = asyncio.current_task()
        assert task is not None
        self._on_wire[task] = time.monotonic()
        body = self._body(request)
        try:
            async with asyncio.timeout(self._settings.total_timeout):
                answer = await self._client.post("/chat/completions", content=json.dumps(body))
        except (httpx.HTTPError, TimeoutError) as error:
            raise of_error(error, self._key) from None
        finally:
            del self._on_wire[task]
        if not answer.is_success or answer.request.method != "POST":
            if answer.status_code in UNWANTED:
                self._wire = self._wire.adapted(decoded(answer.content), body)
            fault = of_status(answer, self._settings.model, getattr(self._settings, "key_env", None), self._key)
            if fault.wait is not None and fault.wait > self._settings.longest_wait:
                fault.again, fault.ends = False, True
                fault.message += f"; it asks to wait {fault.wait:.6g} s, and longest_wait is "
                fault.message += f"{self._settings.longest_wait:g} s"
            raise fault
        tokens, seconds = self._tokens[request.key()], time.monotonic() - started
        return read_answer(answer.content, request, self._settings, tokens, seconds, number, self._key)

    def _body(self, request: Request) -> dict[str, object]:
        """A request as it goes out; what is not set is left out."""
        sampling, wire = request.sampling, self._wire
        body: dict[str, object] = {"model": self._settings.model, "messages": request.messages()}
        body |= {"temperature": sampling.temperature, "top_p": sampling.top_p, wire.max_tokens: sampling.max_tokens}
        body = {name: value for name, value in body.items() if value is not None and name not in wire.left_out}
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if sampling.seed is not None:
            body["seed"] = request.drawn_seed()
        if why_no_log_probs(self._settings, sampling) is None:
            body["logprobs"] = True
        if wire.stream:
            body |= {"stream": True} | ({"stream_options": {"include_usage": True}} if wire.counts else {})
        return body | self._settings.extra

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM halt the run; whoever handled them before does so again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def on_signal(number: int) -> None:
            self.signal = number
            self._halt()

        for number in before:
            loop.add_signal_handler(number, on_signal, number)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)
