"""Searches of real models: an endpoint that adds, models in this process, faults, what goes wrong and is counted."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from faults.proxy import proxied
from models.servers import Endpoint, completion, serving
from models.tiny import make_reward
from real_search.searching import searched
from real_search.solving import solve, write_problems
from safetensors.torch import load_file, save_file
from starlette.responses import JSONResponse
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from ggmi.config import load
from ggmi.errors import UserError
from ggmi.models.answerer import Answerer
from ggmi.models.backend import backend
from ggmi.models.requests import Request, Sampling
from ggmi.models.stepwise import StepReward, Texts
from ggmi.models.store import Store
from ggmi.real_search.cost import search_cost

HASTY = {"attempts": 20, "first_wait": 0.01, "longest_wait": 1.0, "total_timeout": 3.0}


def configured(folder, policy, **changes):
    """A configuration with one search, its problems and results in a folder."""
    if not (folder / "sums.jsonl").exists():
        write_problems(folder / "sums.jsonl")
    search = {
        **{"title": "Sums", "problems": {"source": str(folder / "sums.jsonl")}, "policy": policy},
        **{"verifier": {"by": {"kind": "self"}}, "widths": [1, 2, 4], "steps": 5, "simulations": 6},
        **{"sampling": {"max_tokens": 20}},
    } | changes
    values = {"seed": 3, "stores": str(folder / "stores"), "results": str(folder / "results")}
    return load({**values, "tasks": {"embedded": None}, "slow_thinking": {"real": {"sums": search}}})


def endpoint(url, **changes):
    return {"kind": "openai", "model": "m", "base_url": url, "key_env": None, **HASTY, **changes}


def lines(config):
    """Responses in all stores of the search, each once."""
    kept = [(path, json.loads(line)["key"]) for path in stores_of(config) for line in path.read_bytes().splitlines()]
    assert len(set(kept)) == len(kept)
    return len(kept)


def stores_of(config):
    return sorted(Path(config.stores).rglob("*.jsonl"))


@pytest.mark.parametrize("job", ["beam", "tree"])
def test_faults_change_nothing_and_nothing_is_paid_for_twice(job, tmp_path):
    for folder in ("sound", "faulty"):
        (tmp_path / folder).mkdir()
        write_problems(tmp_path / folder / "sums.jsonl", 8)
    with serving(Endpoint(solve)) as server, proxied(server, share=0.0) as proxy:
        undisturbed = searched(configured(tmp_path / "sound", endpoint(proxy.url)), job)
        wanted = proxy.delivered.total()
        # The address is part of what tells requests apart, so it stays.
        proxy.share = 0.1
        config = configured(tmp_path / "faulty", endpoint(proxy.url))
        assert searched(config, job) == undisturbed
    assert proxy.faults.total() > 5
    # Whatever was handed over whole is in the store once.
    assert lines(config) == wanted == proxy.delivered.total() - wanted
    # Calls are steps drawn, each a request of its own.
    rows, counts = undisturbed
    for name, counted in counts.items():
        method, width = name.split("/")
        calls = sum(row["calls"] for row in rows if (row["method"], row["width"]) == (method, int(width)))
        asked = counted["policy_requests"] + counted["policy_missing"]
        assert calls == asked
    # The solver's own chance decides: more than one answer in three is right, and not all.
    assert 1 / 3 < np.mean([row["right"] for row in rows]) < 1


def test_what_is_priced_beforehand_bounds_what_is_asked_and_what_is_kept_is_not_priced_again(tmp_path):
    prices = {"prices": {"input": 1.0, "output": 10.0}}
    with serving(Endpoint(solve)) as url:
        config = configured(tmp_path, endpoint(url, **prices))
        before = search_cost(config)[0]["sums policy"]
        assert (before.kept, before.spent, before.expected_price) == (0, 0, None)
        # Whole answers: N L steps, N scores; beam: k L of each; trees: k (simulations + 1) + L steps, a score a visit.
        one = (4 * 5 + 4) + 7 * (5 + 5) + (7 * 7 + 3 * 5 + 3 * 6)
        assert before.requests == 12 * one
        searched(config, "beam")
        between = search_cost(config)[0]["sums policy"]
        assert between.kept >= lines(config) * 0.9
        assert between.requests < before.requests - 12 * 7 * (5 + 5) + 1
        for job in ("answers", "tree"):
            searched(config, job)
    after = search_cost(config)[0]["sums policy"]
    used = Store(stores_of(config)[0]).usage
    assert (after.kept, after.requests, after.worst_price) == (lines(config), 0, 0)
    assert after.kept <= before.requests
    assert used.prompt_tokens <= before.input_tokens
    assert used.completion_tokens <= before.worst_output_tokens
    assert after.spent == pytest.approx((used.prompt_tokens + 10 * used.completion_tokens) / 1e6)


def test_a_search_that_a_budget_ended_goes_on_where_it_was(tmp_path):
    answering = Endpoint(solve)
    with serving(answering) as url:
        (tmp_path / "whole").mkdir()
        whole = searched(configured(tmp_path / "whole", endpoint(url)), "tree")
        wanted = len(answering.bodies)
        with pytest.raises(UserError, match="max_requests: 100 would be passed by the next request; 100 responses are"):
            searched(configured(tmp_path, endpoint(url, budget={"max_requests": 100})), "tree")
        priced = search_cost(configured(tmp_path, endpoint(url), methods=["tree"]))[0]["sums policy"]
        # All that is kept is of the searches that were begun.
        assert priced.kept == 100
        assert priced.requests + priced.kept >= wanted
        assert searched(configured(tmp_path, endpoint(url)), "tree") == whole
    assert len(answering.bodies) == 2 * wanted


def test_the_stores_alone_give_the_same_search_again(tmp_path):
    answering = Endpoint(solve)
    with serving(answering) as url:
        config = configured(tmp_path, endpoint(url), repeats=2)
        first = searched(config, "answers")
        asked = len(answering.bodies)
    assert searched(config, "answers", asks=False) == first
    assert len(answering.bodies) == asked
    # Repeats are draws of their own.
    said = [[row["answer"] for row in first[0] if row["repeat"] == i] for i in range(2)]
    assert said[0] != said[1]


def test_what_goes_wrong_is_counted(tmp_path):
    def bad(body, _nth):
        text = body["messages"][-1]["content"]
        number = int(text.split("Add ")[1].split(" +")[0])
        if "yes or no" in text and number == 3:
            return JSONResponse(completion(body, "Hard to say."))
        if number == 1:
            return JSONResponse(completion(body, "The answer is beyond me."))
        if number == 2:
            choice = completion(body, "And so on and on")
            choice["choices"][0]["finish_reason"] = "length"
            return JSONResponse(choice)
        return solve(body)

    with serving(Endpoint(bad)) as url:
        rows, counts = searched(configured(tmp_path, endpoint(url)), "answers")
    counted = counts["best_of_n/4"]
    # Equal texts are one: of each problem that begins with 1, or with 2.
    firsts = [
        int(json.loads(line)["question"].split()[1]) for line in (tmp_path / "sums.jsonl").read_text().splitlines()
    ]
    assert counted["texts_unreadable"] == firsts.count(1) > 0
    assert counted["texts_cut"] == firsts.count(2) > 0
    assert counted["texts_unscored"] > 0
    without = {row["problem"] for row in rows if row["answer"] is None}
    assert len(without) == firsts.count(1) + firsts.count(2)
    assert counts["self_consistency/4"]["texts_unscored"] == 0


@pytest.mark.parametrize(
    ("verdict", "step", "said"),
    [
        (
            None,
            "And so on.",
            r"none of 40 searches at width 1 found an answer \(no step states one\); a step that states",
        ),
        (None, "The answer is beyond me.", r"found an answer \(unreadable: 40\); a step that states one says"),
        ("Hard to say.", None, "none of 40 texts at width 1 has a score; a judge says yes or no"),
    ],
)
def test_a_search_that_finds_no_answer_or_score_at_all_is_not_widened(verdict, step, said, tmp_path):
    def useless(body, _nth):
        text = verdict if "yes or no" in body["messages"][-1]["content"] else step
        return solve(body) if text is None else JSONResponse(completion(body, text))

    write_problems(tmp_path / "sums.jsonl", 40)
    asked = Endpoint(useless)
    with serving(asked) as url, pytest.raises(UserError, match=said):
        searched(configured(tmp_path, endpoint(url)), "answers")
    # At width 1 at most five steps a problem, and a score.
    assert len(asked.bodies) <= 40 * 6


def test_what_an_endpoint_never_answers_stops_the_search_unless_it_may_be_missing(tmp_path):
    def broken(body, _nth):
        lost = "Add 1 +" in body["messages"][-1]["content"]
        return JSONResponse({"error": {"message": "no"}}, status_code=500) if lost else solve(body)

    with serving(Endpoint(broken)) as url:
        config = configured(tmp_path, endpoint(url, attempts=2), methods=["self_consistency"], verifier=None)
        with pytest.raises(
            UserError, match=r"real\.sums: \d+ of \d+ requests at width 1 have no response; \d+ responses"
        ):
            searched(config, "answers")


def test_models_in_this_process_write_and_reward(writer_directory, reward_directory, tmp_path):
    policy = {"kind": "local", "model": str(writer_directory), "device": "cpu"}
    reward = {"by": {"kind": "reward", "model": str(reward_directory), "device": "cpu", "batch_size": 3}}
    config = configured(tmp_path, policy, verifier=reward, widths=[1, 4], steps=3)
    for job in ("answers", "beam", "tree"):
        rows, counts = searched(config, job)
        assert any(row["answer"] is not None for row in rows)
        assert searched(config, job, asks=False) == (rows, counts)
        assert all(c["texts_unscored"] == 0 for c in counts.values())
    priced = search_cost(config)[0]
    assert {name: p.requests for name, p in priced.items()} == {"sums policy": 0, "sums verifier": 0}
    assert sum(p.kept for p in priced.values()) == lines(config)


def scores_of(directory, texts, tmp_path, **changes):
    asked = backend({"kind": "reward", "model": str(directory), "device": "cpu", **changes})
    answerer = Answerer(asked, Store(tmp_path / "scores.jsonl"))
    judge = StepReward(answerer, texts)
    return judge, judge.score(np.arange(4)[None])[0]


def test_rewards_are_the_models_own_whatever_is_read_together(reward_directory, tmp_path):
    texts = Texts(["w1 w2", "w3"])
    for parent, step in ((0, "w4 w5 w6"), (1, "####3")):
        texts.number(parent, step)
    _, found = scores_of(reward_directory, texts, tmp_path, batch_size=2)
    model = AutoModelForSequenceClassification.from_pretrained(reward_directory).eval()
    tokenizer = AutoTokenizer.from_pretrained(reward_directory)
    for score, text in zip(found, ["w1 w2\n", "w3\n", "w1 w2\nw4 w5 w6", "w3\n####3"], strict=True):
        with torch.inference_mode():
            reward = float(model(**tokenizer(text, return_tensors="pt")).logits[0, 0])
        assert score == pytest.approx(1 / (1 + math.exp(-reward)), abs=1e-5)


def test_a_reward_that_is_no_number_is_no_score(writer_directory, tmp_path):
    directory = make_reward(tmp_path / "broken")
    weights = load_file(directory / "model.safetensors")
    weights["score.weight"][:] = float("nan")
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})
    judge, found = scores_of(directory, Texts(["w1", "w2", "w3", "w4"]), tmp_path)
    assert np.isnan(found).all()
    assert judge.unscored == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("made", "said"),
    [({"outputs": 2}, "has 2 outputs; a reward model has one"), ({"window": 2}, "the context window holds 2 tokens")],
)
def test_what_is_no_reward_model_is_told_in_a_sentence(made, said, tmp_path):
    directory = make_reward(tmp_path / "model", **made)
    asked = backend({"kind": "reward", "model": str(directory), "device": "cpu"})
    request = Request(asked.identity, "w1 w2 w3", Sampling(max_tokens=1), "w4")
    with pytest.raises(UserError, match=said):
        Answerer(asked, Store(tmp_path / "s")).responses([request])
