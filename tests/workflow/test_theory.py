import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from browser import launched
from project import refusal

from ggmi.exact.verdicts import VERDICT_COLUMNS
from ggmi.io import read_json, write_json
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.regimes import REGIMES
from ggmi.theory.study import FAMILY_COLUMNS
from ggmi.workflow.record import read_run

PAGE = "results/theory.html"
FAMILIES = ["declared: noise", "without_4.1: no noise", "chains_only: a channel", "structure: a channel given p"]
SMALL = {"conditions_per_job": 30, "theory": {"worlds": 200, "families": FAMILIES, "restarts": 1, "steps": 25}}


@pytest.fixture(scope="module")
def checked(tmp_path_factory, project_at):
    """A project whose theory study alone has been run."""
    project = project_at(tmp_path_factory.mktemp("theory") / "project")
    project.configure(SMALL)
    project.run("--cores", "2", PAGE)
    return project


def table(project, name):
    return pd.read_csv(project.path / f"results/theory/{name}.csv", keep_default_na=False)


def test_the_tables_have_the_stated_columns_and_a_row_a_statement_and_regime(checked):
    rows = table(checked, "statements")
    assert tuple(rows) == FAMILY_COLUMNS
    assert set(rows["family"]) == set(FAMILIES)
    assert not rows.duplicated(["statement", "reading", "form", "family"]).any()
    verdicts = table(checked, "verdicts")
    assert tuple(verdicts) == VERDICT_COLUMNS
    stated = [(s.label, s.reading, regime) for s in STATEMENTS.values() for regime in REGIMES]
    assert list(verdicts[["statement", "reading", "regime"]].itertuples(index=False, name=None)) == stated
    assert set(verdicts["verdict"]) == {"holds", "fails", "by definition", "assumption"}


def test_verdicts_are_those_of_the_printed_theory(checked):
    rows = table(checked, "verdicts").set_index(["statement", "reading", "regime"])
    verdict = rows["verdict"]
    for regime, fails in (("declared", False), ("without_4.1", True), ("chains_only", False), ("structure", True)):
        assert verdict["(5)", "printed", regime] == ("fails" if fails else "holds")
        assert verdict["(10)", "printed", regime] == "fails"
        assert verdict["(8)", "printed", regime] == "fails"
        assert verdict["(8)", "charitable", regime] == "holds"
        assert verdict["(4)", "printed", regime] == "holds"
        assert verdict["(33).1", "printed", regime] == "by definition"
        assert verdict["(24)", "printed", regime] == "assumption"
    assert verdict["(31)", "printed", "declared"] == "holds"
    assert verdict["(31)", "printed", "structure"] == "fails"
    lemma, theorem = rows.loc[("(5)", "printed", "without_4.1")], rows.loc[("(10)", "printed", "declared")]
    assert int(lemma["fewest_states"]) == 3
    assert int(theorem["fewest_states"]) == 2
    assert theorem["condition_is_exact"] == "True"
    assert rows.loc[("(5)", "printed", "declared"), "proof"]


def test_every_failure_is_certified_in_files_that_recheck(checked):
    verdicts = table(checked, "verdicts")
    failing = verdicts[verdicts["verdict"] == "fails"]
    assert len(failing) > 60
    script = checked.path / "src/ggmi/theory/recheck.py"
    for row in failing.to_dict("records"):
        file = checked.path / "results/theory" / row["certificate"]
        smallest, worst = (json.loads(path.read_text()) for path in (file, file.parent / "worst" / file.name))
        assert (smallest["regime"], smallest["reading"]) == (row["regime"], row["reading"])
        assert len(smallest["joint"]["states"]) == int(row["fewest_states"])
        low = float(worst["violation"]["interval"]["low"])
        assert float(row["worst_violation_nats"]) == pytest.approx(low)
        assert low >= float(smallest["violation"]["interval"]["low"]) - 1e-12
    folder = checked.path / "results/theory/certificates"
    for name in ("without_4.1/5", "declared/worst/10", "structure/worst/31", "declared/8", "examples/4-marginal-n2"):
        done = subprocess.run(
            [sys.executable, "-I", script, folder / f"{name}.json"], capture_output=True, text=True, check=True
        )
        assert "violated by" in done.stdout


def test_no_small_world_has_fewer_states_than_the_smallest_counterexample(checked):
    small, verdicts = table(checked, "enumeration"), table(checked, "verdicts")
    key = ["statement", "reading", "regime"]
    fewest = small[small["violated"] > 0].groupby(key)["states"].min()
    found = verdicts[verdicts["verdict"] == "fails"].set_index(key)["fewest_states"].astype(int)
    assert len(fewest) > 40
    assert (found[fewest.index] <= fewest).all()
    assert small.groupby(key)["worlds"].sum().min() > 1000


AFTER = {"statements", "theory_page"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"theory": {**SMALL["theory"], "families": [*FAMILIES, "declared: no noise"]}}, {"theory_worlds 1-5", *AFTER}),
        ({"theory": {**SMALL["theory"], "steps": 26}}, {"counterexamples 1-23", *AFTER}),
        ({"conditions_per_job": 20}, set()),
    ],
    ids=["a new family", "a longer search", "cutting jobs differently"],
)
def test_a_change_reruns_what_depends_on_it(change, expected, checked):
    assert checked.planned(PAGE, change={**SMALL, **change}) == expected


def test_bytes_do_not_depend_on_how_jobs_are_cut(checked, tmp_path):
    project = checked.copy(tmp_path / "project")
    before = project.tables()
    project.configure({**SMALL, "conditions_per_job": 20})
    # The end of the search in a job of its own says what it said after the beginning.
    folder = project.path / "results/theory/counterexamples"
    project.run("--cores", "1", "results/theory/counterexamples/21-23.json", again=True)
    whole, latter = (read_json(folder / f"{part}.json") for part in ("1-23", "21-23"))
    assert len(latter) == 3 * len(REGIMES)
    assert whole[-len(latter) :] == latter
    # Two files say together what the one said.
    write_json(folder / "1-20.json", whole[: -len(latter)])
    project.run("--cores", "1", "--force", "results/theory/statements.csv", again=True)
    assert [job.rule for job in read_run(project.path / "results").jobs.values()] == ["statements"]
    after = project.tables()
    tables = [name for name in before if name.startswith("theory/") and not name.endswith("provenance.json")]
    assert len(tables) > 100
    assert [name for name in tables if after[name] != before[name]] == []
    record = json.loads(after["theory/statements.provenance.json"])
    assert {Path(name).stem for name in record["inputs"]} == {"1-4", "1-20", "21-23"}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("declared: nois", "did you mean 'declared: noise'?"),
        ("independent, ERM", "families are named by their regime now"),
    ],
)
def test_a_family_that_is_not_there_is_refused(name, hint):
    assert f"theory.families.0: there is no family '{name}'; {hint}" in refusal({"theory": {"families": [name]}})


def test_the_page_shows_every_verdict_and_the_smallest_worlds(checked):
    verdicts = table(checked, "verdicts")
    with launched() as browser:
        page = browser.new_page()
        page.goto((checked.path / PAGE).as_uri())
        judged = verdicts[verdicts["verdict"].isin(["holds", "fails"])]
        cells = page.locator(".regime-table td .word").all_inner_texts()
        assert sorted(text.split()[1] for text in cells) == sorted(judged["verdict"])
        failing = verdicts[verdicts["verdict"] == "fails"]
        assert page.locator("#failing article").count() == len(failing.groupby(["statement", "reading"]))
        # Every failing statement has a certificate of its smallest and one of its worst world in every regime.
        links = [link.get_attribute("href") for link in page.locator("#failing a").all()]
        assert all((checked.path / "results" / link).is_file() for link in links)
        assert len(set(links)) == 2 * len(failing)
        stored = json.loads((checked.path / "results/theory/certificates/without_4.1/5.json").read_text())
        shown = [text.split()[-1] for text in page.locator("[id='s5'] table.law tbody tr").all_inner_texts()]
        assert shown == [state[-1] for state in stored["joint"]["states"]]
        stored = json.loads((checked.path / "results/theory/certificates/declared/6.json").read_text())
        values = sorted({state[6] for state in stored["joint"]["states"]})
        shown = [
            text.split() for text in page.locator("[id='s6'] table.law").last.locator("tbody tr").all_inner_texts()
        ]
        losses = stored["tables"]["loss of W"]
        assert shown == [[w, *(loss[x].replace("-", "−") for x in values)] for w, loss in losses.items()]
