"""The bound of the total variation distance: its rule, its folds, its level and its power."""

import numpy as np
import pytest
from scipy import stats
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import StandardScaler

from ggmi.information import held_out
from ggmi.information.distances import total_variation_bound
from ggmi.information.held_out import advantage, shrinkage, verdicts
from ggmi.random import stream


@pytest.mark.parametrize("shape", [(60, 5), (40, 90), (30, 1)])
def test_the_ridge_is_that_of_ledoit_and_wolf(shape):
    draw = stream(15, "shrinkage", *shape)
    z = draw.standard_t(4, size=shape) @ draw.normal(size=(shape[1], shape[1]))
    z -= z.mean(axis=0)
    assert shrinkage(z, z.T @ z / len(z)) == pytest.approx(ledoit_wolf_shrinkage(z, assume_centered=True), abs=1e-12)


def test_folds_hold_groups_whole_and_about_equal_shares_of_the_records():
    codes = np.repeat(np.arange(100), stream(15, "sizes").integers(1, 8, size=100))
    fold = held_out._folds(codes, 5, stream(15, "folds"))
    assert all(len(set(fold[codes == group].tolist())) == 1 for group in range(100))
    assert np.bincount(fold) == pytest.approx(np.full(5, len(codes) / 5), abs=8)
    assert sorted(np.bincount(held_out._folds(np.arange(23), 5, stream(15, "folds")))) == [4, 4, 5, 5, 5]


@pytest.mark.parametrize("d", [3, 80])
def test_verdicts_are_those_of_a_ridge_regression_fold_by_fold(monkeypatch, d):
    monkeypatch.setattr(held_out, "CUTS", 1)
    draw = stream(15, "ridge", d)
    data = draw.normal(size=(50, d)) @ draw.normal(size=(d, d))
    data[:20] += 0.5
    labels = np.column_stack([np.arange(50) < 20, draw.permutation(50) < 20]).astype(float)
    found = verdicts(data, labels, np.arange(50), 4, stream(15, "cut"))
    fold = held_out._folds(np.arange(50), 4, stream(15, "cut"))
    for part in range(4):
        fit, held = fold != part, fold == part
        scale = StandardScaler().fit(data[fit])
        z = scale.transform(data[fit])
        share = ledoit_wolf_shrinkage(z, assume_centered=True)
        alpha = len(z) * share / (1 - share) * np.trace(z.T @ z / len(z)) / d
        for t in range(2):
            rule = Ridge(alpha=alpha, tol=1e-12).fit(z, labels[fit, t])
            ends = [rule.predict(z[labels[fit, t] == side]).mean() for side in (0, 1)]
            expected = rule.predict(scale.transform(data[held])) > np.mean(ends)
            np.testing.assert_array_equal(found[held, t] == 1, expected)


def test_the_advantage_over_its_error_is_that_of_the_residuals_by_group():
    draw = stream(15, "advantage")
    says, labels = draw.integers(5, size=(12, 3)) / 4, (draw.random(size=(12, 3)) < 0.5).astype(float)
    codes = np.array([0, 0, 1, 2, 2, 2, 3, 3, 4, 5, 6, 6])
    found = advantage(says, labels, codes)
    for t in range(3):
        is_x, v = labels[:, t] == 1, says[:, t]
        assert found.value[t] == pytest.approx(v[is_x].mean() - v[~is_x].mean())
        parts = np.where(is_x, (v - v.mean()) / is_x.sum(), (v.mean() - v) / (~is_x).sum())
        error = np.sqrt(7 / 6 * sum(parts[codes == g].sum() ** 2 for g in range(7)))
        assert found.studentised[t] == pytest.approx(found.value[t] / error)
    assert advantage(np.ones((12, 1)), labels[:, :1], codes).studentised == 0


def lists(draw, sizes, themes):
    """Records of which half of the variance is their prompt's."""
    return np.sqrt(0.5) * (np.repeat(themes, sizes, axis=0) + draw.normal(size=(sum(sizes), themes.shape[1])))


def independent(draw):
    return draw.normal(size=(60, 20)), draw.normal(size=(60, 20)), None


def unequal(draw):
    return draw.standard_t(3, size=(30, 5)), draw.standard_t(3, size=(90, 5)), None


def lists_of_other_prompts(draw):
    sizes = [draw.integers(1, 8, size=30) for _ in "xy"]
    x, y = (lists(draw, side, draw.normal(size=(30, 5))) for side in sizes)
    return x, y, (np.repeat(np.arange(30), sizes[0]), 30 + np.repeat(np.arange(30), sizes[1]))


def lists_of_the_same_prompts(draw):
    themes, sizes = draw.normal(size=(30, 5)), [np.full(30, 2), np.full(30, 5)]
    x, y = (lists(draw, side, themes) for side in sizes)
    return x, y, tuple(np.repeat(np.arange(30), side) for side in sizes)


def lists_and_records(draw):
    x, y = lists(draw, [6] * 30, draw.normal(size=(30, 5))), draw.normal(size=(100, 5))
    return x, y, (np.repeat(np.arange(30), 6), 30 + np.arange(100))


EQUAL_LAWS = [independent, unequal, lists_of_other_prompts, lists_of_the_same_prompts, lists_and_records]


@pytest.mark.parametrize("made", EQUAL_LAWS)
def test_equal_laws_are_told_apart_and_bounded_away_from_zero_as_rarely_as_stated(made):
    trials, rejected, above = 500, 0, 0
    for trial in range(trials):
        x, y, groups = made(stream(16, made.__name__, trial))
        # Of 40 labellings: p holds 0.05 exactly.
        found = total_variation_bound(x, y, groups=groups, n_permutations=39, seed=trial)
        rejected += found.p_value <= 0.05
        above += found.ci_low > 0
    low, high = stats.binom.interval(0.99, trials, 0.05)
    assert low <= rejected <= high
    assert above <= stats.binom.ppf(0.99, trials, 0.025)


@pytest.mark.parametrize(("d", "shift", "n"), [(20, 0.45, 200), (384, 1.2, 60)])
def test_a_shift_is_seen_as_well_as_by_logistic_regression(d, shift, n):
    trials, ours, theirs, found = 15, [], [], 0
    is_x = np.arange(2 * n) < n
    for trial in range(trials):
        draw = stream(17, "shift", d, trial)
        data = draw.normal(size=(2 * n, d)) + shift / np.sqrt(d) * is_x[:, None]
        bound = total_variation_bound(data[:n], data[n:], n_permutations=99, seed=trial)
        ours.append(bound.value)
        found += bound.p_value <= 0.05
        order = draw.permutation(2 * n)
        scaled = StandardScaler().fit_transform(data)[order]
        says = cross_val_predict(LogisticRegression(max_iter=200), scaled, is_x[order], cv=5)
        theirs.append(says[is_x[order]].mean() - says[~is_x[order]].mean())
    error = np.std(np.subtract(ours, theirs)) / np.sqrt(trials)
    assert np.mean(ours) > np.mean(theirs) - 2 * error
    assert found >= stats.binom.ppf(0.001, trials, 0.65)


def test_sets_that_share_nothing_reach_one_and_equal_records_give_zero():
    draw = stream(18, "ends")
    apart = total_variation_bound(draw.normal(size=(40, 3)), draw.normal(30.0, size=(50, 3)), n_permutations=99)
    assert apart.value == 1
    assert apart.p_value == 0.01
    assert 0.8 < apart.ci_low < apart.ci_high <= 1
    same = total_variation_bound(np.ones((9, 2)), np.ones((8, 2)), n_permutations=19)
    assert (same.value, same.p_value) == (0, 1)
