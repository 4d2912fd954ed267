import numpy as np
import pytest
from scipy import stats

from ggmi.errors import UserError
from ggmi.information.features import Features, hsic_random_features
from ggmi.information.hsic import hsic
from ggmi.information.kernels import Sets, variable
from ggmi.random import stream


def test_inner_products_of_features_are_the_kernel_on_average(dependent):
    v = variable(dependent(10)[0], "x")
    every = np.arange(10)
    features = Features(v, stream(1, "frequencies").standard_normal((3, 100_000)))(every)
    np.testing.assert_allclose(features @ features.T, v.tile(every, every), atol=0.015)
    np.testing.assert_allclose(np.square(features).sum(axis=1), 1)


@pytest.mark.parametrize("strength", [1.0, 0.0])
def test_the_stated_error_is_that_over_draws_of_features(dependent, strength):
    x, y = dependent(200, strength=strength)
    exact = hsic(x, y, null=None)
    found = [hsic_random_features(x, y, n_features=128, seed=seed) for seed in range(120)]
    values = np.array([estimate.value for estimate, _ in found])
    errors = np.array([error for _, error in found])
    assert abs(values.mean() - exact.value) < 3.5 * values.std(ddof=1) / np.sqrt(120)
    assert np.sqrt(np.square(errors).mean()) == pytest.approx(values.std(ddof=1), rel=0.3)
    inside = np.count_nonzero(np.abs(values - exact.value) < stats.t.ppf(0.975, 7) * errors)
    assert inside >= stats.binom.ppf(0.001, 120, 0.95)
    for estimate, error in found[:10]:
        assert estimate.ci_high - estimate.ci_low > 0.8 * (exact.ci_high - exact.ci_low)
        assert estimate.ci_high - estimate.ci_low > 2 * 1.95 * error


def test_the_error_falls_with_the_root_of_the_number_of_features(dependent):
    x, y = dependent(200)
    errors = [
        np.sqrt(np.mean([hsic_random_features(x, y, n_features=f, seed=s)[1] ** 2 for s in range(30)]))
        for f in (32, 512)
    ]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.35)


@pytest.mark.parametrize("rows", [7, 4096])
def test_sets_and_blocks_of_rows_make_no_difference(dependent, monkeypatch, rows):
    x, y = dependent(40)
    whole, error = hsic_random_features(x, y, n_features=64)
    monkeypatch.setattr("ggmi.information.features.ROWS", rows)
    for data in (x, Sets(x, [[i] for i in range(40)])):
        found, found_error = hsic_random_features(data, y, n_features=64)
        assert found.value == pytest.approx(whole.value, rel=1e-9)
        assert found.ci_low == pytest.approx(whole.ci_low, rel=1e-9)
        assert found_error == pytest.approx(error, rel=1e-9)


def test_independent_samples_are_called_dependent_as_often_as_alpha_says():
    trials, rejected = 300, 0
    for trial in range(trials):
        generator = stream(13, "features", trial)
        x, y = generator.normal(size=(60, 3)), generator.exponential(size=(60, 2))
        rejected += hsic_random_features(x, y, n_features=128, seed=trial)[0].p_value <= 0.05
    low, high = stats.binom.interval(0.999, trials, 0.05)
    assert low <= rejected <= high


@pytest.mark.parametrize("n_features", [0, 8, 100])
def test_the_number_of_features_must_divide_into_groups(n_features):
    with pytest.raises(UserError, match="use a multiple of 16"):
        hsic_random_features(np.arange(9.0), np.arange(9.0), n_features=n_features)
