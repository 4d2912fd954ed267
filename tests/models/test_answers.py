import math

import pytest
from models.servers import completion
from openai.types.chat import ChatCompletion

from ggmi.models.answers import read_answer
from ggmi.models.requests import Request, Sampling
from ggmi.models.settings import ClientSettings

BODY = {"model": "m-2025", "messages": [{"content": "p"}]}


def read(log_probs=None, sampling=None, text="é🙂!", written=5, settings=None, **choice):
    """What is made of an answer with these log-probabilities."""
    answer = completion(BODY, text, usage={"prompt_tokens": 7, "completion_tokens": written, "total_tokens": 0})
    content = (
        None
        if log_probs is None
        else [
            {"token": t, "bytes": None if b is None else list(b), "logprob": nats, "top_logprobs": []}
            for t, b, nats in log_probs
        ]
    )
    answer["choices"][0] |= {"logprobs": None if content is None else {"content": content}} | choice
    asked = ClientSettings(**{"model": "m", "token_log_probs": True} | (settings or {}))
    request = Request({"model": "m"}, "p", sampling or Sampling())
    return read_answer(ChatCompletion.construct(**answer), request, asked, 3, 1.23456, 2, "")


FOUR = [("\\xc3", b"\xc3", -1.0), ("\\xa9", b"\xa9", -0.5), ("🙂", "🙂".encode(), -0.25), ("!", None, -2.0)]


def test_log_probabilities_are_summed_and_placed():
    response = read(FOUR, written=4)
    assert response.log_prob_nats == -3.75
    assert response.log_prob_missing is None
    assert response.token_log_probs == ((0, 0, -1.0), (0, 1, -0.5), (1, 2, -0.25), (2, 3, -2.0))
    assert (response.model, response.prompt_tokens, response.seconds, response.attempts) == ("m-2025", 7, 1.235, 2)
    assert read(FOUR, written=5).log_prob_nats == -3.75  # the end-of-text token is counted, not listed


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "the endpoint gives none"),
        ({"log_probs": FOUR, "written": 9}, "the endpoint gives them for 4 of 9 tokens"),
        ({"log_probs": [("a", None, -9999.0)], "written": 1}, "the endpoint does not tell that of an unlikely token"),
        ({"log_probs": [("a", None, math.nan)], "written": 1}, "the endpoint does not tell that of an unlikely token"),
        ({"log_probs": FOUR, "settings": {"log_probs": "none"}}, "not asked for"),
        (
            {"log_probs": FOUR, "sampling": Sampling(top_p=0.9)},
            "the endpoint tells log-probabilities before temperature 1 and top-p 0.9, not of what was sampled from",
        ),
        (
            {"log_probs": FOUR, "sampling": Sampling(temperature=0), "settings": {"log_probs": "sampled"}},
            "at temperature 0 the endpoint's log-probabilities are not of the distribution sampled from",
        ),
    ],
)
def test_what_is_not_of_the_sampled_distribution_is_left_out_with_the_reason(arguments, reason):
    response = read(**arguments)
    assert response.log_prob_nats is None
    assert response.token_log_probs is None
    assert response.log_prob_missing == reason


def test_an_endpoint_that_tells_the_sampled_distribution_is_believed():
    response = read(FOUR, Sampling(temperature=0.7, top_p=0.9), settings={"log_probs": "sampled"})
    assert response.log_prob_nats == -3.75


def test_an_empty_or_refused_answer_is_an_answer():
    assert read(text="", written=0, finish_reason="content_filter").finish_reason == "content_filter"
    refused = read(message={"role": "assistant", "content": None, "refusal": "I cannot"})
    assert refused.text == "I cannot"
