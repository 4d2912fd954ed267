"""Subsets of sets and rewards as conditions of a task, in a world so small that students learn next to nothing."""

import json

import numpy as np
import pandas as pd
import pytest
from project import Project, merged

from ggmi.embedded.language import Language, Sizes
from ggmi.random import stream

SIZES = {"anchored": 4, "unsampled": 1, "irrelevant": 4, "letters": 4, "length": 2}
PAGE = "results/embedded.html"
STUDENTS = {
    "seeds": 2,
    "training": {"epochs": 1, "save_every": 1},
    "match": {"by": "records", "to": None},
    "anchors": False,
    "subsets": {"by": ["base_loss", "skill", "random", "hardness"], "of": ["made_given_as_sampled"], "sizes": [4]},
    "rl": {"of": ["real", "made_given_as_sampled_hardest_hardness_size4"], "steps": 2, "prompts": 2, "answers": 2}
    | {"max_tokens": 6},
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
MADE = "made_given_as_sampled"
ENDS = [f"{MADE}_{end}_{by}_size4" for by in ("base_loss", "skill", "hardness") for end in ("easiest", "hardest")]
SUBSETS = [*ENDS[:4], f"{MADE}_random_size4", *ENDS[4:]]
REWARDED = ["real_rl", f"{MADE}_hardest_hardness_size4_rl"]


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
    project.run("--cores", "2", PAGE)
    return project


def read(project, name):
    return pd.read_csv(project.path / "results/embedded" / name)


def learned(project, condition):
    path = project.path / f"results/embedded/students/{condition}/set.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def distinct(project, condition):
    return {row["id"].partition("#")[0] for row in learned(project, condition)}


def test_table_1_has_a_row_a_subset_and_a_rewarded_student(done):
    table = read(done, "rating/table1.csv")
    assert table["condition"].tolist() == ["base", MADE, "real", *SUBSETS, *REWARDED]
    assert table["mean"].notna().all()
    risks = read(done, "rating/risks.csv")
    assert len(risks) == 1 + 2 * (len(table) - 1)
    assert risks.loc[risks["condition"] == "real_rl", ["steps", "batching"]].values.tolist() == [[2, "sampled"]] * 2


@pytest.mark.parametrize("by", ["base_loss", "skill", "hardness"])
def test_subsets_are_the_ends_of_a_sorted_set(done, by):
    scores = read(done, f"difficulty/{MADE}/{by}.csv").set_index("id").iloc[:, 0]
    # What the test set asks is dropped before.
    scores = scores[[i for i in scores.index if i in distinct(done, MADE) or by == "hardness"]]
    easy, hard = (distinct(done, f"{MADE}_{end}_{by}_size4") for end in ("easiest", "hardest"))
    allowed = scores[~scores.index.isin(easy | hard)] if by != "hardness" else scores.iloc[:0]
    assert len(easy) == len(hard) == 4
    assert scores[list(easy)].max() <= scores[list(hard)].min()
    assert scores[list(easy)].max() <= allowed.min() or allowed.empty
    assert scores[list(hard)].min() >= allowed.max() or allowed.empty


def test_the_hardest_by_skill_are_those_of_the_skill_that_the_base_never_saw(done):
    language = Language.draw(20241001, Sizes(**SIZES))
    words = {row["instruction"] for row in learned(done, f"{MADE}_hardest_skill_size4")}
    assert words == {language.words[0]}


def test_a_subset_is_repeated_up_to_the_smallest_whole_set(done):
    to = json.loads((done.path / "results/embedded/students/size.json").read_text())["to"]
    assert to > 4
    sets = read(done, "rating/sets.csv").set_index("condition")
    assert (sets["records"] == to).all()
    assert (sets.loc[SUBSETS, "distinct"] == 4).all()


def test_a_rewarded_student_has_a_curve_of_rewards(done):
    folder = done.path / "results/embedded/students/real_rl/1-2"
    curve = pd.read_csv(folder / "seed2.curve.csv")
    assert curve["step"].tolist() == [1, 2]
    assert curve["reward"].between(1, 10).all()


def trained(*conditions):
    return {f"{rule} embedded {c} 1-2" for rule in ("students", "risks", "answers") for c in conditions}


def verdicts(*conditions):
    return {f"verdicts embedded {c}" for c in conditions}


TABLES = {f"{rule} embedded" for rule in ("ratings", "figure_ratings", "risk_tables", "figure_losses", "task_page")}
CHANGES = {
    "more updates of rewarded students": ({"rl": {"steps": 3}}, trained(*REWARDED) | verdicts(*REWARDED) | TABLES),
    "another reward": ({"rl": {"reward": "exact_match"}}, trained(*REWARDED) | verdicts(*REWARDED) | TABLES),
    "no rewarded students": ({"rl": None}, TABLES),
    "one more subset": (
        {"subsets": {"sizes": [4, 5], "by": ["random"]}, "rl": {"of": ["real"]}},
        {f"training_set embedded {MADE}_random_size5"}
        | trained(f"{MADE}_random_size5")
        | verdicts(f"{MADE}_random_size5")
        | TABLES,
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_plans_exactly_what_depends_on_it(name, done, tmp_path):
    project = done.copy(tmp_path / "project")
    change, expected = CHANGES[name]
    project.configure(merged(CHANGE, {"tasks": {"embedded": {"students": change}}}))
    assert project.planned(PAGE) == expected


def test_nothing_is_planned_when_nothing_changed(done):
    assert done.planned(PAGE) == set()
