import json
from collections import Counter

import pytest
from models.servers import Endpoint, completion, serving
from models.tiny import make_model
from starlette.responses import JSONResponse

from ggmi.errors import UserError
from ggmi.models.backend import backend
from ggmi.models.protocol import Failure, Outcome
from ggmi.models.requests import Response, Sampling, missing
from ggmi.models.store import Store
from ggmi.rating.asking import JudgeRequests, ask_judge, failures
from ggmi.rating.judging import JudgePrompt
from ggmi.rating.verdicts import Reading
from ggmi.text.jsonl import read_rows, write_rows

PROMPTS = [JudgePrompt(name, f"Judge {name}.") for name in ("a", "b", "c")]
WARM = Sampling(temperature=1.0, max_tokens=8)


class Script:
    """A judge whose verdict on each prompt and draw is written down; None where it gives no answer."""

    def __init__(self, verdicts):
        self.identity = {"kind": "script"}
        self.verdicts = verdicts
        self.asked = []

    def generate(self, requests, *, kept, on_response, **_others):
        given_up = []
        for request in missing(requests, kept):
            self.asked.append((request.prompt_id, request.draw))
            text = self.verdicts[request.prompt_id][request.draw]
            if text is None:
                given_up.append(Failure(request.key(), request.prompt_id, "timeout", "it took too long", 3))
            else:
                on_response(Response(request.key(), text, "stop", 1, 1, None, "not asked", None, "script", 0.0, 1))
        return Outcome(len(requests) - len(given_up), tuple(given_up))


def judged(tmp_path, script, plan, sampling=WARM):
    return ask_judge(script, PROMPTS, sampling, Store(tmp_path / "verdicts.jsonl"), plan)


def test_a_verdict_without_a_rating_is_asked_for_again_and_then_missing(tmp_path):
    script = Script({"a": ["[[3]]"], "b": ["no", "[[5]]"], "c": ["no", "[[11]]", None, "never asked"]})
    found = judged(tmp_path, script, JudgeRequests(retries=2))
    assert {name: one.rating for name, one in found.items()} == {"a": 3, "b": 5, "c": None}
    assert found["c"].texts == ("no", "[[11]]", None)
    assert failures(found.values()) == Counter(no_rating=2, off_scale=1, no_verdict=1)
    assert Counter(script.asked) == Counter([("a", 0), ("b", 0), ("b", 1), ("c", 0), ("c", 1), ("c", 2)])


def test_several_verdicts_are_averaged_and_retries_fill_up(tmp_path):
    script = Script({"a": ["[[3]]", "[[5]]"], "b": ["[[2]]", "no", "[[4]]"], "c": ["no", "no", "no", "[[9]]"]})
    found = judged(tmp_path, script, JudgeRequests(verdicts=2, retries=2))
    assert {name: one.ratings for name, one in found.items()} == {"a": (3, 5), "b": (2, 4), "c": (9,)}
    assert found["a"].rating == 4


def test_more_verdicts_or_retries_ask_only_for_what_is_new(tmp_path):
    texts = {name: ["[[3]]", "no", "[[5]]", "[[7]]"] for name in "abc"}
    first = judged(tmp_path, Script(texts), JudgeRequests(verdicts=1))
    again = Script(texts)
    assert judged(tmp_path, again, JudgeRequests(verdicts=1, retries=5)) == first
    assert again.asked == []
    more = Script(texts)
    assert judged(tmp_path, more, JudgeRequests(verdicts=2))["b"].ratings == (3, 5)
    assert {draw for _, draw in more.asked} == {1, 2}


def test_equal_prompts_are_judged_once(tmp_path):
    script = Script({"a": ["[[3]]"]})
    found = ask_judge(script, [PROMPTS[0]] * 3, WARM, Store(tmp_path / "s.jsonl"), JudgeRequests())
    assert list(found) == ["a"]
    assert script.asked == [("a", 0)]


def test_at_temperature_zero_nothing_is_asked_twice(tmp_path):
    script = Script({"a": ["no", "[[1]]"], "b": ["[[2]]"], "c": ["[[3]]"]})
    found = judged(tmp_path, script, JudgeRequests(retries=3), Sampling(temperature=0))
    assert found["a"].rating is None
    assert len(script.asked) == 3
    with pytest.raises(UserError, match="verdicts is 2 and temperature is 0"):
        judged(tmp_path, script, JudgeRequests(verdicts=2), Sampling(temperature=0))


def test_a_judge_that_never_returns_a_rating_is_told(tmp_path):
    script = Script({"a": ["no"] * 2, "b": ["no", ""], "c": [None, "no"]})
    with pytest.raises(UserError) as caught:
        judged(tmp_path, script, JudgeRequests(retries=1))
    assert "none of the judge's 6 verdicts holds a rating (4 times: the verdict states no rating)" in str(caught.value)


def test_a_real_model_that_knows_no_ratings_is_asked_to_the_end_and_told(tmp_path):
    judge = backend({"kind": "local", "model": str(make_model(tmp_path / "model"))})
    store = Store(tmp_path / "verdicts.jsonl")
    with pytest.raises(UserError, match="none of the judge's 6 verdicts holds a rating"):
        ask_judge(judge, PROMPTS, WARM, store, JudgeRequests(retries=1))
    assert len(Store(store.path)) == 6


def test_an_endpoint_whose_verdicts_hold_no_rating_is_not_paid_for_all_of_them(tmp_path):
    endpoint = Endpoint(lambda body, _nth: JSONResponse(completion(body, "<think>It may be a [[5]], or")))
    prompts = [JudgePrompt(f"p{i}", f"Judge {i}.") for i in range(200)]
    with serving(endpoint) as url:
        judge = backend({"kind": "openai", "model": "m", "base_url": url, "key_env": None, "concurrency": 2})
        with pytest.raises(
            UserError, match=r"none of the judge's first 36 verdicts .* still thinking\); raise judge.samp"
        ):
            ask_judge(judge, prompts, WARM, Store(tmp_path / "v.jsonl"), JudgeRequests())
    assert endpoint.answered.total() + endpoint.tried.total() < 45


def test_prompt_raw_verdict_and_rating_are_kept(tmp_path):
    script = Script({"a": ["<b>\ud800\x00\n[[3]]"], "b": ["no", "[[5]]"], "c": [None, "[[1]]"]})
    found = judged(tmp_path, script, JudgeRequests())
    write_rows(tmp_path / "judged.jsonl", (one.row() for one in found.values()))
    rows = [row for _, row in read_rows(tmp_path / "judged.jsonl")]
    assert rows[0] == {
        "prompt_id": "a",
        "prompt": "Judge a.",
        "verdicts": [{"draw": 0, "text": "<b>?\x00\n[[3]]", "rating": 3.0, "reason": None}],
        "rating": 3.0,
    }
    assert rows[2]["verdicts"][0] == {"draw": 0, "text": None, "rating": None, "reason": "no_verdict"}
    assert json.dumps(rows[1]["verdicts"][0]["reason"]) == '"no_rating"'


@pytest.mark.parametrize(("made", "expected"), [("", [0, 1]), ("r", [1]), ("x", [1, 2]), ("xxx", []), ("xx", [2])])
def test_draws_go_on_until_there_are_enough_or_too_many(made, expected):
    readings = [Reading(1.0, None) if letter == "r" else Reading(None, "empty") for letter in made]
    assert list(JudgeRequests(verdicts=2, retries=1).next_draws(readings)) == expected


@pytest.mark.parametrize("values", [{"verdicts": 0}, {"retries": -1}])
def test_a_plan_that_asks_for_nothing_is_refused(values):
    with pytest.raises(ValueError, match="out of range"):
        JudgeRequests(**values)
