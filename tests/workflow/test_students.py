"""Students and ratings through the workflow, in a world so small that students learn next to nothing."""

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter

import pandas as pd
import pytest
from project import Project, merged
from students.tiny import make_base

from ggmi.embedded.language import Language, Sizes
from ggmi.pipeline.ratings import TABLE1
from ggmi.random import stream

SIZES = {"anchored": 4, "unsampled": 1, "irrelevant": 4, "letters": 4, "length": 2}
MODEL = {"layers": 1, "width": 16, "heads": 2, "record_steps": 2, "list_steps": 1}
PAGE = "results/embedded.html"
CONDITIONS = ["base", "made_given_as_sampled", "small_3-ins_as_sampled", "anchors"]
CHANGE = {
    "mixtures": {"gmm": None, "digits": None},
    "world": {
        **SIZES,
        "most_anchors": 3,
        "further": 2,
        "generators": {"large": None, "medium": None, "small": MODEL},
        "student": {**MODEL, "record_steps": 20, "list_steps": 0},
        "anchor_records": 20,
        "train_records": 20,
        "test_records": 10,
    },
    "tasks": {
        "embedded": {
            "instances": [3],
            "generators": {
                "large": None,
                "medium": None,
                "small": {"kind": "world", "model": "small"},
                "made": {"kind": "import", "path": "made.jsonl"},
            },
            "prompts": {"prompts": 2, "count": 2},
            "sampling": {"max_tokens": 18},
            "estimation": None,
            "students": {
                "seeds": 2,
                "real": False,
                "training": {"epochs": 1, "save_every": 1},
                "match": {"by": "records", "to": 16},
            },
            "judge": {"calibration": 8},
        }
    },
}


SPOILED = "results/embedded/synthetic/made/given/spoiled/synthetic.jsonl"


def write_made(project):
    """A synthetic set made elsewhere: right records, and one whose context is hostile text."""
    language = Language.draw(20241001, Sizes(**SIZES))
    random = stream(1, "made")
    skills = random.integers(0, 5, 24)
    rows = language.records(skills, language.random_contexts((24,), random))
    rows[0] = {**rows[0], "context": "<script>alert(1)</script>"}
    (project.path / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A project whose students have been trained and rated."""
    project = Project.fresh(tmp_path_factory.mktemp("students") / "project")
    write_made(project)
    project.configure(CHANGE)
    project.run("--cores", "2", PAGE)
    return project


@pytest.fixture
def project(done, tmp_path):
    return done.copy(tmp_path / "project")


def rating(project, name):
    return pd.read_csv(project.path / "results/embedded/rating" / f"{name}.csv")


def trained(part, conditions=("made_given_as_sampled", "anchors", "small_3-ins_as_sampled")):
    return {f"{rule} embedded {c} {part}" for rule in ("students", "risks", "answers") for c in conditions}


VERDICTS = {f"verdicts embedded {condition}" for condition in CONDITIONS}
TABLES = {f"{rule} embedded" for rule in ("ratings", "figure_ratings", "task_page")}
RISKS = {f"{rule} embedded" for rule in ("risk_tables", "figure_losses")}


def test_table_1_has_a_row_a_condition_and_an_empty_set_no_rating(done):
    table = rating(done, "table1").set_index("condition", drop=False)
    assert table.columns.tolist()[: len(TABLE1)] == TABLE1
    assert table.index.tolist() == CONDITIONS
    assert table["n_seeds"].tolist() == [1, 2, 0, 2]
    assert table["mean"].isna().tolist() == [False, False, True, False]
    assert len(rating(done, "ratings")) == 10 * 5


def test_every_student_is_measured_and_the_truth_is_known(done):
    risks = rating(done, "risks")
    assert risks["condition"].tolist() == ["base", *(c for c in CONDITIONS[1:] if "small" not in c for _ in range(2))]
    assert (risks["exact_risk_nats_per_record"] > 0).all()
    errors = rating(done, "generalization").set_index("condition")
    assert errors["gain_nats"].notna().tolist() == [False, True, False, False]


def test_sets_have_the_matched_size(done):
    assert rating(done, "sets")["records"].tolist() == [16, 0, 16]


def test_hostile_text_is_inert_on_the_page(done):
    assert "<script>alert" not in (done.path / PAGE).read_text()


def test_nothing_is_planned_when_nothing_changed(done):
    assert done.planned(PAGE) == set()


CHANGES = {
    "another learning rate": (
        {"students": {"training": {"learning_rate": 0.01}}},
        trained("1-2") | (VERDICTS - {"verdicts embedded base"}) | RISKS | TABLES,
    ),
    "one student more": (
        {"students": {"seeds": 3}},
        trained("3-3") | (VERDICTS - {"verdicts embedded base"}) | RISKS | TABLES,
    ),
    "one student less": ({"students": {"seeds": 1}}, RISKS | TABLES),
    "jobs cut differently": ({"students": {"seeds_per_job": 1}}, set()),
    "other sampling of answers": (
        {"students": {"answers": {"sampling": {"max_tokens": 7}}}},
        {f"answers embedded {c} {'0-0' if c == 'base' else '1-2'}" for c in CONDITIONS} | VERDICTS | TABLES,
    ),
    # The judge is tested before it is believed, so its verdicts follow; no answer is judged twice.
    "more questions for the judge": ({"judge": {"calibration": 9}}, {"calibration embedded"} | VERDICTS | TABLES),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_plans_exactly_what_depends_on_it(name, project):
    change, expected = CHANGES[name]
    project.configure(merged(CHANGE, {"tasks": {"embedded": change}}))
    assert project.planned(PAGE) == expected


def content(project):
    folder = project.path / "results/embedded"
    names = [p for kind in ("students", "risks", "answers", "verdicts") for p in (folder / kind).rglob("*")]
    files = [p for p in [*names, *(folder / "rating").glob("*.csv")] if p.is_file()]
    return {p.name if "students" not in p.parts else f"{p.parent.name}/{p.name}": p.read_bytes() for p in files}


def test_a_killed_training_goes_on_to_the_same_bytes(done, project):
    target = "results/embedded/students/anchors/1-2"
    whole = {p.name: p.read_bytes() for p in (done.path / target).rglob("*.safetensors")}
    subprocess.run(["rm", "-rf", target], cwd=project.path, check=True)
    run = subprocess.Popen(
        project.command("--cores", "1", target),
        cwd=project.path,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    unfinished = project.path / "results/embedded/students/anchors/.1-2.unfinished"
    until = time.monotonic() + 120
    while not unfinished.exists() and run.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    project.run("--cores", "1", target)
    assert {p.name: p.read_bytes() for p in (project.path / target).rglob("*.safetensors")} == whole
    assert not unfinished.exists()


def mistake(project, change, *targets):
    project.configure(merged(CHANGE, {"tasks": {"embedded": change}}))
    run = project.run("--cores", "1", *targets, check=False)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    return [line for line in run.stderr.splitlines() if line.startswith("ggmi: ")]


def test_a_set_that_overlaps_with_the_test_set_is_refused_with_the_ids(project):
    test = (project.path / "results/embedded/anchors/test.jsonl").read_text().splitlines()[0]
    row = {**json.loads(test), "id": "leaked"}
    with (project.path / "made.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    target = "results/embedded/students/made_given_as_sampled/set.jsonl"
    (said,) = mistake(project, {"students": {"overlap": "refuse"}}, target)
    assert "ask what a test record asks" in said
    assert "'leaked'" in said


def test_a_judge_that_never_rates_ends_with_one_sentence(project):
    make_base(project.path / "silent", window=4096)
    judge = {"by": {"kind": "local", "model": "./silent"}, "sampling": {"max_tokens": 4}, "retries": 0}
    (said,) = mistake(project, {"judge": judge}, "results/embedded/rating/table1.csv")
    assert "none of the judge's" in said
    assert "[[n]]" in said


def test_two_processes_train_a_student_as_one_does(done, project):
    students = {"seeds": 1, "training": {"processes": 2}}
    project.configure(merged(CHANGE, {"tasks": {"embedded": {"students": students}}}))
    one, two = (f"results/embedded/students/anchors/{part}" for part in ("1-2", "1-1"))
    project.run("--cores", "2", two)
    assert json.loads((project.path / two / "seed1.json").read_text())["processes"] == 2
    one, two = (pd.read_csv(place / "seed1.curve.csv") for place in (done.path / one, project.path / two))
    assert two["loss_nats_per_token"].to_numpy() == pytest.approx(one["loss_nats_per_token"].to_numpy(), abs=1e-4)


FAULTS = {"wrong": 0.25, "repeated": 0.25, "off_task": 0.125, "copied": 0.125}
OFF = {"lengths": None, "placeholders": False, "exact": False, "near": None}


def test_sets_with_known_faults_are_measured_like_others(done, project):
    """What presets/prediction.yaml does to every set of every generator."""
    task = CHANGE["tasks"]["embedded"]
    change = {
        **{"generators": {"small": None}, "estimation": {"permutations": 19, "published_samples": 2}},
        "curations": {"spoiled": {**OFF, "records": 16, "faults": FAULTS}},
    }
    project.configure(merged(CHANGE, {"tasks": {"embedded": merged(task, change)}}))
    target = "results/embedded/estimation/predictions.csv"
    planned = {job for job in project.planned(target) if "as_sampled" in job}
    assert planned == {f"{rule} embedded made given as_sampled" for rule in ("embeddings", "estimates")}
    project.run("--cores", "2", target)
    rows = [json.loads(line) for line in (project.path / SPOILED).read_text().splitlines()]
    assert Counter(row["fault"] for row in rows) == {None: 4, "wrong": 4, "repeated": 4, "off_task": 2, "copied": 2}
    language = Language.draw(20241001, Sizes(**SIZES))
    roles = [language.role(language.skill_of(row["instruction"])) for row in rows if row["fault"] == "off_task"]
    assert roles == ["irrelevant"] * 2
    card = (project.path / SPOILED).with_name("README.md").read_text()
    assert "replaced&#58; wrong" in card
    found = pd.read_csv(project.path / "results/embedded/estimation/estimates.csv")
    found = found.set_index(["curation", "estimator"])["value"]
    assert found["spoiled", "exact_duplicates"] >= 2 / 16
    assert found["spoiled", "near_repeats"] > found["as_sampled", "near_repeats"]
    worth = pd.read_csv(project.path / target)
    assert set(worth["n"]) <= {0, 2}
    (project.path / SPOILED).unlink()
    project.run("--cores", "1", SPOILED, again=True)
    assert [json.loads(line) for line in (project.path / SPOILED).read_text().splitlines()] == rows


def test_trainings_ask_for_time_by_their_weights_and_tokens(project):
    base = project.path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}")
    with (base / "model.safetensors").open("wb") as file:
        file.truncate(400 * 10**6)
    students = {"base": "base", "training": {"epochs": 30, "device": "cpu", "threads": 2}}
    project.configure(merged(CHANGE, {"tasks": {"embedded": {"students": students}}}))
    planned = project.run("-n", "--cores", "2", PAGE).stdout
    asked = {}
    for job in re.split(r"\n(?=(?:local)?rule \w+:)", planned):
        if job.startswith("rule students:"):
            told = re.search(r"condition=(\S+?), .*? runtime=([^,]*), .*mem_mb=([^,]*)", job, re.DOTALL)
            asked[told[1]] = told[2], told[3]
    tokens = (project.path / "results/embedded/students/anchors/set.jsonl").stat().st_size / 3
    # Two students, thirty passes, six operations for each of 200 million weights, 40 billion a second.
    minutes = 2 * 30 * tokens * 6 * 200e6 / 40e9 / 60
    assert minutes > 10
    assert asked["anchors"][0] == str(round(60 + minutes))
    assert asked["base"] == ("60", str(round(8000 + 8 * 400e6 / 2**20)))
