import itertools

import numpy as np
import pytest
from scipy import stats

from ggmi.information import hsic_null
from ggmi.information.hsic import hsic, kernel_sums, null_variance
from ggmi.information.hsic_null import Moments, cyclic_shifts, gamma_tail, moments, shuffled, u_centred
from ggmi.information.kernels import variable
from ggmi.random import stream


def every_pairing(sides, estimator, orders):
    return np.array([kernel_sums(sides[0], sides[1].reordered(order)).value(estimator) for order in orders])


@pytest.fixture
def sides(dependent):
    def make(n, kernel="gaussian"):
        x, y = dependent(n)
        return variable(x, "x", kernel=kernel), variable(y, "y", kernel=kernel)

    return make


@pytest.mark.parametrize("kernel", ["gaussian", "linear"])
@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
def test_mean_and_variance_are_those_over_all_pairings(sides, kernel, estimator):
    pair = sides(6, kernel)
    sums = kernel_sums(*pair)
    values = every_pairing(pair, estimator, map(np.array, itertools.permutations(range(6))))
    assert hsic_null.null_mean(sums, estimator) == pytest.approx(values.mean(), rel=1e-12, abs=1e-15)
    found = moments(*pair, sums, estimator, 0)
    assert found.mean == pytest.approx(values.mean(), rel=1e-12, abs=1e-15)
    assert found.deviation == pytest.approx(values.std(), rel=1e-10)
    if estimator == "unbiased":
        assert null_variance(sums) == pytest.approx(values.var(), rel=1e-10)


def test_the_skewness_is_that_of_many_shuffles(sides):
    pair = sides(200)
    sums = kernel_sums(*pair)
    for estimator in ("unbiased", "biased"):
        values, _ = shuffled(*pair, sums, estimator, 4000, 1)
        # A skewness of 4,000 values of a skewed law is known to about 0.06.
        assert moments(*pair, sums, estimator, 0).skewness == pytest.approx(stats.skew(values), abs=0.25)
        assert stats.skew(values) > 0.4


def test_the_third_moment_from_a_draw_is_near_that_from_all(sides, monkeypatch):
    pair = sides(500)
    sums = kernel_sums(*pair)
    whole = moments(*pair, sums, "unbiased", 0).skewness
    monkeypatch.setattr(hsic_null, "THIRD_MOMENT", 250)
    assert moments(*pair, sums, "unbiased", 0).skewness == pytest.approx(whole, rel=0.15)


@pytest.mark.parametrize("n", [11, 12])
@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
def test_shifts_by_fourier_transforms_equal_shifts_one_by_one(sides, monkeypatch, estimator, n):
    monkeypatch.setattr(hsic_null, "SHIFT_ELEMENTS", 1)
    pair = sides(n, "linear")
    order = stream(1, "order").permutation(n)
    found = cyclic_shifts(*pair, kernel_sums(*pair), estimator, order)
    arranged = [side.reordered(order) for side in pair]
    expected = every_pairing(arranged, estimator, [(np.arange(n) + s) % n for s in range(1, n)])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_wide_blocks_of_diagonals_give_the_same_shifts(sides, monkeypatch):
    pair = sides(150)
    sums, order = kernel_sums(*pair), stream(1, "order").permutation(150)
    narrow = cyclic_shifts(*pair, sums, "unbiased", order)
    monkeypatch.setattr(hsic_null, "TILE", 14)
    np.testing.assert_allclose(cyclic_shifts(*pair, sums, "unbiased", order), narrow, atol=1e-14)


def test_random_permutations_equal_recomputed_pairings(sides):
    pair = sides(14)
    found, how = shuffled(*pair, kernel_sums(*pair), "unbiased", 30, 9)
    generator = stream(9, "hsic", "permutations")
    np.testing.assert_allclose(
        found, every_pairing(pair, "unbiased", [generator.permutation(14) for _ in range(30)]), atol=1e-14
    )
    assert how == "30 random permutations"


def test_fewer_shuffles_than_observations_are_shifts_and_there_are_never_fewer_than_asked(sides):
    pair = sides(40)
    sums = kernel_sums(*pair)
    for asked, given, words in ((5, 39, "39 cyclic shifts"), (40, 40, "40 random permutations")):
        values, how = shuffled(*pair, sums, "unbiased", asked, 0)
        assert len(values) == given
        assert how.startswith(words)


def test_u_centred_rows_sum_to_zero_and_their_product_is_the_statistic(dependent):
    x, y = dependent(20)
    every = np.arange(20)
    a, b = (u_centred(variable(data, "x").tile(every, every)) for data in (x, y))
    np.testing.assert_allclose(a.sum(axis=1), 0, atol=1e-13)
    assert np.vdot(a, b) / (20 * 17) == pytest.approx(hsic(x, y, null=None).value, rel=1e-10)


@pytest.mark.parametrize("skewness", [1.3, 0.2, 0.0, -0.4])
def test_the_gamma_tail_is_that_of_pearsons_third_type(skewness):
    for value in (-1.0, 0.5, 4.0):
        expected = stats.pearson3.sf(value, skewness, loc=0.3, scale=1.7)
        assert gamma_tail(value, Moments(0.3, 1.7, skewness)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("null", ["permutation", "gamma", "shifts"])
@pytest.mark.parametrize("d", [1, 30])
def test_independent_samples_are_called_dependent_as_often_as_alpha_says(null, d):
    # The full calibration, 10,000 trials a case, is benchmarks/information.py; the band is right for this number.
    trials, n = 300, 60
    rejected = {"unbiased": 0, "biased": 0}
    settings = {"shifts": {"n_permutations": 30}, "permutation": {"n_permutations": 99}, "gamma": {"null": "gamma"}}
    for trial in range(trials):
        generator = stream(11, "type I", d, trial)
        x, y = generator.exponential(size=(n, d)), generator.standard_t(3, size=(n, d))
        for estimator in rejected:
            rejected[estimator] += hsic(x, y, estimator, seed=trial, **settings[null]).p_value <= 0.05
    # p is uniform on 60ths for the shifts and on 100ths for the permutations: both hold 0.05 exactly.
    low, high = stats.binom.interval(0.999, trials, 0.05)
    for count in rejected.values():
        assert low <= count <= high


def test_the_shifts_have_the_power_of_random_permutations():
    trials, found = 60, {30: 0, 99: 0}
    for trial in range(trials):
        generator = stream(12, "power", trial)
        x = generator.normal(size=(60, 2))
        y = 0.6 * np.square(x) + generator.normal(size=(60, 2))
        for count in found:
            found[count] += hsic(x, y, n_permutations=count, seed=trial).p_value <= 0.05
    assert 0.3 * trials < found[99] < 0.95 * trials
    assert abs(found[30] - found[99]) <= 8
