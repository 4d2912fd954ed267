"""Estimates through real Snakemake: existing sets imported beside real records, without any generation."""

import json

import numpy as np
import pandas as pd
import pytest
from models.servers import Embedder, serving
from models.tiny import make_classifier

from ggmi.information.local_encoder import default_encoder
from ggmi.pipeline.estimators import ESTIMATORS
from ggmi.random import stream

PAGE = "results/imported.html"
ENDS = ("estimates.csv", "published.csv", "curves.csv", "claims.csv")
OFF = {"lengths": None, "placeholders": False, "exact": False, "near": None}
WORDS = [f"{a}{b}" for a in ("ri", "to", "mal", "ve", "sun", "bor") for b in ("ka", "ner", "lis", "dam", "po", "wet")]


def records(count, *name):
    """Short tasks of random words."""
    draw = stream(11, *name)
    words = [[WORDS[i] for i in draw.integers(len(WORDS), size=6)] for _ in range(count)]
    return [{"instruction": " ".join(w[:3]), "response": " ".join(w[3:])} for w in words]


def sets(*names):
    return {
        "title": "Imported <b>sets</b>",
        "anchors": {"source": "real.jsonl", "near_duplicate": 0.99},
        "instances": [3],
        "generators": {name: {"kind": "import", "path": f"{name}.jsonl"} for name in names},
        "curations": {"as_given": OFF},
        "estimation": {"permutations": 49, "published_samples": 3, "published_records": 16},
    }


@pytest.fixture(scope="module")
def estimated(tmp_path_factory, project_at):
    """A project whose imported sets alone have been estimated."""
    project = project_at(tmp_path_factory.mktemp("estimation") / "project")
    real = records(40, "real")
    contents = {"real": real, "fresh": records(24, "fresh"), "copied": real[:6] * 4, "few": records(3, "few")}
    for name, rows in contents.items():
        (project.path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    project.configure({"tasks": {"imported": sets("fresh", "copied", "few")}})
    project.run("--cores", "2", PAGE)
    return project


def table(project, name):
    return pd.read_csv(project.path / f"results/imported/estimation/{name}")


def test_every_set_has_a_row_an_estimator_and_small_ones_say_why_not(estimated):
    rows = table(estimated, "estimates.csv")
    assert rows.groupby("generator")["estimator"].apply(list).map(lambda found: found == list(ESTIMATORS)).all()
    few = rows[rows["generator"] == "few"]
    assert few["value"].isna().all()
    assert few["note"].str.contains("holds 3 records; at least 4 are needed").all()
    assert rows.loc[rows["estimator"] == "hsic", "method"].str.contains("by their number in a random order").any()


def test_the_curve_of_the_copied_set_has_flattened_and_that_of_the_fresh_one_has_not(estimated):
    curves = table(estimated, "curves.csv")
    assert set(curves["generator"]) == {"fresh", "copied"}
    last = curves.groupby("generator").tail(2).groupby("generator")["plug_in"].agg(["first", "last"])
    assert last.loc["copied", "last"] == pytest.approx(np.log(6))
    assert last.loc["fresh", "last"] - last.loc["fresh", "first"] > 0.9 * np.log(2)


def test_imported_sets_have_a_seed_and_no_number_of_instances(estimated):
    rows = table(estimated, "estimates.csv")
    assert rows["instances"].isna().all()
    assert rows["seed"].nunique() == 1


def test_the_copied_set_is_found_contaminated_and_redundant(estimated):
    rows = table(estimated, "estimates.csv").set_index(["generator", "estimator"])["value"]
    assert rows["copied", "near_repeats"] == 1
    assert rows["copied", "near_duplicates"] > rows["fresh", "near_duplicates"]
    assert rows["copied", "vendi"] < rows["fresh", "vendi"]


def test_the_page_has_the_section_with_escaped_titles(estimated):
    page = (estimated.path / PAGE).read_text()
    assert "What each estimator is" in page
    assert "Tables 2 to 4, published and calibrated" in page
    assert "few given as_given (3)" in page  # left out by name, with its number of records
    growths = table(estimated, "estimates.csv").query("estimator == 'semantic_growth'").set_index("generator")["note"]
    assert growths["fresh"].startswith("n = 24 does not suffice: its last doubling added ")
    assert growths["fresh"] in page
    assert "<b>sets</b>" not in page


def test_another_set_changes_no_other_sets_numbers_and_reruns_nothing_of_them(estimated, tmp_path):
    project = estimated.copy(tmp_path / "project")
    (project.path / "more.jsonl").write_text((project.path / "fresh.jsonl").read_text())
    project.configure({"tasks": {"imported": sets("fresh", "copied", "few", "more")}})
    planned = project.planned(*(f"results/imported/estimation/{name}" for name in ENDS))
    assert {job.split()[0] for job in planned if "more" not in job} == {"estimation_tables"}
    project.run("--cores", "2", "results/imported/estimation/estimates.csv")
    # Holm's correction alone, and what a note says of it, depend on how many tests there are.
    changing = ["p_holm", "note"]
    before, after = (table(one, "estimates.csv").drop(columns=changing) for one in (estimated, project))
    same = after[after["generator"] != "more"].reset_index(drop=True)
    pd.testing.assert_frame_equal(before, same, check_exact=True)
    twin = after[after["generator"] == "more"].reset_index(drop=True).drop(columns="generator")
    fresh = after[after["generator"] == "fresh"].reset_index(drop=True).drop(columns="generator")
    pd.testing.assert_frame_equal(twin, fresh, check_exact=True)


def rules(project, target, change):
    """Rules that a change of the task has run again."""
    return {job.split()[0] for job in project.planned(target, change={"tasks": {"imported": change}})}


def test_a_changed_setting_reruns_estimates_and_embeds_nothing_anew(estimated):
    change = sets("fresh", "copied", "few")
    change["estimation"]["permutations"] = 59
    assert rules(estimated, "results/imported/estimation/claims.csv", change) == {"estimates", "estimation_tables"}


def test_another_curation_is_estimated_and_embeds_its_own_set_alone(estimated, tmp_path):
    project = estimated.copy(tmp_path / "project")
    change = sets("fresh", "copied", "few")
    change["curations"]["without_copies"] = {**OFF, "exact": True}
    project.configure({"tasks": {"imported": change}})
    target = "results/imported/estimation/estimates.csv"
    made = {"curated_set", "embeddings", "estimates"}
    planned = project.planned(target)
    assert {job.split()[0] for job in planned} == {*made, "estimation_tables"}
    assert all("without_copies" in job for job in planned if job.split()[0] in made)
    project.run("--cores", "2", target)
    rows = table(project, "estimates.csv").set_index(["generator", "curation", "estimator"])["value"]
    assert rows["copied", "without_copies", "near_repeats"] == 0
    assert rows["fresh", "without_copies", "mmd"] == rows["fresh", "as_given", "mmd"]


def test_leaving_estimates_out_leaves_no_job_of_them(estimated):
    found = rules(estimated, PAGE, {**sets("fresh"), "estimation": None})
    assert found.isdisjoint({"estimates", "embeddings", "real_embeddings", "estimation_tables"})
    assert "task_page" in found


def test_without_mixture_studies_the_report_is_of_the_imported_sets(estimated, tmp_path):
    project = estimated.copy(tmp_path / "project")
    change = sets("fresh", "copied", "few")
    project.configure({"mixtures": {"gmm": None, "digits": None}, "tasks": {"imported": change}})
    project.run("--cores", "2")
    page = (project.path / "results/report.html").read_text()
    assert "What became of the synthetic sets?" in page
    assert "three imported sets, nothing was generated" in page
    assert "Imported <b>sets</b>: three imported sets" in (project.path / "results/summary.txt").read_text()


KEY = "sk-planted-52ce0a"


def test_an_endpoint_embeds_and_a_model_of_inference_tells_what_says_the_same(estimated, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    project = estimated.copy(tmp_path / "project")
    folder = make_classifier(project.path / "nli", words=["[PAD]", "[END]", "[UNK]", *WORDS])
    endpoint = Embedder(default_encoder())
    change = sets("fresh", "copied", "few")
    target = "results/imported/estimation/estimates.csv"

    def planned():
        project.configure({"tasks": {"imported": change}})
        return {job.split()[0] for job in project.planned(target)} - {"estimation_tables"}

    with serving(endpoint) as url:
        asked = {"base_url": url, "model": "mini", "key_env": "MY_KEY"}
        inference = {"model": "nli", "device": "cpu", "criterion": "loose"}
        change["estimation"] |= {"endpoint": asked, "entailment": inference}
        assert planned() == {"embeddings", "real_embeddings", "estimates"}
        project.run("--cores", "2", target)
        texts = [text for body in endpoint.bodies for text in body["input"]]
        # A text that comes in two files is asked for once, for the first job keeps it.
        assert len(texts) == len(set(texts)) >= 32 + 24 + 3
    rows = table(project, "estimates.csv").set_index(["generator", "estimator"])
    before = table(estimated, "estimates.csv").set_index(["generator", "estimator"])
    for name in ("mmd", "vendi", "near_repeats"):
        assert rows.loc[("fresh", name), "value"] == pytest.approx(before.loc[("fresh", name), "value"], abs=1e-6)
    method = rows.loc[("fresh", "semantic_entropy"), "method"]
    assert "mutual entailment (loose) among pairs of cosine similarity of at least 0.5" in method
    assert "adjusted Rand index" in method
    assert rows.loc[("fresh", "semantic_entropy"), "value"] < before.loc[("fresh", "semantic_entropy"), "value"]
    for place in (*(project.path / "results").rglob("*"), *(project.path / "stores").rglob("*")):
        assert not place.is_file() or KEY.encode() not in place.read_bytes()

    # How it is asked makes nothing anew; another criterion or other weights ask for no vector again.
    asked |= {"batch_size": 5, "key_env": None}
    assert planned() == set()
    inference["criterion"] = "strict"
    assert planned() == {"estimates"}
    inference["criterion"] = "loose"
    make_classifier(folder, words=["[PAD]", "[END]", "[UNK]", *WORDS], seed=1)
    assert planned() == {"estimates"}
