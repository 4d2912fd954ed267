"""What endpoints differ in: keys they want or refuse, limits, streams, and answers that are none."""

import json
import time

import httpx
import pytest
from models.servers import Embedder, Endpoint, completion, name_of, serving
from models.test_embedding_endpoint import TEXTS, Fixed, encoder_at
from models.test_endpoint import QUICK, many, stopping
from starlette.responses import JSONResponse, Response

from ggmi.errors import UserError
from ggmi.models.answers import THOUGHT_ONLY
from ggmi.models.backend import ask, backend, check_settings
from ggmi.models.connection import http_client
from ggmi.models.faults import retry_after, wait_in_words
from ggmi.models.requests import Request, Sampling
from ggmi.models.store import Store


def refuse(status, message, **more):
    return JSONResponse({"error": {"message": message, **more}}, status)


def answered(behave, store, count=12, sampling=None, **settings):
    """Ask an endpoint for so many answers; the bodies it took, and the outcome."""
    taken = []

    def noting(body, nth):
        instead = behave(body, nth)
        if instead is None or instead.status_code == 200:
            taken.append(body)
        return instead

    with serving(Endpoint(noting)) as url:
        asked = backend(QUICK | {"base_url": url, "concurrency": 4} | settings)
        outcome = ask(asked, many(asked, count, **(sampling or {})), store)
    return taken, outcome


def streamed(body, counts=True):
    """An answer in pieces."""
    whole = completion(body)
    text = whole["choices"][0]["message"]["content"]
    pieces = [{"delta": {"role": "assistant", "content": text[:5]}}, {"delta": {"content": text[5:]}}]
    chunks = [{"model": "m", "choices": [piece]} for piece in [*pieces, {"delta": {}, "finish_reason": "stop"}]]
    chunks += [{"choices": [], "usage": whole["usage"]}] if counts else []
    lines = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    return Response(lines + "data: [DONE]\n\n", media_type="text/event-stream")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "responses.jsonl")


WORDS = {
    "max_tokens": "Unsupported parameter: 'max_tokens' is not supported here. Use 'max_completion_tokens' instead.",
    "temperature": "'temperature' does not support this value; leave it out",
    "top_p": "`temperature` and `top_p` cannot both be set",
    "stream": "This model is served in stream mode only",
    "stream_options": "Unknown field: stream_options",
}


@pytest.mark.parametrize(
    ("unwanted", "sent", "absent"),
    [
        ({"max_tokens"}, {"max_completion_tokens": 20, "temperature": 1.0}, {"max_tokens"}),
        ({"temperature"}, {"top_p": 1.0}, {"temperature"}),
        ({"top_p"}, {"max_tokens": 20}, {"top_p"}),
        ({"max_tokens", "temperature", "top_p"}, {"max_completion_tokens": 20}, {"temperature", "top_p", "max_tokens"}),
    ],
)
def test_a_key_that_an_endpoint_refuses_is_renamed_or_left_out_where_that_changes_nothing(
    store, unwanted, sent, absent
):  # fmt: skip
    def behave(body, _nth):
        found = next((name for name in WORDS if name in unwanted and name in body), None)
        return refuse(400, WORDS[found]) if found else None

    taken, outcome = answered(behave, store)
    assert (outcome.received, outcome.retried) == (12, {})
    assert all(sent.items() <= body.items() and not absent & body.keys() for body in taken)


@pytest.mark.parametrize("counts", [True, False])
def test_an_endpoint_that_only_streams_is_asked_for_a_stream(store, counts):
    def behave(body, _nth):
        if not body.get("stream"):
            return refuse(400, WORDS["stream"])
        if not counts and "stream_options" in body:
            return refuse(400, WORDS["stream_options"])
        return streamed(body, counts)

    _, outcome = answered(behave, store)
    assert (outcome.received, outcome.failures) == (12, ())
    assert store.usage.prompt_tokens == (120 if counts else 12 * 12 + 2)  # our own count


def test_a_stream_that_nobody_asked_for_is_read(store):
    assert answered(lambda body, _nth: streamed(body), store)[1].received == 12


def test_what_is_null_is_left_out_and_extra_is_merged_in(store):
    extra = {"reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": False}}
    sampling = {"temperature": None, "top_p": None}
    taken, _ = answered(lambda _body, _nth: None, store, 1, sampling, extra=extra, log_probs=None)
    (body,) = taken
    assert extra.items() <= body.items()
    assert not {"temperature", "top_p", "stop", "logprobs", "extra"} & body.keys()
    plain, other = (backend(QUICK | {"extra": e}).identity for e in ({}, extra))
    assert "extra" not in plain
    assert plain != other


@pytest.mark.parametrize("name", ["model", "messages", "n", "max_tokens"])
def test_extra_does_not_set_what_is_set_elsewhere(name):
    with pytest.raises(UserError, match=f"{name} is set elsewhere"):
        check_settings(QUICK | {"extra": {name: 2}})


@pytest.mark.parametrize(
    ("answer", "setting"),
    [
        (refuse(400, "Logprobs is not enabled for this model"), "log_probs: none"),
        (refuse(403, "You are not allowed to request logprobs"), "log_probs: none"),
        (Response("logprobs are not supported; logprobs cannot be set", 400), "log_probs: none"),
        (JSONResponse({"detail": [{"loc": ["body", "logprobs"], "msg": "Extra inputs are not permitted"}]}, 422),
         "log_probs: none"),
        (refuse(400, "Unsupported value: 'temperature' does not support 0.5"), "sampling.temperature: null"),
        (refuse(400, "Unsupported parameter: 'stop'"), "sampling.stop: []"),
    ],
)  # fmt: skip
def test_a_parameter_that_decides_something_is_told_with_the_setting_that_leaves_it_out(store, answer, setting):
    with serving(Endpoint(lambda _body, _nth: answer)) as url:
        asked = backend(QUICK | {"base_url": url})
        request = Request(asked.identity, "p", Sampling(temperature=0.5, stop=("x",)))
        with pytest.raises(UserError, match="does not take a parameter") as caught:
            ask(asked, [request], store)
    assert f"; set {setting}; " in str(caught.value)


REFUSALS = [
    # A state, what is said with it, and whether it passes, ends the run (and how that is told) or is of one request.
    (400, {"message": "API key not valid. Please pass a valid API key."}, "refuses requests without a key"),
    (200, {"message": "Incorrect API key provided", "code": "invalid_api_key"}, "refuses requests without a key"),
    (200, {"message": "no entry", "code": "401"}, "refuses requests without a key"),
    (400, {"message": "Your credit balance is too low"}, "account is used up"),
    (403, {"message": "Insufficient credits"}, "account is used up"),
    (429, {"message": "You exceeded your current quota"}, "account is used up"),
    (429, {"code": "1113", "message": "余额不足"}, "account is used up"),
    (400, {"message": "The model `m` does not exist"}, "knows no model"),
    (405, {"message": "Method Not Allowed"}, "or its address is wrong"),
    (400, {"message": "System role not supported"}, "takes no system prompt"),
    (400, {"message": 'Unknown name "seed": Cannot find field.'}, "set sampling.seed: null"),
    (500, {"message": "logprobs is not supported by this backend"}, "set log_probs: none"),
    (429, {"message": "Daily limit. Please try again in 1 day."}, "it asks to wait 86400 s"),
    (400, {"message": "Invalid request. Only this much is allowed: plant the seed, then stop."}, None),
    (400, {"message": "The system prompt is unsafe."}, None),
    (500, {"message": "the request exceeds the available context size"}, None),
    (429, {"message": "Request too large: Limit 10, Requested 300"}, None),
    (501, {"message": "not implemented"}, None),
    (403, {"message": "API rate limit exceeded"}, "again"),
    (400, {"message": "Too many requests"}, "again"),
    (429, {"message": "You exceeded your current quota. Please retry in 0.02s."}, "again"),
    (424, {"message": "generation failed"}, "again"),
    (498, {"message": "capacity exceeded"}, "again"),
    (200, {"message": "model overloaded"}, "again"),
]


@pytest.mark.parametrize(("status", "error", "meaning"), REFUSALS)
@pytest.mark.parametrize("listed", [False, True])
def test_an_error_means_what_its_words_say_whatever_its_state(store, status, error, meaning, listed):
    body = [{"error": error}] if listed else {"error": error}

    def behave(_body, nth):
        return JSONResponse(body, status) if meaning != "again" or nth == 0 else None

    endpoint = Endpoint(behave)
    if meaning == "again":
        with serving(endpoint) as url:
            asked = backend(QUICK | {"base_url": url})
            outcome = ask(asked, many(asked, 3), store)
        assert (outcome.received, outcome.failures) == (3, ())
        return
    told = stopping(endpoint, store, count=20, concurrency=1)
    assert (meaning or "refuses the request") in told
    assert endpoint.tried.total() == (1 if meaning else 3)


def test_words_of_an_answer_without_choices_are_told(store):
    answer = JSONResponse({"choices": None, "base_resp": {"status_code": 1013, "status_msg": "the model is asleep"}})
    assert "the model is asleep" in stopping(Endpoint(lambda _body, _nth: answer), store, attempts=2)


@pytest.mark.parametrize("status", [301, 302, 303, 304])
def test_an_address_that_leads_elsewhere_is_told_and_asked_once(store, status):
    answer = Response(status_code=status, headers={} if status == 304 else {"Location": "https://127.0.0.1:9/in?t=1"})
    endpoint = Endpoint(lambda _body, _nth: answer)
    told = stopping(endpoint, store, count=20, concurrency=1)
    place = "another one" if status == 304 else "https://127.0.0.1:9/in"
    assert f"the address leads on to {place}; set base_url to where the endpoint is" in told
    assert endpoint.tried.total() == 1


@pytest.mark.parametrize("charset", ["rot13", "base64", "none-such", "utf-7"])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_encoding_that_a_header_names_and_is_none_decides_nothing(store, charset, status):
    kind = f"application/json; charset={charset}"

    def behave(body, nth):
        if status == 200:
            return Response(json.dumps(completion(body)), media_type=kind)
        return Response("<html>ooops", status, media_type=kind) if nth == 0 else None

    _, outcome = answered(behave, store, count=2)
    assert outcome.received == (0 if status == 400 else 2)


@pytest.mark.parametrize("said", ["Non-streaming is not supported", "stream=false is not supported"])
def test_a_stream_is_asked_for_in_whatever_words(store, said):
    _, outcome = answered(lambda body, _: streamed(body) if body.get("stream") else refuse(400, said), store)
    assert (outcome.received, outcome.failures) == (12, ())


def test_the_older_name_of_max_tokens_is_tried_too_and_none_for_ever(store):
    def old(body, _nth):
        said = "Unrecognized request argument supplied: max_completion_tokens"
        return refuse(400, said) if "max_completion_tokens" in body else None

    taken, outcome = answered(old, store, max_tokens_name="max_completion_tokens")
    assert (outcome.received, outcome.retried) == (12, {})
    assert all(body["max_tokens"] == 20 for body in taken)

    def neither(body, nth):
        return old(body, nth) or refuse(400, WORDS["max_tokens"])

    assert "max_completion_tokens" in stopping(Endpoint(neither), Store(store.path.with_name("other")), concurrency=1)


def test_a_limit_without_a_word_on_waiting_slows_everybody_and_costs_no_attempt(store):
    times = []

    def behave(_body, _nth):
        now = time.monotonic()
        times[:] = [t for t in times if now - t < 0.3]
        if len(times) >= 3:
            return refuse(429, "too many requests")
        times.append(now)
        return None

    _, outcome = answered(behave, store, count=40, attempts=8, concurrency=10)
    assert (outcome.received, outcome.failures) == (40, ())
    assert outcome.retried["HTTP 429"] > 3


def test_a_limit_that_never_ends_uses_the_attempts_up(store):
    told = stopping(Endpoint(lambda _body, _nth: refuse(429, "slow down")), store, attempts=3)
    assert "HTTP 429: slow down" in told


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Please try again in 1h2m3s.", 3723),
        ("Try again in 20 seconds", 20),
        ("after 2.5s", None),
        ("retry after 9s", 9),
    ],
)
def test_a_wait_is_understood_in_words(said, seconds):
    assert wait_in_words(said) == seconds
    assert retry_after({"retry-after-ms": "700", "retry-after": "9"}) == 0.7


@pytest.mark.parametrize(
    "once",
    [
        {"error": {"message": "upstream is busy", "code": 503}},
        {"id": None, "choices": None, "error": {"message": "upstream is busy", "code": 429}},
        {"choices": [{"finish_reason": "error", "message": {"content": "half"}, "error": {"message": "died"}}]},
        {"choices": [{"finish_reason": "content_filter", "message": {"content": None}}]},
        {"choices": [{"finish_reason": "stop", "message": {"content": ""}}]},
    ],
)
def test_an_answer_that_is_none_is_asked_for_again(store, once):
    _, outcome = answered(lambda _body, nth: JSONResponse(once) if nth == 0 else None, store, count=3)
    assert (outcome.received, outcome.failures) == (3, ())
    assert sum(outcome.retried.values()) == 3
    assert b'"text":"answer to prompt' in store.path.read_bytes().splitlines()[0]


def test_thoughts_that_use_all_tokens_up_end_the_run_after_some_dozens(store):
    def behave(body, _nth):
        if "prompt 0|" in name_of(body):
            return None
        message = {"role": "assistant", "content": None, "reasoning_content": "hm"}
        choice = {"index": 0, "finish_reason": "length", "message": message}
        return JSONResponse(completion(body, choices=[choice], usage={"prompt_tokens": 9, "completion_tokens": 20}))

    endpoint = Endpoint(behave)
    told = stopping(endpoint, store, count=200, concurrency=4)
    assert "all 20 tokens went into thinking, and no answer came; raise max_tokens (now 20); 1 responses" in told
    assert endpoint.tried.total() < 60
    assert THOUGHT_ONLY == "nothing but thoughts"


def test_a_run_ends_when_whoever_watches_the_answers_says_so(store):
    endpoint = Endpoint()
    with serving(endpoint) as url:
        asked = backend(QUICK | {"base_url": url, "concurrency": 2})
        with pytest.raises(UserError, match=r"five are enough; \d responses of this run are kept"):
            ask(asked, many(asked, 100), store, watch=lambda _: "five are enough" if len(store) == 5 else None)
    assert 5 <= len(store) == endpoint.answered.total() <= 7


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_embedding_endpoint_with_small_batches_gets_small_batches(status):
    def behave(body, _nth):
        return refuse(status, "batch size is invalid") if len(body["input"]) > 2 else None

    endpoint = Embedder(Fixed(), behave)
    with serving(endpoint) as url:
        encoder = encoder_at(url)
        found = encoder.encode(TEXTS)
        encoder.encode(TEXTS)
    assert found[:, 0].tolist() == [len(text) for text in TEXTS]
    assert [len(body["input"]) for body in endpoint.bodies] == [5, 3, 2, 2, 1, 2, 2, 1]


@pytest.mark.parametrize("index", [{}, {"index": 0}])
def test_embeddings_without_numbers_are_asked_for_one_by_one(index):
    def behave(body, _nth):
        return JSONResponse({"data": [{"embedding": [float(len(text)), 1.0]} | index for text in body["input"]]})

    with serving(Embedder(Fixed(), behave)) as url:
        assert encoder_at(url).encode(TEXTS)[:, 0].tolist() == [len(text) for text in TEXTS]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "carrier://u:secret@pigeon:1"),
        ("SSL_CERT_FILE", "/none/here.pem"),
        ("REQUESTS_CA_BUNDLE", "/none"),
    ],
)
def test_a_proxy_or_certificates_that_cannot_be_used_are_told_in_one_sentence(monkeypatch, store, variable, value):
    for name in ("ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    asked = backend(QUICK | {"base_url": "https://endpoint.invalid/v1"})
    with pytest.raises(UserError, match=f"cannot be used .*{variable}=") as caught:
        ask(asked, many(asked, 1), store)
    assert "secret" not in str(caught.value)


def test_a_socks_proxy_is_a_way(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    way = http_client(httpx.Client, "https://endpoint.invalid/v1", "", httpx.Timeout(5))
    with way as client, pytest.raises(httpx.ConnectError):
        client.get("/")
