"""An endpoint behind a faulty proxy: whatever is asked is answered once or fails with a counted reason."""

import random
import time
from collections import Counter

import pytest
from faults.proxy import AFTER, BEFORE, proxied
from models import asking
from models.servers import Endpoint, serving
from models.test_server import TRANSFORMERS
from models.tiny import asks

from ggmi.models.backend import ask, backend
from ggmi.models.requests import Request, Sampling
from ggmi.models.server import running
from ggmi.models.settings import ServerSettings
from ggmi.models.store import Store

REASONS = {"HTTP 429", "HTTP 500", "connection", "timed out", "damaged answer", "empty answer", "no JSON"}
# What waits longer than this has stalled; whole answers take milliseconds.
PATIENCE = 3.0
SETTINGS = {
    **{"kind": "openai", "model": "m", "key_env": None, "first_wait": 0.01, "longest_wait": 1.0},
    **{"concurrency": 50, "total_timeout": PATIENCE, "attempts": 3},
}
STUBBORN = {"attempts": 20}


def thousand(identity):
    drawn = Sampling(max_tokens=20, seed=1)
    return [Request(identity, f"prompt {i}", drawn, prompt_id=f"p{i}") for i in range(1000)]


def name_at_proxy(request):
    return f"{request.prompt}|{request.drawn_seed()}"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "responses.jsonl")


def every_answer_is_kept_once(store, requests):
    lines = store.path.read_bytes().splitlines()
    assert len(lines) == len(set(lines)) == len(Store(store.path)) == len(requests)
    assert [r.text for r in store.collect(requests)] == [f"answer to {name_at_proxy(r)}" for r in requests]


def test_each_of_a_thousand_requests_is_answered_once_or_fails_with_a_reason(store):
    endpoint = Endpoint()
    with serving(endpoint) as server, proxied(server) as proxy:
        asked = backend(SETTINGS | {"base_url": proxy.url})
        requests = thousand(asked.identity)
        first = ask(asked, requests, store)
        missing = store.missing(requests)
        assert {f.key for f in first.failures} == {r.key() for r in missing}
        assert first.received == len(store) == 1000 - len(missing)
        assert sum(first.failed().values()) == len(missing) > 0
        assert set(first.retried) == REASONS
        assert first.failed().keys() <= REASONS
        tried = {name_at_proxy(r): proxy.asked[name_at_proxy(r)] for r in requests if r not in missing}
        again = ask(backend(SETTINGS | STUBBORN | {"base_url": proxy.url}), requests, store)
    assert (again.received, again.failures) == (len(missing), ())
    assert {name: proxy.asked[name] for name in tried} == tried
    assert set(proxy.faults) == {*BEFORE, *AFTER}
    every_answer_is_kept_once(store, requests)
    # Each fault was told to the one who asked, as a retry or in the end as a failure; on a busy
    # machine a whole answer can take as long as a stall.
    told = Counter(first.retried) + Counter(again.retried) + Counter(first.failed())
    slow = told["timed out"] - proxy.faults["stall"] - proxy.faults["late"]
    assert 0 <= told.total() - proxy.faults.total() <= slow
    # What timed out on a busy machine may never have reached the proxy.
    assert 0 <= told.total() - (proxy.asked.total() - 1000) <= slow
    # Charged for once, but for what was lost on the way here, which nobody can know of.
    assert 0 <= proxy.delivered.total() - 1000 <= slow
    assert 0 <= endpoint.answered.total() - proxy.lost - 1000 <= slow


def test_a_thousand_requests_through_faults_and_kills_are_kept_once_and_what_is_kept_is_never_asked_again(
    store, processes
):
    endpoint = Endpoint(delay=0.01)
    moments, kills, goal = random.Random(0), 5, 1000
    # However late the kill comes, the process has not ended before.
    endpoint.held = lambda: asking.lines_in(store.path) >= goal
    with serving(endpoint) as server, proxied(server, seed=1) as proxy:
        settings = SETTINGS | {"base_url": proxy.url, "total_timeout": 3 * PATIENCE}
        requests = thousand(backend(settings).identity)
        store.path.touch()
        for _ in range(kills):
            before = Store(store.path)
            kept = {name: proxy.asked[name] for name in map(name_at_proxy, (r for r in requests if r.key() in before))}
            goal = len(kept) + moments.randrange(20, 180)
            process = processes.Process(target=asking.ask_all, args=(settings, requests, store.path))
            process.start()
            while asking.lines_in(store.path) < goal:
                assert process.is_alive()
                time.sleep(0.01)
            process.kill()
            process.join()
            assert {name: proxy.asked[name] for name in kept} == kept
        at_kills = len(Store(store.path))
        goal = 1000
        store = Store(store.path)
        outcome = ask(backend(settings | STUBBORN), requests, store)
    assert 5 * 20 <= at_kills < 1000
    assert (outcome.received, outcome.failures) == (1000 - at_kills, ())
    every_answer_is_kept_once(store, requests)
    under_way = kills * SETTINGS["concurrency"]
    assert proxy.delivered.total() - 1000 <= under_way
    assert endpoint.answered.total() - proxy.lost - 1000 <= under_way


def test_a_real_server_behind_faults_answers_every_request_once(chat_directory, store, tmp_path):
    server = ServerSettings(model=str(chat_directory), command=TRANSFORMERS)
    with running(server, tmp_path / "server.log") as url, proxied(url, seed=2) as proxy:
        settings = {**SETTINGS, **STUBBORN, "model": str(chat_directory), "total_timeout": 20, "concurrency": 8}
        asked = backend(settings | {"base_url": proxy.url})
        requests = asks(asked.identity, prompts=4, draws=5, max_tokens=10)
        outcome = ask(asked, requests, store)
    assert (outcome.received, outcome.failures) == (20, ())
    assert sum(outcome.retried.values()) >= proxy.faults.total() > 0
    assert set(proxy.delivered.values()) == {1}
    responses = list(store.collect(requests))
    assert {r.finish_reason for r in responses} <= {"stop", "length"}
    local = backend({"kind": "local", "model": str(chat_directory), "device": "cpu"})
    assert [r.prompt_tokens for r in responses] == [local.count_tokens(r) for r in requests]
