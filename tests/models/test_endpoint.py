import asyncio
import json
import logging
import os
import random
import signal
import time
from collections import Counter
from itertools import pairwise

import pytest
from models import asking
from models.servers import Endpoint, completion, name_of, serving
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ggmi.errors import UserError
from ggmi.models.backend import ask, backend
from ggmi.models.requests import Request, Sampling
from ggmi.models.store import Store

QUICK = {"kind": "openai", "model": "m", "key_env": None, "first_wait": 0.01, "longest_wait": 1.0}
KEY = "sk-planted-2c9e61"


def many(asked, count, **sampling):
    drawn = Sampling(**{"max_tokens": 20, "seed": 1} | sampling)
    return [Request(asked.identity, f"prompt {i}", drawn, prompt_id=f"p{i}") for i in range(count)]


def expected(request):
    return f"answer to {request.prompt}|{request.drawn_seed()}"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "responses.jsonl")


def stopping(endpoint, store, count=4, **settings):
    """The sentence with which asking an endpoint ends."""
    with serving(endpoint) as url:
        asked = backend(QUICK | {"base_url": url} | settings)
        with pytest.raises(UserError) as caught:
            ask(asked, many(asked, count), store)
    assert str(caught.value).startswith(f"{url}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_sent_is_what_was_asked(store):
    endpoint = Endpoint()
    with serving(endpoint) as url:
        asked = backend(QUICK | {"base_url": url + "/"})
        assert asked.identity["base_url"] == url
        sampling = Sampling(0.5, 0.9, 33, ("\n\n", "END"), 5)
        plain = Request(asked.identity, "p", Sampling())
        ask(asked, [Request(asked.identity, "p", sampling, system="s", draw=d) for d in range(2)] + [plain], store)
    bodies = sorted(endpoint.bodies, key=lambda b: b["max_tokens"])
    seeds = [b.pop("seed") for b in bodies[:2]]
    assert len(set(seeds)) == 2
    assert all(0 <= seed < 2**31 for seed in seeds)
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "p"}]
    assert bodies[0] == bodies[1]
    assert bodies[0] == {
        "model": "m",
        "messages": messages,
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 33,
        "stop": ["\n\n", "END"],
    }
    assert bodies[2] == {
        "model": "m",
        "messages": messages[1:],
        "temperature": 1.0,
        "top_p": 1.0,
        "max_tokens": 1024,
        "logprobs": True,
    }


def test_fifty_are_under_way_at_once_and_no_more(store):
    endpoint = Endpoint(delay=0.1)
    with serving(endpoint) as url:
        asked = backend(QUICK | {"base_url": url, "concurrency": 50})
        ask(asked, many(asked, 200), store)
    assert endpoint.most == 50
    assert len(store) == 200


def test_a_rerun_asks_for_what_is_missing_only(store):
    endpoint = Endpoint()
    with serving(endpoint) as url:
        asked = backend(QUICK | {"base_url": url})
        requests = many(asked, 30)
        ask(asked, requests[::3], store)
        seen = []
        outcome = ask(asked, requests, store, seen.append)
        assert ask(asked, requests, store).received == 0
    assert outcome.received == 20
    assert set(endpoint.tried.values()) == {1}
    assert [(p.done, p.total) for p in seen] == [(n, 30) for n in range(11, 31)]
    assert seen[-1].usage == store.usage
    assert [r.text for r in store.collect(requests)] == [expected(r) for r in requests]


def test_killed_at_ten_random_moments_nothing_kept_is_asked_again(tmp_path, processes):
    endpoint = Endpoint(delay=0.02)
    path = tmp_path / "killed"
    path.touch()
    moments, goal = random.Random(0), 400
    # However late the kill comes, the process has not ended before.
    endpoint.held = lambda: asking.lines_in(path) >= goal
    with serving(endpoint) as url:
        settings = QUICK | {"base_url": url, "concurrency": 8}
        asked = backend(settings)
        requests = many(asked, 400)
        names = {r.key(): f"{r.prompt}|{r.drawn_seed()}" for r in requests}
        for _ in range(10):
            kept = {k: endpoint.tried[n] for k, n in names.items() if k in Store(path)}
            goal = len(kept) + moments.randrange(1, 40)
            process = processes.Process(target=asking.ask_all, args=(settings, requests, path))
            process.start()
            while asking.lines_in(path) < goal:
                assert process.is_alive()
                time.sleep(moments.random() * 0.01)
            process.kill()
            process.join()
            assert process.exitcode == -signal.SIGKILL
            assert all(endpoint.tried[names[k]] == before for k, before in kept.items())
        goal = 400
        store = Store(path)
        ask(asked, requests, store)
    assert [r.text for r in store.collect(requests)] == [expected(r) for r in requests]
    lines = path.read_bytes().splitlines()
    assert len(lines) == len(set(lines)) == 400
    repeated = endpoint.tried.total() - 400
    assert repeated <= 10 * 8  # what was under way when it was killed


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 1), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_with_everything_received_kept(tmp_path, processes, number, status):
    endpoint = Endpoint(delay=0.1)
    path = tmp_path / "s"
    path.touch()
    with serving(endpoint) as url:
        settings = QUICK | {"base_url": url, "concurrency": 5}
        process = processes.Process(target=asking.ask_all, args=(settings, many(backend(settings), 400), path))
        process.start()
        while asking.lines_in(path) < 10:
            assert process.is_alive()
            time.sleep(0.01)
        os.kill(process.pid, number)
        process.join(60)
        assert process.exitcode == status
    # Nothing was cut off: all that was answered is kept.
    assert len(Store(path)) == endpoint.answered.total() == endpoint.tried.total() < 400


@pytest.mark.parametrize(
    ("budget", "sentence", "received"),
    [
        ({"max_requests": 10}, "max_requests: 10 would be passed by the next request", 10),
        # 12 or 13 tokens are counted for a prompt and 20 reserved for its answer; 15 are used.
        ({"max_tokens": 200}, "max_tokens: 200 would be passed by the next request (180 are spent)", 12),
        ({"max_cost": 0.001}, "max_cost: 0.001 would be passed by the next request (0.00084 is spent)", 14),
    ],
)
def test_a_budget_holds_over_all_runs_and_stops_them_cleanly(store, budget, sentence, received):
    endpoint = Endpoint(delay=0.01)
    with serving(endpoint) as url:
        settings = QUICK | {"base_url": url, "concurrency": 7, "prices": {"input": 1, "output": 10}}
        asked = backend(settings | {"budget": budget})
        requests = many(asked, 50)
        ask(backend(settings), requests[:5], store)
        outcome = ask(asked, requests, store)
        assert outcome.stopped == sentence
        assert (len(store), outcome.received) == (received, received - 5)
        assert endpoint.tried.total() == received
        again = ask(asked, requests, store)
        assert (again.stopped, again.received) == (sentence, 0)
        assert ask(backend(settings), requests, store).stopped is None
    assert len(store) == 50


def refusing(status, message, **headers):
    return Endpoint(lambda _body, _nth: JSONResponse({"error": {"message": message}}, status, headers))


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        (401, "bad key", "the endpoint refuses requests without a key (HTTP 401: bad key); 0 responses"),
        (404, "no model m", "the endpoint knows no model 'm', or its address is wrong (HTTP 404: no model m)"),
        (402, "pay", "the endpoint's account is used up (HTTP 402: pay)"),
    ],
)
def test_what_no_request_can_mend_ends_the_run_at_once(store, status, message, told):
    endpoint = refusing(status, message)
    assert told in stopping(endpoint, store, count=100, concurrency=4)
    assert endpoint.tried.total() <= 4


def test_requests_that_are_all_refused_end_the_run(store):
    endpoint = refusing(400, "this cannot be read")
    assert "(HTTP 400: this cannot be read)" in stopping(endpoint, store, count=100, concurrency=1)
    assert endpoint.tried.total() == 3


@pytest.mark.parametrize(
    "instead",
    [JSONResponse({}, 400), Response("<html>Gateway</html>", media_type="text/html")],
    ids=["400", "HTML"],
)
def test_quick_faults_do_not_end_a_run_whose_other_requests_are_still_under_way(store, instead):
    async def complete(http):
        body = await http.json()
        if int(body["messages"][-1]["content"].removeprefix("prompt ")) < 4:
            return instead
        await asyncio.sleep(0.3)
        return JSONResponse(completion(body))

    with serving(Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"])])) as url:
        asked = backend(QUICK | {"base_url": url, "concurrency": 20, "attempts": 3})
        outcome = ask(asked, many(asked, 20), store)
    assert outcome.received == 16
    assert sorted(f.prompt_id for f in outcome.failures) == ["p0", "p1", "p2", "p3"]


def test_one_refused_request_is_a_failure_and_the_rest_go_on(store):
    refuse = JSONResponse({"detail": "too long\x1b[31m"}, 422)
    endpoint = Endpoint(lambda body, _nth: refuse if "prompt 7" in name_of(body) else None)
    with serving(endpoint) as url:
        asked = backend(QUICK | {"base_url": url})
        outcome = ask(asked, many(asked, 30), store)
    assert outcome.received == 29
    (failure,) = outcome.failures
    assert (failure.prompt_id, failure.reason, failure.attempts) == ("p7", "HTTP 422", 1)
    assert failure.message == "the endpoint refuses the request (HTTP 422: too long[31m)"
    assert outcome.failed() == Counter({"HTTP 422": 1})


def test_an_endpoint_that_answers_html_is_told(store):
    page = Response("<!doctype html>\n<title>Sign in</title>", media_type="text/html")
    told = stopping(Endpoint(lambda _body, _nth: page), store, count=1)
    assert "answers no JSON but '<!doctype html> <title>Sign in</title>'" in told
    assert "is base_url the address of an OpenAI-compatible endpoint?" in told


def test_an_endpoint_that_nobody_serves_is_told(store):
    with serving(Endpoint()) as url:
        pass
    asked = backend(QUICK | {"base_url": url, "attempts": 2})
    with pytest.raises(UserError, match="the connection failed"):
        ask(asked, many(asked, 5), store)


@pytest.mark.parametrize(
    "body",
    [b"[]", b"3", b'"text"', b"null", b"{}", b'{"choices": 5}', b'{"choices": ["a"]}', b'{"choices": [{}]}',
     b'{"choices": [{"message": {"content": 5}, "finish_reason": "stop"}]}', b"[" * 100_000, b"\xff\xfe", b"",
     b'data: {"choices": [{"delta": {"content": "a"}}]}', b'{"choices": [{"message": {"content": "  "}}]}'],
)  # fmt: skip
def test_an_answer_of_any_shape_is_counted_never_kept(store, body):
    odd = Response(body, media_type="application/json")
    endpoint = Endpoint(lambda body, _nth: odd if "prompt 1|" in name_of(body) else None)
    with serving(endpoint) as url:
        asked = backend(QUICK | {"base_url": url, "attempts": 2, "concurrency": 1})
        outcome = ask(asked, many(asked, 3), store)
    assert [f.prompt_id for f in outcome.failures] == ["p1"]
    assert len(store) == 2


def test_json_under_a_wrong_content_type_is_taken(store):
    endpoint = Endpoint(lambda body, _nth: Response(json.dumps(completion(body)), media_type="text/plain"))
    with serving(endpoint) as url:
        asked = backend(QUICK | {"base_url": url})
        assert ask(asked, many(asked, 3), store).received == 3


def test_after_429_nobody_asks_until_the_time_is_up(store):
    times = []

    def behave(_body, _nth):
        times.append(time.monotonic())
        return JSONResponse({}, 429, {"Retry-After": "0.6"}) if len(times) == 5 else None

    with serving(Endpoint(behave)) as url:
        asked = backend(QUICK | {"base_url": url, "concurrency": 4})
        outcome = ask(asked, many(asked, 40), store)
    assert outcome.retried == {"HTTP 429": 1}
    gaps = [b - a for a, b in pairwise(times)]
    # Those under way at that moment were sent before; everybody else waited.
    assert max(gaps) > 0.3
    assert gaps.index(max(gaps)) <= 4 + 4


def test_a_pause_longer_than_allowed_ends_the_run(store):
    told = stopping(refusing(429, "slow down", **{"Retry-After": "7200"}), store)
    assert "it asks to wait 7200 s, and longest_wait is 1 s" in told


def test_rates_are_kept_from_the_first_second(store):
    times = []
    endpoint = Endpoint(lambda _body, _nth: times.append(time.monotonic()))
    with serving(endpoint) as url:
        asked = backend(QUICK | {"base_url": url, "concurrency": 50, "requests_per_minute": 1200})
        ask(asked, many(asked, 50), store)
    # 20 a second after a burst of 20: the other 30 take at least a second and a half.
    assert times[-1] - times[0] > 1.3


def test_a_request_over_the_token_rate_is_told(store):
    asked = backend(QUICK | {"base_url": "http://127.0.0.1:9/v1", "tokens_per_minute": 25})
    with pytest.raises(UserError, match="tokens_per_minute: is 25, but one request alone has about 32 tokens"):
        ask(asked, many(asked, 1), store)


def test_a_window_too_small_is_told_before_the_first_request(store):
    asked = backend(QUICK | {"base_url": "http://127.0.0.1:9/v1", "context_window": 30})
    with pytest.raises(UserError, match=r"m: the context window holds 30 tokens, but prompt 'p0' has about 12"):
        ask(asked, many(asked, 3), store)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_key_is_told_by_the_name_of_its_variable(store, monkeypatch, value):
    monkeypatch.delenv("GGMI_TEST_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("GGMI_TEST_KEY", value)
    asked = backend(QUICK | {"base_url": "http://127.0.0.1:9/v1", "key_env": "GGMI_TEST_KEY"})
    with pytest.raises(UserError, match="environment variable GGMI_TEST_KEY is not set"):
        ask(asked, many(asked, 1), store)


def test_a_key_that_cannot_be_one_is_not_shown(store, monkeypatch):
    monkeypatch.setenv("GGMI_TEST_KEY", KEY + "\nsecond line")
    asked = backend(QUICK | {"base_url": "http://127.0.0.1:9/v1", "key_env": "GGMI_TEST_KEY"})
    with pytest.raises(UserError, match="cannot be a key") as caught:
        ask(asked, many(asked, 1), store)
    assert KEY not in str(caught.value)


def test_the_key_reaches_the_endpoint_and_nothing_else(tmp_path, monkeypatch, caplog, capfd):
    monkeypatch.setenv("GGMI_TEST_KEY", KEY + "\n")
    caplog.set_level(logging.DEBUG)
    echo = [
        JSONResponse(
            {"error": {"message": f"wrong key {KEY}"}}, status, {"Retry-After": "9999" if status == 429 else "0"}
        )
        for status in (400, 401, 403, 404, 422, 429, 500)
    ]
    echo += [Response(f"<p>{KEY}</p>", media_type="text/html"), Response(f'{{"{KEY}', media_type="application/json")]
    # What was sent comes back as an answer, too.
    echo += [JSONResponse(completion({"model": KEY}, f"I was sent Bearer {KEY}, and more."))]
    told, causes = [], []
    for number, answer in enumerate(echo):
        endpoint = Endpoint(lambda _body, _nth, answer=answer: answer)
        with serving(endpoint) as url:
            asked = backend(QUICK | {"base_url": url, "key_env": "GGMI_TEST_KEY", "attempts": 2})
            try:
                told.append(repr(ask(asked, many(asked, 2), Store(tmp_path / str(number)))))
            except UserError as error:
                told.append(str(error))
                causes.append(error.__cause__)
        assert endpoint.headers[0]["authorization"] == f"Bearer {KEY}"
    assert set(causes) == {None}
    assert any("[key]" in sentence for sentence in told)
    files = "".join(path.read_text() for path in tmp_path.iterdir())
    for text in (*told, caplog.text, *capfd.readouterr(), files, repr(asked.identity)):
        assert KEY not in text
