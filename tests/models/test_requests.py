import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.models.requests import Request, Response, Sampling, Usage, missing

BASE = Request({"kind": "openai", "base_url": "http://a/v1", "model": "m", "revision": None}, "prompt", Sampling())

CHANGES = {
    "kind": {"identity": dict(BASE.identity) | {"kind": "vllm"}},
    "endpoint": {"identity": dict(BASE.identity) | {"base_url": "http://b/v1"}},
    "model": {"identity": dict(BASE.identity) | {"model": "n"}},
    "revision": {"identity": dict(BASE.identity) | {"revision": "1"}},
    "prompt": {"prompt": "prompt "},
    "system prompt": {"system": "prompt"},
    "draw": {"draw": 1},
    "temperature": {"sampling": Sampling(temperature=0.5)},
    "top_p": {"sampling": Sampling(top_p=0.5)},
    "max_tokens": {"sampling": Sampling(max_tokens=1)},
    "stop": {"sampling": Sampling(stop=("a",))},
    "seed": {"sampling": Sampling(seed=0)},
}


def test_everything_that_decides_a_response_is_in_its_key():
    keys = {name: dataclasses.replace(BASE, **change).key() for name, change in CHANGES.items()}
    assert len({BASE.key(), *keys.values()}) == len(CHANGES) + 1


def test_what_decides_nothing_is_not_in_the_key():
    turned = dict(reversed(BASE.identity.items()))
    assert dataclasses.replace(BASE, prompt_id="other", identity=turned).key() == BASE.key()


def test_a_key_is_the_same_in_every_version():
    # A key that changes asks everything again, and is paid for again.
    assert BASE.key() == "3f8af4b4606f74fbd78b915d3314997c8ef16a9852c6684d2d39a2e6e45f4d8f"


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"top_p": 0},
        {"top_p": 1.1},
        {"max_tokens": 0},
        {"stop": ("",)},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="out of range"):
        Sampling(**wrong)


@given(
    st.text(st.characters(), max_size=50),
    st.none() | st.floats(-1e6, 0),
    st.none() | st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(-50, 0)), max_size=3).map(tuple),
)
def test_any_response_comes_back_from_its_line(text, nats, by_token):
    response = Response("0" * 64, text, "stop", 1, 2, nats, None if nats else "none", by_token, text, 0.5, 1)
    line = response.to_json()
    assert line.isascii()
    assert line.isprintable()
    assert Response.from_json(line) == response


@pytest.mark.parametrize(
    "line",
    [
        "",
        "null",
        "[]",
        "3",
        "{}",
        '{"key": 1}',
        "[" * 100_000,
        '{"a": ' * 100_000,
        '{"key":"a","text":"b","token_log_probs":null}',
    ],
)
def test_a_line_that_is_no_response_is_a_value_error(line):
    with pytest.raises(ValueError):
        Response.from_json(line)


def test_a_field_of_the_wrong_type_is_a_value_error(answer):
    values = json.loads(answer(BASE).to_json())
    for name, wrong in (("text", 5), ("prompt_tokens", "5"), ("key", None), ("token_log_probs", [1])):
        with pytest.raises(ValueError):
            Response.from_json(json.dumps(values | {name: wrong}))


def test_content_leaves_out_what_differs_from_run_to_run(answer):
    one, other = answer(BASE), answer(BASE, seconds=9.0, attempts=3)
    assert one != other
    assert one.content() == other.content()
    assert answer(BASE, text="other").content() != one.content()


def test_missing_is_in_order_and_names_each_key_once():
    requests = [dataclasses.replace(BASE, draw=d) for d in (3, 1, 3, 2)]
    assert [r.draw for r in missing(requests, {requests[1].key()})] == [3, 2]


def test_usage_adds_up(answer):
    used = Usage.of(answer(BASE)) + Usage.of(answer(BASE))
    assert used == Usage(2, 6, 4)
    assert used.tokens == 10
