import numpy as np
import pytest

from ggmi.random import stream
from ggmi.scaling import intervals
from ggmi.scaling.intervals import ratios, resampled_sums
from ggmi.statistics import mean_interval, wilson


def test_the_interval_of_a_mean_is_that_of_the_house():
    """The same bias-corrected and accelerated bootstrap, with other draws and many columns at once."""
    values = stream(1, "test").exponential(size=(80, 3))
    found = ratios(values, np.ones_like(values), stream(2, "test"))
    for i in range(3):
        one = mean_interval(values[:, i], stream(3, "test"))
        width = one.high - one.low
        assert found.low[i] == pytest.approx(one.low, abs=0.08 * width)
        assert found.high[i] == pytest.approx(one.high, abs=0.08 * width)


def test_intervals_of_ratios_cover_the_truth():
    """Reliability is a ratio of means: ninety-five of a hundred intervals hold it."""
    generator = stream(4, "test")
    runs, n = 400, 60
    p = generator.beta(1, 2, (n, runs))
    below = (generator.random((n, runs)) < p).astype(float)
    above = below * (generator.random((n, runs)) < 0.7)
    found = ratios(above, below, stream(5, "test"))
    covered = ((found.low <= 0.7) & (found.high >= 0.7)).mean()
    assert 0.91 < covered < 0.985
    assert 0.9 < found.error.mean() / found.value.std() < 1.1


def test_very_many_problems_have_the_interval_of_the_normal_law(monkeypatch):
    values = stream(9, "test").exponential(size=(3000, 2))
    resampled = ratios(values, values[:, ::-1], stream(10, "test"))
    sums = resampled_sums(values, stream(10, "test"))
    monkeypatch.setattr(intervals, "NORMAL", 1000)
    found = ratios(values, values[:, ::-1], stream(10, "test"))
    width = resampled.high - resampled.low
    np.testing.assert_allclose(found.low, resampled.low, atol=0.08 * width.max())
    np.testing.assert_allclose(found.high, resampled.high, atol=0.08 * width.max())
    drawn = resampled_sums(values, stream(10, "test"))
    np.testing.assert_allclose(drawn.mean(axis=0), sums.mean(axis=0), rtol=0.01)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(sums.T), rtol=0.2, atol=0.1 * np.cov(sums.T).max())


def test_problems_that_all_agree_still_leave_an_interval():
    found = ratios(np.ones((20, 2)) * [1.0, 0.0], np.ones((20, 2)), stream(6, "test"))
    alike = wilson(0.0, 20).high
    np.testing.assert_allclose(found.low, [1 - alike, -alike])
    np.testing.assert_allclose(found.high, [1 + alike, alike])
    assert found.p.tolist() == [2.0**-19, 1.0]


def test_one_problem_has_no_interval():
    found = ratios(np.ones((1, 1)), np.ones((1, 1)), stream(7, "test"))
    assert found.value.tolist() == [1.0]
    assert np.isnan([found.low, found.high, found.error, found.p]).all()


def test_what_is_divided_by_nothing_has_no_value():
    found = ratios(np.zeros((5, 1)), np.zeros((5, 1)), stream(8, "test"))
    assert np.isnan([found.value, found.low, found.high, found.p]).all()
