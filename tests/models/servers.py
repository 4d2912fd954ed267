"""Real servers of the tests on loopback: OpenAI-compatible endpoints."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections import Counter

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Endpoint:
    """Answers chat completions with a text that tells the request; counts all it sees.

    `behave(body, nth)` gives what is answered to the nth try of a prompt instead, or None; `delay` in seconds.
    Nothing is answered as long as `held()`.
    """

    def __init__(self, behave=lambda _body, _nth: None, delay=0.0):
        self.behave = behave
        self.delay = delay
        self.held = lambda: False
        self.answered = Counter()
        self.tried = Counter()
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
            while self.held():
                await asyncio.sleep(0.005)
            instead = self.behave(body, nth)
            if instead is not None:
                return instead
            self.answered[asked] += 1
            return JSONResponse(completion(body))
        finally:
            self.now -= 1


class Embedder:
    """Answers requests for embeddings with those of an encoder, last text first; keeps all it sees.

    `behave(body, nth)` gives what is answered to the nth request instead, or None.
    """

    def __init__(self, encoder, behave=lambda _body, _nth: None):
        self.encoder = encoder
        self.behave = behave
        self.bodies = []
        self.headers = []
        self.app = Starlette(routes=[Route("/v1/embeddings", self.embed, methods=["POST"])])

    async def embed(self, http):
        body = await http.json()
        self.bodies.append(body)
        self.headers.append(dict(http.headers))
        instead = self.behave(body, len(self.bodies) - 1)
        return embeddings(self.encoder.encode(body["input"]).tolist()) if instead is None else instead


def embeddings(vectors):
    """An answer in the form of OpenAI's, last vector first."""
    rows = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    # NaN is no JSON, yet servers write it.
    text = json.dumps({"object": "list", "data": rows[::-1], "model": "m", "usage": {"prompt_tokens": 1}})
    return Response(text, media_type="application/json")


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


@contextlib.contextmanager
def serving(endpoint):
    """Serve an app, or what has one, on a free port of loopback; yields its address."""
    app = getattr(endpoint, "app", endpoint)
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
