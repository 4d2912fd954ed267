"""Settings of searches, the published set-up, and what docs/slow_thinking.md says of a model of one's own."""

import json
import re
import shlex

import pytest
import yaml
from project import ROOT, ggmi
from real_search.solving import write_problems

from ggmi.checking import describe_inputs
from ggmi.config import check_files, load
from ggmi.config.real_search import RealSearch
from ggmi.errors import UserError

PAGE = (ROOT / "docs/slow_thinking.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## With your own model")[2].partition("\n## ")[0]
BLOCKS = dict(re.findall(r"^```(\w+)\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL))
POLICY = {"kind": "openai", "model": "m"}
SEARCH = {"title": "Mine", "problems": {"source": "sums.jsonl"}, "policy": POLICY, "verifier": {"by": {"kind": "self"}}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"policy": {"kind": "opnai"}}, "mine.policy.kind: 'opnai' is not allowed; did you mean 'openai'?"),
        (
            {"policy": {**POLICY, "modle": "m"}},
            "unknown key 'slow_thinking.real.mine.policy.modle': did you mean 'model'?",
        ),
        ({"method": ["beam"]}, "unknown key 'slow_thinking.real.mine.method': did you mean 'methods'?"),
        ({"methods": ["mcts"]}, "mine.methods.0: 'mcts' is not allowed; allowed: "),
        ({"verifier": None}, "mine: verifier: is missing, and best_of_n needs one; allowed without: self_consistency"),
        ({"widths": [2, 2]}, "mine.widths: 2 is listed twice; each variant is allowed once"),
        (
            {"problems": {"source": "a.jsonl", "answer": "gsm"}},
            "mine.problems.answer: 'gsm' is not allowed; did you mean 'gsm8k'?",
        ),
        (
            {"policy": {"kind": "local", "model": "m"}, "sampling": {"temperature": None}},
            "mine: sampling.temperature: null leaves it to an endpoint, and here a model in this process draws",
        ),
        ({"policy": {"kind": "world", "model": "m"}}, "mine.policy: kind: the world's models solve no problems"),
        ({"problems": {"source": "sms.jsonl"}}, "mine.problems.source: sms.jsonl: there is no such file or folder"),
        ({"template": "step.txt"}, "mine.template: there is no file 'step.txt'"),
        (
            {"verifier": {"by": {"kind": "reward", "model": "./none"}}},
            "mine.verifier.by.model: there is no folder './none'",
        ),
    ],
)
def test_a_mistake_is_told_in_a_sentence(change, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_problems(tmp_path / "sums.jsonl", 2)
    with pytest.raises(UserError) as caught:
        check_files(load({"slow_thinking": {"real": {"mine": SEARCH | change}}}))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_jobs_hold_the_methods_that_share_draws():
    search = RealSearch.model_validate(
        SEARCH | {"methods": ["tree", "vote", "self_consistency"], "whole_answers": [8, 1]}
    )
    assert search.jobs() == {"answers": ["self_consistency", "vote"], "tree": ["tree"]}
    assert search.plan("answers")["widths"] == [1, 8]
    assert search.plan("tree")["widths"] == [1, 2, 4, 8]
    assert set(search.models()) == {"policy"}
    alone = RealSearch.model_validate(SEARCH | {"methods": ["self_consistency"], "verifier": None})
    assert "judging" not in alone.plan("answers")


def test_check_tells_what_is_read_and_what_is_not_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    write_problems(tmp_path / "sums.jsonl", 2)
    with (tmp_path / "sums.jsonl").open("a") as file:
        file.write('{"question": "Why?", "answer": "nobody knows"}\n')
    by = {"kind": "vllm", "model": "m", "command": ["no-such-server"]}
    told = list(describe_inputs(load({"slow_thinking": {"real": {"mine": SEARCH | {"verifier": {"by": by}}}}})))
    assert told[0].endswith("JSON lines; instruction from question, response from answer")
    assert "  1 of their answers are not of the form gsm8k" in told
    assert told[-2].endswith(
        "mine.policy: the environment variable OPENAI_API_KEY, which holds its key, is not set here"
    )
    assert told[-1].endswith(
        "mine.verifier: there is no program no-such-server here, which the run needs where it runs"
    )


def test_the_published_set_up_is_priced_before_anything_is_there(tmp_path):
    (tmp_path / "prontoqa.jsonl").write_text('{"question": "A", "query": "B", "answer": "True"}\n')
    done = ggmi("cost", str(ROOT / "presets/slow_thinking.yaml"), "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout)["rows"]}
    # By hand: 128 answers of 16 steps; beams of 1 to 8 steps a layer; trees of 17 nodes, and 16 steps to end one.
    widths = sum(range(1, 9))
    steps = 128 * 16 + widths * 16 + widths * 17 + 8 * 16
    scores = 128 + widths * 16 + 8 * 16
    assert rows["gsm8k policy"]["requests"] == 1319 * steps
    assert rows["gsm8k verifier"]["requests"] == 1319 * scores
    assert rows["prontoqa policy"]["requests"] == steps
    assert rows["gsm8k policy"]["worst_output_tokens"] == 1319 * steps * 128
    assert rows["total"]["worst_price"] == 0


def test_check_names_the_file_that_the_published_set_up_lacks(tmp_path):
    done = ggmi("check", str(ROOT / "presets/slow_thinking.yaml"), folder=tmp_path)
    assert done.returncode == 2
    assert "slow_thinking.real.prontoqa.problems.source: prontoqa.jsonl: there is no such file or folder" in done.stderr


def test_the_page_is_a_configuration_that_commands_take(tmp_path):
    values = yaml.safe_load(BLOCKS["yaml"])
    assert set(values["slow_thinking"]["real"]["mine"]) <= set(RealSearch.model_fields)
    (tmp_path / "mine.yaml").write_text(BLOCKS["yaml"])
    write_problems(tmp_path / "gsm8k.jsonl", 3)
    check, cost, run = map(shlex.split, BLOCKS["sh"].splitlines())
    assert "results/slow_thinking.html" in run
    for _, *words in (check, cost):
        done = ggmi(*words, folder=tmp_path)
        assert done.returncode == 0, done.stderr
    said = json.loads(ggmi(*cost[1:], "--json", folder=tmp_path).stdout)
    # N L steps and N scores of 4 replies; k L of each; k (s + 1) + L steps and s scores.
    steps = 32 * 16 + 15 * 16 + 15 * 17 + 4 * 16
    scores = 4 * (32 + 15 * 16 + 4 * 16)
    assert said["rows"][0]["requests"] == 3 * (steps + scores)
