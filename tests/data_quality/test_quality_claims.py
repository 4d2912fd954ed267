"""Tests of claims keep their level, and verdicts follow the tables."""

import numpy as np
import pandas as pd
import pytest

from ggmi.claims import claims_table
from ggmi.data_quality.curve_claims import length_claims, number_claims
from ggmi.data_quality.curves import Curves, by_length, by_prompts
from ggmi.data_quality.data_claims import _is_best, difficulty_claims, small_set_claims
from ggmi.data_quality.difficulty import difficulty_table
from ggmi.data_quality.evidence import both, close, side_of_zero
from ggmi.data_quality.limit import against_limit
from ggmi.data_quality.outcome_claims import curvature_claims, outcome_claims
from ggmi.data_quality.outcome_study import Small, curvature_table, outcome_table
from ggmi.data_quality.small_sets import small_sets
from ggmi.data_quality.theorems import theorem_table
from ggmi.data_quality.theory_claims import limit_claims, theorem_claims
from ggmi.random import stream
from ggmi.reporting.data_quality import data_quality_page
from ggmi.statistics import median_interval

CURVES = Curves(3, 10, 40, 20, 0.1, 0.2, (1, 3), 2)


def by_text(claims):
    table = claims_table(claims)
    return {key: set(part["verdict"]) for key, part in table.groupby("claim")}


def rejections(function, draws, expected):
    """Share of draws in which a test says what is false, at a level of 5 %."""
    said = [function(values) for values in draws]
    return np.mean([(f["p"] <= 0.05) & (f["supports"] != expected) for f in said])


def test_tests_keep_their_level_under_the_null():
    draws = stream(1, "null").standard_normal((2000, 8))
    # 5 % of 2,000 are 100, with a standard deviation below 10.
    assert 0.035 < np.mean([side_of_zero(x, sign=1)["p"] <= 0.05 for x in draws]) < 0.065
    # A mean on the margin is neither within nor beyond it.
    edge = draws * 0.01 + 0.1
    assert rejections(lambda x: close(x, margin=0.1), edge, False) < 0.065
    assert rejections(lambda x: close(x, margin=0.1), edge, True) < 0.045
    pairs = stream(2, "null").standard_normal((2000, 2, 8)) + np.array([[3.0], [0.0]])
    assert rejections(lambda x: both(*x), pairs, False) < 0.045


@pytest.mark.parametrize(("members", "seeds"), [(8, 6), (12, 10)])
def test_of_equal_members_none_is_said_to_be_best_or_not(members, seeds):
    drawn = np.exp(0.3 * stream(3, "equal members", members).standard_normal((500, members, seeds)))
    said = 0
    for errors in drawn:
        ends = [median_interval(row) for row in errors]
        table = pd.DataFrame({"err_over_d_median": np.median(errors, axis=1)})
        table = table.assign(ci_low=[end.low for end in ends], ci_high=[end.high for end in ends])
        said += _is_best(table, 0) is not None
    # Two in a thousand or so, since both intervals must miss each other.
    assert said <= 0.02 * len(drawn)


def test_intervals_and_powers_are_those_of_the_t_test():
    values = np.array([0.1, 0.2, 0.3, 0.25, 0.15])
    found = side_of_zero(values, sign=1)
    assert found["estimate"] == pytest.approx(0.2)
    # 2.776 is the t quantile of four degrees of freedom.
    assert found["ci_high"] == pytest.approx(0.2 + 2.776 * values.std(ddof=1) / 5**0.5, rel=1e-3)
    assert found["supports"]
    assert not side_of_zero(values, sign=-1)["supports"]
    assert found["power"] > 0.99
    assert side_of_zero(np.zeros(4), sign=1)["p"] == 1
    assert side_of_zero(np.full(4, 2.0), sign=1)["p"] == 0


def test_theorems_are_judged_by_instances_and_prompts():
    verdicts = by_text(theorem_claims(theorem_table(3, 6, 6)))
    for text in (
        "Fine-tuning's loss in V and W is stationary and least at (V*, I)",
        "At one step size, a longer chain converges faster",
    ):
        assert verdicts[text] == {"supported", "contradicted"}
    assert verdicts["With ever more prompts V* tends to V∞"] == {"supported"}
    assert "contradicted" not in verdicts["Proposition 5.1 gives the test error"]


def test_the_limit_is_judged_by_version():
    curves = Curves(3, 10, 200, 100, 0.1, 0.2)
    claims = limit_claims(curves, 0.1, against_limit(curves, 0.1, [333], [40, 80, 120, 160]))
    table = claims_table(claims)
    of_limit = table[table["claim"] == "F is the limit of the test error of Ṽ"].set_index("variant")["verdict"]
    printed = of_limit.index.str.startswith("printed")
    assert set(of_limit[printed]) == {"contradicted"}
    assert set(of_limit[~printed]) <= {"supported", "undecided"}
    assert of_limit["corrected, last term of T_var"] == "supported"
    verdicts = by_text(claims)
    assert verdicts["F(∞) is the error of V* with endless prompts"] == {"contradicted"}
    assert verdicts["F(∞) - F(0) is (η/r)² μ2 (1 + γ S̄) up to a term of order 1/r"] == {"supported"}


def test_figures_are_judged_against_every_baseline():
    numbers = by_prompts(CURVES, [0.0, 0.1], [60], [0, 5, 10, 15, 20, 25, 30, 40, 50, 200], [5, 10, 200])
    table = claims_table(number_claims(CURVES, numbers))
    small = table[
        table["claim"].str.startswith("A small fine-tuning set") & (table["variant"].str.endswith("1 test step"))
    ]
    assert len(small) == 2 * 5
    against = small.set_index(["claim", "variant"])["verdict"]
    for variant in small["variant"].unique():
        assert (
            against["A small fine-tuning set (B < m) is better than the best one-step predictor", variant]
            == "contradicted"
        )
        assert (
            against["A small fine-tuning set (B < m) is better than the largest set, B = 5 d", variant]
            == "contradicted"
        )
    peaks = table[table["claim"].str.startswith("The error of V* peaks")]
    assert [variant.partition(",")[0] for variant in peaks["variant"]] == ["r = 0", "r = 0.1", "r = 0.1"]


def test_lengths_are_judged_apart():
    found = by_length(CURVES, [0.0], [5, 20, 60, 120], [8], 40)
    table = claims_table(length_claims(CURVES, found)).set_index("variant")
    # A longer test prompt is always better.
    row = table.loc["n_test alone, r = 0, B = 8"]
    assert row["verdict"] == "contradicted"
    assert row["ci_high"] < 0
    assert [variant.partition(",")[0] for variant in table.index] == [
        *("all lengths tied", "n_pre alone", "n_sft alone", "n_test alone"),
    ]


def test_sets_are_judged_over_the_grid():
    sets = small_sets(Curves(3, 14, 40, 20, 0.1, 0.2), [0.0, 1.0], [1.0, 3.0])
    verdicts = claims_table(small_set_claims(sets)).set_index("variant")
    assert verdicts.loc["against no answer, ŵ = 0", "verdict"] == "contradicted"
    assert verdicts.loc["against every one of these", "estimate"] == 0
    # Were every cell better, the claim would stand; were intervals open, nothing would be said.
    better = sets.assign(ci_low=0.0, ci_high=0.01)
    assert set(claims_table(small_set_claims(better))["verdict"]) == {"supported"}
    open_ended = sets.assign(ci_low=0.0, ci_high=99.0)
    assert set(claims_table(small_set_claims(open_ended))["verdict"]) == {"undecided"}


def test_difficulty_is_judged_with_the_rest_held():
    table = difficulty_table(Curves(3, 10, 40, 20, 0.1, 0.2), [120], [160])
    judged = claims_table(difficulty_claims(table))
    spread = judged[judged["claim"] == "At equal trace and alignment the hardest data are best"]
    assert set(spread["verdict"]) == {"contradicted"}
    aligned = judged[judged["claim"] == "At equal trace the data aligned with the shift are best"]
    assert set(aligned["verdict"]) == {"supported"}


def test_outcome_supervision_is_judged_by_repetition():
    small = Small(3, 8, 6, 3, 0.1)
    bent = by_text(curvature_claims(curvature_table(small, [300], 30, [1, 2, 4])))
    assert bent["At the start ρ(I + VΣ) is near ρ(Γ0⁻¹Δ)"] == {"supported"}
    assert bent["Outcome supervision ends in a minimum sharper than the start"] == {"contradicted"}
    told = by_text(outcome_claims(outcome_table(small, [6, 12, 60], [3, 8, 40], [1, 3], [5, 100], [0.03, 3.0])))
    assert told["Outcome supervision is better with more prompts"] == {"supported"}


def test_the_page_counts_what_the_tables_hold():
    sets = small_sets(Curves(3, 14, 40, 20, 0.1, 0.2), [0.0, 0.05], [1.0, 10.0])
    found = by_length(CURVES, [0.0], [5, 20, 60], [8], 40)
    claims = claims_table([*small_set_claims(sets), *length_claims(CURVES, found)])
    shown = data_quality_page({"claims": claims, "small_sets": sets}, {}, {}, {})
    assert shown["endless"]["cells"] == 4
    assert shown["endless"]["better"] == int((sets["err_limit"] < sets["ci_low"]).sum())
    assert sum(c["settings"] for c in shown["counts"].values()) == len(claims)
    assert {k: v["settings"] for k, v in shown["by_length"].items()} == dict.fromkeys(
        ("all lengths tied", "n_pre alone", "n_sft alone", "n_test alone"), 1
    )
