"""The study of language models through the workflow: tables, reruns, page."""

import pandas as pd
import pytest
from browser import launched

from ggmi.claims import CLAIM_COLUMNS

PAGE = "results/language.html"
STUDY = {
    "seeds": 2,
    "model": {"skills": 9, "letters": 4, "width": 16, "most_steps": 10},
    "test_records": 40,
    "sizes": [6, 20],
    "updates": 2,
    "rewards": {"prompts": 2, "answers": 2},
}
JOBS = {
    (balance, method): f"language_students {balance} {method}"
    for balance in ("balanced", "unbalanced")
    for method in ("sft", "rl")
}
AFTER = {"language_tables", "figure_language", "language_page"}


def jobs(*methods):
    return {name for (_, method), name in JOBS.items() if method in methods}


CHANGES = {
    "nothing": ({}, set()),
    "one student more": ({"seeds": 3}, jobs("sft", "rl") | AFTER),
    "another rate of fine-tuning": ({"fine_tuning": {"learning_rate": 0.01}}, jobs("sft") | AFTER),
    "a divergence that costs": ({"rewards": {**STUDY["rewards"], "beta": 0.1}}, jobs("rl") | AFTER),
    "another base": (
        {"model": {**STUDY["model"], "rate": 0.01}},
        {f"language_base {balance}" for balance in ("balanced", "unbalanced")} | jobs("sft", "rl") | AFTER,
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory, project_at):
    """A project of which the study of language models alone has been run."""
    project = project_at(tmp_path_factory.mktemp("language") / "project")
    project.configure({"language": STUDY})
    project.run("--cores", "2", PAGE)
    return project


def table(project, name):
    return pd.read_csv(project.path / f"results/language/{name}.csv")


def test_tables_have_a_row_a_condition_and_a_student(made):
    conditions, students, claims = (table(made, name) for name in ("conditions", "students", "claims"))
    assert list(claims) == list(CLAIM_COLUMNS)
    assert (conditions["size"].max(), conditions["items"].unique().tolist()) == (9 * 16 - 40, [40])
    # Of fine-tuning: the base, three sizes, two ends of two sizes by two measures, one of as many tokens.
    assert len(conditions) == (1 + 3 + 8 + 1) + (3 + 2) + (1 + 1) + 1
    assert len(students) == 2 * len(conditions) - 2
    for column in ("subset", "by", "size", "method", "updates", "tokens", "rating", "ci_low", "loss_nats_per_token"):
        assert column in students
    tuned = students[(students["method"] == "sft") & (students["matched"] == "updates")]
    assert set(tuned["updates"]) == {2}
    assert set(tuned["tokens"]) == {2 * 16 * 9}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_plans_exactly_what_depends_on_it(name, made):
    change, expected = CHANGES[name]
    assert made.planned(PAGE, change={"language": {**STUDY, **change}}) == expected


def test_the_page_is_whole(made):
    with launched() as browser:
        page = browser.new_page()
        page.goto((made.path / PAGE).as_uri())
        assert "does it hold for language models" in page.inner_text("h1")
        assert page.locator("section").count() == 6
        assert page.locator("figure img").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
