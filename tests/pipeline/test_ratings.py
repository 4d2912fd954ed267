import numpy as np
import pytest

from ggmi.pipeline.ratings import (
    TABLE1,
    agreement_table,
    exact_verdicts,
    probe_rows,
    ratings_long,
    table1,
    verdict_rows,
)
from ggmi.rating.calibration import make_probes
from ggmi.text.records import Record

TEST = [Record(f"h{i}", "zuzu", "abc", "abcdefghij"[i : i + 3]) for i in range(8)]


def answers(texts, seed=1):
    return [
        {"id": record.id, "seed": seed, "draw": 0, "text": text, "raw": text, "problem": None}
        for record, text in zip(TEST, texts, strict=True)
    ]


def verdicts(right, seeds=(1, 2)):
    """Students that answer so many questions rightly and the others with no letters."""
    texts = [record.response if i < right else "?" for i, record in enumerate(TEST)]
    return [row for seed in seeds for row in verdict_rows(answers(texts, seed), TEST, exact_verdicts)]


def test_the_exact_judge_rates_every_answer_and_names_its_question():
    rows = verdicts(3, seeds=(1,))
    assert [row["rating"] for row in rows] == [10.0] * 3 + [1.0] * 5
    assert [row["id"] for row in rows] == [record.id for record in TEST]


def test_what_was_written_is_judged_where_the_form_is_broken_and_nothing_is_missing():
    given = answers(["x"] * 8)
    given[0] |= {"text": None, "raw": "ab", "problem": "broken JSON"}
    given[1] |= {"text": None, "raw": None, "problem": "prompt fills the context"}
    rows = list(verdict_rows(given, TEST, exact_verdicts))
    assert rows[0]["rating"] == 6  # two of three letters at their place
    assert (rows[1]["rating"], rows[1]["verdicts"]) == (None, [])
    long = ratings_long({"base": rows}, 1)
    assert long["reason"].tolist()[1] == "prompt fills the context"
    assert np.isnan(long["rating"][1])


def test_table_1_has_the_promised_columns_first_and_a_row_for_a_set_without_students():
    found = {"base": verdicts(0, (0,)), "small": [], "made": verdicts(6), "real": verdicts(8)}
    table, sentences = table1(ratings_long(found, 2), list(found), 0)
    assert table.columns.tolist()[: len(TABLE1)] == TABLE1
    assert table["condition"].tolist() == list(found)
    row = table.set_index("condition").loc
    assert (row["small", "n_items"], row["small", "missing"]) == (0, 0)
    assert np.isnan(row["small", "mean"])
    assert row["made", "mean"] == pytest.approx((6 * 10 + 2 * 1) / 8)
    assert row["made", "difference_to_real"] == pytest.approx(-9 * 2 / 8)
    assert table["softmax"].sum() == pytest.approx(1)
    assert any("hides their scale" in sentence for sentence in sentences)


def test_students_beyond_the_wanted_seeds_are_left_out():
    assert set(ratings_long({"made": verdicts(3, (1, 2, 3))}, 2)["seed"]) == {1, 2}


def test_the_exact_judge_passes_its_own_test():
    rows, calibration = probe_rows(make_probes(TEST, 8, 0), exact_verdicts, 0)
    assert calibration.warnings == ()
    assert {row["probe"] for row in rows} == {"reference", "shuffled", "empty", "demand"}


def test_agreement_is_told_where_there_are_several_verdicts_only():
    rows = verdicts(4)
    assert agreement_table({"made": rows}, 2, 0).empty
    for i, row in enumerate(rows):
        row["verdicts"] = [{"rating": row["rating"]}, {"rating": row["rating"] if i % 4 else 5.0}]
    table = agreement_table({"made": rows}, 2, 0)
    assert table["condition"].tolist() == ["all", "all", "made", "made"]
    assert (table["alpha"] < 1).all()
    assert table["n_ratings"].tolist() == [32] * 4
