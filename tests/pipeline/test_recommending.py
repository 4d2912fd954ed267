"""One recommendation: never a named set, by the estimate of most worth, and only beyond its intervals."""

import pandas as pd
import pytest

from ggmi.information.pairing import BY_NUMBER
from ggmi.io import write_csv
from ggmi.pipeline.recommending import GOAL, evidence, prompts_of, ranked, recommended
from ggmi.text.samples import read_rows

NOTHING = {"a": [], "b": [], "c": []}


def worth(estimator, outcome=GOAL, raw=-0.6, partial=-0.5, p=0.001, skill=0.2, concordance=0.7, n=150):
    """A row of the file: the more of it the lower the loss; intervals are a tenth wide on either side."""
    row = {"outcome": outcome, "estimator": estimator, "n": n}
    for name, value in (("raw", raw), ("partial", partial), ("skill", skill), ("concordance", concordance)):
        row |= {name: value, f"{name}_ci_low": value - 0.1, f"{name}_ci_high": value + 0.1}
    return row | {"raw_p_holm": p, "partial_p_holm": p}


@pytest.fixture
def read(tmp_path):
    """What is read of a file with some rows."""

    def make(*rows):
        write_csv(tmp_path / "worth.csv", pd.DataFrame(rows))
        evidence.cache_clear()
        return evidence(tmp_path / "worth.csv")

    return make


def tables(**values):
    """Estimates of sets a, b and c: of each estimator their values, with intervals of one on either side."""
    return {
        name: [
            {
                "estimator": estimator,
                "value": of_sets[i],
                "ci_low": None if of_sets[i] is None else of_sets[i] - 1,
                "ci_high": None if of_sets[i] is None else of_sets[i] + 1,
                "method": "",
            }
            for estimator, of_sets in values.items()
        ]
        for i, name in enumerate("abc")
    }


def chosen(values, named, comparisons, table):
    """Of sets that answer the same instructions."""
    return recommended(values, named, comparisons, lambda _: {b"1", b"2"}, table)


def test_estimators_are_ordered_by_what_their_evidence_shows_at_least(read):
    table = read(
        worth("mmd", concordance=0.65),
        worth("vendi", concordance=0.8),
        worth("mmd", "win rate", concordance=0.9),
        worth("cka", p=0.05, skill=0.1),  # neither is told from nothing
        worth("hsic", p=0.9, skill=0.11),
        worth("all of them (ridge)", concordance=0.99),
    )
    first, unknown, none = ranked(["cka", "word_repeats", "hsic", "mmd", "vendi"], table)
    assert (first, unknown, none) == (["mmd", "vendi", "hsic"], ["word_repeats"], ["cka"])


@pytest.mark.parametrize(
    ("row", "best"),
    [
        (worth("mmd"), "c"),
        (worth("mmd", raw=0.6, partial=0.5), "a"),  # the more of it the higher the loss
    ],
)
def test_the_set_is_taken_whose_value_goes_with_the_better_outcome(read, row, best):
    found = chosen(tables(mmd=(0.0, 5.0, 10.0)), NOTHING, [], read(row))
    assert (found["verdict"], found["set"], found["estimator"]) == ("take", best, "mmd")
    assert [found[f"odds{end}"] for end in ("", "_ci_low", "_ci_high", "_n")] == [0.7, 0.6, pytest.approx(0.8), 150]
    assert sorted(found["contenders"]) == ["a", "b", "c"]


def test_sets_whose_intervals_overlap_are_left_undecided(read):
    found = chosen(tables(mmd=(0.0, 8.5, 10.0)), NOTHING, [], read(worth("mmd")))
    assert (found["verdict"], found["set"], found["contenders"]) == ("undecided", None, ["c", "b"])
    assert (found["estimator"], found["reason"]) == ("mmd", "interval")
    touching = chosen(tables(mmd=(0.0, 7.9, 10.0)), NOTHING, [], read(worth("mmd")))
    assert (touching["verdict"], touching["set"]) == ("take", "c")


def test_named_sets_are_not_chosen(read):
    table, values = read(worth("mmd")), tables(mmd=(0.0, 5.0, 10.0))
    named = [{"kind": "copies"}]
    found = chosen(values, {**NOTHING, "c": named}, [], table)
    assert (found["set"], found["not_recommended"]) == ("b", ["c"])
    mended = chosen(values, {**NOTHING, "c": [{"kind": "labels"}]}, [], table)
    assert (mended["set"], mended["not_recommended"]) == ("c", [])
    last = chosen(values, {"a": [], "b": named, "c": named}, [], table)
    assert (last["verdict"], last["set"], last["estimator"], last["odds"]) == ("take", "a", None, None)
    none = chosen(values, dict.fromkeys("abc", named), [], table)
    assert (none["verdict"], none["set"], none["contenders"]) == ("none", None, [])


def test_an_estimate_decides_only_with_an_interval_for_every_set_and_a_direction_that_holds_without_length(read):
    of_two = [worth("vendi", concordance=0.9), worth("mmd")]
    found = chosen(tables(vendi=(1.0, None, 9.0), mmd=(0.0, 5.0, 10.0)), NOTHING, [], read(*of_two))
    assert found["estimator"] == "mmd"
    by_chance = tables(vendi=(1.0, 5.0, 9.0), mmd=(0.0, 5.0, 10.0))
    by_chance["a"][0]["method"] = f"records {BY_NUMBER}"
    assert chosen(by_chance, NOTHING, [], read(*of_two))["estimator"] == "mmd"
    for row in (worth("mmd", concordance=0.59), worth("mmd", partial=0.5), worth("mmd", p=0.9, skill=0.05)):
        found = chosen(tables(mmd=(0.0, 5.0, 10.0)), NOTHING, [], read(row))
        assert (found["verdict"], found["reason"], found["estimator"]) == ("undecided", "estimator", None)
        assert found["contenders"] == ["a", "b", "c"]


def test_a_set_that_repeats_itself_more_than_another_is_not_taken(read):
    values, table = tables(vendi=(0.0, 5.0, 10.0)), read(worth("vendi", raw=0.6, partial=0.5))
    row = {"question": "more redundant", "first": "a", "second": "c"}
    assert chosen(values, NOTHING, [row | {"verdict": "inside noise"}], table)["set"] == "a"
    found = chosen(values, NOTHING, [row | {"verdict": "a"}], table)
    assert (found["verdict"], found["set"], found["contenders"]) == ("undecided", None, ["a", "b", "c"])
    assert found["reason"] == "repeats"
    out = chosen(values, {**NOTHING, "c": [{"kind": "copies"}]}, [row | {"verdict": "a"}], table)
    assert (out["set"], out["reason"]) == ("a", "")


def test_what_judges_prefer_chooses_no_set_for_records_like_t(read):
    judged = [worth("vendi", "win rate", raw=0.6, partial=0.5, concordance=0.9), worth("mmd", concordance=0.65)]
    values = tables(mmd=(0.0, 5.0, 10.0), vendi=(10.0, 5.0, 0.0))
    found = chosen(values, NOTHING, [], read(*judged))
    assert (found["estimator"], found["set"]) == ("mmd", "c")
    assert chosen(values, NOTHING, [], read(judged[0]))["reason"] == "estimator"


def test_only_of_sets_that_answer_the_same_instructions_is_one_chosen_by_an_estimate(read):
    values, table = tables(mmd=(0.0, 5.0, 10.0)), read(worth("mmd"))
    asked = [{"instruction": f"Name {i}.", "context": "", "response": "x"} for i in range(8)]
    all_, some, half, fewer = (prompts_of(read_rows(rows, "s")) for rows in (asked, asked[:3], asked[4:], asked[5:]))
    unknown = prompts_of(read_rows([{"response": "x"}] * 3, "s", parts=["response"]))
    for of_c, reason in ((all_, ""), (half, ""), (unknown, "prompts")):
        found = recommended(values, NOTHING, [], {"a": all_, "b": all_, "c": of_c}.__getitem__, table)
        assert found["reason"] == reason
        assert found["set"] == (None if reason else "c")
    apart = recommended(values, NOTHING, [], {"a": all_, "b": some, "c": fewer}.__getitem__, table)
    assert (apart["reason"], apart["estimator"]) == ("prompts", None)


def test_the_file_that_comes_with_the_package_can_be_read():
    evidence.cache_clear()
    table = evidence()
    assert len(table)
    assert set(table["direction"]) <= {1, -1}
    assert (table["concordance_ci_low"] <= table["concordance"]).all()
