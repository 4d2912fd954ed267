import itertools

import numpy as np
import pytest
from scipy import stats

from ggmi.errors import UserError
from ggmi.information import hsic as module
from ggmi.information import kernels
from ggmi.information.hsic import hsic
from ggmi.information.kernel_sums import cross_sums, jackknife_error, kernel_sums
from ggmi.information.kernels import Sets, variable
from ggmi.random import stream


def by_quadruples(k, ell):
    """The U-statistic by its definition: the mean over all ordered quadruples of different observations."""
    total, count = 0.0, 0
    for i, j, q, r in itertools.permutations(range(len(k)), 4):
        total += k[i, j] * (ell[i, j] + ell[q, r] - 2 * ell[i, q])
        count += 1
    return total / count


def by_matrices(k, ell):
    """The V-statistic by its definition."""
    n = len(k)
    h = np.eye(n) - 1 / n
    return np.trace(k @ h @ ell @ h) / (n - 1) ** 2


def closed_form(rho, bandwidth):
    """HSIC of a standard normal pair under Gaussian kernels: E exp(-u'u / 2 s^2) = det(I + C / s^2)^(-1/2)."""

    def expectation(covariance):
        return np.linalg.det(np.eye(2) + np.array([[2.0, covariance], [covariance, 2.0]]) / bandwidth**2) ** -0.5

    return expectation(2 * rho) + expectation(0) - 2 * expectation(rho)


def test_the_unbiased_statistic_equals_the_mean_over_quadruples(dependent, gaussian_kernel):
    x, y = dependent(8)
    found = hsic(x, y, bandwidth=(1.5, 0.8), n_permutations=0)
    assert found.value == pytest.approx(by_quadruples(gaussian_kernel(x, 1.5), gaussian_kernel(y, 0.8)), rel=1e-10)


@pytest.mark.parametrize("kernel", ["gaussian", "linear", ("linear", "gaussian")])
def test_the_biased_statistic_equals_its_matrix_form(dependent, kernel):
    x, y = dependent(15)
    names = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    every = np.arange(15)
    k, ell = (variable(data, "x", kernel=name).tile(every, every) for data, name in zip((x, y), names, strict=True))
    assert hsic(x, y, "biased", kernel, n_permutations=0).value == pytest.approx(by_matrices(k, ell), rel=1e-10)


@pytest.mark.parametrize("kernel", ["gaussian", "linear"])
def test_sets_on_both_sides_have_the_statistics_of_their_mean_kernels(kernel):
    generator = stream(4, "sets on both sides")
    sides, matrices = [], []
    for sizes in ([1, 3, 2, 2, 5, 1, 4, 2], [2, 2, 1, 6, 1, 3, 1, 2]):
        points = generator.normal(size=(9, 2))
        members = [generator.choice(9, size, replace=False) for size in sizes]
        centred = points - points.mean(axis=0)
        k = centred @ centred.T
        if kernel == "gaussian":
            k = np.exp(-np.square(points[:, None] - points[None, :]).sum(axis=2) / 2)
        sides.append(Sets(points, members))
        matrices.append(np.array([[k[np.ix_(a, b)].mean() for b in members] for a in members]))
    settings = {"kernel": kernel, "bandwidth": 1.0, "n_permutations": 0}
    assert hsic(*sides, **settings).value == pytest.approx(by_quadruples(*matrices), rel=1e-10)
    # The diagonal of a mean kernel is no constant, and the biased form holds it.
    assert hsic(*sides, "biased", **settings).value == pytest.approx(by_matrices(*matrices), rel=1e-10)


@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
def test_tiles_do_not_change_the_result(dependent, monkeypatch, estimator):
    x, y = dependent(90)
    whole = hsic(x, y, estimator, n_permutations=50)
    monkeypatch.setattr(kernels, "TILE", 16)
    tiled = hsic(x, y, estimator, n_permutations=50)
    for field in ("value", "ci_low", "ci_high", "p_value", "null_mean", "ceiling"):
        assert getattr(tiled, field) == pytest.approx(getattr(whole, field), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("n_permutations", [20, 200])
@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
def test_exchanging_the_variables_changes_nothing(dependent, estimator, n_permutations):
    x, y = dependent(60, strength=0.3)
    one = hsic(x, y, estimator, n_permutations=n_permutations, seed=3)
    other = hsic(y, x, estimator, n_permutations=n_permutations, seed=3)
    for field in ("value", "ci_low", "ci_high", "p_value", "null_mean", "ceiling"):
        assert getattr(one, field) == pytest.approx(getattr(other, field), rel=1e-12)


def test_the_same_seed_gives_the_same_p_value_and_another_seed_another(dependent):
    x, y = dependent(60, strength=0.3)
    p = [hsic(x, y, n_permutations=99, seed=seed).p_value for seed in (1, 1, 2)]
    assert p[0] == p[1] != p[2]


def test_the_mean_over_samples_is_the_closed_form_of_normal_pairs():
    rho, bandwidth, trials = 0.6, 1.2, 400
    generator = stream(4, "closed form")
    values = []
    for _ in range(trials):
        x = generator.normal(size=40)
        y = rho * x + np.sqrt(1 - rho**2) * generator.normal(size=40)
        values.append(hsic(x, y, bandwidth=bandwidth, n_permutations=0).value)
    error = np.std(values, ddof=1) / np.sqrt(trials)
    assert abs(np.mean(values) - closed_form(rho, bandwidth)) < 3.5 * error
    assert closed_form(rho, bandwidth) > 20 * error


@pytest.mark.parametrize(("rho", "n"), [(0.6, 60), (0.2, 100), (0.0, 60)])
def test_the_interval_covers_the_true_value(rho, n):
    bandwidth, trials, covered = 1.0, 400, 0
    generator = stream(5, "coverage", n, int(100 * rho))
    for _ in range(trials):
        x = generator.normal(size=n)
        y = rho * x + np.sqrt(1 - rho**2) * generator.normal(size=n)
        found = hsic(x, y, bandwidth=bandwidth, n_permutations=0)
        covered += found.ci_low <= closed_form(rho, bandwidth) <= found.ci_high
    # Conservative where the statistic degenerates, and a jackknife of 60 points elsewhere: 92 % at least.
    assert covered >= stats.binom.ppf(0.001, trials, 0.93)


def test_the_jackknife_error_is_that_of_leaving_out_each_observation(dependent):
    x, y = dependent(30)
    sides = [variable(x, "x", bandwidth=1.0), variable(y, "y", bandwidth=1.0)]
    sums = kernel_sums(*sides)
    left_out = [
        kernel_sums(*(side.reordered(np.delete(np.arange(30), i)) for side in sides)).value("unbiased")
        for i in range(30)
    ]
    expected = np.sqrt(29 / 30 * np.square(left_out - np.mean(left_out)).sum())
    assert jackknife_error(sums, cross_sums(*sides, sums)) == pytest.approx(expected, rel=1e-10)


def test_the_ceiling_is_reached_by_a_copy_and_by_nothing_else(dependent):
    x, y = dependent(40)
    for estimator in ("unbiased", "biased"):
        copy = hsic(x, 3 * x, estimator, n_permutations=0)
        assert copy.value == pytest.approx(copy.ceiling, rel=1e-10)
        found = hsic(x, y, estimator, n_permutations=0)
        assert abs(found.value) < 0.9 * found.ceiling


@pytest.mark.parametrize(("m", "published"), [(128, 7.87e-3), (88, 11.43e-3)])
def test_narrow_kernels_on_independent_samples_give_the_published_numbers(m, published):
    # 1/127 = 7.874e-3 and 1/87 = 11.49e-3: the statistic of tables 2 and 4 for samples that have nothing in common.
    generator = stream(7, "published", m)
    x, y = generator.normal(size=(m, 20)), generator.normal(size=(m, 20))
    biased = hsic(x, y, "biased", bandwidth=0.8)
    assert biased.value == pytest.approx(published, rel=0.01)
    assert biased.null_mean == pytest.approx(1 / (m - 1), rel=1e-3)
    assert biased.p_value > 0.01
    assert abs(hsic(x, y, bandwidth=0.8).value) < 1e-3 * published


def test_the_null_mean_of_the_biased_statistic_is_the_closed_form_of_mean_kernel_values(dependent, gaussian_kernel):
    x, y = dependent(25)
    a, b = (gaussian_kernel(data, 1.1)[np.triu_indices(25, 1)].mean() for data in (x, y))
    # The mean of tr(K H L H) over pairings is tr(K H) tr(L H) / (n - 1), and tr(K H) = (n - 1)(1 - a).
    assert hsic(x, y, "biased", bandwidth=1.1).null_mean == pytest.approx((1 - a) * (1 - b) / 24, rel=1e-10)


def test_sets_that_hold_one_point_each_are_points(dependent):
    x, y = dependent(30)
    as_sets = Sets(x, [[i] for i in range(30)])
    one, other = hsic(x, y, n_permutations=99), hsic(as_sets, y, n_permutations=99)
    assert one.value == pytest.approx(other.value, rel=1e-12)
    assert one.p_value == other.p_value
    assert one.ci_low == pytest.approx(other.ci_low, rel=1e-9)


def test_dependence_on_the_anchors_in_the_prompt_is_found():
    generator = stream(8, "sets")
    anchors = generator.normal(size=(20, 3))
    members = [generator.choice(20, 3, replace=False) for _ in range(120)]
    copied = np.array([anchors[m].mean(axis=0) for m in members]) + 0.1 * generator.normal(size=(120, 3))
    assert hsic(Sets(anchors, members), copied).p_value == 1 / 1000
    assert hsic(Sets(anchors, members), generator.normal(size=(120, 3))).p_value > 0.01


@pytest.mark.parametrize(
    ("x", "y", "settings", "message"),
    [
        (np.arange(3.0), np.arange(3.0), {}, "x: holds 3 observations; at least 4 are needed"),
        (np.arange(5.0), np.arange(6.0), {}, "x and y: hold 5 and 6 observations"),
        (np.arange(5.0), np.ones(5), {}, "y: all observations are the same"),
        (np.arange(5.0), [1, 2, 3, 4, np.nan], {}, "y: observation 4 holds NaN"),
        (np.arange(5.0), np.arange(5.0), {"estimator": "unbiassed"}, "estimator: 'unbiassed' is unknown; did you mean"),
        (np.arange(5.0), np.arange(5.0), {"n_permutations": -1}, "n_permutations: -1 is not allowed"),
        (np.arange(5.0), np.arange(5.0), {"n_permutations": 9.5}, "n_permutations: 9.5 is not allowed; use a whole"),
        (np.arange(5.0), np.arange(5.0), {"seed": -1}, "seed: -1 is not allowed; use a whole number of at least 0"),
        (np.arange(5.0), np.arange(5.0), {"kernel": ("gaussian",)}, "kernel: 1 given; one for both variables is"),
        (np.arange(5.0), np.arange(5.0), {"bandwidth": (1.0, 2.0, 3.0)}, "bandwidth: 3 given; one for both"),
        (np.arange(5.0), np.arange(5.0), {"bandwidth": 1e9}, "a kernel is constant"),
    ],
)
def test_bad_input_is_told_in_one_sentence(x, y, settings, message):
    with pytest.raises(UserError, match=message):
        hsic(x, y, **settings)


def test_the_smallest_samples_have_a_value_and_from_five_on_an_interval():
    x = np.array([0.0, 1.0, 3.0, 4.0])
    assert hsic(x, x).ci_low is None
    assert hsic([0.0, 1.0], [0.0, 1.0], "biased").value > 0
    assert hsic([*x, 9.0], [*x, 7.0]).ci_low is not None
    assert module.INTERVAL_LEAST == 5
