"""A planted key, every way that asking an endpoint can fail, and a search through all that a run leaves behind."""

import asyncio
import contextlib
import json
import logging
import threading
import traceback

import pytest
from models.servers import serving
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ggmi.errors import UserError
from ggmi.models.backend import ask, backend
from ggmi.models.requests import Request, Sampling
from ggmi.models.store import Store

KEY = "sk-planted-8d1f2c"
ECHO = {"error": {"message": f"key {KEY} in Authorization: Bearer {KEY}", "code": KEY}}
NOT_UTF8 = KEY.encode() + b"\xff"


async def cut_off(_http):
    async def half():
        yield f'{{"choices": "{KEY}'.encode()

    return StreamingResponse(half(), media_type="application/json", headers={"Content-Length": "999"})


def always(response):
    async def answer(_http):
        return response

    return answer


ANSWERS = {
    "unauthorized": always(JSONResponse(ECHO, 401)),
    "forbidden": always(Response(KEY, 403)),
    "unknown": always(JSONResponse({"detail": KEY}, 404)),
    "limited": always(JSONResponse(ECHO, 429, {"Retry-After": "9999", "x-key": KEY})),
    "broken": always(JSONResponse(ECHO, 500)),
    "refused": always(JSONResponse({"message": [KEY, {"key": KEY}]}, 422)),
    "page": always(Response(f"<p>{KEY}</p>", media_type="text/html")),
    "damaged": always(Response(NOT_UTF8, media_type="application/json")),
    "shapeless": always(JSONResponse({"choices": [{"message": {"content": [[KEY]]}}], "model": KEY})),
    "moved": always(Response(status_code=307, headers={"Location": f"http://127.0.0.1:9/{KEY}"})),
    "cut": cut_off,
}


@contextlib.contextmanager
def saying(head):
    """A server whose every answer is these bytes; yields its address."""
    started, stop = threading.Event(), []

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        ended = asyncio.Event()
        stop.extend((asyncio.get_running_loop(), ended, server.sockets[0].getsockname()[1]))
        started.set()
        await ended.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert started.wait(30)
    loop, ended, port = stop
    yield f"http://127.0.0.1:{port}/v1"
    loop.call_soon_threadsafe(ended.set)
    thread.join(30)


# What a run of the workflow meets; each costs a job.
MET = ("unauthorized", "broken", "shapeless", "garbled", "odd", "nobody")
FAR = {"kind": "openai", "model": "m", "key_env": "PLANTED_KEY", "attempts": 2, "first_wait": 0.01}
FAR |= {"longest_wait": 1.0, "total_timeout": 5.0}


@pytest.fixture(scope="module")
def addresses():
    """Where every way to fail is at home."""
    routes = [
        Route(f"/{name}/v1/chat/completions", answer, methods=["POST"], name=name) for name, answer in ANSWERS.items()
    ]
    no_status = f"HTTP/1.1 {KEY} {KEY}\r\n\r\n".encode()
    odd_header = f"HTTP/1.1 200 OK\r\nContent-Length: {KEY}\r\nX-{KEY}\x01: \x02\r\n\r\n".encode()
    with serving(Starlette(routes=routes)) as url, saying(no_status) as garbled, saying(odd_header) as odd:
        found = {name: url.replace("/v1", f"/{name}/v1") for name in ANSWERS}
        found |= {"garbled": garbled, "odd": odd, "nobody": "http://127.0.0.1:9/v1", "nowhere": "http://x.invalid/v1"}
        yield found


@pytest.mark.parametrize("name", [*ANSWERS, "garbled", "odd", "nobody", "nowhere"])
def test_no_failure_tells_the_key(addresses, name, tmp_path, monkeypatch, caplog, capfd):
    monkeypatch.setenv("PLANTED_KEY", KEY)
    caplog.set_level(logging.INFO)  # the client traces headers of answers below that, and nothing here asks it to
    asked = backend(FAR | {"base_url": addresses[name]})
    requests = [Request(asked.identity, f"prompt {i}", Sampling(), prompt_id=f"p{i}") for i in range(2)]
    try:
        outcome = ask(asked, requests, Store(tmp_path / "store"))
        told, trace = repr(outcome), ""
        assert len(outcome.failures) == 2
    except UserError as error:
        told, trace = str(error), "".join(traceback.format_exception(error))
    for text in (told, trace, caplog.text, *capfd.readouterr(), (tmp_path / "store").read_text()):
        assert KEY not in text


@pytest.fixture
def failed(fresh_project, addresses, monkeypatch):
    """A project in which every generator failed in its own way, and what the run said."""
    monkeypatch.setenv("PLANTED_KEY", KEY)
    rows = [{"instruction": f"Say {i}.", "context": "", "response": str(i)} for i in range(9)]
    (fresh_project.path / "real.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = {
        "title": "Planted",
        "anchors": {"source": "real.jsonl"},
        "instances": [2],
        "prompts": {"prompts": 2},
        "generators": {name: {**FAR, "base_url": addresses[name]} for name in MET},
    }
    fresh_project.configure({"tasks": {"planted": task}})
    targets = [f"results/planted/responses/{name}/2-ins.jsonl" for name in MET]
    loud = ("--keep-going", "--verbose", "--printshellcmds", "--show-failed-logs")
    return fresh_project, fresh_project.run("--cores", "2", *loud, *targets, check=False)


def test_the_key_is_in_nothing_that_a_run_of_failures_leaves_behind(failed):
    project, run = failed
    assert run.returncode == 2, run.stderr
    assert KEY not in run.stdout + run.stderr
    for name in MET:
        log = project.path / f"results/logs/responses/planted-{name}-2-ins.log"
        assert log.read_text().startswith("mistake: "), log.read_text()
    places = {path.relative_to(project.path).parts[0] for path in project.path.rglob("*") if path.is_file()}
    assert {"results", "stores", ".snakemake"} <= places
    for path in project.path.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path
