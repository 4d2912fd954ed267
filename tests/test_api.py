"""``import ggmi`` in a notebook: the same estimates as the command's, from whatever holds the records."""

import json

import pandas as pd
import pytest
from datasets import Dataset

import ggmi
from ggmi.cli import main
from ggmi.errors import UserError
from ggmi.reporting.estimation import explanations

REAL = [{"instruction": f"How much is {i} plus {i}?", "context": "", "response": f"It is {2 * i}."} for i in range(12)]
MADE = [{"prompt": f"What is {i} times {i + 1}?", "answer": f"{i * (i + 1)}"} for i in range(10)]


@pytest.fixture(scope="module")
def commanded(tmp_path_factory):
    """What the command finds of the same sets."""
    folder = tmp_path_factory.mktemp("api")
    for name, rows in (("real", REAL), ("made", MADE)):
        (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    train, made = (str(folder / f"{name}.jsonl") for name in ("real", "made"))
    json_file = str(folder / "found.json")
    assert main(["estimate", "--train", train, "--synthetic", made, "--json", json_file]) == 0
    return train, made, json.loads((folder / "found.json").read_text())["sets"][0]["estimates"]


@pytest.mark.parametrize("kind", [list, iter, pd.DataFrame, Dataset.from_list, "path"])
def test_estimates_are_the_commands_wherever_records_are(commanded, kind):
    train, made, wanted = commanded
    found = ggmi.estimate(REAL, [made]) if kind == "path" else ggmi.estimate(train, {"made": kind(MADE)})
    frame = found.to_frame()
    assert list(frame["set"].unique()) == ["made"]
    assert json.loads(json.dumps(found.found["sets"][0]["estimates"])) == wanted
    assert list(frame["estimator"]) == [row["estimator"] for row in wanted]


def test_a_notebook_shows_the_table_and_the_page_is_a_page(commanded, tmp_path):
    found = ggmi.estimate(REAL, {"<b>made</b>": MADE})
    assert "&lt;b&gt;made" in found._repr_html_()
    assert "CKA" in repr(found)
    page = found.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == page
    assert page.startswith("<!DOCTYPE html>") or page.startswith("<!doctype html>")
    assert "<b>made" not in page


def test_what_to_take_and_what_is_wrong_are_at_hand(commanded):
    train, made, _ = commanded
    found = ggmi.estimate(train, {"made": made, "again": REAL}, fields={"context": ""})
    assert found.recommendation["set"] == "made"
    assert found.recommendation["command"] == f"ggmi pilot --train {train} --synthetic {made} --map context="
    assert dict(zip(found.named["set"], found.named["kind"], strict=True)) == {"made": "one_word", "again": "copies"}
    assert "command" not in {key for key, value in ggmi.estimate(REAL, {"made": MADE}).recommendation.items() if value}


def test_what_is_missing_in_a_table_is_no_text():
    table = pd.DataFrame(MADE)
    table.loc[3, "answer"] = None
    found = ggmi.estimate(REAL, {"made": table})
    assert found.found["sets"][0]["records"] == 9
    assert found.found["sets"][0]["left_out"][0]["places"] == ["row 4"]


@pytest.mark.parametrize(
    ("train", "sets", "options", "sentence"),
    [
        (REAL, {}, {}, "sets: there is none"),
        (REAL, "a.jsonl", {}, "sets: must be a mapping of names to sets, or a list of paths"),
        (REAL, {"made": 3}, {}, "sets['made']: is a int; a path, rows, a DataFrame or a Dataset is needed"),
        (REAL, {"made": REAL[0]}, {}, "sets['made']: is a dict; a path, rows, a DataFrame or a Dataset is needed"),
        (["text"], {"made": MADE}, {}, "train: row 1: is a str; a mapping of columns to values is needed"),
        (REAL[:3], {"made": MADE}, {}, "train: holds 3 records; at least 4 are needed"),
        (REAL, {"made": MADE}, {"records": 3}, "records: 3 is not allowed; at least 4 are needed, or 'all'"),
        (REAL, {"made": MADE}, {"seed": -1}, "seed: -1 is not allowed; it must not be negative"),
        (
            REAL,
            {"made": [{"question": "?"}] * 5},
            {},
            "sets['made']: no row has a field for the response; its columns are question; "
            "name it with fields={'response': 'COLUMN'}",
        ),
    ],
)
def test_a_mistake_ends_with_one_sentence(train, sets, options, sentence):
    with pytest.raises(UserError) as error:
        ggmi.estimate(train, sets, **options)
    assert str(error.value) == sentence


def test_there_is_nothing_else():
    with pytest.raises(AttributeError, match="no attribute 'estimat'"):
        _ = ggmi.estimat


def test_of_large_sets_some_records_are_embedded_and_all_are_compared_by_words():
    some = ggmi.estimate(REAL, {"made": [*MADE, MADE[0]]}, records=6).found
    assert (some["train"]["embedded"], some["sets"][0]["embedded"], some["sets"][0]["records"]) == (6, 6, 11)
    n = {row["estimator"]: row["n"] for row in some["sets"][0]["estimates"]}
    assert {n[name] for name in ("vendi", "near_repeats", "near_duplicates")} == {6}
    assert {n[name] for name in ("exact_duplicates", "exact_repeats", "word_repeats", "word_duplicates")} == {11}
    sentences = [sentence for sentence in explanations(some) if "--records" in sentence]
    assert "at most 6 records" in sentences[0]
    assert "are of all" in sentences[0]
    every = ggmi.estimate(REAL, {"made": MADE}, records="all").found
    assert every["sets"] == ggmi.estimate(REAL, {"made": MADE}).found["sets"]
    assert every["settings"]["records"] == 12
