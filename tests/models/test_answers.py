import json
import math

import pytest
from models.servers import completion

from ggmi.models.answers import THOUGHT_ONLY, read_answer
from ggmi.models.faults import Fault
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
    return read_answer(json.dumps(answer).encode(), request, asked, 3, 1.23456, 2, "")


def made_of(body):
    """What is made of the bytes of an answer."""
    return read_answer(body, Request({}, "p", Sampling()), ClientSettings(model="m"), 3, 0, 1, "")


FOUR = [("\\xc3", b"\xc3", -1.0), ("\\xa9", b"\xa9", -0.5), ("🙂", "🙂".encode(), -0.25), ("!", None, -2.0)]


def test_log_probabilities_are_summed_and_placed():
    response = read(FOUR, written=4)
    assert response.log_prob_nats == -3.75
    assert response.log_prob_missing is None
    assert response.token_log_probs == ((0, 0, -1.0), (0, 1, -0.5), (1, 2, -0.25), (2, 3, -2.0))
    assert (response.model, response.prompt_tokens, response.seconds, response.attempts) == ("m-2025", 7, 1.235, 2)
    assert read(FOUR, written=5).log_prob_nats == -3.75  # the end-of-text token is counted, not listed


OTHER = "do not spell the text (they may cover its thoughts, or be numbers)"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "the endpoint gives none"),
        ({"log_probs": FOUR, "written": 9}, "the endpoint gives them for 4 of 9 tokens"),
        *(
            ({"log_probs": [*FOUR[:3], ("!", None, nats)]}, "the endpoint does not tell that of an unlikely token")
            for nats in (-9999.0, math.nan, -math.inf, 0.5)
        ),
        ({"log_probs": [*FOUR[:3], ("!", None, None)]}, "the endpoint gives none for 1 of 4 tokens"),
        ({"log_probs": [("thought", None, -1.0), *FOUR], "written": 5}, f"the endpoint's tokens {OTHER}"),
        ({"log_probs": [("token_id:7", b"token_id:7", -1.0)] * 4}, f"the endpoint's tokens {OTHER}"),
        ({"logprobs": {"tokens": ["a"], "token_logprobs": [-1.0]}}, f"the endpoint's tokens {OTHER}"),
        ({"logprobs": {"content": [7]}}, "the endpoint gives them in a form that is not known"),
        ({"logprobs": {"content": None}}, "the endpoint gives none"),
        (
            {"log_probs": FOUR, "message": {"content": "\u00e9\U0001f642!", "reasoning_content": "hm"}},
            "the model thought before it wrote, so that the text's probability is not known",
        ),
        (
            {"log_probs": FOUR, "sampling": Sampling(temperature=None)},
            "the endpoint draws at a temperature or top-p of its own, and does not say which",
        ),
        (
            {"log_probs": FOUR, "settings": {"extra": {"top_k": 20}}},
            "the endpoint tells log-probabilities before top_k of extra",
        ),
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


@pytest.mark.parametrize(
    ("log_probs", "spans"),
    [
        ([("\u00e9\U0001f642!", None, -1.0), ("<|end|>", None, -2.0)], ((0, 3, -1.0), (3, 3, -2.0))),
        ([(" \u00e9", None, -1.0), ("\U0001f642!", None, 1e-7)], ((0, 1, -1.0), (1, 3, 0.0))),
    ],
)
def test_an_end_token_a_leading_blank_and_rounding_change_nothing(log_probs, spans):
    assert read(log_probs, written=2).token_log_probs == spans


def test_the_text_that_ended_an_answer_is_no_part_of_it():
    tokens = [("\u00e9\U0001f642!", None, -1.0), ("\n", None, -0.5), ("END", None, -2.0)]
    response = read(tokens, Sampling(stop=("\nEND",)), written=3)
    assert response.token_log_probs == ((0, 3, -1.0), (3, 3, -0.5), (3, 3, -2.0))
    assert read(tokens, Sampling(stop=("\n\n",)), written=3).log_prob_missing.startswith("the endpoint's tokens do not")


def test_the_older_form_of_log_probabilities_is_read():
    given = {"tokens": ["\u00e9\U0001f642", "!"], "token_logprobs": [-1.0, -0.5], "top_logprobs": None}
    assert read(logprobs=given, written=2).log_prob_nats == -1.5


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yes"}]}, "yes"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "output_text", "text": "b"}, 7]}, "ab"),
        ({"content": None, "refusal": "I cannot"}, "I cannot"),
        ({"content": None, "tool_calls": [{"function": {"name": "write", "arguments": "[1]"}}]}, "[1]"),
        ({"content": "yes", "reasoning_content": "hm"}, "yes"),
    ],
)
def test_a_text_in_any_form_is_taken(message, text):
    assert read(message={"role": "assistant", **message}).text == text


@pytest.mark.parametrize("usage", [None, 7, [], {}, {"prompt_tokens": "many", "completion_tokens": None}, {"x": -1}])
def test_a_text_is_kept_whatever_is_said_of_its_tokens(usage):
    answer = completion(BODY, "four", usage=usage, model=None)
    response = read_answer(
        json.dumps(answer).encode(), Request({}, "p", Sampling()), ClientSettings(model="m"), 3, 0, 1, ""
    )
    assert (response.text, response.prompt_tokens, response.completion_tokens) == ("four", 3, 1)


def fault(**choice):
    with pytest.raises(Fault) as caught:
        read(**{"text": ""} | choice)
    return caught.value


@pytest.mark.parametrize(
    ("choice", "reason", "told", "again"),
    [
        ({"finish_reason": "stop"}, "empty text", "holds no text", True),
        ({"text": " \n"}, "empty text", "holds no text", True),
        ({"finish_reason": "content_filter"}, "content filter", "filter withheld", True),
        ({"finish_reason": "error", "text": "ha"}, "provider error", "failed midway", True),
        ({"finish_reason": "error", "error": {"code": 503, "message": "died"}}, "HTTP 503", "died", True),
        (
            {"finish_reason": "length"},
            THOUGHT_ONLY,
            "all 5 tokens went into thinking, and no answer came; raise",
            False,
        ),
        ({"message": {"content": None, "reasoning_content": "hm"}}, THOUGHT_ONLY, "thought and wrote no", True),
    ],
)
def test_an_answer_without_a_text_is_a_fault_with_the_providers_words(choice, reason, told, again):
    found = fault(**choice)
    assert (found.reason, found.again) == (reason, again)
    assert told in found.message


def test_an_error_with_state_200_is_a_fault():
    body = {"error": {"message": "Provider failed", "code": 429, "metadata": {"raw": "try again in 20s"}}}
    with pytest.raises(Fault) as caught:
        made_of(json.dumps(body).encode())
    assert (caught.value.reason, caught.value.wait, caught.value.everyone) == ("HTTP 429", 20, True)
    assert "Provider failed: try again in 20s" in caught.value.message


def stream(*pieces, end="data: [DONE]\n\n"):
    return "".join(f"data: {json.dumps({'model': 'm', 'choices': [piece]})}\n\n" for piece in pieces) + end


def test_a_streamed_answer_is_put_together():
    body = ": hello\n\n" + stream(
        {"delta": {"role": "assistant", "reasoning_content": "hm"}},
        {"delta": {"content": "a "}, "logprobs": {"content": [{"token": "a ", "logprob": -1}]}},
        {"delta": {"content": "b"}, "index": 0, "finish_reason": "stop"},
        {"delta": {"content": "other"}, "index": 1},
        end='data: {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}\n\ndata: [DONE]\n',
    )
    response = made_of(body.encode())
    assert (response.text, response.finish_reason, response.prompt_tokens) == ("a b", "stop", 9)
    with pytest.raises(Fault, match="ends before the answer does"):
        made_of(stream({"delta": {"content": "a"}}, end="").encode())


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"message": {"content": [{"text": "a"}, "b", {"type": "thinking", "thinking": "hm"}]}}, "ab"),
        ({"message": {"content": {"type": "text", "text": "ab"}}}, "ab"),
        ({"message": {"content": {"rating": 7}}}, '{"rating": 7}'),
        ({"message": {"content": None, "function_call": {"arguments": "ab"}}}, "ab"),
        ({"message": "ab"}, "ab"),
    ],
)
def test_a_text_is_found_wherever_it_stands(choice, text):
    assert made_of(json.dumps(completion(BODY, choices=[choice])).encode()).text == text


def test_of_several_choices_the_first_with_a_text_is_taken():
    choices = [{"index": i, "message": {"content": text}} for i, text in ((2, "c"), (1, "b"), (0, ""))]
    assert made_of(json.dumps(completion(BODY, choices=choices)).encode()).text == "b"


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": "12", "completion_tokens": "5"}, (12, 5)),
        ({"input_tokens": 12, "output_tokens": 5}, (12, 5)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, (3, 2)),
        ({"prompt_tokens": "many", "completion_tokens": -1}, (3, 2)),
    ],
)
def test_tokens_are_counted_as_told_or_by_ourselves(usage, counts):
    response = made_of(json.dumps(completion(BODY, "12345678", usage=usage)).encode())
    assert (response.prompt_tokens, response.completion_tokens) == counts


@pytest.mark.parametrize("name", ["length", "MAX_TOKENS", "max_output_tokens"])
def test_an_answer_cut_at_its_length_is_one_whatever_it_is_called(name):
    assert read(finish_reason=name).finish_reason == "length"
    assert "went into thinking" in fault(finish_reason=name, message={"content": None}).message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_is_read_in_its_own_encoding(encoding):
    body = json.dumps(completion(BODY, "größer ✓"), ensure_ascii=False)
    assert made_of(body.encode(encoding)).text == "größer ✓"


@pytest.mark.parametrize("around", [": waiting\n\n{}", "\n\n  {}\n", "{}\n\ndata: [DONE]\n\n", "[{}]"])
def test_what_stands_around_an_answer_is_passed_over(around):
    assert made_of(around.replace("{}", json.dumps(completion(BODY, "ab"))).encode()).text == "ab"


def test_a_stream_may_hold_any_character_and_halves_of_one():
    separators = "a\u2028b\x85c\x0bd"
    whole = json.dumps({"choices": [{"delta": {"content": separators}, "finish_reason": "stop"}]}, ensure_ascii=False)
    assert made_of(f"data: {whole}\n\n".encode()).text == separators
    halves = stream({"delta": {"content": "\ud83d"}}, {"delta": {"content": "\ude42!"}, "finish_reason": "stop"})
    assert made_of(halves.encode()).text == "\U0001f642!"


def test_a_stream_that_ends_with_an_error_is_no_answer():
    body = stream({"delta": {"content": "half"}}, end='data: {"error": {"message": "died", "code": 503}}\n\n')
    with pytest.raises(Fault, match="HTTP 503: died") as caught:
        made_of(body.encode())
    assert caught.value.again
