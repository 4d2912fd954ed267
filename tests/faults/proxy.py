"""A faulty proxy on loopback: real sockets, real HTTP, and a known share of answers that never come whole."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import struct
import threading
from collections import Counter

import httpx
from models.servers import name_of

# The server behind hears nothing of these, so they cost nothing.
BEFORE = ("429 with seconds", "429 with a date", "429 bare", "500", "reset", "stall", "HTML", "wrong content type")
# These it has answered in full, and charged for, when the answer is lost on its way.
AFTER = ("reset midway", "late", "truncated JSON", "truncated body", "empty choices")
ERROR = json.dumps({"error": {"message": "told to\nfail", "code": "x"}}).encode()
# A date in the past beside the proxy's own clock: no wait is asked for.
DATES = "Retry-After: Mon, 05 May 2025 10:00:00 GMT\r\nDate: Mon, 05 May 2025 10:00:00 GMT\r\n"


class Proxy:
    """Passes requests on to a server and spoils a share of them, drawn evenly from all kinds of faults.

    What was asked (`asked`), and handed over whole (`delivered`), is counted by the request's name; faults by kind.
    """

    def __init__(self, target, share=0.3, seed=0):
        self.target = target
        self.share = share
        self.asked, self.delivered, self.faults = Counter(), Counter(), Counter()
        self._numbers = random.Random(seed)
        self._started, self._stop = threading.Event(), None
        self.url = None

    @property
    def lost(self):
        """Answers of the server that were spoiled on their way."""
        return sum(self.faults[kind] for kind in AFTER)

    def run(self):
        asyncio.run(self._main())

    def stop(self):
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _main(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._open = set()
        async with httpx.AsyncClient(trust_env=False, timeout=120) as self._client:
            server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            self._started.set()
            await self._stop.wait()
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader, writer):
        self._open.add(asyncio.current_task())
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):  # gone, or the proxy stops
            pass
        finally:
            self._open.discard(asyncio.current_task())
            writer.close()

    async def _exchange(self, reader, writer):
        """One request and its answer; whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        asked = await reader.readexactly(int(fields["content-length"]))
        name = name_of(json.loads(asked))
        self.asked[name] += 1
        fault = self._numbers.choice(BEFORE + AFTER) if self._numbers.random() < self.share else None
        if fault is not None:
            self.faults[fault] += 1
        if fault in BEFORE:
            return await self._refuse(fault, reader, writer)
        path = head.split(" ")[1]
        answer = await self._client.post(
            self.target.removesuffix("/v1") + path, content=asked, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 200, answer.text
        if fault is not None:
            return await self._spoil(fault, answer.content, reader, writer)
        await _send(writer, 200, answer.content)
        self.delivered[name] += 1
        return True

    async def _refuse(self, fault, reader, writer):
        match fault:
            case "429 with seconds":
                await _send(writer, 429, ERROR, "Retry-After: 0.05\r\n")
            case "429 with a date":
                await _send(writer, 429, ERROR, DATES)
            case "429 bare":
                await _send(writer, 429, ERROR)
            case "500":
                await _send(writer, 500, ERROR)
            case "reset":
                return _reset(writer)
            case "stall":
                return await _hold(reader)
            case "HTML":
                await _send(writer, 200, b"<html><script>alert(1)</script>Gateway</html>", kind="text/html")
            case "wrong content type":
                await _send(writer, 200, b"not JSON at all", kind="text/plain")
        return True

    async def _spoil(self, fault, whole, reader, writer):
        half = whole[: len(whole) // 2]
        match fault:
            case "reset midway":
                await _send(writer, 200, half, length=len(whole))
                return _reset(writer)
            case "late":
                return await _hold(reader)
            case "truncated JSON":
                await _send(writer, 200, half)
            case "truncated body":
                await _send(writer, 200, half, length=len(whole))
                return False
            case "empty choices":
                await _send(writer, 200, json.dumps(json.loads(whole) | {"choices": []}).encode())
        return True


async def _send(writer, status, body, extra="", kind="application/json", length=None):
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status} Told\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n{extra}\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


def _reset(writer):
    """Close with RST instead of FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
    return False


async def _hold(reader):
    """Say nothing until the client hangs up."""
    await reader.read()
    return False


@contextlib.contextmanager
def proxied(target, **settings):
    """A running `Proxy` before the server at an address."""
    proxy = Proxy(target, **settings)
    thread = threading.Thread(target=proxy.run, daemon=True)
    thread.start()
    assert proxy._started.wait(30)
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join(30)
