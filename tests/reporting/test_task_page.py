"""What the pages say of a task, and the front page of everything."""

import re

import pandas as pd
import pytest

from ggmi.project import REPORT_PARTS
from ggmi.reporting.front import front_page
from ggmi.reporting.page import parts_of, render, sentences
from ggmi.reporting.tasks import TaskResults, predicted, task_findings, task_page

TITLE = "Mine <b>$5</b> | {{ 7 * 7 }}\u202e"
TEMPLATES = [REPORT_PARTS / name for name in ("answers.html.j2", "front.txt.j2")]


def rating(condition, mean, difference=float("nan"), p=float("nan"), to_real=float("nan"), p_real=float("nan")):
    """A row of table1.csv; intervals are half a point wide on each side."""
    row = {
        "condition": condition,
        "n_items": 10,
        "n_seeds": 2,
        "mean": mean,
        "ci_low": mean - 0.5,
        "ci_high": mean + 0.5,
    }
    for name, value in (("difference_to_base", difference), ("difference_to_real", to_real)):
        row |= {name: value, f"{name}_ci_low": value - 0.5, f"{name}_ci_high": value + 0.5}
    return {**row, "p_holm": p, "p_holm_real": p_real}


RATINGS = [
    rating("base", 2.0, to_real=-4.0, p_real=0.001),
    rating("large_3-ins_as_sampled", 5.0, 3.0, 0.001, -1.0, 0.2),
    rating("small_3-ins_as_sampled", 1.0, -1.0, 0.01, -5.0, 0.001),
    rating("empty_3-ins_as_sampled", float("nan")),
    rating("real", 6.0, 4.0, 0.001),
]


@pytest.fixture
def task():
    columns = ("generator", "condition", "responses", "records", "failures", "failed_bad_json", "failed_no_json")
    validity = [
        ("large", "3-ins", 8, 30, 10, 2, 8),
        ("small", "3-ins", 8, 0, 20, 20, 0),
        ("made", "given", 0, 24, 0, 0, 0),
    ]
    curation = pd.DataFrame(
        {"generator": ["large", "small", "made"], "curation": ["as_sampled"] * 3, "kept": [25, 0, 24]}
    )
    return TaskResults(
        *("mine", TITLE, {"anchors": 4, "train": 20, "test": 10}),
        *(pd.DataFrame(validity, columns=columns), curation),
        risks=pd.DataFrame({"condition": ["base"], "seed": [0]}),
        table1=pd.DataFrame(RATINGS),
        notes={"judge": "exact", "notes": [], "warnings": ["The judge takes <i>flattery</i>."]},
    )


def test_the_best_set_is_named_with_its_verdicts(task):
    found = task_findings(task)
    ratings = found["ratings"]
    assert ratings["best"]["short"] == "large_3-ins"
    assert (ratings["best"]["against_base"], ratings["best"]["against_real"]) == ("better", "undecided")
    assert ratings["against"]["base"] == {
        **{"better": ["large_3-ins", "real"], "worse": ["small_3-ins"], "undecided": []}
    }
    assert ratings["against"]["real"]["worse"] == ["base", "small_3-ins"]
    assert ratings["empty"] == ["empty_3-ins_as_sampled"]
    assert found["generators"]["large"] == {"records": 30, "valid": 0.75, "failure": "no json"}
    assert found["generators"]["made"] == {"records": 24, "valid": None, "failure": ""}
    assert found["kept"] == {"as_sampled": 25}


def test_the_front_page_answers_with_numbers_and_links_and_warns(task):
    shown = front_page(TEMPLATES, [], [task], None, {})
    (answer,) = shown["answers"]
    assert answer["page"] == "mine.html"
    assert (
        "students of large_3-ins were rated highest among synthetic sets, 5.00 [4.50, 5.50] of 10 where the base has "
        "2.00 [1.50, 2.50] (a gain of +3.00 [+2.50, +3.50]) and real data 6.00 [5.50, 6.50] (not told apart: −1.00 "
        "[−1.50, −0.50]); the judge did not pass its own test."
    ) in answer["answer"]
    assert shown["tallies"]["mine.html"] == {
        "sets against the untrained base": {"supported": 2, "contradicted": 1, "undecided": 0}
    }
    page = render(parts_of("report"), **shown, configuration="seed: 7\n", code="c0de", seed=7)
    assert '<a href="mine.html">Which set is worth training on?</a>' in page
    assert "The judge takes &lt;i&gt;flattery&lt;/i&gt;." in page
    assert "without a student: empty_3-ins_as_sampled" in page
    assert "Mine &lt;b&gt;$5&lt;/b&gt; | {{ 7 * 7 }}⟨U+202E⟩" in page
    assert "<b>$5" not in page


def test_a_task_without_a_judge_or_a_generator_says_so(task):
    made = task.validity[task.validity["generator"] == "made"]
    imported = TaskResults("mine", "Mine", task.split, made, task.curation[task.curation["generator"] == "made"])
    (answer,) = front_page(TEMPLATES, [], [imported], None, {})["answers"]
    assert answer["answer"] == "Mine: one imported set, nothing was generated."
    page = render(parts_of("answers", "task"), **task_page(imported, {}, [PROVENANCE]))
    assert "24 records, made elsewhere." in page
    assert re.findall(r'<section id="(\w+)"', page) == ["verdict", "validity", "curation", "anchors", "making"]


PROVENANCE = {"rule": "r", "versions": {"python": "3"}, "parameters": {"code": "c"}, "inputs": {"a.csv": "00ff"}}


@pytest.mark.parametrize("n", [6, 19, 20, 150])
def test_no_estimator_is_named_of_few_conditions(n):
    rows = [("exact_duplicates", 1.0, 0.001), ("cka", 0.2, 0.9)]
    columns = {"ci_low": 0.1, "ci_high": 1.0, "power": 0.06, "tests": 17, "n": n, "note": None}
    table = pd.DataFrame([{"estimator": e, "spearman": r, "p_holm": p, **columns} for e, r, p in rows])
    found = predicted(table)
    assert found["named"] == (n >= 20)
    assert found["certain"] == ["exact_duplicates"]
    benchmark = REPORT_PARTS.parents[1] / "benchmarks" / "real_data.txt.j2"
    (sentence,) = sentences([REPORT_PARTS / "answers.html.j2", benchmark], found=found, outcome="the rating")
    assert ("exact_duplicates" in sentence) == (n >= 20)
    assert (
        f"at level 0.05/17, Holm's first step, {n} conditions find a true correlation of 0.8 in 6 % of runs" in sentence
    )
    assert ("docs/estimates.md" in sentence) == (n < 20)


def test_many_conditions_name_what_they_tell_by_outcome():
    rows = [("rating", "vendi", 0.6, 0.01), ("rating", "cka", -0.1, 0.9), ("test risk", "vendi", -0.2, 0.3)]
    ends = {"partial_ci_low": -0.7, "partial_ci_high": 0.8, "concordance": 0.71, "n": 126}
    columns = ("outcome", "estimator", "partial", "partial_p_holm")
    table = pd.DataFrame([{**dict(zip(columns, one, strict=True)), **ends} for one in rows])
    found = predicted(table)
    assert {name: one["certain"] for name, one in found["outcomes"].items()} == {"rating": ["vendi"], "test risk": []}
    benchmark = REPORT_PARTS.parents[1] / "benchmarks" / "real_data.txt.j2"
    (sentence,) = sentences([REPORT_PARTS / "answers.html.j2", benchmark], found=found, outcome="the rating")
    assert "predicts the rating over 126 conditions, beyond the size and length of their sets: after Holm" in sentence
    assert "correction vendi. The strongest partial rank correlation is that of vendi, +0.60 [−0.70, +0.80]" in sentence
    assert "orders 71 % of pairs as the rating does. Which estimator predicts the test risk" in sentence
