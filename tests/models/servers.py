"""Real servers of the tests on loopback: an OpenAI-compatible endpoint, and the faults it can have."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
from collections import Counter

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

FAULTS = (
    "429 with seconds",
    "429 with a date",
    "429 bare",
    "500",
    "reset",
    "stall",
    "truncated JSON",
    "truncated body",
    "empty choices",
    "HTML",
    "wrong content type",
)


class Endpoint:
    """Answers chat completions with a text that tells the request; counts all it sees.

    `behave(body, nth)` names the fault of the nth try of a prompt, or None; `delay` in seconds.
    """

    def __init__(self, behave=lambda _body, _nth: None, delay=0.0, stall=30.0):
        self.behave = behave
        self.delay = delay
        self.stall = stall
        self.answered = Counter()
        self.tried = Counter()
        self.faults = Counter()
        self.bodies = []
        self.headers = []
        self.now = self.most = 0
        self.app = Starlette(routes=[Route("/v1/chat/completions", self.complete, methods=["POST"])])

    async def complete(self, http):
        body = await http.json()
        asked = name_of(body)
        self.bodies.append(body)
        self.headers.append(dict(http.headers))
        nth = self.tried[asked]
        self.tried[asked] += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.delay)
            fault = self.behave(body, nth)
            if fault is None:
                self.answered[asked] += 1
                return JSONResponse(completion(body))
            if isinstance(fault, Response):
                return fault
            self.faults[fault] += 1
            return await self.fail(fault, body)
        finally:
            self.now -= 1

    async def fail(self, fault, body):
        whole = json.dumps(completion(body))
        error = {"error": {"message": "told to\nfail", "code": "x"}}
        match fault:
            case "429 with seconds":
                return JSONResponse(error, 429, {"Retry-After": "0.05"})
            case "429 with a date":
                headers = {"Retry-After": "Mon, 05 May 2025 10:00:00 GMT", "Date": "Mon, 05 May 2025 10:00:00 GMT"}
                return JSONResponse(error, 429, headers)
            case "429 bare":
                return JSONResponse(error, 429)
            case "500":
                return JSONResponse(error, 500)
            case "reset":
                raise ConnectionResetError
            case "stall":
                await asyncio.sleep(self.stall)
                return JSONResponse(error, 500)
            case "truncated JSON":
                return Response(whole[: len(whole) // 2], media_type="application/json")
            case "truncated body":

                async def half():
                    yield whole[: len(whole) // 2]

                headers = {"Content-Length": str(len(whole))}
                return StreamingResponse(half(), media_type="application/json", headers=headers)
            case "empty choices":
                return JSONResponse(completion(body) | {"choices": []})
            case "HTML":
                return Response("<html><script>alert(1)</script>Gateway</html>", media_type="text/html")
            case "wrong content type":
                return Response("not JSON at all", media_type="text/plain")
        raise AssertionError(fault)


def name_of(body):
    """What tells requests apart: the prompt and the seed of the draw."""
    return f"{body['messages'][-1]['content']}|{body.get('seed')}"


def completion(body, text=None, **changes):
    text = f"answer to {name_of(body)}" if text is None else text
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    } | changes


def at_random(share, seed=0):
    """A fault drawn evenly from all kinds in so large a share of the tries."""
    numbers = random.Random(seed)
    return lambda _body, _nth: numbers.choice(FAULTS) if numbers.random() < share else None


@contextlib.contextmanager
def serving(endpoint):
    """Serve an app or Endpoint on a free port of loopback; yields its address."""
    app = endpoint.app if isinstance(endpoint, Endpoint) else endpoint
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        threading.Event().wait(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
