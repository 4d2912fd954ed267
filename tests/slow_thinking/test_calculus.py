"""The exact calculus against rational arithmetic, enumeration, root finding and limits."""

from fractions import Fraction
from itertools import product
from math import exp, prod

import numpy as np
import pytest
from scipy.optimize import brentq

from ggmi.config.slow_thinking import SlowThinkingStudy
from ggmi.slow_thinking import calculus
from ggmi.slow_thinking.calculus import accuracy, crossover, crossover_table, exact_table, generated, matching_table
from ggmi.slow_thinking.chains import probability_found

WAYS = {"stepwise": "stepwise", "best_of_n": "N = k", "full_tree": "tree"}
RATES = [[0.5, 0.5], [0.9, 0.2, 0.6], [1.0, 0.3, 0.01], [1.0, 1.0, 1.0]]


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("method", calculus.METHODS)
def test_floats_agree_with_fractions(rates, width, method):
    exact = probability_found(WAYS[method], [Fraction(p) for p in rates], width) if len(rates) == 3 else None
    if exact is None:
        p = rates[0]
        exact = {"stepwise": (1 - (1 - p) ** width) ** 2, "best_of_n": 1 - (1 - p * p) ** width}.get(
            method, 1 - (1 - p * (1 - (1 - p) ** width)) ** width
        )
    assert generated(method, rates, width) == pytest.approx(float(exact), rel=1e-12)
    selections = len(rates) if method == "stepwise" else 1
    assert accuracy(method, rates, width, 0.8) == pytest.approx(0.8**selections * float(exact), rel=1e-12)


def test_tiny_rates_keep_their_digits():
    rates = [1e-9, 1e-9]
    assert generated("stepwise", rates, 64) == pytest.approx((64e-9) ** 2, rel=1e-6)
    assert generated("best_of_n", rates, 64) == pytest.approx(64e-18, rel=1e-9)
    assert generated("full_tree", rates, 64) == pytest.approx(64**2 * 1e-18, rel=1e-6)


def test_chance_selection_attains_the_threshold():
    p, k = 0.3, 4
    right = 0.0
    found = 0.0
    for draws in product([0, 1], repeat=k):
        chance = prod(p if hit else 1 - p for hit in draws)
        found += chance * any(draws)
        right += chance * sum(draws) / k
    epsilon = p / (1 - (1 - p) ** k)
    assert epsilon == pytest.approx(right / found)
    assert epsilon > 1 / k
    for shift, gains in ((1e-6, True), (-1e-6, False)):
        assert ((epsilon + shift) * (1 - (1 - p) ** k) > p) is gains


@pytest.mark.parametrize("rates", [RATES[0], RATES[1], RATES[2], [0.9] * 8, [0.05, 0.9, 0.4, 0.7]])
@pytest.mark.parametrize("width", [2, 8, 64])
def test_the_crossover_is_the_one_root(rates, width):
    def ahead(epsilon):
        return accuracy("stepwise", rates, width, epsilon) - accuracy("best_of_n", rates, width, epsilon)

    found = crossover(rates, width)
    assert 0 < found <= 1
    # Divided by epsilon the difference rises, so one root is all.
    scaled = [ahead(e) / e for e in np.linspace(0.01, 1, 100)]
    assert (np.diff(scaled) > 0).all()
    if ahead(1.0) > 1e-12:
        assert brentq(ahead, 1e-6, 1) == pytest.approx(found, abs=1e-9)
    else:
        assert found == pytest.approx(1)


def test_chains_of_one_step_have_no_crossover():
    assert np.isnan(crossover([0.5], 4))


@pytest.mark.parametrize("method", calculus.AGAINST)
@pytest.mark.parametrize("epsilon", [0.7, 1.0])
def test_the_matching_number_matches(method, epsilon):
    rates = [0.6, 0.3, 0.5]
    n = calculus.answers_to_match(method, rates, 3, epsilon)
    reached = epsilon * (1 - (1 - prod(rates)) ** n)
    assert reached == pytest.approx(accuracy(method, rates, 3, epsilon), rel=1e-12)


def test_limits_of_the_matching_number():
    rates, k, epsilon = [1e-6] * 4, 3, 0.9
    stepwise = calculus.answers_to_match("stepwise", rates, k, epsilon)
    assert stepwise == pytest.approx(epsilon**3 * k**4, rel=1e-4)
    assert calculus.answers_to_match("full_tree", rates, k, epsilon) == pytest.approx(k**4, rel=1e-4)


def test_the_order_reported_for_the_worst_case_is_exceeded_without_bound():
    ratios = [calculus.answers_to_match("stepwise", [1e-7] * 4, k, 1.0) / k**2 for k in (2, 8, 32)]
    np.testing.assert_allclose(ratios, [4, 64, 1024], rtol=1e-3)


def test_the_default_grid_holds_what_is_asked_for():
    study = SlowThinkingStudy()
    table = exact_table(study.log_lambdas, study.lengths, study.widths, study.reliabilities)
    assert tuple(table) == calculus.EXACT_COLUMNS
    assert len(table) == 3 * 3 * 3 * 7 * 5
    assert set(table["width"]) == {1, 2, 4, 8, 16, 32, 64}
    assert set(table["eps"]) == {0.7, 0.8, 0.9, 0.95, 1.0}
    np.testing.assert_allclose(sorted(set(table["lambda"])), [exp(1), exp(2), exp(4)])
    row = table.query("method == 'stepwise' and L == 4 and width == 2 and eps == 0.9").iloc[0]
    rates = [min(row["lambda"] * exp(-layer), 1) for layer in range(1, 5)]
    assert row["accuracy"] == pytest.approx(0.9**4 * prod(1 - (1 - p) ** 2 for p in rates))
    assert table["accuracy"].between(0, 1).all()
    tree = table[table["method"] == "full_tree"]
    assert (tree["samples"] == tree["width"].astype(float) ** tree["L"]).all()


def test_tables_of_crossovers_and_matches():
    crossings = crossover_table([1.0, 2.0], [1, 4], [1, 2, 8])
    assert tuple(crossings) == calculus.CROSSOVER_COLUMNS
    assert set(crossings["width"]) == {2, 8}
    assert crossings.loc[crossings["L"] == 1, "eps_crossover"].isna().all()
    matches = matching_table([1.0, 4.0], [4], [1, 2, 64], [0.8, 1.0])
    assert tuple(matches) == calculus.MATCHING_COLUMNS
    assert np.isfinite(matches["n_to_match"]).all()
    assert (matches["n_to_match"] <= matches["n_of_all_paths"] + 1e-9).all()
    assert (matches["step_calls_best_of_n"] == matches["n_to_match"] * matches["L"]).all()
