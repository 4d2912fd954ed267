"""Subsets of sets and rewards as conditions of a task, in a world so small that students learn next to nothing."""

import json

import numpy as np
import pandas as pd
import pytest
from project import Project, merged

from ggmi.embedded.language import Language, Sizes
from ggmi.random import stream

SIZES = {"anchored": 4, "unsampled": 1, "irrelevant": 4, "letters": 4, "length": 2}
FOLDER = "results/embedded/students"
MADE = "made_given_as_sampled"
HARD, EASY = f"{MADE}_hardest_base_loss_size4", f"{MADE}_easiest_hardness_share0.25"
STUDENTS = {
    "seeds": 1,
    "training": {"save_every": 1},
    "match": {"by": "records", "to": 6},
    "subsets": {"by": ["base_loss", "random", "hardness"], "of": [MADE], "sizes": [4], "shares": [0.25]},
    "rl": {"of": [HARD], "steps": 2, "prompts": 2, "answers": 2, "max_tokens": 6},
}
CHANGE = {
    "mixtures": {"gmm": None, "digits": None},
    "world": {
        **SIZES,
        "most_anchors": 3,
        "further": 2,
        "student": {"layers": 1, "width": 16, "heads": 2, "record_steps": 60, "list_steps": 0},
        "anchor_records": 20,
        "train_records": 20,
        "test_records": 10,
    },
    "tasks": {
        "embedded": {
            "instances": [3],
            "generators": {
                **dict.fromkeys(("large", "medium", "small")),
                "made": {"kind": "import", "path": "made.jsonl"},
            },
            "estimation": None,
            "students": STUDENTS,
            "judge": {"calibration": 8},
        }
    },
}
TARGETS = [f"{FOLDER}/{HARD}_rl/1-1", f"{FOLDER}/{EASY}/set.jsonl"]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    project = Project.fresh(tmp_path_factory.mktemp("subsets") / "project")
    language, random = Language.draw(20241001, Sizes(**SIZES)), stream(1, "made")
    # Skills that the base has learnt, and one that it has not.
    skills = np.array([5, 6, 7, 0] * 6)
    rows = language.records(skills, language.random_contexts((24,), random))
    made = [{**row, "hardness": int(value)} for row, value in zip(rows, random.permutation(24), strict=True)]
    (project.path / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    project.configure(CHANGE)
    project.run("--cores", "2", *TARGETS)
    return project


def distinct(project, condition):
    rows = (project.path / FOLDER / condition / "set.jsonl").read_text().splitlines()
    return [json.loads(row)["id"] for row in rows], {json.loads(row)["id"].partition("#")[0] for row in rows}


def scores(project, by):
    return pd.read_csv(project.path / f"results/embedded/difficulty/{MADE}/{by}.csv").set_index("id").iloc[:, 0]


def test_the_hardest_are_the_last_of_the_set_sorted_by_the_bases_loss(done):
    learned, hardest = distinct(done, f"{HARD}_rl")
    assert hardest == set(scores(done, "base_loss").sort_values().index[-4:])
    # Matching repeats them.
    assert len(learned) == 6


def test_the_easiest_are_the_first_by_a_column_that_the_person_gave(done):
    _, easiest = distinct(done, EASY)
    found = scores(done, "hardness")
    assert sorted(found) == list(range(24))
    # What the test set asks is no part of the set, which has as many records as there are losses.
    kept = found[found.index.isin(scores(done, "base_loss").index)]
    assert easiest == set(kept.sort_values().index[: int(len(kept) / 4 + 0.5)])


def test_a_rewarded_student_has_a_curve_of_the_judges_rewards(done):
    folder = done.path / FOLDER / f"{HARD}_rl/1-1"
    curve = pd.read_csv(folder / "seed1.curve.csv")
    assert curve["step"].tolist() == [1, 2]
    assert curve["reward"].between(1, 10).all()
    assert json.loads((folder / "seed1.json").read_text())["batching"] == "sampled"
    assert (folder / "seed1" / "model.safetensors").exists()


CHANGES = {
    "nothing": ({}, set()),
    "more updates of rewarded students": ({"rl": {"steps": 3}}, {f"students embedded {HARD}_rl 1-1"}),
    "another reward": ({"rl": {"reward": "exact_match"}}, {f"students embedded {HARD}_rl 1-1"}),
    "another rate of those that learn responses": ({"training": {"learning_rate": 0.01}}, set()),
    "one more size": ({"subsets": {"sizes": [4, 5]}}, set()),
    "no match": (
        {"match": None},
        {f"training_set embedded {name}" for name in (f"{HARD}_rl", EASY)} | {f"students embedded {HARD}_rl 1-1"},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_plans_exactly_what_depends_on_it(name, done):
    change, expected = CHANGES[name]
    whole = merged(CHANGE, {"tasks": {"embedded": {"students": change}}})
    assert done.planned(*TARGETS, change=whole) == expected


def test_a_column_that_the_set_lacks_is_told(done, tmp_path):
    project = done.copy(tmp_path / "project")
    change = {"subsets": {"by": ["hardnes"]}, "rl": None}
    project.configure(merged(CHANGE, {"tasks": {"embedded": {"students": change}}}))
    ran = project.run("--cores", "1", f"{FOLDER}/{MADE}_easiest_hardnes_size4/set.jsonl", check=False)
    assert ran.returncode == 2
    assert "hardnes" in ran.stderr
    assert "Traceback" not in ran.stderr
