"""The study of data quality through the workflow: tables, certificates, reruns, page."""

import subprocess
import sys

import pandas as pd
import pytest
from browser import launched
from project import refusal

from ggmi.claims import CLAIM_COLUMNS
from ggmi.data_quality.certificates import CERTIFICATES
from ggmi.data_quality.curves import BASELINES, CURVE_COLUMNS
from ggmi.data_quality.limit import LIMIT_COLUMNS, QUANTITIES
from ggmi.data_quality.trained.plan import TRAINED_COLUMNS
from ggmi.data_quality.trained.rewards import QUALITY_COLUMNS, REWARD_COLUMNS

PAGE = "results/data_quality.html"
STUDY = {
    "seeds": 6,
    "theorem_d": 4,
    "curves": {
        **{"d": 20, "interferences": [0.0, 0.1], "lengths": [20, 60], "prompts": [0, 4, 8, 10, 15, 20, 25, 100]},
        **{"chained_prompts": [4, 100], "swept_lengths": [10, 20, 60], "swept_prompts": [4, 30], "base_length": 20},
        **{"test_steps": [1, 3], "test_prompts": 1},
    },
    "limit": {"d": 40, "lengths": [60], "prompts": [0, 20, 60]},
    "small_sets": {
        **{"d": 20, "ratios": [0.0, 1.0], "lengths_over_d": [1.0, 3.0]},
        **{"difficulty_lengths_over_d": [2.0], "difficulty_prompts_over_d": [0.25]},
    },
    "outcome": {
        **{"d": 4, "lengths": [6, 20], "prompts": [3, 8], "steps": [1, 2], "descents": [5, 20], "shifts": [0.1, 1.0]},
        **{"curvature_lengths": [20], "curvature_prompts": 8, "curvature_steps": [1, 2]},
    },
    "trained": {
        "lsa": {
            **{"d": 5, "seeds": 5, "prompts": [2, 4, 8], "lengths": [4, 8, 16], "chains": [1, 2], "base_prompts": 4},
            **{"base_lengths": [8], "base_chain": 2, "epochs": 2, "outcome_epochs": 2, "batch": 4, "test_prompts": 4},
        },
        "gpt": {
            **{"d": 2, "seeds": 5, "prompts": [2, 4, 8], "lengths": [2, 3, 4], "chains": [1, 2], "base_prompts": 4},
            **{"base_lengths": [3], "base_chain": 2, "epochs": 1, "outcome_epochs": 1, "batch": 4, "test_prompts": 4},
            **{"layers": 1, "width": 8, "pretraining_chain": 2, "pretraining_steps": 5},
        },
        "rewards": {
            **{"d": 5, "seeds": 5, "prompts": [2, 4, 8], "lengths": [4, 8, 16], "chains": [1, 2], "base_prompts": 4},
            **{"base_length": 8, "base_chain": 2, "steps": 3, "batch": 4, "group": 4, "test_prompts": 4},
        },
    },
}
SMALL = {"data_quality": STUDY}
FILES = ("data_quality_theory_claims", "data_quality_claims", "data_quality_page")
SIMULATED = {f"data_quality_{name}" for name in ("numbers", "lengths", "limit", "sets", "outcome", "theorems")}
TRAINED_FILES = {*(f"data_quality_trained_{name}" for name in ("claims", "figures")), *FILES[1:]}
TRAINED = {
    *(f"data_quality_{model} {method}" for model in ("lsa", "gpt") for method in ("SFT", "OS")),
    *(f"data_quality_{name}" for name in ("pretraining", "rewards", "balance")),
}


def changed(section, **values):
    return {"data_quality": {**STUDY, section: {**STUDY[section], **values}}}


def trained(section, value):
    part = STUDY["trained"].get(section)
    return changed("trained", **{section: {**part, **value} if part else value})


def after(*rules):
    """Those rules, and what follows from any table."""
    return {*(f"data_quality_{rule}" for rule in rules), "data_quality_figures", *FILES}


CHANGES = {
    "another number of prompts": (changed("curves", prompts=[0, 4, 8, 100]), after("numbers")),
    "another swept length": (changed("curves", swept_lengths=[10, 20]), after("lengths")),
    "more test prompts": (changed("curves", test_prompts=2), after("numbers", "lengths")),
    "the limit's interference": (changed("limit", interference=0.2), after("limit")),
    "a ratio": (changed("small_sets", ratios=[0.0]), after("sets")),
    "a shift": (changed("outcome", shifts=[0.1, 2.0]), after("outcome")),
    "the theorems' size": (
        {"data_quality": {**STUDY, "theorem_d": 6}},
        after("theorems") - {"data_quality_figures"},
    ),
    "the share of a step": (
        {"data_quality": {**STUDY, "eta": 0.5}},
        after(*("numbers", "lengths", "limit", "sets")),
    ),
    "the seed": ({"seed": 9}, {*SIMULATED, "data_quality_figures", *FILES, *TRAINED, *TRAINED_FILES}),
    "a plot setting": (
        {"figures": {"dpi": 90}},
        {"data_quality_figures", "data_quality_trained_figures", "data_quality_page"},
    ),
    "the share of the shift": (trained("share", 0.4), TRAINED | TRAINED_FILES),
    "a share of SFT targets": (trained("lsa", {"etas": [0.5]}), {"data_quality_lsa SFT"} | TRAINED_FILES),
    "longer training by outcomes": (
        trained("gpt", {"outcome_epochs": 2}),
        {"data_quality_gpt OS"} | TRAINED_FILES,
    ),
    "a longer pretraining": (
        trained("gpt", {"pretraining_steps": 6}),
        {name for name in TRAINED if "gpt" in name or "pretraining" in name} | TRAINED_FILES,
    ),
    "a floor": (trained("rewards", {"floors": [0.1, 0.5]}), {"data_quality_balance"} | TRAINED_FILES),
    "a larger group": (
        trained("rewards", {"group": 5}),
        {"data_quality_rewards", "data_quality_balance"} | TRAINED_FILES,
    ),
    "cutting jobs differently": ({"conditions_per_job": 7}, set()),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory, project_at):
    """A project of which the study of data quality alone has been run."""
    project = project_at(tmp_path_factory.mktemp("quality") / "project")
    project.configure(SMALL)
    project.run("--cores", "2", PAGE)
    return project


def table(project, name):
    return pd.read_csv(project.path / f"results/data_quality/{name}.csv", keep_default_na=False, na_values=[""])


def test_tables_have_the_stated_columns_and_rows(made):
    first, second, fifth = (table(made, f"figure{i}") for i in (1, 2, 5))
    assert tuple(first) == tuple(second) == CURVE_COLUMNS
    one = first[first["test_steps"] == 1]
    assert len(one) == 2 * 2 * (8 + len(BASELINES))
    assert one.loc[one["B"].isna(), "baseline"].notna().all()
    assert len(first) - len(one) == 2 * 2 * (2 + len(BASELINES))
    assert set(second["variant"]) == {"tied", "n_pre", "n_sft", "n_test"}
    assert tuple(fifth) == LIMIT_COLUMNS
    assert set(fifth["quantity"]) == set(QUANTITIES)
    claims = table(made, "claims")
    assert tuple(claims) == CLAIM_COLUMNS
    parts = [table(made, f"claims/{name}") for name in ("theory", "trained")]
    assert list(claims["claim"]) == [claim for part in parts for claim in part["claim"]]
    for model in ("lsa", "gpt"):
        for method in ("SFT", "OS"):
            rows = table(made, f"trained/{model}_{method}")
            assert tuple(rows) == TRAINED_COLUMNS
            assert set(rows["method"]) == {method}
            assert set(rows["panel"]) == {"B", "n", "k"}
    assert tuple(table(made, "trained/rewards")) == REWARD_COLUMNS
    assert tuple(table(made, "trained/balance")) == QUALITY_COLUMNS
    assert set(claims["verdict"]) <= {"supported", "contradicted", "undecided"}


def test_certificates_recheck(made):
    script = made.path / "src/ggmi/data_quality/recheck.py"
    files = sorted((made.path / "results/data_quality/certificates").glob("*.json"))
    assert {file.stem for file in files} == set(CERTIFICATES)
    for file in files:
        subprocess.run([sys.executable, "-I", script, file], capture_output=True, text=True, check=True)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_reruns_what_depends_on_it(name, made):
    change, expected = CHANGES[name]
    assert made.planned(PAGE, change={**SMALL, **change}) == expected


def test_the_same_configuration_gives_the_same_bytes(made, tmp_path):
    project = made.copy(tmp_path / "project")
    before = project.tables()
    project.run("--cores", "1", "--forceall", "results/data_quality/claims/theory.csv", again=True)
    # Of the trained models those that follow from other files, and those that draw while they train.
    again = ("data_quality_pretraining", "data_quality_rewards")
    project.run("--cores", "1", "results/data_quality/claims.csv", "--forcerun", *again, again=True)
    after_it = project.tables()
    for name in before:
        if name.startswith("data_quality/") and "provenance" not in name:
            assert after_it[name] == before[name], name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sedes": 8}, "unknown key 'data_quality.sedes': did you mean 'seeds'?"),
        (
            {"curves": {"lengths": [2, 2]}},
            "data_quality.curves.lengths: 2 is listed twice; each variant is allowed once",
        ),
        ({"eta": 1.5}, "data_quality.eta: must be less than or equal to 1, got 1.5"),
        (
            {"trained": {"gpt": {"heads": 3}}},
            "data_quality.trained.gpt: width: 32 is not shared evenly by heads = 3; allowed: multiples of 3",
        ),
        (
            {"trained": {"gpt": {"chains": [1, 6]}}},
            "pretraining_chain: 4 is less than a chain that is trained; allowed: 6 to 12",
        ),
        ({"trained": {"lsa": {"lenghts": [1, 2, 3]}}}, "did you mean 'lengths'?"),
        (
            {"curves": {"chained_prompts": [3]}},
            "data_quality: curves.chained_prompts: 3 is not allowed; allowed: those of curves.prompts",
        ),
    ],
)
def test_a_wrong_setting_is_refused(change, said):
    assert said in refusal({"data_quality": {**STUDY, **change}})


def test_the_page_shows_claims_figures_and_instances_without_faults(made):
    claims = table(made, "claims")
    with launched() as browser:
        page = browser.new_page()
        problems = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto((made.path / PAGE).as_uri())
        # The paper's own form of a claim and ours are two.
        kinds = claims.assign(ours=claims["source"].str.startswith("ours"))[["claim", "ours"]]
        assert page.locator("#claims tbody tr").count() == len(kinds.drop_duplicates())
        assert page.locator("#claims dl > div").count() == len(claims)
        assert page.locator("#exact dl > div").count() == len(CERTIFICATES)
        links = {link.get_attribute("href") for link in page.locator("main a").all()}
        files = [link for link in links if not link.startswith(("#", "https"))]
        assert len(files) > 25
        assert all((made.path / "results" / link).is_file() for link in files)
        assert page.locator("figure img").count() == 10
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        assert "$" not in page.locator("main").inner_text()
        assert problems == []
        for width in (375, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
