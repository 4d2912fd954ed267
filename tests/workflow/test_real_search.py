"""Searches with real models through the workflow: endpoint, server, models here; kills, faults, reruns, prices."""

import json
import os
import re
import signal
import subprocess
import time

import pytest
import yaml
from faults.proxy import proxied
from models.servers import Endpoint, serving
from models.test_server import TRANSFORMERS
from models.tiny import make_model, make_reward
from project import TINY, ggmi, merged, refusal
from real_search.conftest import ANSWERING
from real_search.searching import searched
from real_search.solving import solve, write_problems

from ggmi.claims import PARTIAL_COLUMNS
from ggmi.config import load
from ggmi.io import read_csv
from ggmi.reporting.page import parts_of, render
from ggmi.text.jsonl import read_rows

FOLDER = "results/slow_thinking/real"
TARGETS = ["results/slow_thinking/claims/real_search.csv", "results/slow_thinking/figure_real_searches.svg"]
SMALL = {"widths": [1, 2], "steps": 4, "simulations": 4, "sampling": {"max_tokens": 16}}
JOBS = ("answers", "beam", "tree")
TABLES = {"real_search_tables", "figure_real_searches"}
SUMS = {f"real_search sums {job}" for job in JOBS}
CHANGES = {
    "a wider search": ({"widths": [1, 2, 4]}, SUMS | TABLES),
    "longer trees": ({"simulations": 5}, {"real_search sums tree"} | TABLES),
    "fewer methods": ({"methods": ["self_consistency", "best_of_n", "vote", "beam"]}, TABLES),
    "fewer problems": ({"problems": {"source": "sums.jsonl", "most": 5}}, {"real_problems sums"} | SUMS | TABLES),
    "a price": ({"prices": {"input": 2.0, "output": 4.0}}, TABLES),
    "how fast is asked": ({"concurrency": 3}, set()),
}


def configured(url, **changes):
    """An endpoint that judges itself, and two searches by models of one's own."""
    policy = {"kind": "openai", "model": "m", "base_url": url, "key_env": None, "first_wait": 0.01, "attempts": 20}
    policy |= {"total_timeout": 5.0, "longest_wait": 1.0, "prices": {"input": 1.0, "output": 4.0}}
    policy |= {key: changes.pop(key) for key in ("prices", "concurrency") if key in changes}
    sums = {"title": "Sums", "problems": {"source": "sums.jsonl"}, "verifier": {"by": {"kind": "self"}}}
    few = {"source": "sums.jsonl", "most": 3}
    served = {
        **{"title": "Tiny, served", "problems": few, "methods": ["beam"], "widths": [2]},
        "policy": {"kind": "vllm", "model": "./writer", "command": TRANSFORMERS, "concurrency": 1, "attempts": 1},
        "verifier": {"by": {"kind": "self"}},
    }
    here = {
        **{"title": "Tiny, here", "problems": few, "methods": ["best_of_n"]},
        "policy": {"kind": "local", "model": "./writer", "device": "cpu"},
        "verifier": {"by": {"kind": "reward", "model": "./reward", "device": "cpu"}},
    }
    real = {"sums": {**SMALL, **sums, "policy": policy, **changes}, "served": {**SMALL, **served}}
    return {"slow_thinking": {"reasoning": None, "real": {**real, "here": {**SMALL, **here}}}}


def only_sums(url, **changes):
    config = configured(url, **changes)
    config["slow_thinking"]["real"] |= {"served": None, "here": None}
    return config


@pytest.fixture(scope="module")
def proxy():
    """The endpoint, behind a proxy that can be told to spoil answers; its address is the same throughout."""
    with serving(Endpoint(solve)) as server, proxied(server, share=0.0) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def made(tmp_path_factory, project_at, proxy):
    """A project whose run met faults, was killed in the midst of searching, and went on; with prices on the way."""
    project = project_at(tmp_path_factory.mktemp("real") / "project")
    write_problems(project.path / "sums.jsonl", 8)
    make_model(project.path / "writer", chat=True, window=512, words=ANSWERING)
    make_reward(project.path / "reward", window=512, words=ANSWERING)
    project.configure(configured(proxy.url))
    (project.path / "sums.yaml").write_text(yaml.safe_dump(merged(TINY, only_sums(proxy.url))))
    project.prices = [priced(project)]
    proxy.share = 0.1
    running = subprocess.Popen(
        project.command("--cores", "1", *(f"{FOLDER}/sums/searches/{job}.jsonl" for job in JOBS)),
        cwd=project.path,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while kept(project) < 40:
        assert running.poll() is None
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    project.at_kill = kept(project)
    project.prices.append(priced(project))
    project.run("--cores", "1", "--unlock")
    project.run("--cores", "2", "--rerun-incomplete", *TARGETS)
    proxy.share = 0.0
    project.delivered = proxy.delivered.total()
    return project


def table(project, name):
    return read_csv(project.path / FOLDER / f"{name}.csv")


def kept(project):
    """Responses in the stores of the endpoint's search, each there once."""
    lines = [
        line
        for path in (project.path / "stores/slow_thinking/sums").rglob("*.jsonl")
        for line in path.read_text().splitlines(keepends=True)
    ]
    # A line that is being written is none yet.
    whole = [line for line in lines if line.endswith("\n")]
    assert len({json.loads(line)["key"] for line in whole}) == len(whole)
    return len(whole)


def priced(project):
    """Rows of `ggmi cost`, by name."""
    done = ggmi("cost", "sums.yaml", "--json", folder=project.path)
    return {row["name"]: row for row in json.loads(done.stdout)["rows"]}


def test_every_method_has_its_rows_costs_and_claims(made):
    searches = table(made, "real_searches")
    methods = ("self_consistency", "best_of_n", "vote", "beam", "tree")
    found = searches.groupby("search", sort=False)[["method", "width"]].apply(
        lambda part: set(map(tuple, part.to_numpy()))
    )
    assert found["sums"] == {(method, width) for method in methods for width in (1, 2)}
    assert found["served"] == {("beam", 2)}
    assert found["here"] == {("best_of_n", width) for width in (1, 2)}
    assert set(searches["problems"]) == {8, 3}
    sums = searches[searches["search"] == "sums"].set_index(["method", "width"])
    # A sum of three numbers takes two steps and the answer, five tokens each, ten to read.
    assert sums.loc[("self_consistency", 2), ["responses", "calls", "tokens", "scores"]].tolist() == [2, 6, 30, 0]
    assert sums.loc[("self_consistency", 2), "price"] == pytest.approx(6 * (10 * 1 + 5 * 4) / 1e6)
    assert (sums["missing"] == 0).all()
    assert (searches[searches["search"] != "sums"]["price"] == 0).all()
    # Random words are neither yes nor no.
    served = searches[searches["search"] == "served"].iloc[0]
    assert served["texts_unscored"] == pytest.approx(served["scores"] * served["problems"], rel=1e-6)
    claims = read_csv(made.path / TARGETS[0])
    assert tuple(claims) == PARTIAL_COLUMNS
    assert len(claims) >= 4


def test_rows_of_every_search_are_kept_with_their_answers(made):
    rows = [row for _, row in read_rows(made.path / FOLDER / "sums/searches/beam.jsonl")]
    answers = {row["id"]: row["answer"] for _, row in read_rows(made.path / FOLDER / "sums/problems.jsonl")}
    assert all(row["right"] == (row["answer"] == answers[row["problem"]]) for row in rows)
    accuracy = table(made, "real_searches").query("search == 'sums' and method == 'beam' and width == 2")["accuracy"]
    wide = [row["right"] for row in rows if row["width"] == 2]
    assert float(accuracy.iloc[0]) == pytest.approx(sum(wide) / len(wide))


def test_the_server_was_started_once_and_stopped(made):
    log = (made.path / "results/logs/real_search/served-beam.policy.server.log").read_text()
    assert log.count("Uvicorn running") == 1
    assert "500 Internal" not in log


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_reruns_what_depends_on_it(name, made, proxy):
    change, expected = CHANGES[name]
    assert made.planned(*TARGETS, change=configured(proxy.url, **change)) == expected


def test_faults_and_a_kill_changed_nothing_and_what_was_kept_was_not_asked_again(made, proxy, tmp_path, monkeypatch):
    assert proxy.faults.total() > 0
    # The same searches without a workflow, undisturbed.
    monkeypatch.chdir(made.path)
    undisturbed = load(merged(TINY, only_sums(proxy.url) | {"stores": str(tmp_path)}))
    for job in JOBS:
        rows, counts = searched(undisturbed, job)
        assert rows == [row for _, row in read_rows(made.path / FOLDER / f"sums/searches/{job}.jsonl")]
        assert counts == json.loads((made.path / FOLDER / f"sums/searches/{job}.json").read_text())
    wanted = sum(len(path.read_bytes().splitlines()) for path in tmp_path.rglob("*.jsonl"))
    assert made.at_kill < kept(made) == wanted
    # What was under way at the kill may be paid for again: at most as many as go out together.
    assert 0 <= made.delivered - wanted <= 16


def test_the_price_beforehand_bounds_the_run_and_what_is_kept_is_not_priced_again(made):
    before, between = (rows["sums policy"] for rows in made.prices)
    after = priced(made)["sums policy"]
    wanted = kept(made)
    assert (before["kept"], before["spent"]) == (0, 0)
    assert wanted <= before["requests"]
    assert between["kept"] <= made.at_kill
    assert wanted <= made.at_kill + between["requests"]
    assert between["requests"] < before["requests"]
    assert (after["kept"], after["requests"], after["worst_price"]) == (wanted, 0, 0)
    # Ten tokens to read and five written, those of verdicts too.
    assert after["spent"] == pytest.approx(wanted * (10 * 1.0 + 5 * 4.0) / 1e6)
    assert after["spent"] <= before["worst_price"]


def test_a_wrong_setting_is_refused(monkeypatch, made, proxy):
    monkeypatch.chdir(made.path)
    said = refusal(only_sums(proxy.url, verifier=None))
    assert "slow_thinking.real.sums: verifier: is missing, and best_of_n needs one" in said


def test_the_page_has_a_row_a_search_and_says_what_went_wrong(made, tmp_path):
    study = tmp_path / "study.html.j2"
    study.write_text(
        '{% extends "page" %}{% from "parts" import plate with context %}'
        '{% block main %}{% include "real_search" %}{% endblock %}'
    )
    names = ("real_searches", "real_matched")
    shown = {
        "tables": {name: table(made, name).to_dict("records") for name in names},
        "pictures": {"figure_real_searches": {"source": "x", "width": 1, "height": 1, "files": []}},
    }
    page = render([*parts_of("real_search"), study], **shown)
    assert [re.sub(r"\s+", " ", title) for title in re.findall(r"<h3>(.*?)</h3>", page)] == [
        "Sums",
        "Tiny, here",
        "Tiny, served",
    ]
    rows = len(shown["tables"]["real_searches"]) + len(shown["tables"]["real_matched"])
    assert page.count('<tr><td class="one">') == rows
    assert "Texts without a score:" in page
    assert "$" not in page.partition("<h3>")[2].partition("<script>")[0]
