"""The study of slow thinking through the workflow: tables, certificates, reruns, page."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from browser import launched
from project import refusal

from ggmi.claims import CLAIM_COLUMNS
from ggmi.exact.verdicts import VERDICT_COLUMNS
from ggmi.slow_thinking.calculus import CROSSOVER_COLUMNS, EXACT_COLUMNS
from ggmi.slow_thinking.catalogue import STATEMENTS
from ggmi.slow_thinking.regimes import REGIMES

PAGE = "results/slow_thinking.html"
STUDY = {
    **{"worlds": 40, "restarts": 1, "steps": 2, "permutations": 99},
    **{"log_lambdas": [1.0, 2.0], "lengths": [2, 3], "widths": [1, 2, 4], "reliabilities": [0.8, 1.0]},
    "reasoning": None,
}
SMALL = {"conditions_per_job": 30, "slow_thinking": STUDY}
CLAIMS = {"slow_thinking_claims", "slow_thinking_page"}
EXACT = {"slow_thinking_exact", "figure_exact", "slow_thinking_theory_claims", *CLAIMS}
PUBLISHED = {"slow_thinking_published", "figure_points", "figure_width", *CLAIMS}
THEORY = {"slow_thinking_searches 1-27", "slow_thinking_verdicts", "slow_thinking_theory_claims", *CLAIMS}
CHANGES = {
    "adding a width": ({"slow_thinking": {**STUDY, "widths": [1, 2, 4, 8]}}, EXACT),
    "taking a reliability away": ({"slow_thinking": {**STUDY, "reliabilities": [1.0]}}, EXACT),
    "more permutations": ({"slow_thinking": {**STUDY, "permutations": 199}}, PUBLISHED),
    "more effort": ({"slow_thinking": {**STUDY, "steps": 3}}, THEORY),
    "the seed": ({"seed": 9}, THEORY | PUBLISHED),
    "a plot setting": (
        {"figures": {"dpi": 90}},
        {f"figure_{n}" for n in ("exact", "points", "width")} | CLAIMS - {"slow_thinking_claims"},
    ),
    "cutting jobs differently": ({"conditions_per_job": 2}, set()),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory, project_at):
    """A project of which the study of slow thinking alone has been run."""
    project = project_at(tmp_path_factory.mktemp("slow") / "project")
    project.configure(SMALL)
    project.run("--cores", "2", PAGE)
    return project


def table(project, name):
    return pd.read_csv(project.path / f"results/slow_thinking/{name}.csv", keep_default_na=False)


def test_tables_have_the_stated_columns_and_rows(made):
    verdicts = table(made, "theory/verdicts")
    assert tuple(verdicts) == VERDICT_COLUMNS
    stated = [(s.label, s.reading, regime) for s in STATEMENTS.values() for regime in REGIMES]
    assert list(verdicts[["statement", "reading", "regime"]].itertuples(index=False, name=None)) == stated
    exact, crossover = table(made, "theory/exact"), table(made, "theory/crossover")
    assert tuple(exact) == EXACT_COLUMNS
    assert len(exact) == 3 * 2 * 2 * 3 * 2
    assert tuple(crossover) == CROSSOVER_COLUMNS
    assert len(crossover) == 2 * 2 * 2
    claims = table(made, "claims")
    assert tuple(claims) == CLAIM_COLUMNS
    parts = pd.concat([table(made, f"claims/{name}") for name in ("theory", "published")])
    assert list(claims["claim"]) == list(parts["claim"])
    assert set(claims["verdict"]) == {"supported", "contradicted", "undecided"}
    assert len(table(made, "published_fits")) == 7 * 6


def test_certificates_lie_where_the_verdicts_say_and_recheck(made):
    verdicts = table(made, "theory/verdicts")
    folder = made.path / "results/slow_thinking/theory"
    for row in verdicts[verdicts["certificate"] != ""].to_dict("records"):
        stored = json.loads((folder / row["certificate"]).read_text())
        assert (stored["regime"], len(stored["joint"]["states"])) == (row["regime"], int(row["fewest_states"]))
    script = made.path / "src/ggmi/slow_thinking/recheck.py"
    for name in ("any/Theorem-3.3", "alike/worst/framework-independence", "rising/chain-bound"):
        file = folder / f"certificates/{name}.json"
        done = subprocess.run([sys.executable, "-I", script, file], capture_output=True, text=True, check=True)
        assert "violated by" in done.stdout


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_reruns_what_depends_on_it(name, made):
    change, expected = CHANGES[name]
    assert made.planned(PAGE, change={**SMALL, **change}) == expected


def test_bytes_do_not_depend_on_how_jobs_are_cut(made, tmp_path):
    project = made.copy(tmp_path / "project")
    before = project.tables()
    project.configure({**SMALL, "conditions_per_job": 14})
    project.run("--cores", "2", "--forceall", "results/slow_thinking/theory/verdicts.csv", again=True)
    assert (project.path / "results/slow_thinking/theory/searches/15-27.json").exists()
    after = project.tables()
    for name in ("verdicts.csv", "certificates/any/Theorem-3.3.json", "certificates/alike/worst/cost-at-worst.json"):
        assert after[f"slow_thinking/theory/{name}"] == before[f"slow_thinking/theory/{name}"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"widht": [2]}, "unknown key 'slow_thinking.widht': did you mean 'widths'?"),
        ({"widths": [2, 2]}, "slow_thinking.widths: 2 is listed twice; each variant is allowed once"),
        ({"reliabilities": [1.5]}, "slow_thinking.reliabilities.0: must be less than or equal to 1, got 1.5"),
    ],
)
def test_a_wrong_setting_is_refused(change, said):
    assert said in refusal({"slow_thinking": {**STUDY, **change}})


def test_the_page_shows_verdicts_claims_and_figures_without_faults(made):
    verdicts, claims = table(made, "theory/verdicts"), table(made, "claims")
    with launched() as browser:
        page = browser.new_page()
        problems = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto((made.path / PAGE).as_uri())
        judged = verdicts[verdicts["verdict"].isin(["holds", "fails"])]
        cells = page.locator("#statements .regime-table td .word").all_inner_texts()
        assert sorted(text.split()[1] for text in cells) == sorted(judged["verdict"])
        # The paper's own form of a claim and ours are two.
        kinds = claims.assign(ours=claims["source"].str.startswith("ours"))[["claim", "ours"]]
        assert page.locator("#claims tbody tr").count() == len(kinds.drop_duplicates())
        assert page.locator("#claims dl > div").count() == len(claims)
        failing = verdicts[verdicts["verdict"] == "fails"]
        assert page.locator("#failing article").count() == len(failing.groupby(["statement", "reading"]))
        links = {link.get_attribute("href") for link in page.locator("main a").all()}
        files = [link for link in links if not link.startswith(("#", "https"))]
        assert len(files) > 100
        assert all((made.path / "results" / link).is_file() for link in files)
        assert page.locator("figure img").count() == 3
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        assert "$" not in page.locator("main").inner_text()
        assert problems == []
        for width in (375, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
