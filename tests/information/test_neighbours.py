import numpy as np
import pytest
from scipy import stats
from scipy.special import digamma

from ggmi.errors import UserError
from ggmi.information.neighbours import differential_entropy
from ggmi.random import stream


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: differential_entropy([[1.0]] * 3), "x: holds 3 observations; at least 4"),
        (lambda: differential_entropy([[1.0]] * 5), "x: observation 0 has more than 3 equal ones"),
        (lambda: differential_entropy([[1.0], [2.0]], neighbours=0), "neighbours: 0 is not allowed"),
        (lambda: differential_entropy([1, 2, 3, np.inf, 4]), "x: observation 3 holds NaN or infinity"),
    ],
)
def test_bad_input_is_told_in_one_sentence(call, message):
    with pytest.raises(UserError, match=message):
        call()
