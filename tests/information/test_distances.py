import numpy as np
import pytest
from scipy import stats

from ggmi.errors import UserError
from ggmi.information import kernels
from ggmi.information.distances import mmd, total_variation_bound
from ggmi.random import stream


def shifted(n, m, d, shift, *name):
    generator = stream(5, "distances", n, d, *name)
    return generator.normal(size=(n, d)), generator.normal(shift / np.sqrt(d), size=(m, d))


def by_definition(k, n):
    xx, yy, xy = k[:n, :n], k[n:, n:], k[:n, n:]
    m = len(yy)
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return within - 2 * xy.mean()


@pytest.mark.parametrize("shift", [0.5, 1.5])
def test_the_bound_stays_below_the_total_variation_and_comes_near_it(shift):
    # Two unit normals at distance s: D_TV = 2 Phi(s / 2) - 1, and the best rule is linear.
    truth = 2 * stats.norm.cdf(shift / 2) - 1
    above, values = 0, []
    for trial in range(40):
        found = total_variation_bound(*shifted(300, 300, 3, shift, trial), n_permutations=39, seed=trial)
        above += found.ci_low > truth
        values.append(found.value)
    assert above <= stats.binom.ppf(0.999, 40, 0.025)
    assert truth - 0.03 < np.mean(values) < truth + 0.01


def test_the_same_seed_gives_the_same_bound():
    x, y = shifted(80, 80, 3, 0.8)
    assert total_variation_bound(x, y, seed=1) == total_variation_bound(x, y, seed=1)


@pytest.mark.parametrize("tile", [7, 512])
def test_mmd_and_its_shuffles_equal_the_definition(gaussian_kernel, monkeypatch, tile):
    monkeypatch.setattr(kernels, "TILE", tile)
    x, y = shifted(15, 11, 2, 1.0)
    found = mmd(x, y, bandwidth=1.4, n_permutations=300, seed=2)
    k = gaussian_kernel(np.concatenate([x, y]), 1.4)
    assert found.value == pytest.approx(by_definition(k, 15), rel=1e-10)
    generator, larger = stream(2, "mmd", "labellings"), 0
    for _ in range(300):
        chosen = generator.permutation(26)[:15]
        order = np.concatenate([chosen, np.setdiff1d(np.arange(26), chosen)])
        larger += by_definition(k[np.ix_(order, order)], 15) >= found.value - 1e-12
    assert found.p_value == (1 + larger) / 301


def test_mmd_is_symmetric_and_has_the_expectation_of_shifted_normals():
    # E k = (1 + 2/s^2)^(-1/2) exp(-shift^2 / (2 (s^2 + 2))) in one dimension.
    bandwidth, shift = 1.0, 0.8
    within, across = 3**-0.5, 3**-0.5 * np.exp(-(shift**2) / 6)
    truth, trials, covered, values = 2 * within - 2 * across, 200, 0, []
    for trial in range(trials):
        x, y = shifted(60, 50, 1, shift, trial)
        found = mmd(x, y, bandwidth=bandwidth, n_permutations=40, seed=trial)
        covered += found.ci_low <= truth <= found.ci_high
        values.append(found.value)
        if trial == 0:
            assert found.value == pytest.approx(mmd(y, x, bandwidth=bandwidth).value, rel=1e-10)
    assert abs(np.mean(values) - truth) < 3.5 * np.std(values) / np.sqrt(trials)
    assert covered >= stats.binom.ppf(0.001, trials, 0.93)


def test_mmd_calls_equal_distributions_different_as_often_as_alpha_says():
    trials = 300
    rejected = sum(mmd(*shifted(30, 40, 3, 0.0, t), n_permutations=99, seed=t).p_value <= 0.05 for t in range(trials))
    low, high = stats.binom.interval(0.999, trials, 0.05)
    assert low <= rejected <= high


def test_the_ceiling_of_mmd_is_reached_by_sets_that_share_nothing():
    x, y = shifted(30, 30, 2, 400.0)
    found = mmd(x, y, bandwidth=1.0, n_permutations=19)
    assert found.value == pytest.approx(found.ceiling, rel=1e-9)
    assert mmd(x, y, kernel="linear", n_permutations=19).ceiling is None


@pytest.mark.parametrize("distance", [mmd, total_variation_bound])
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([[1.0]], [[1.0], [2.0]], "x: holds 1 observations"),
        ([[1.0, 2.0]] * 6, [[1.0]] * 6, "x and y: have 2 and 1 dimensions"),
        ([[1.0]] * 6, [[np.nan]] * 6, "y: observation 0 holds NaN"),
    ],
)
def test_bad_input_is_told_in_one_sentence(distance, x, y, message):
    with pytest.raises(UserError, match=message):
        distance(x, y)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(UserError, match="x and y: all observations are the same"):
        mmd([[1.0]] * 3, [[1.0]] * 3)
    with pytest.raises(UserError, match="n_permutations: 0"):
        mmd([[1.0], [2.0]], [[1.0], [3.0]], n_permutations=0)
    with pytest.raises(UserError, match="n_permutations: 0"):
        total_variation_bound([[1.0], [2.0]], [[1.0], [3.0]], folds=2, n_permutations=0)
    with pytest.raises(UserError, match="folds: 1"):
        total_variation_bound([[1.0], [2.0]], [[1.0], [3.0]], folds=1)
