"""`ggmi pilot` from files to page, on sets of which the better one is known."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from browser import launched
from models.servers import Endpoint, completion, serving
from project import Project, refusal
from safetensors.torch import load_file, save_file
from starlette.responses import JSONResponse

import ggmi
from ggmi.cli import main
from ggmi.pilot.study import USED
from ggmi.reporting.pilot import sentences

WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath"]
# The smallest plan of 3 arms costs 75,000 tokens, most of them for testing, that of 2 arms half as many.
TOKENS = 110_000
BUDGET, LEAST = f"{TOKENS}tokens", "60000tokens"


def write(path, n, seed, *, answers):
    """Records that ask for words backwards; answers are right, or those of other records."""
    generator = np.random.default_rng(seed)
    asked = [[WORDS[i] for i in generator.integers(0, len(WORDS), 3)] for _ in range(n)]
    said = [words[::-1] for words in asked]
    if answers == "other":
        said = [[WORDS[i].upper() for i in generator.integers(0, len(WORDS), 3)] for _ in range(n)]
    rows = [{"instruction": " ".join(a), "response": " ".join(s)} for a, s in zip(asked, said, strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("pilot")
    write(made / "T.jsonl", 200, 1, answers="right")
    write(made / "good.jsonl", 400, 2, answers="right")
    write(made / "bad.jsonl", 400, 3, answers="other")
    return made


def pilot(folder, *more, sets=("good", "bad"), out="out", cores=2):
    words = ["pilot", "--train", f"{folder}/T.jsonl", "--synthetic", *(f"{folder}/{name}.jsonl" for name in sets)]
    return main([*words, "--out", str(folder / out), "--epochs", "1", "--cores", str(cores), *more])


@pytest.fixture(scope="module")
def done(folder):
    assert pilot(folder, "--budget", BUDGET) == 0
    return folder / "out"


def test_the_better_set_is_recommended_with_its_odds(done):
    found = json.loads((done / "pilot.json").read_text())
    arms = {arm["arm"]: arm for arm in found["arms"]}
    assert [*arms] == ["T", "good", "bad"]
    assert found["choice"]["arm"] == "good"
    assert found["choice"]["contenders"][0] == "good"
    assert arms["good"]["loss"] + arms["good"]["gain"] == pytest.approx(arms["T"]["loss"])
    assert arms["good"]["loss"] < arms["bad"]["loss"]
    assert arms["bad"]["probability"] < 0.05
    assert found["base"] is None
    trainings = pd.read_csv(done / "trainings.csv")
    assert trainings["tokens"].sum() < found["budget_tokens"]
    assert set(trainings.groupby(["arm", "records"]).size()) == {found["seeds"]}
    # the worse half is not trained at the last size
    assert set(trainings.loc[trainings["records"] == trainings["records"].max(), "arm"]) < set(arms)


def test_the_page_says_it_first(done):
    with launched() as browser:
        page = browser.new_page()
        page.goto(f"file://{done}/pilot.html")
        assert "good" in page.locator("#verdict .statement").inner_text()
        assert page.locator("#sets tbody tr").count() == 3
        assert page.locator("figure img").evaluate("image => image.naturalWidth") > 0


def test_trainings_that_are_done_are_not_done_again(done, folder, capsys):
    kept = {path.name: path.stat().st_mtime_ns for path in (done / "results").iterdir()}
    before = (done / "pilot.json").read_bytes()
    # one is lost, another damaged
    lost, damaged, *_ = sorted(kept)
    (done / "results" / lost).unlink()
    (done / "results" / damaged).write_bytes(b"PK")
    assert pilot(folder, "--budget", BUDGET, cores=1) == 0
    assert "Recommendation" in capsys.readouterr().out
    assert (done / "pilot.json").read_bytes() == before
    after = {path.name: path.stat().st_mtime_ns for path in (done / "results").iterdir()}
    assert {name for name in after if after[name] != kept.get(name)} == {lost, damaged}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--budget", "soon"), "--budget: 'soon' is not allowed; name a time such as 90s"),
        (("--budget", "10tokens"), "10 tokens do not pay for the smallest pilot of 3 arms, which reads"),
        (("--learning-rate", "0"), "--learning-rate: 0 is not allowed; it must be a number of at least 1e-8"),
        (("--seed", "-1"), "--seed: -1 is not allowed"),
        (("--base", "."), "is no model directory"),
        (("--test", "missing.jsonl"), "missing.jsonl"),
        (("--budget", "0m"), "--budget: '0m' is not allowed"),
        (("--budget", "10 minuten"), "--budget: '10 minuten' is not allowed"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_trained(folder, capsys, more, said):
    assert pilot(folder, *more, out="refused") == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert not (folder / "refused" / "results").exists()


def test_a_base_that_cannot_be_trained_is_refused_before_anything_is(folder, done, capsys):
    spoilt = {}
    for name in ("bare", "broken", "undefined"):
        spoilt[name] = folder / name
        shutil.copytree(done / "proxy" / "0", spoilt[name])
    for file in spoilt["bare"].glob("token*"):
        file.unlink()
    weights = spoilt["broken"] / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:9999])
    held = load_file(done / "proxy" / "0" / "model.safetensors")
    held["transformer.h.0.mlp.c_fc.weight"][3, 5] = float("nan")
    save_file(held, spoilt["undefined"] / "model.safetensors", {"format": "pt"})
    for name, said in (
        ("bare", "bare: the student's base cannot be loaded (it holds no tokenizer)"),
        ("broken", "broken: the student's base cannot be loaded ("),
        ("undefined", "undefined: one of its weights is no number; name another base"),
    ):
        assert pilot(folder, "--base", str(spoilt[name]), "--budget", BUDGET, out="refused") == 2
        told = capsys.readouterr().err
        assert said in told
        assert "Traceback" not in told
    assert not (folder / "refused" / "results").exists()


def test_where_no_student_learned_nothing_is_recommended(done):
    found = json.loads((done / "pilot.json").read_text())
    assert found["choice"]["learned"]
    found["choice"] |= {"learned": False, "decided": False}
    ((_, text),) = sentences(found)
    assert text.startswith("None: no student learned anything. Each loses about as much as one that takes all tokens")
    assert "(6.93 nats a token)" in text  # ln 1024


def test_a_notebook_finds_the_same(folder, done):
    sets = [folder / "good.jsonl", folder / "bad.jsonl"]
    found = ggmi.run_pilot(folder / "T.jsonl", sets, budget=BUDGET, epochs=1, folder=done)
    assert found.found == json.loads((done / "pilot.json").read_text())
    assert repr(found).startswith("Recommendation: Train on good")
    assert list(found.to_frame()["arm"]) == ["T", "good", "bad"]
    assert found.to_html() == (done / "pilot.html").read_text()
    with pytest.raises(ggmi.errors.UserError, match=r"^epochs: 0\.0 is not allowed"):
        ggmi.run_pilot(folder / "T.jsonl", sets, epochs=0.0)
    with pytest.raises(ggmi.errors.UserError, match=r"^seed: -1 is not allowed"):
        ggmi.run_pilot(folder / "T.jsonl", sets, seed=-1)


def test_the_workflow_does_the_same_for_the_sets_of_a_task(folder, tmp_path):
    off = {"lengths": None, "placeholders": False, "exact": False, "near": None}
    task = {
        "title": "Backwards",
        "anchors": {"source": str(folder / "T.jsonl")},
        "generators": {name: {"kind": "import", "path": str(folder / f"{name}.jsonl")} for name in ("good", "bad")},
        "curations": {"standard": None, "none": off},
        "estimation": None,
        "pilot": {"epochs": 1, "tokens": 100_000, "judge": True},
    }
    project = Project.fresh(tmp_path)
    with serving(judging(likes="lower")) as address:
        task["judge"] = {"by": {"kind": "openai", "base_url": address, "model": "strict", "key_env": None}}
        project.configure({"mixtures": {"gmm": None, "digits": None}, "tasks": {"mine": task}})
        project.run("--cores", "2")
    results = tmp_path / "results"
    found = json.loads((results / "mine/pilot/pilot.json").read_text())
    assert found["choice"]["arm"] == "good_given_none"
    arms = pd.read_csv(results / "mine/pilot/arms.csv")
    assert set(arms["arm"]) == {"T", "good_given_none", "bad_given_none"}
    assert arms["probability"].sum() == pytest.approx(1)
    assert {arm["arm"] for arm in found["rating"]["arms"]} < set(arms["arm"])
    assert found["rating"]["judge"] == "strict"
    with launched() as browser:
        page = browser.new_page()
        page.goto(f"file://{results}/mine.html")
        assert "good_given_none" in page.locator("#pilot").inner_text()
        page.locator("#pilot a").click()
        assert "good_given_none" in page.locator("#verdict .statement").inner_text()
    # Another budget trains anew, and nothing else runs but what follows from it.
    task["pilot"]["tokens"] = 110_000
    planned = project.planned(change={"mixtures": {"gmm": None, "digits": None}, "tasks": {"mine": task}})
    assert {job.split()[0] for job in planned} == {
        *("pilot", "figure_pilot", "pilot_page", "task_page", "report", "resolved_config")
    }
    task["pilot"] |= {"base": "./nowhere", "judge": False}
    told = refusal({"mixtures": {"gmm": None, "digits": None}, "tasks": {"mine": task}})
    assert told.endswith("judge: there are no answers to judge while students is null and pilot asks for none")
    task["judge"] = None
    told = refusal({"mixtures": {"gmm": None, "digits": None}, "tasks": {"mine": task}})
    assert told == "config: tasks.mine.pilot.base: there is no folder './nowhere'"


def test_a_base_of_ones_own_is_trained_instead(folder, done):
    base = str(done / "proxy" / "0")
    write(folder / "U.jsonl", 40, 4, answers="right")
    lines = (folder / "U.jsonl").read_text().splitlines()
    more = ("--base", base, "--test", str(folder / "U.jsonl"), "--learning-rate", "0.004")
    assert pilot(folder, *more, "--budget", LEAST, sets=("good",), out="based") == 0
    found = json.loads((folder / "based" / "pilot.json").read_text())
    assert found["base"] == base
    assert found["test"] == {"name": str(folder / "U.jsonl"), "records": len({*lines})}
    assert not (folder / "based" / "proxy").exists()


def judging(*, likes):
    """A judge that looks at the case of an answer's letters alone."""

    def behave(body, _nth):
        answer = body["messages"][-1]["content"].partition("[Assistant's answer: begin")[2].partition("]\n")[2]
        letters = answer.partition("[Assistant's answer: end")[0].strip()
        good = bool(letters) and (letters == letters.lower()) == (likes == "lower")
        return JSONResponse(completion(body, f"Its letters are as they are.\nRating: [[{9 if good else 2}]]"))

    return Endpoint(behave)


def named(folder, address, **more):
    """A file with a judge behind an endpoint."""
    by = {"kind": "openai", "base_url": address, "model": "strict", "key_env": None, **more}
    (folder / "judge.yaml").write_text(json.dumps({"by": by}))
    return ("--judge", str(folder / "judge.yaml"))


def test_a_judge_rates_the_last_students_and_nothing_paid_for_is_lost(folder, capsys):
    once = ("--budget", LEAST)
    lower, upper = judging(likes="lower"), judging(likes="upper")
    with serving(lower) as address:
        assert pilot(folder, *once, *named(folder, address, budget={"max_requests": 12}), sets=("bad",), out="j") == 2
        assert "12 verdicts are kept" in capsys.readouterr().err
        paid = len(lower.bodies)
        assert pilot(folder, *once, *named(folder, address), sets=("bad",), out="j") == 0
        assert lower.tried.most_common(1)[0][1] == 1
        assert len(lower.bodies) > paid
        kept = {path.name: path.stat().st_mtime_ns for path in (folder / "j" / "results").iterdir()}
    told = capsys.readouterr().out
    found = json.loads((folder / "j" / "pilot.json").read_text())
    rating = found["rating"]
    arms = {arm["arm"]: arm for arm in rating["arms"]}
    assert rating["best"] == found["choice"]["arm"] == "T"
    assert arms["T"]["rating"] > 7 > 4 > arms["bad"]["rating"]
    assert {arm["n"] for arm in arms.values()} == {rating["records"]}
    assert "rating and loss name the same set" in told
    # Another judge is asked about the same answers.
    with serving(upper) as address:
        assert pilot(folder, *once, *named(folder, address, model="loud"), sets=("bad",), out="j") == 0
    assert "rating and loss name different sets, bad and T" in capsys.readouterr().out
    assert {path.name: path.stat().st_mtime_ns for path in (folder / "j" / "results").iterdir()} == kept
    with launched() as browser:
        page = browser.new_page()
        page.goto(f"file://{folder}/j/pilot.html")
        assert "different sets, bad and T" in page.locator("#verdict").inner_text()
        assert "rating" in page.locator("#sets thead").inner_text()


def test_a_pilot_in_time_that_is_run_again_plans_the_same(folder, done):
    """Its speed is measured once: another one would plan other sizes, and nothing could be taken up."""
    assert pilot(folder, "--budget", "1s") in (0, 2)  # whether or not that pays for the smallest one
    (place,) = (folder / "out" / "results").glob("*.speed.json")
    speed = json.loads(place.read_text())
    kept = {path.name: path.stat().st_mtime_ns for path in (done / "results").iterdir()}
    assert pilot(folder, "--budget", f"{(TOKENS + 1) / USED / speed:.6f}s") == 0
    assert {path.name: path.stat().st_mtime_ns for path in (done / "results").iterdir()} == kept
    assert json.loads((done / "pilot.json").read_text())["budget_tokens"] == TOKENS


@pytest.mark.parametrize(
    ("rated", "best", "decided", "said"),
    [
        (["bad"], None, True, "8.0 [7.5, 8.5] (bad); no student of good was left to be rated."),
        (["good"], None, True, "8.0 [7.5, 8.5] (good); no other set was left to compare it with."),
        (["good", "T"], None, True, "by rating it is undecided which is best, by loss it is good."),
        (["good", "T"], None, False, "by rating it is undecided which is best, as it is by loss."),
        (
            ["good", "T"],
            "T",
            False,
            "T is 0.50 [0.25, 0.75] above third (p = 0.010 after Holm's correction); the rating "
            "names T; by loss it is undecided.",
        ),
        (["good", "T"], "good", True, "rating and loss name the same set."),
        (["good", "T"], "T", True, "rating and loss name different sets, T and good."),
    ],
)
def test_a_sentence_says_whether_rating_and_loss_name_the_same_set(done, rated, best, decided, said):
    found = json.loads((done / "pilot.json").read_text())
    found["choice"] |= {"arm": "good", "decided": decided}
    row = {"rating": 8.0, "rating_ci_low": 7.5, "rating_ci_high": 8.5, "missing": 0}
    found["rating"] = {"judge": "j", "records": 40, "best": best, "arms": [{"arm": arm, **row} for arm in rated]}
    other = {"difference": 0.5, "difference_ci_low": 0.25, "difference_ci_high": 0.75, "p_holm": 0.01}
    found["rating"]["differences"] = [{"arm": one, "against": "third", **other} for one in rated]
    told = dict(sentences(found))["Rating"]
    assert told.startswith("Out of 10, the judge j gives answers to 40 test records 8.0 [7.5, 8.5] (")
    assert told.endswith(said)
