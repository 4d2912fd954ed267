import warnings

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from ggmi.mixtures import em
from ggmi.mixtures.em import fit
from ggmi.mixtures.gaussian import Mixtures, log_density, sample
from ggmi.random import stream


@pytest.fixture
def problems(random_mixtures, streams):
    """Points of random mixtures, shape (rounds, n, d)."""

    def make(rounds, n, components, d, *name, side=10.0):
        mixtures = random_mixtures(rounds, components, d, *name, side=side)
        return sample(mixtures, n, streams(rounds, "problems", n, components, d, *name))[0]

    return make


def start_at_points(points, components, *name):
    """Equal weights, means at points of each problem, round covariances as wide as the data."""
    rounds, n, d = points.shape
    picks = np.stack([stream(1, "start", *name, r).choice(n, components, replace=False) for r in range(rounds)])
    means = np.take_along_axis(points, picks[..., None], axis=1)
    width = points.var(axis=1).mean(axis=1)[:, None, None, None]
    return Mixtures.equal_weights(means, width * np.eye(d) * np.ones((rounds, components, 1, 1)))


def by_sklearn(points, components, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianMixture(components, **settings).fit(points)


def by_sklearn_from(points, start, r, **settings):
    return by_sklearn(
        points[r],
        start.components,
        weights_init=start.weights[r],
        means_init=start.means[r],
        precisions_init=np.linalg.inv(start.covariances[r]),
        **settings,
    )


def assert_same_fit(one, other):
    for found, expected in zip(one.arrays().values(), other.arrays().values(), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("components", [1, 2, 3, 4, 5, 6])
def test_fit_reaches_sklearn_likelihood_from_the_same_start(problems, d, components):
    rounds, n = 42, 60 + 28 * (components - 1) % 141
    points = problems(rounds, n, components, d)
    start = start_at_points(points, components)
    found = fit(points, components, start=start)
    for r in range(rounds):
        expected = by_sklearn_from(points, start, r)
        assert found.log_likelihood[r] == pytest.approx(expected.score(points[r]), rel=1e-6)
        assert found.iterations[r] == expected.n_iter_
        assert found.converged[r] == expected.converged_


def test_fit_has_sklearn_parameters_after_the_same_iterations(problems):
    points = problems(10, 100, 3, 2)
    start = start_at_points(points, 3)
    settings = {"max_iterations": 7, "tolerance": 1e-12, "regularisation": 1e-3}
    found = fit(points, 3, start=start, **settings)
    for r in range(10):
        expected = by_sklearn_from(points, start, r, max_iter=7, tol=1e-12, reg_covar=1e-3)
        np.testing.assert_allclose(found.mixtures.weights[r], expected.weights_, rtol=1e-8)
        np.testing.assert_allclose(found.mixtures.means[r], expected.means_, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(found.mixtures.covariances[r], expected.covariances_, rtol=1e-7, atol=1e-7)


def test_default_start_is_as_good_as_sklearns(problems):
    # The mean difference of this many pairs has a standard error of about 0.008.
    rounds = 36
    differences = []
    for d in (1, 2, 3, 5):
        for components in (2, 4, 6):
            points = problems(rounds, 150, components, d)
            found = fit(points, components, [stream(2, "start quality", r) for r in range(rounds)])
            expected = [by_sklearn(points[r], components, random_state=r).score(points[r]) for r in range(rounds)]
            differences.extend(found.log_likelihood - expected)
    assert len(differences) == 432
    assert np.mean(differences) > -0.02


def test_the_reported_likelihood_is_that_of_the_fitted_mixture(problems, streams):
    points = problems(8, 120, 3, 2)
    found = fit(points, 3, streams(8, "reported"))
    np.testing.assert_allclose(found.log_likelihood, log_density(found.mixtures, points).mean(axis=1), rtol=1e-9)


@pytest.mark.parametrize("d", [1, 3])
def test_likelihood_never_falls_from_one_iteration_to_the_next(problems, d):
    points = problems(40, 100, 4, d)
    start = start_at_points(points, 4)
    settings = {"tolerance": 1e-15, "regularisation": 1e-9}
    fits = [fit(points, 4, start=start, max_iterations=i, **settings) for i in range(1, 41)]
    steps = np.diff([f.log_likelihood for f in fits], axis=0)
    sound = fits[-1].collapsed == 0
    assert sound.sum() >= 10
    assert (steps[:, sound] > -1e-9).all()
    # The regularisation of a collapsed component moves it off the maximum.
    assert (steps > -1e-5).all()
    assert (steps.sum(axis=0) > 0).all()


def test_more_iterations_continue_where_fewer_stopped(problems):
    points = problems(5, 100, 3, 2)
    start = start_at_points(points, 3)
    first = fit(points, 3, start=start, max_iterations=4, tolerance=1e-15)
    then = fit(points, 3, start=first.mixtures, max_iterations=6, tolerance=1e-15)
    together = fit(points, 3, start=start, max_iterations=10, tolerance=1e-15)
    np.testing.assert_allclose(then.log_likelihood, together.log_likelihood, rtol=1e-8)


@pytest.mark.parametrize(("n", "components", "d"), [(60, 3, 1), (137, 1, 2), (200, 6, 2), (61, 2, 3), (150, 4, 5)])
def test_a_problem_fitted_alone_gives_bit_identical_results(problems, streams, n, components, d):
    rounds = 2 * em.BLOCK_ELEMENTS // (n * components) + 20
    points = problems(rounds, n, components, d)
    together = fit(points, components, streams(rounds, "batch"), restarts=2)
    assert components == 1 or len(set(together.iterations)) > 3
    for r in np.linspace(0, rounds - 1, 25).astype(int):
        alone = fit(points[r : r + 1], components, streams(rounds, "batch")[r : r + 1], restarts=2)
        for name, found in alone.arrays().items():
            np.testing.assert_array_equal(found[0], together.arrays()[name][r], err_msg=name)


def test_a_batch_gives_the_same_results_in_any_order(problems, streams):
    points = problems(30, 80, 3, 2)
    order = np.random.default_rng(0).permutation(30)
    generators = streams(30, "order")
    turned = fit(points[order], 3, [generators[i] for i in order])
    straight = fit(points, 3, streams(30, "order"))
    for name, found in turned.arrays().items():
        np.testing.assert_array_equal(found, straight.arrays()[name][order], err_msg=name)


def test_a_start_gives_the_same_fit_wherever_the_generators_stand(problems, streams):
    points = problems(4, 80, 3, 2)
    start = start_at_points(points, 3)
    assert_same_fit(fit(points, 3, start=start), fit(points, 3, streams(4, "unused"), start=start))


def test_more_restarts_are_never_worse_and_sometimes_better(problems, streams):
    points = problems(60, 120, 5, 2)
    paths = [fit(points, 5, streams(60, "restarts"), restarts=k).log_likelihood for k in (1, 2, 5, 10)]
    assert (np.diff(paths, axis=0) >= 0).all()
    assert (paths[-1] > paths[0] + 0.01).sum() >= 10


def test_one_component_has_the_mean_and_maximum_likelihood_covariance_of_the_points(streams):
    points = np.stack([g.normal(3, 2, (50, 4)) @ g.normal(size=(4, 4)) for g in streams(6, "single")])
    found = fit(points, 1, streams(6, "fit"), regularisation=1e-4)
    np.testing.assert_array_equal(found.mixtures.weights, 1)
    for r in range(6):
        np.testing.assert_allclose(found.mixtures.means[r, 0], points[r].mean(axis=0), rtol=1e-10)
        expected = np.cov(points[r].T, bias=True) + 1e-4 * np.eye(4)
        np.testing.assert_allclose(found.mixtures.covariances[r, 0], expected, rtol=1e-9, atol=1e-9)
    assert found.converged.all()


@pytest.mark.parametrize("d", [1, 2, 4])
def test_well_separated_components_are_recovered_within_their_standard_errors(streams, d):
    rounds, n, components = 10, 3000, 3
    means = 50.0 * np.arange(components)[:, None] * np.ones((rounds, 1, d))
    covariances = np.array([0.5, 1.0, 2.0])[:, None, None] * np.eye(d) * np.ones((rounds, 1, 1, 1))
    truth = Mixtures(np.full((rounds, 3), [0.2, 0.3, 0.5]), means, covariances)
    points, _ = sample(truth, n, streams(rounds, "separated", d))
    found = fit(points, components, streams(rounds, "fit"))
    order = found.mixtures.means[..., 0].argsort(axis=1)[..., None]
    weights = np.take_along_axis(found.mixtures.weights, order[..., 0], axis=1)
    assert (np.abs(weights - truth.weights) < 4.5 * np.sqrt(truth.weights * (1 - truth.weights) / n)).all()
    members = (n * weights)[..., None]
    variances = np.diagonal(covariances, axis1=2, axis2=3)
    fitted = np.take_along_axis(found.mixtures.means, order, axis=1)
    assert (np.abs(fitted - means) < 4.5 * np.sqrt(variances / members)).all()
    fitted_variances = np.take_along_axis(np.diagonal(found.mixtures.covariances, axis1=2, axis2=3), order, axis=1)
    assert (np.abs(fitted_variances - variances) < 4.5 * variances * np.sqrt(2 / members)).all()
    assert (found.collapsed == 0).all()
    assert found.converged.all()


def test_a_fit_explains_its_points_better_than_the_truth_does(random_mixtures, streams):
    truth = random_mixtures(20, 3, 2, "better", side=30)
    points, _ = sample(truth, 300, streams(20, "better"))
    found = fit(points, 3, streams(20, "fit"), restarts=10)
    assert (found.log_likelihood > log_density(truth, points).mean(axis=1)).mean() > 0.9


def test_a_fit_moves_with_its_points(problems, streams):
    points = problems(6, 100, 3, 2)
    one = fit(points, 3, streams(6, "moved"))
    other = fit(points + 1000.0, 3, streams(6, "moved"))
    np.testing.assert_allclose(other.mixtures.means - 1000, one.mixtures.means, atol=1e-6)
    np.testing.assert_allclose(other.mixtures.covariances, one.mixtures.covariances, atol=1e-6)
    np.testing.assert_allclose(other.log_likelihood, one.log_likelihood, atol=1e-6)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_components_on_duplicated_points_are_counted_as_collapsed(streams, d):
    points = np.stack([np.repeat(g.normal(0, 5, size=(3, d)), 20, axis=0) for g in streams(5, "duplicated")])
    found = fit(points, 3, streams(5, "fit"), regularisation=1e-6)
    np.testing.assert_array_equal(found.collapsed, 3)
    for values in found.arrays().values():
        assert np.isfinite(values).all()
    for r in range(5):
        np.testing.assert_allclose(
            np.sort(found.mixtures.means[r], axis=0), np.sort(np.unique(points[r], axis=0), axis=0), atol=1e-9
        )
    np.testing.assert_allclose(found.mixtures.covariances, 1e-6 * np.eye(d) * np.ones((5, 3, 1, 1)), atol=1e-9)
    expected = np.log(1 / 3) - 0.5 * d * np.log(2 * np.pi * 1e-6)
    np.testing.assert_allclose(found.log_likelihood, expected, rtol=1e-6)


def test_identical_points_are_fitted_to_one_spot(streams):
    points = np.full((2, 30, 2), 7.0)
    found = fit(points, 3, streams(2, "identical"))
    assert (found.collapsed >= 1).all()
    np.testing.assert_allclose(log_density(found.mixtures, points).mean(axis=1), -np.log(2 * np.pi * 1e-6), rtol=1e-6)


def test_points_on_a_line_collapse_the_covariance(streams):
    points = np.stack([g.normal(size=(80, 1)) * [1.0, 2.0] for g in streams(3, "line")])
    found = fit(points, 1, streams(3, "fit"))
    np.testing.assert_array_equal(found.collapsed, 1)


@pytest.mark.parametrize(("weight", "collapsed"), [(0.005, 1), (0.02, 0)])
def test_a_component_that_explains_less_than_one_point_is_counted_as_collapsed(streams, weight, collapsed):
    points = streams(1, "lost")[0].normal(size=(1, 100, 2))
    twice = Mixtures(np.array([[1 - weight, weight]]), np.zeros((1, 2, 2)), np.eye(2) * np.ones((1, 2, 1, 1)))
    found = fit(points, 2, start=twice, max_iterations=1)
    np.testing.assert_allclose(found.mixtures.weights, twice.weights, rtol=1e-9)
    np.testing.assert_array_equal(found.collapsed, collapsed)


def test_as_many_components_as_points_are_allowed(streams):
    points = np.stack([g.normal(0, 3, size=(5, 2)) for g in streams(3, "each")])
    found = fit(points, 5, streams(3, "fit"))
    np.testing.assert_array_equal(found.collapsed, 5)
    for r in range(3):
        distances = np.linalg.norm(found.mixtures.means[r][:, None] - points[r], axis=2)
        np.testing.assert_allclose(distances.min(axis=1), 0, atol=1e-6)


def test_fits_are_proper_mixtures(problems, streams):
    found = fit(problems(30, 100, 4, 3), 4, streams(30, "proper")).mixtures
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, rtol=1e-12)
    assert (found.weights >= 0).all()
    np.testing.assert_array_equal(found.covariances, found.covariances.swapaxes(-1, -2))
    assert (np.linalg.eigvalsh(found.covariances) > 0).all()


def test_one_iteration_is_never_converged_and_the_limit_is_kept(problems, streams):
    points = problems(10, 100, 3, 2)
    one = fit(points, 3, streams(10, "limit"), max_iterations=1)
    assert not one.converged.any()
    np.testing.assert_array_equal(one.iterations, 1)
    loose = fit(points, 3, streams(10, "limit"), max_iterations=500)
    assert loose.converged.all()
    assert (loose.iterations < 500).all()


def test_a_looser_tolerance_stops_sooner(problems, streams):
    points = problems(20, 150, 4, 2)
    iterations = [fit(points, 4, streams(20, "tolerance"), tolerance=t).iterations for t in (1e-1, 1e-3, 1e-5)]
    assert (np.diff(iterations, axis=0) >= 0).all()
    assert iterations[0].mean() < iterations[1].mean() < iterations[2].mean()


def test_k_means_finds_separated_clusters_and_no_better_assignment(streams):
    centres = np.array([[0.0, 0.0], [40.0, 0.0], [0.0, 40.0], [40.0, 40.0]])
    points = np.stack([np.repeat(centres, 25, axis=0) + g.normal(size=(100, 2)) for g in streams(10, "clusters")])
    uniforms = np.stack([g.random((4, 3)) for g in streams(10, "seeds")])
    memberships = em._k_means(em._features(points), 4, uniforms)
    np.testing.assert_array_equal(memberships.sum(axis=1), 1)
    np.testing.assert_array_equal(memberships.sum(axis=2), 25)
    means = memberships @ points / 25
    nearest = np.square(points[:, None] - means[:, :, None]).sum(axis=3).argmin(axis=1)
    np.testing.assert_array_equal(memberships.argmax(axis=1), nearest)


def test_coefficients_times_features_are_the_components_log_densities(random_mixtures, streams, scipy_log_density):
    mixtures = random_mixtures(3, 4, 3)
    points = np.stack([g.normal(5, 3, size=(20, 3)) for g in streams(3, "features")])
    joint = em._coefficients(mixtures.weights, mixtures.means, mixtures.covariances) @ em._features(points)
    for r in range(3):
        np.testing.assert_allclose(logsumexp(joint[r], axis=0), scipy_log_density(mixtures, r, points[r]), rtol=1e-8)


def test_fewer_points_than_components_are_refused(streams):
    with pytest.raises(ValueError, match="4 components cannot be fitted to 3 points"):
        fit(np.zeros((1, 3, 2)), 4, streams(1, "few"))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_points_that_are_not_finite_are_refused(problems, streams, bad):
    points = problems(3, 50, 2, 2)
    points[1, 7, 0] = bad
    with pytest.raises(ValueError, match="finite"):
        fit(points, 2, streams(3, "finite"))


def test_data_spread_too_wide_for_the_regularisation_are_refused(problems, streams):
    points = 1e6 * problems(3, 50, 2, 2)
    with pytest.raises(ValueError, match="standardise the data or raise the regularisation"):
        fit(points, 2, streams(3, "wide"))
    assert np.isfinite(fit(points, 2, streams(3, "wide"), regularisation=1e4).log_likelihood).all()


def test_neither_generators_nor_a_start_is_refused(problems):
    with pytest.raises(ValueError, match="generators or a start"):
        fit(problems(2, 50, 2, 2), 2)


@pytest.mark.parametrize("count", [1, 4])
def test_fitting_needs_as_many_generators_as_problems(problems, streams, count):
    with pytest.raises(ValueError):
        fit(problems(3, 50, 2, 2), 2, streams(count, "too few or many"))
