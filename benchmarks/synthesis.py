"""Time synthesis: batched generation, an endpoint asked at once, parsing and curation, near-duplicates."""

import asyncio
import json
import multiprocessing
import os
import socket
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import torch
import uvicorn
from common import HERE, fill_readme, machine, say, sentence, table, verdict
from rapidfuzz.distance import LCSseq
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from ggmi.config import load
from ggmi.embedded.recipes import RECIPES, Recipe
from ggmi.embedded.training import save, train
from ggmi.models.backend import ask, backend
from ggmi.models.requests import Request, Response, Sampling
from ggmi.models.store import Store
from ggmi.pipeline.sets import curation_of, parsed_rows, record_of
from ggmi.pipeline.world import documents_of
from ggmi.random import stream
from ggmi.text.curation import curate
from ggmi.text.rouge import first_of_kind
from ggmi.text.tokens import tokens

REPEATS = 3
DELAY = 0.2
AT_ONCE = 50
REQUESTS = 1000
WORDS = 3000


def batching(folder):
    """Seconds to write the same responses one by one and in batches of 32, by the large generator's architecture."""
    say("batched generation")
    config = load({})
    world = config.world
    documents = documents_of(config.seed, world.sizes(), world.most_anchors, world.further)
    shape = RECIPES["large"]
    # Of random weights nearly: every response runs to its last token, so both ways write the same amount.
    recipe = Recipe("generator", shape.layers, shape.width, shape.heads, record_steps=1, list_steps=1)
    save(train(recipe, documents, config.seed, "benchmark"), documents, folder / "model")
    lines = documents.language.records(
        stream(0, "benchmark", "skills").integers(0, 12, 640),
        documents.language.random_contexts((640,), stream(0, "benchmark", "contexts")),
    )
    text = [json.dumps(line) + "\n" for line in lines]
    prompts = ["".join(text[10 * i : 10 * i + 10]) for i in range(64)]
    seconds, written = {1: [], 32: []}, {}
    for turn in range(REPEATS):
        for size in seconds:
            asked = backend({"kind": "local", "model": str(folder / "model"), "device": "cpu", "batch_size": size})
            wanted = [Request(asked.identity, prompt, Sampling(max_tokens=110)) for prompt in prompts]
            store = Store(folder / f"batch{size}-{turn}.jsonl")
            ask(asked, wanted[:1], Store(folder / f"warm{size}-{turn}.jsonl"))
            started = time.perf_counter()
            ask(asked, wanted, store)
            seconds[size].append(time.perf_counter() - started)
            written[size] = [response.text for response in store.collect(wanted)]
    return {
        "responses": len(prompts),
        "one_by_one_seconds": min(seconds[1]),
        "batched_seconds": min(seconds[32]),
        "same_text": written[1] == written[32],
    }


def serve(port):
    """Answer every request on a port after `DELAY`."""

    async def complete(_request):
        await asyncio.sleep(DELAY)
        message = {"message": {"role": "assistant", "content": "x"}, "finish_reason": "stop", "index": 0}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return JSONResponse({"id": "a", "object": "chat.completion", "choices": [message], "usage": usage})

    app = Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"])])
    uvicorn.run(app, port=port, log_level="error")


@contextmanager
def slow_server():
    """The address of such a server, in a process of its own: in ours it would take the client's turns."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(port,))
    server.start()
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    yield f"http://127.0.0.1:{port}/v1"
    server.terminate()
    server.join()


def endpoint(folder):
    """Seconds for 1,000 requests, 50 at once, by the backend with its store and by a bare client; the ideal is 4 s."""
    say("an endpoint")

    async def bare(address):
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(trust_env=False, limits=limits) as client:
            body = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
            gate = asyncio.Semaphore(AT_ONCE)

            async def one():
                async with gate:
                    (await client.post(f"{address}/chat/completions", json=body)).raise_for_status()

            await asyncio.gather(*(one() for _ in range(REQUESTS)))

    ours, theirs = [], []
    with slow_server() as address:
        settings = {"kind": "openai", "model": "m", "base_url": address, "key_env": None, "concurrency": AT_ONCE}
        for turn in range(REPEATS):
            asked = backend(settings)
            wanted = [Request(asked.identity, f"task {i}", Sampling(max_tokens=5)) for i in range(REQUESTS)]
            store = Store(folder / f"endpoint{turn}.jsonl")
            started = time.perf_counter()
            ask(asked, wanted, store)
            ours.append(time.perf_counter() - started)
            assert not store.missing(wanted)
            started = time.perf_counter()
            asyncio.run(bare(address))
            theirs.append(time.perf_counter() - started)
    return {"ideal_seconds": REQUESTS / AT_ONCE * DELAY, "seconds": min(ours), "bare_seconds": min(theirs)}


def sentences(count, words, *name):
    """Random sentences with Zipf's law of words."""
    random = stream(0, "benchmark", *name)
    numbers = (random.zipf(1.3, (count, words)) - 1) % WORDS
    return [" ".join(f"w{number}" for number in row) for row in numbers.tolist()]


def parsing():
    """Seconds to parse and curate 1,000 records in 50 responses, every filter on."""
    say("parsing and curation")
    texts = sentences(1000, 40, "records")
    records = [{"instruction": t[:120], "context": "", "response": t[120:]} for t in texts]
    responses = [
        Response(
            key=f"{i:064x}",
            text="\n".join(map(json.dumps, records[20 * i : 20 * i + 20])),
            finish_reason="stop",
            prompt_tokens=1,
            completion_tokens=1,
            log_prob_nats=None,
            log_prob_missing="a benchmark",
            token_log_probs=None,
            model="m",
            seconds=0.0,
            attempts=1,
        )
        for i in range(50)
    ]
    rows = [{"prompt_id": "p", "draw": i, **response.content()} for i, response in enumerate(responses)]
    curation = curation_of({"lengths": None, "placeholders": True, "exact": True, "near": 0.7})
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        found, _, _ = parsed_rows(rows, {"p": ("a",)}, "g")
        curate([record_of(row) for row in found], curation)
        taken.append(time.perf_counter() - started)
        assert len(found) == 1000
    return {"seconds": min(taken)}


def duplicates():
    """Seconds for near-duplicates among 50,000 records, and of the exhaustive pass, scaled from a sample."""
    say("near-duplicates")
    texts = sentences(50_000, 40, "duplicates")
    started = time.perf_counter()
    first_of_kind(texts)
    ours = time.perf_counter() - started
    started = time.perf_counter()
    for other in texts[1:2001]:
        LCSseq.similarity(tokens(texts[0]), tokens(other))
    each = (time.perf_counter() - started) / 2000
    return {"seconds": ours, "exhaustive_seconds": each * len(texts) * (len(texts) - 1) / 2}


def main():
    """Measure in turn, print, and write synthesis.json and this section of README.md."""
    torch.set_num_threads(1)
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory() as name:
        batches, asked = batching(Path(name)), endpoint(Path(name))
    parsed, near = parsing(), duplicates()
    loads.append(os.getloadavg()[0])
    found = {**machine(), "torch": torch.__version__, "load_before_and_after": loads}
    results = {"batching": batches, "endpoint": asked, "parsing": parsed, "near_duplicates": near}
    (HERE / "synthesis.json").write_text(json.dumps({"machine": found, **results}, indent=1) + "\n", encoding="utf-8")
    faster = batches["one_by_one_seconds"] / batches["batched_seconds"]
    equal = "the same" if batches["same_text"] else "other"
    share = near["exhaustive_seconds"] / near["seconds"]
    rows = [
        (
            f"{batches['responses']} responses of 110 tokens by a local model in batches of 32",
            f"{batches['batched_seconds']:.1f} s",
            f"one by one: {batches['one_by_one_seconds']:.1f} s, {equal} text",
            f"{faster:.1f}×",
            "≥ 5×",
            verdict(faster >= 5 and batches["same_text"]),
        ),
        (
            f"{REQUESTS:,} requests, {AT_ONCE} at once, to a {1000 * DELAY:.0f} ms server, each kept in the store",
            f"{asked['seconds']:.1f} s",
            f"ideal {asked['ideal_seconds']:.1f} s; httpx alone, nothing kept: {asked['bare_seconds']:.1f} s",
            f"{asked['ideal_seconds'] / asked['seconds']:.0%} of the ideal",
            "< 5 s, ≥ 90% of the ideal",
            verdict(asked["seconds"] <= asked["ideal_seconds"] / 0.9),
        ),
        (
            "1,000 records parsed and curated",
            f"{parsed['seconds']:.2f} s",
            "–",
            "–",
            "< 1 s",
            verdict(parsed["seconds"] < 1),
        ),
        (
            "Near-duplicates among 50,000 records",
            f"{near['seconds']:.0f} s",
            f"every pair, scaled from 2,000: {near['exhaustive_seconds'] / 3600:.1f} h",
            f"{share:,.0f}×",
            "not quadratic",
            verdict(share > 10),
        ),
    ]
    text = sentence(found) + "\n\n" + table(("what", "ggmi", "against", "ratio", "target", "reached"), rows)
    print(text)
    fill_readme(HERE / "README.md", "synthesis", text)


if __name__ == "__main__":
    main()
