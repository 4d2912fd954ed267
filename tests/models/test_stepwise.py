"""Search with real models: a step is a line, from a model in this process, a local server, an endpoint with faults."""

import re

import numpy as np
import pytest
from models.servers import Endpoint, completion, serving
from models.test_server import TRANSFORMERS
from starlette.responses import JSONResponse

from ggmi.errors import UserError
from ggmi.models.answerer import Answerer
from ggmi.models.backend import backend
from ggmi.models.requests import Sampling
from ggmi.models.stepwise import JUDGE_TEMPLATE, STEP_TEMPLATE, StepJudge, StepWriter, Texts, final_answer
from ggmi.models.store import Store
from ggmi.search.beam import beam_search
from ggmi.search.policy import NO_ANSWER
from ggmi.search.responses import choose_by_votes, sample_responses
from ggmi.search.tree import tree_search

QUESTIONS = ["w1 w2 w3", "w4 w5"]
PLAIN = "{{ question }} {{ steps }}"
ROOTS = np.arange(2)


def writer(asked, path, texts, *, template=PLAIN, answer=final_answer, stop_at_line=True, **sampling):
    drawn = Sampling(**{"max_tokens": 24, "seed": 1} | sampling)
    return StepWriter(
        Answerer(asked, Store(path)), texts, drawn, template=template, answer=answer, stop_at_line=stop_at_line
    )


def some_answer(step):
    """The last word of a step, if its number is one of a few: random words end some texts."""
    words = re.findall(r"w(\d+)", step)
    return words[-1] if words and int(words[-1]) % 4 == 0 else None


def searched(asked, folder, kind, **how):
    """A search of both questions, and what it found, as texts."""
    texts = Texts(QUESTIONS)
    policy = writer(asked, folder / "steps", texts, answer=some_answer, **how)
    judge = StepJudge(Answerer(asked, Store(folder / "judged")), texts, Sampling(max_tokens=3, seed=2), template=PLAIN)
    generator = np.random.default_rng(0)
    if kind == "votes":
        drawn = sample_responses(policy, ROOTS, 4, limit=4)
        places = choose_by_votes(drawn.answers, generator)
        return [texts.steps(n) for n in np.take_along_axis(drawn.nodes, places[:, None], 1)[:, 0]], int(
            drawn.tokens.sum()
        )
    if kind == "beam":
        found = beam_search(policy, judge, ROOTS, 4, generator, keep=2, limit=4)
    else:
        found = tree_search(policy, judge, ROOTS, 3, generator, simulations=5, limit=4)
    return [texts.steps(n) for n in found.nodes], int(found.cost.tokens.sum())


@pytest.mark.parametrize("kind", ["votes", "beam", "tree"])
def test_a_model_in_this_process_is_searched_and_what_it_wrote_is_kept(kind, model_directory, tmp_path):
    asked = backend({"kind": "local", "model": str(model_directory), "device": "cpu"})
    steps, tokens = searched(asked, tmp_path, kind, stop=("w1",))
    assert all(steps)
    store = Store(tmp_path / "steps")
    assert len(store) > 8
    if kind == "votes":  # every draw is a request of its own, so that all tokens are in the store
        assert tokens == store.usage.completion_tokens
    # Everything is at hand now: the same search asks nothing and finds the same.
    sizes = [(tmp_path / name).stat().st_size for name in ("steps", "judged") if (tmp_path / name).exists()]
    assert searched(asked, tmp_path, kind, stop=("w1",)) == (steps, tokens)
    assert sizes == [(tmp_path / n).stat().st_size for n in ("steps", "judged") if (tmp_path / n).exists()]


def test_one_local_server_answers_a_whole_search(chat_directory, tmp_path):
    settings = {"kind": "vllm", "model": str(chat_directory), "command": TRANSFORMERS, "attempts": 1}
    asked = backend(settings, log=tmp_path / "server.log")
    # Transformers looks for texts that end a step by spelling abcdef, which this vocabulary of words cannot.
    with asked.held():
        steps, _ = searched(asked, tmp_path, "beam", stop_at_line=False)
    assert all(steps)
    assert (tmp_path / "server.log").read_text().count("Uvicorn running") == 1
    # The judge's replies are no yes and no no, so that the choice was by chance, and nothing failed.
    assert len(Store(tmp_path / "judged")) > 4


def solver(body, _nth):
    """Counts down to the answer; a draw of odd seed is wrong at its first step. Says yes to right steps."""
    text = body["messages"][-1]["content"]
    start = int(re.search(r"Problem: count (\d+)", text).group(1))
    done = [line for line in text.splitlines() if re.fullmatch(r"\d+", line)]
    if "yes or no" in text:
        right = [str(start - 1 - i) for i in range(len(done))]
        said = re.findall(r"answer is (\d+)", text.partition("Steps of")[2])
        return JSONResponse(completion(body, "Yes." if done == right and said in ([], ["0"]) else "no, wrong"))
    left = int(done[-1]) if done else start
    if left == 0 or (done and left > start):
        return JSONResponse(completion(body, f"The answer is {left}."))
    odd = body.get("seed", 0) % 2
    return JSONResponse(completion(body, f"{left + 5}" if odd and not done else f"{left - 1}"))


def endpoint_settings(url, **changes):
    return {"kind": "openai", "model": "m", "base_url": url, "key_env": None, "first_wait": 0.01, **changes}


def asked_of(url, folder, width, **changes):
    texts = Texts(["count 2", "count 3"])
    asked = backend(endpoint_settings(url, **changes))
    policy = writer(asked, folder / "steps", texts, template=STEP_TEMPLATE, max_tokens=20)
    judge = StepJudge(Answerer(asked, Store(folder / "judged")), texts, Sampling(max_tokens=5), template=JUDGE_TEMPLATE)
    found = beam_search(policy, judge, ROOTS, width, np.random.default_rng(0), limit=6)
    return policy, texts, found


def test_a_judge_that_knows_leads_the_search_to_the_answer(tmp_path):
    with serving(Endpoint(solver)) as url:
        policy, texts, found = asked_of(url, tmp_path, 8)
    assert [policy.answer_texts()[a] for a in found.answers] == ["0", "0"]
    assert texts.steps(found.nodes[1]) == ("2", "1", "0", "The answer is 0.")
    assert found.cost.calls.tolist() == [24, 32]


def test_what_an_endpoint_never_answers_gives_no_answer_and_is_counted(tmp_path):
    def broken(body, nth):
        text = body["messages"][-1]["content"]
        return JSONResponse({"error": {"message": "no"}}, status_code=500) if "count 3" in text else solver(body, nth)

    with serving(Endpoint(broken)) as url:
        policy, _, found = asked_of(url, tmp_path, 4, attempts=2)
        assert found.answers[1] == NO_ANSWER
        assert policy.answer_texts()[found.answers[0]] == "0"
        assert list(policy.stopped.values()) == ["lost"]
    # What failed is not in the store, so that a later search asks for it anew, and only for it.
    with serving(Endpoint(solver)) as url:
        policy, _, found = asked_of(url, tmp_path, 4, attempts=2)
        assert [policy.answer_texts()[a] for a in found.answers] == ["0", "0"]


def test_errors_that_pass_change_nothing(tmp_path):
    def shaky(body, nth):
        return JSONResponse({"error": {"message": "busy"}}, status_code=503) if nth == 0 else solver(body, nth)

    with serving(Endpoint(shaky)) as url:
        _, texts, found = asked_of(url, tmp_path / "shaky", 8)
    with serving(Endpoint(solver)) as url:
        _, others, same = asked_of(url, tmp_path / "sound", 8)
    assert [texts.steps(n) for n in found.nodes] == [others.steps(n) for n in same.nodes]


def test_a_spent_budget_ends_the_search_with_everything_kept(tmp_path):
    with serving(Endpoint(solver)) as url, pytest.raises(UserError, match="responses are kept in"):
        asked_of(url, tmp_path, 8, budget={"max_requests": 10}, concurrency=1)
    assert len(Store(tmp_path / "steps")) >= 10


def test_a_line_is_cut_here_where_the_server_writes_on(tmp_path):
    def talkative(body, nth):
        first = completion(
            body, "\n7 is next\nThe answer is 7.\n" if "next" not in str(body) else "The answer is 8.\nno"
        )
        assert "stop" not in body
        return JSONResponse(first)

    texts = Texts(["count 2"])
    with serving(Endpoint(talkative)) as url:
        policy = writer(backend(endpoint_settings(url)), tmp_path / "s", texts, stop_at_line=False)
        found = sample_responses(policy, np.zeros(1, dtype=int), 2, limit=5)
    assert {texts.steps(n) for n in found.nodes[0]} == {("7 is next", "The answer is 8.")}
    assert policy.answer_texts() == ["8"]


def test_questions_with_braces_are_text():
    texts = Texts(["what is {{ steps }} of {{ question }}?"])
    node = texts.number(0, "{{ question }}")
    assert (
        texts.fill("Q: {{ question }}\nS: {{ steps }}", node)
        == "Q: what is {{ steps }} of {{ question }}?\nS: {{ question }}\n"
    )
    assert texts.number(0, "{{ question }}") == node
