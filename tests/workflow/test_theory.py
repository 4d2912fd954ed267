import json
import subprocess
import sys

import pandas as pd
import pytest
from browser import launched

from ggmi.reporting.theory import theory_section, theory_sentence

PAGE = "results/theory.html"
FAMILIES = ["independent, no curation", "independent, additive curation", "independent, deterministic curation"]
SMALL = {"conditions_per_job": 30, "theory": {"worlds": 200, "families": FAMILIES, "restarts": 2, "steps": 40}}


@pytest.fixture(scope="module")
def checked(tmp_path_factory, finished):
    """A project whose theory study alone has been run."""
    project = finished.copy(tmp_path_factory.mktemp("theory") / "project")
    project.configure(SMALL)
    project.run("--cores", "2", PAGE)
    return project


def table(project, name):
    return pd.read_csv(project.path / f"results/theory/{name}.csv")


def test_the_table_has_the_stated_columns_and_a_row_a_statement_and_family(checked):
    rows = table(checked, "statements")
    assert list(rows) == [
        "statement",
        "reference",
        "family",
        "worlds",
        "violated_share",
        "worst_violation_nats",
        "median_slack_nats",
        "certificate",
    ]
    assert set(rows["family"]) == set(FAMILIES)
    assert not rows.duplicated(["statement", "family"]).any()
    assert rows["certificate"].notna().all()


def test_known_failures_are_certified_in_files_that_recheck(checked):
    verdicts = table(checked, "verdicts").set_index("statement")["verdict"]
    assert verdicts["lemma4.5"] == verdicts["eq17"] == verdicts["theorem4.10"] == "fails"
    assert verdicts["eq24"] == verdicts["lemma3.1"] == "holds"
    rows = table(checked, "statements").set_index("statement")["certificate"]
    for key in ("lemma4.5", "eq23", "eq17", "theorem4.7"):
        path = checked.path / "results/theory" / rows[[key]].iloc[0]
        script = checked.path / "src/ggmi/theory/recheck.py"
        for file in (path, path.parent / "worst" / path.name):
            done = subprocess.run([sys.executable, "-I", script, file], capture_output=True, text=True, check=True)
            assert "violated by" in done.stdout
    assert rows[["eq24"]].iloc[0].startswith("none found after ")
    folder = checked.path / "results/theory/certificates"
    smallest, worst = (json.loads(p.read_text()) for p in (folder / "lemma4.5.json", folder / "worst/lemma4.5.json"))
    assert len(smallest["joint"]["states"]) == 2
    row = table(checked, "verdicts").set_index("statement").loc["lemma4.5"]
    assert row["certified_violation_nats"] == pytest.approx(float(worst["violation"]["interval"]["low"]))
    assert (
        row["worst_violation_nats"]
        >= row["certified_violation_nats"]
        >= float(smallest["violation"]["interval"]["low"])
    )


def test_the_headline_counts_each_statement_once_and_tells_forms_apart(checked):
    said = theory_sentence(table(checked, "verdicts"))
    assert said.startswith("Of 27 statements of the theory, 12 fail in finite worlds, among them Lemma 4.5")
    assert "(17) and (23) fail as published, ten in the form that we read out of the paper's proofs." in said
    assert said.endswith(
        ", three of them by definition. With |loss| ≤ C in place of 0 ≤ loss ≤ C, (14), (15) and Lemma 3.1 fail too."
    )
    listed = dict(theory_section(table(checked, "verdicts")).blocks[1].items)
    assert "(as published)" in listed["(17) fails"]
    assert "(as we read it)" in listed["Lemma 4.5 fails"]
    assert "(another reading of appendix C, (14))" in listed["(14) with |loss| ≤ C fails"]


def test_a_new_family_makes_its_own_worlds_and_no_search(checked, tmp_path):
    project = checked.copy(tmp_path / "project")
    assert project.planned(PAGE) == set()
    project.configure({**SMALL, "theory": {**SMALL["theory"], "families": [*FAMILIES, "independent, ERM"]}})
    assert project.planned(PAGE) == {"theory_worlds 1-4", "statements", "theory_page"}
    project.configure({**SMALL, "theory": {**SMALL["theory"], "steps": 41}})
    assert project.planned(PAGE) == {"counterexamples 1-30", "statements", "theory_page"}


def test_bytes_do_not_depend_on_how_jobs_are_cut(checked, tmp_path):
    project = checked.copy(tmp_path / "project")
    before = project.tables()
    project.configure({**SMALL, "conditions_per_job": 11})
    assert project.planned(PAGE) == set()
    project.run("--cores", "2", "--forceall", PAGE)
    assert (project.path / "results/theory/counterexamples/12-22.json").exists()
    after = project.tables()
    for name in ("theory/statements.csv", "theory/verdicts.csv", "theory/certificates/lemma4.5.json"):
        assert after[name] == before[name]


def test_a_family_that_is_not_there_is_refused_before_anything_runs(checked, tmp_path):
    project = checked.copy(tmp_path / "project")
    project.configure({**SMALL, "theory": {"families": ["independent, ERN"]}})
    done = project.run("--cores", "1", PAGE, check=False)
    assert done.returncode == 2
    assert "theory.families.0: there is no family 'independent, ERN'; did you mean 'independent, ERM'?" in done.stderr


def test_the_page_shows_a_counterexample_as_a_table_of_probabilities(checked):
    with launched() as browser:
        page = browser.new_page()
        page.goto((checked.path / PAGE).as_uri())
        heading = page.get_by_role("heading", name="Lemma 4.5:")
        assert heading.count() == 1
        row = page.locator("#failing table", has_text="The counterexample: 4 joint states").first
        assert row.locator("tbody tr").count() == 4
        assert row.locator("tbody").inner_text().count("1/4") == 4
        assert page.locator("#statements tbody tr").count() == 30
        assert page.get_by_text("any λ will do").count() > 0
        assert page.get_by_text("that meet its assumptions").count() > 0
        # Every failing statement has a certificate of its smallest and one of its worst counterexample.
        for folder, files in (("certificates/", 30), ("certificates/worst/", 15)):
            assert page.locator(f'a[href^="theory/{folder}"]').count() == files


def test_the_page_shows_the_losses_that_a_counterexample_is_about(checked):
    stored = json.loads((checked.path / "results/theory/certificates/lemma4.6.json").read_text())
    with launched() as browser:
        page = browser.new_page()
        page.goto((checked.path / PAGE).as_uri())
        table = page.locator("#failing table", has_text="The loss of W at the values of S_gen").first
        shown = [row.split() for row in table.locator("tbody").inner_text().splitlines()]
        values = sorted({state[6] for state in stored["joint"]["states"]})
        assert shown == [[w, *(loss[x] for x in values)] for w, loss in stored["tables"]["loss of W"].items()]
        note = page.locator("#failing p.note", has_text="The loss of W at the values of").first
        assert note.is_visible()
        assert "with C = 1" in note.inner_text()
        # A world of one state shows the values of its variables.
        alone = page.locator("#failing table", has_text="The counterexample: 1 joint state").first
        assert alone.locator("th").count() == 10
