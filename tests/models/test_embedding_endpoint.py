import base64
import json

import numpy as np
import pytest
from models.servers import Embedder, embeddings, serving
from starlette.responses import JSONResponse, Response

from ggmi.errors import UserError
from ggmi.information.embedding import embed
from ggmi.information.local_encoder import default_encoder
from ggmi.models.embedding_endpoint import EndpointEncoder
from ggmi.models.settings import EmbeddingSettings

KEY = "sk-planted-7d41b0"
TEXTS = [f"record {i} tells of {thing}" for i, thing in enumerate(["rivers", "coins", "tides", "maps", "bridges"])]


class Fixed:
    """An encoder whose vectors tell the text's length."""

    def encode(self, texts):
        return np.array([[len(text), 1.0] for text in texts])


def encoder_at(url, **settings):
    return EndpointEncoder(EmbeddingSettings(**{"base_url": url, "model": "m", "key_env": None} | settings))


def refused(behave, **settings):
    """The sentence with which embedding ends."""
    with serving(Embedder(Fixed(), behave)) as url, pytest.raises(UserError) as caught:
        encoder_at(url, **settings).encode(TEXTS)
    sentence = str(caught.value)
    assert sentence.startswith(f"{url}: ")
    assert "\n" not in sentence
    assert KEY not in sentence
    return sentence


def test_vectors_are_those_of_the_same_model_here():
    local = default_encoder()
    with serving(Embedder(local)) as url:
        found = encoder_at(url, batch_size=2).encode(TEXTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, local.encode(TEXTS), atol=1e-6)


def test_texts_go_out_in_batches_with_the_key_in_the_header_alone(monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    endpoint = Embedder(Fixed())
    with serving(endpoint) as url:
        encoder_at(url + "/", key_env="MY_KEY", batch_size=2).encode(TEXTS)
    assert [body["input"] for body in endpoint.bodies] == [TEXTS[:2], TEXTS[2:4], TEXTS[4:]]
    assert {body["model"] for body in endpoint.bodies} == {"m"}
    assert KEY not in json.dumps(endpoint.bodies)
    assert {headers["authorization"] for headers in endpoint.headers} == {f"Bearer {KEY}"}


def test_no_texts_need_no_endpoint():
    assert encoder_at("http://127.0.0.1:9/v1").encode([]).shape == (0, 0)


def test_the_identity_tells_address_and_model_and_not_the_key(monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    one = encoder_at("http://127.0.0.1:9/v1/", key_env="MY_KEY").identity
    assert one == encoder_at("http://127.0.0.1:9/v1", batch_size=3).identity
    others = {encoder_at("http://127.0.0.1:8/v1").identity, encoder_at("http://127.0.0.1:9/v1", model="n").identity}
    assert len({one, *others}) == 3
    assert KEY not in one


def test_what_the_cache_holds_is_not_asked_again(tmp_path):
    endpoint = Embedder(Fixed())
    with serving(endpoint) as url:
        first = embed(TEXTS[:3], encoder_at(url), tmp_path)
        both = embed(TEXTS, encoder_at(url), tmp_path)
    assert sorted(text for body in endpoint.bodies for text in body["input"]) == sorted(TEXTS)
    np.testing.assert_array_equal(both[:3], first)


def test_a_cache_of_another_length_is_told(tmp_path):
    with serving(Embedder(Fixed(), lambda body, nth: embeddings([[1.0] * (2 + nth)] * len(body["input"])))) as url:
        embed(TEXTS[:3], encoder_at(url), tmp_path)
        with pytest.raises(
            UserError, match=r"texts have 2 or 3 numbers, some from .*; if another model bears the name"
        ):
            embed(TEXTS, encoder_at(url), tmp_path)


def test_a_rate_limit_is_waited_for():
    def busy(_body, nth):
        return JSONResponse({"error": "slow down"}, 429, {"retry-after": "0.05"}) if nth in (0, 2) else None

    endpoint = Embedder(Fixed(), busy)
    with serving(endpoint) as url:
        found = encoder_at(url, batch_size=3).encode(TEXTS)
    np.testing.assert_array_equal(found[:, 0], [len(text) for text in TEXTS])
    assert len(endpoint.bodies) == 4


def test_a_refused_key_ends_it_without_the_key(monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    said = {"error": {"message": f"Incorrect API key provided: {KEY}.\nSee our pages."}}
    sentence = refused(lambda _body, _nth: JSONResponse(said, 401), key_env="MY_KEY")
    assert "refuses the key in MY_KEY (HTTP 401: Incorrect API key provided: [key]." in sentence


def test_a_missing_key_is_found_before_anything_is_sent():
    with pytest.raises(UserError, match="the environment variable NO_SUCH_KEY is not set"):
        encoder_at("http://127.0.0.1:9/v1", key_env="NO_SUCH_KEY")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Response("<html><body>Log in</body></html>", media_type="text/html"), "the answer holds no embeddings ("),
        (JSONResponse({"data": "none"}), "the answer holds no embeddings (data: "),
        (JSONResponse([1, 2]), "the answer holds no embeddings ("),
        (embeddings([[1.0, 2.0]] * 4), "4 embeddings came for 5 texts"),
        (embeddings([[1.0, 2.0]] * 6), "6 embeddings came for 5 texts"),
        (embeddings([[1.0, 2.0]] * 4 + [[1.0]]), "embeddings have 1 and 2 dimensions"),
        (embeddings([[1.0, float("nan")]] * 5), "embedding.1: Input should be a finite number"),
        (embeddings([[]] * 5), "embedding: List should have at least 1 item"),
        (embeddings([[1e300, 1.0]] * 5), "too large for single precision"),
        (
            JSONResponse({"data": [{"index": 0, "embedding": [1.0]}] * 5}),
            "or their indices are not those of the texts",
        ),
        (JSONResponse({"error": {"message": "no such model"}}, 404), "knows no model 'm'"),
        (JSONResponse({"error": {"message": "text too long"}}, 400), "refuses the request (HTTP 400: text too long)"),
    ],
)
def test_what_is_no_vector_for_each_text_is_told_in_one_sentence(answer, told):
    assert told in refused(lambda _body, _nth: answer)


def test_batches_of_different_length_are_refused():
    def growing(body, nth):
        return embeddings([[1.0] * (1 + nth)] * len(body["input"]))

    assert "embeddings have 1 and 2 dimensions" in refused(growing, batch_size=4)


def test_single_precision_in_base64_is_read():
    def packed(body, _nth):
        vectors = [np.array([len(text), 1.5], "<f4").tobytes() for text in body["input"]]
        rows = [{"index": i, "embedding": base64.b64encode(v).decode()} for i, v in enumerate(vectors)]
        return JSONResponse({"data": rows})

    with serving(Embedder(Fixed(), packed)) as url:
        found = encoder_at(url).encode(TEXTS)
    np.testing.assert_array_equal(found, [[len(text), 1.5] for text in TEXTS])


@pytest.mark.parametrize("embedding", ["!!!", "AAAA", ""])
def test_what_is_no_base64_of_single_precision_is_told(embedding):
    data = [{"index": i, "embedding": embedding} for i in range(5)]
    assert "the answer holds no embeddings" in refused(lambda _body, _nth: JSONResponse({"data": data}))


def test_a_format_that_an_endpoint_does_not_know_is_left_out():
    said = {"detail": [{"loc": ["body", "encoding_format"], "msg": "Extra inputs are not permitted"}]}
    endpoint = Embedder(Fixed(), lambda body, _: JSONResponse(said, 422) if "encoding_format" in body else None)
    with serving(endpoint) as url:
        assert encoder_at(url, batch_size=3).encode(TEXTS)[:, 0].tolist() == [len(text) for text in TEXTS]
    assert [len(body["input"]) for body in endpoint.bodies] == [3, 3, 2]


@pytest.mark.parametrize(
    "once",
    [
        JSONResponse({"error": {"message": "overloaded", "code": 503}}),
        JSONResponse({"data": None, "message": "no worker is free"}),
        Response('{"data": [{"ind', media_type="application/json"),
        JSONResponse({"error": {"message": "too many requests"}}, 400),
    ],
)
def test_an_answer_that_is_none_is_asked_for_again(once):
    endpoint = Embedder(Fixed(), lambda _body, nth: once if nth == 0 else None)
    with serving(endpoint) as url:
        assert encoder_at(url).encode(TEXTS).shape == (5, 2)
    assert [len(body["input"]) for body in endpoint.bodies] == [5, 5]


def test_an_error_with_state_200_that_lasts_is_told_at_once():
    endpoint = Embedder(Fixed(), lambda _body, _nth: JSONResponse({"error": {"message": "invalid api key"}}))
    with serving(endpoint) as url, pytest.raises(UserError, match="refuses requests without a key"):
        encoder_at(url).encode(TEXTS)
    assert len(endpoint.bodies) == 1
