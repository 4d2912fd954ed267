"""Reasoners, verifiers and searches through the workflow: tables, reruns, bytes."""

import pandas as pd
import pytest
from project import refusal

from ggmi.claims import PARTIAL_COLUMNS
from ggmi.reasoning.searching import Plan, runs_of

FOLDER = "results/slow_thinking"
TARGETS = [
    *(f"{FOLDER}/claims/{name}.csv" for name in ("reasoning", "search")),
    *(f"{FOLDER}/figure_{name}.svg" for name in ("reasoners", "searches", "costs")),
]
SEARCH = {"length": 3, "problems": 60, "repeats": 2, "widths": [1, 2, 4], "keep": 2, "simulations": 6}
REASONING = {
    **{"groups": ["symmetric_3"], "shortest": 2, "longest": 4, "chains": 600},
    "reasoners": {"small": {"steps": 150, "wanted_accuracy": 0.6}, "large": None},
    "verifiers": {"chains": 2000, "orm_steps": 20, "prm_steps": 20},
    "search": {**SEARCH, "reliabilities": [0.5, 1.0]},
}
NAME = "symmetric_3 small"
TRAINED = {f"{rule} {NAME} {kind}" for rule in ("verifier",) for kind in ("orm", "prm")}
SEARCHED = {f"searches {NAME}", f"verifier_reliability {NAME}"}
SEARCH_TABLES = {"search_tables", "figure_searches", "figure_costs"}
SAMPLE_TABLES = {"reasoning_tables", "figure_reasoners"}
CHANGES = {
    "adding a reliability": ({"search": {"reliabilities": [0.5, 0.8, 1.0]}}, {f"searches {NAME}"} | SEARCH_TABLES),
    "adding a width": ({"search": {"widths": [1, 2, 4, 8]}}, SEARCHED | SEARCH_TABLES),
    "longer training of verifiers": (
        {"verifiers": {"orm_steps": 30, "prm_steps": 30}},
        TRAINED | SEARCHED | SEARCH_TABLES,
    ),
    "hotter chains for verifiers": (
        {"verifiers": {"temperature": 3.0}},
        {f"verifier_samples {NAME}"} | TRAINED | SEARCHED | SEARCH_TABLES,
    ),
    "more chains": (
        {"chains": 900},
        {"reasoning_problems symmetric_3 samples", f"reasoning_samples {NAME}", f"reasoning_steps {NAME}"}
        | SAMPLE_TABLES,
    ),
    "another recipe": (
        {"reasoners": {"small": {"steps": 160, "wanted_accuracy": 0.6}, "large": None}},
        {f"{rule} {NAME}" for rule in ("reasoner", "reasoning_samples", "verifier_samples", "reasoning_steps")}
        | (TRAINED | SEARCHED | SEARCH_TABLES | SAMPLE_TABLES),
    ),
}


def configured(change):
    reasoning = {key: {**REASONING[key], **v} if isinstance(v, dict) else v for key, v in change.items()}
    return {"slow_thinking": {"reasoning": {**REASONING, **reasoning}}}


@pytest.fixture(scope="module")
def made(tmp_path_factory, project_at):
    project = project_at(tmp_path_factory.mktemp("reasoning") / "project")
    project.configure(configured({}))
    project.run("--cores", "2", *TARGETS)
    return project


def table(project, name):
    return pd.read_csv(project.path / FOLDER / f"{name}.csv", keep_default_na=False)


def test_every_run_has_a_row_and_every_claim_its_numbers(made):
    searches = table(made, "reasoning/searches")
    plan = Plan([1, 2, 4], 2, 2, 6, 1.0, [0.5, 1.0])
    assert len(searches) == 2 * len(runs_of(plan))
    assert set(searches["problems"]) == {60}
    one = searches[(searches["width"] == 1) & (searches["kind"] == "value")]
    assert one["accuracy"].between(0, 1).all()
    assert (searches["accuracy_ci_low"] <= searches["accuracy"]).all()
    assert (searches["accuracy"] <= searches["accuracy_ci_high"]).all()
    # A perfect verifier's accuracy among whole answers rises with N, on the same answers.
    perfect = searches[(searches["method"] == "best_of_n") & (searches["verifier"] == "1")]
    assert perfect[perfect["kind"] == "value"]["chain_accuracy"].is_monotonic_increasing
    for name in ("reasoning", "search"):
        claims = table(made, f"claims/{name}")
        assert tuple(claims) == PARTIAL_COLUMNS
        assert len(claims) > 5
    assert list(table(made, "reasoning/steps")["step"]) == [1, 2, 3, 4]
    controls = table(made, "reasoning/lengths")["reasoner"]
    assert {"symmetric_3, plan", "symmetric_3, right chains"} < set(controls)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_reruns_what_depends_on_it(name, made):
    change, expected = CHANGES[name]
    assert made.planned(*TARGETS, change=configured(change)) == expected


def test_the_same_configuration_gives_the_same_bytes_at_any_cores(made, tmp_path):
    project = made.copy(tmp_path / "project")
    before = project.tables()
    project.run("--cores", "1", "--forceall", *TARGETS, again=True)
    assert project.tables() == before


def test_adding_a_reliability_changes_no_other_run(made, tmp_path):
    project = made.copy(tmp_path / "project")
    project.configure(configured({"search": {"reliabilities": [0.5, 0.8, 1.0]}}))
    project.run("--cores", "2", *TARGETS)
    before, after = (table(p, "reasoning/searches").astype({"verifier": str}) for p in (made, project))
    assert "0.8" in set(after["verifier"])
    pd.testing.assert_frame_equal(after[after["verifier"] != "0.8"].reset_index(drop=True), before)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"groups": ["klein_4"]}, "group: 'klein_4' is not allowed; allowed: cyclic_2 to cyclic_24"),
        ({"search": {"length": 9}}, "search.length: 9 is not taught; allowed: 2 to 4"),
        ({"search": {"widths": [2, 4]}}, "1 is missing, with which every other width is compared"),
        ({"search": {"reasoners": ["smal"]}}, "there is no reasoner 'smal'"),
        ({"search": {"simulation": 4}}, "did you mean 'simulations'?"),
    ],
)
def test_a_wrong_setting_is_refused(change, said):
    assert said in refusal(configured(change))
