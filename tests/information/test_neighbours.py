import numpy as np
import pytest
from scipy import stats
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_regression

from ggmi.errors import UserError
from ggmi.information.neighbours import differential_entropy, mutual_information
from ggmi.random import stream


def correlated(n, d, rho, *name):
    """Pairs of d-dimensional normals whose coordinates are correlated one by one."""
    generator = stream(6, "neighbours", n, d, *name)
    x = generator.normal(size=(n, d))
    return x, rho * x + np.sqrt(1 - rho**2) * generator.normal(size=(n, d))


@pytest.mark.parametrize(("d", "tolerance"), [(1, 0.03), (2, 0.03), (4, 0.11)])
def test_the_entropy_of_a_normal_is_the_closed_form(d, tolerance):
    covariance = np.eye(d) + 0.5
    values = [
        differential_entropy(stream(7, "entropy", d, t).multivariate_normal(np.zeros(d), covariance, 800)).value
        for t in range(20)
    ]
    truth = stats.multivariate_normal(np.zeros(d), covariance).entropy()
    # The bias falls only slowly with n in four dimensions.
    assert np.mean(values) == pytest.approx(truth, abs=tolerance)


def test_the_entropy_equals_the_formula_on_a_line_and_its_interval_covers():
    x = np.array([0.0, 1.0, 3.0, 7.0])
    expected = digamma(4) - digamma(1) + np.log(2) + np.mean(np.log([1, 1, 2, 4]))
    assert differential_entropy(x, neighbours=1).value == pytest.approx(expected, rel=1e-12)
    truth, trials, covered = 0.5 * np.log(2 * np.pi * np.e), 300, 0
    for trial in range(trials):
        found = differential_entropy(stream(7, "interval", trial).normal(size=200))
        covered += found.ci_low <= truth <= found.ci_high
    assert covered >= stats.binom.ppf(0.001, trials, 0.93)


def grouped(trial, groups=40):
    """Points of groups of unequal sizes that share half of their variance."""
    draw = stream(7, "grouped", trial)
    codes = np.repeat(np.arange(groups), draw.integers(1, 20, size=groups))
    x = draw.normal(size=(groups, 3))[codes] + draw.normal(size=(len(codes), 3))
    return np.sqrt(0.5) * x, codes


@pytest.mark.parametrize("neighbours", [1, 3])
@pytest.mark.parametrize("doubled", [False, True])
def test_the_interval_over_groups_is_the_jackknife_that_leaves_each_out(neighbours, doubled):
    x, codes = grouped(0, 8)
    if doubled and neighbours > 1:  # equal points, in one group and in two
        x[1], x[-1] = x[0], x[2]
    found = differential_entropy(x, neighbours=neighbours, groups=[f"p{code}" for code in codes])
    n, sizes = len(x), np.bincount(codes)
    left_out = [differential_entropy(x[codes != g], neighbours=neighbours).value for g in range(8)]
    weights = n / sizes
    pseudo = weights * found.value - (weights - 1) * left_out
    error = np.sqrt(np.mean((pseudo - np.sum(pseudo / weights)) ** 2 / (weights - 1)))
    assert found.ci_high - found.value == pytest.approx(1.959964 * error, rel=1e-6)
    assert found.value == differential_entropy(x, neighbours=neighbours).value
    assert "spread over 8 groups of records, without the bias" in found.method
    assert found.ceiling is None
    one_left = [0] * (n - 1) + [1]
    assert differential_entropy(x, neighbours=neighbours, groups=one_left).ci_low is None


def test_the_interval_over_groups_covers_what_the_estimator_gives_on_average():
    trials = 200
    by_itself, in_groups = [], []
    for trial in range(trials):
        x, codes = grouped(trial)
        by_itself.append(differential_entropy(x))
        in_groups.append(differential_entropy(x, groups=codes))
    mean = np.mean([found.value for found in in_groups])
    covered = [sum(one.ci_low <= mean <= one.ci_high for one in found) for found in (by_itself, in_groups)]
    assert covered[0] < 0.8 * trials
    assert covered[1] >= stats.binom.ppf(0.001, trials, 0.92)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_the_mutual_information_of_normals_is_the_closed_form(d, rho):
    truth = -0.5 * d * np.log(1 - rho**2)
    values = [mutual_information(*correlated(800, d, rho, t), n_permutations=0).value for t in range(10)]
    # Known bias: at 800 points about a tenth of a strong dependence in three dimensions.
    assert np.mean(values) == pytest.approx(truth, abs=0.015 * d + (0.02, 0.06, 0.12)[d - 1] * truth)


def test_it_agrees_with_scikit_learns_estimator():
    x, y = correlated(500, 1, 0.7)
    expected = mutual_info_regression(x, y[:, 0], n_neighbors=3, random_state=0)[0]
    assert mutual_information(x, y, n_permutations=0).value == pytest.approx(expected, abs=0.01)


def test_its_interval_covers_and_its_test_keeps_its_level():
    truth, trials, covered, rejected = -0.5 * np.log(1 - 0.36), 150, 0, 0
    for trial in range(trials):
        found = mutual_information(*correlated(300, 1, 0.6, trial), n_permutations=0)
        covered += found.ci_low <= truth <= found.ci_high
        independent = mutual_information(*correlated(50, 1, 0.0, trial), n_permutations=19, seed=trial)
        rejected += independent.p_value <= 0.05
    assert covered >= stats.binom.ppf(0.001, trials, 0.93)
    low, high = stats.binom.interval(0.999, trials, 0.05)
    assert low <= rejected <= high


def test_dependence_is_found_and_the_null_mean_is_near_zero():
    found = mutual_information(*correlated(200, 2, 0.6), n_permutations=49)
    assert found.p_value == 0.02
    assert abs(found.null_mean) < 0.05 < found.value


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: differential_entropy([[1.0]] * 3), "x: holds 3 observations; at least 4"),
        (lambda: differential_entropy([[1.0]] * 5), "x: observation 0 has more than 3 equal ones"),
        (lambda: mutual_information(np.arange(5.0), np.arange(6.0)), "x and y: hold 5 and 6"),
        (lambda: mutual_information(np.arange(5.0), np.ones(5)), "y: column 0 is constant"),
        (lambda: mutual_information([0.0, 1, 1, 1, 1, 1, 2], np.arange(7.0)), "x: observation 1 has more than 3 equal"),
        (
            lambda: mutual_information(np.arange(99.0), np.arange(99) // 9),
            "y: observation 0 has more than 3 equal",
        ),
        (lambda: mutual_information(np.arange(9.0), np.arange(9.0), n_permutations=-1), "n_permutations: -1 is not"),
        (lambda: differential_entropy([[1.0], [2.0]], neighbours=0), "neighbours: 0 is not allowed"),
        (lambda: mutual_information([1, 2, 3, np.inf, 4], np.arange(5.0)), "x: observation 3 holds NaN or infinity"),
    ],
)
def test_bad_input_is_told_in_one_sentence(call, message):
    with pytest.raises(UserError, match=message):
        call()
