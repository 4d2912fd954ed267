import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scipy.special import logsumexp

from ggmi.errors import UserError
from ggmi.mixtures.gaussian import Mixtures, component_log_densities, log_density, log_sum_exp, sample


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("components", [1, 4])
def test_log_density_equals_scipys_mixture(random_mixtures, scipy_log_density, streams, d, components):
    mixtures = random_mixtures(6, components, d)
    points = np.stack([g.normal(5, 4, size=(50, d)) for g in streams(6, "log density", d)])
    found = log_density(mixtures, points)
    for r in range(6):
        np.testing.assert_allclose(found[r], scipy_log_density(mixtures, r, points[r]), rtol=1e-10, atol=1e-10)


def test_component_log_densities_include_the_weights(random_mixtures, streams):
    mixtures = random_mixtures(3, 4, 2)
    points = np.stack([g.normal(5, 4, size=(20, 2)) for g in streams(3, "components")])
    found = component_log_densities(mixtures, points)
    assert found.shape == (3, 4, 20)
    for r, c in np.ndindex(3, 4):
        law = stats.multivariate_normal(mixtures.means[r, c], mixtures.covariances[r, c])
        expected = np.log(mixtures.weights[r, c]) + law.logpdf(points[r])
        np.testing.assert_allclose(found[r, c], expected, rtol=1e-10, atol=1e-10)


def test_log_density_integrates_to_one(random_mixtures):
    mixtures = random_mixtures(5, 3, 1)
    grid = np.linspace(-20, 30, 20_001)
    points = np.broadcast_to(grid[:, None], (5, len(grid), 1))
    total = np.trapezoid(np.exp(log_density(mixtures, points)), grid, axis=1)
    np.testing.assert_allclose(total, 1, rtol=1e-9)


def test_log_density_far_from_every_component_is_that_of_the_quadratic_form(random_mixtures):
    mixtures = random_mixtures(4, 3, 2)
    for distance in (1e3, 1e8, 1e150):
        points = np.full((4, 1, 2), distance)
        quadratic = np.linalg.inv(mixtures.covariances).sum(axis=(2, 3)).min(axis=1) * distance**2 / 2
        np.testing.assert_allclose(log_density(mixtures, points)[:, 0], -quadratic, rtol=0.05)


def test_components_of_no_weight_do_not_count(random_mixtures, streams):
    mixtures = random_mixtures(1, 2, 2)
    weights = np.concatenate([mixtures.weights, np.zeros((1, 1))], axis=1)
    means = np.concatenate([mixtures.means, np.ones((1, 1, 2))], axis=1)
    covariances = np.concatenate([mixtures.covariances, np.eye(2)[None, None]], axis=1)
    more = Mixtures(weights, means, covariances)
    points = streams(1, "weightless")[0].normal(5, 4, size=(1, 30, 2))
    np.testing.assert_allclose(log_density(more, points), log_density(mixtures, points), rtol=1e-12)
    assert (component_log_densities(more, points)[0, 2] == -np.inf).all()
    assert (sample(more, 1000, streams(1, "weightless"))[1] < 2).all()


@given(hnp.arrays(float, (2, 3, 4), elements=st.floats(-1e300, 1e300)))
def test_log_sum_exp_equals_scipys(values):
    values[0, 1, 2] = -np.inf
    np.testing.assert_allclose(log_sum_exp(values), logsumexp(values, axis=1), rtol=1e-13, atol=1e-13)


def test_sampled_points_follow_their_components(random_mixtures, streams):
    n = 20_000
    mixtures = random_mixtures(5, 3, 3)
    points, labels = sample(mixtures, n, streams(5, "sample"))
    assert points.shape == (5, n, 3)
    assert labels.shape == (5, n)
    for r, c in np.ndindex(5, 3):
        own = points[r, labels[r] == c]
        covariance = mixtures.covariances[r, c]
        variances = np.diag(covariance)
        weight = mixtures.weights[r, c]
        assert abs(len(own) - n * weight) < 4.5 * np.sqrt(n * weight * (1 - weight))
        mean_error = np.sqrt(variances / len(own))
        assert (np.abs(own.mean(axis=0) - mixtures.means[r, c]) < 4.5 * mean_error).all()
        covariance_error = np.sqrt((np.outer(variances, variances) + covariance**2) / len(own))
        assert (np.abs(np.cov(own.T) - covariance) < 4.5 * covariance_error).all()


def test_whitened_points_are_standard_normal(random_mixtures, streams):
    mixtures = random_mixtures(2, 3, 2)
    points, labels = sample(mixtures, 5000, streams(2, "whitened"))
    for r in range(2):
        factors = np.linalg.cholesky(mixtures.covariances[r])[labels[r]]
        white = np.linalg.solve(factors, (points[r] - mixtures.means[r][labels[r]])[..., None])
        assert stats.kstest(white.ravel(), "norm").pvalue > 0.001


def test_points_are_ordered_by_component(random_mixtures, streams):
    _, labels = sample(random_mixtures(4, 5, 2), 300, streams(4, "order"))
    assert (np.diff(labels, axis=1) >= 0).all()


def test_a_mixtures_points_do_not_depend_on_other_mixtures_of_the_batch(random_mixtures, streams):
    mixtures = random_mixtures(6, 3, 2)
    points, labels = sample(mixtures, 100, streams(6, "alone"))
    for r in range(6):
        alone, alone_labels = sample(mixtures[r : r + 1], 100, streams(6, "alone")[r : r + 1])
        np.testing.assert_array_equal(alone[0], points[r])
        np.testing.assert_array_equal(alone_labels[0], labels[r])


@pytest.mark.parametrize("count", [2, 4])
def test_sampling_needs_as_many_generators_as_mixtures(random_mixtures, streams, count):
    with pytest.raises(ValueError):
        sample(random_mixtures(3, 2, 2), 10, streams(count, "too few or many"))


def test_cholesky_factors_multiply_to_the_covariances(random_mixtures):
    mixtures = random_mixtures(4, 3, 5)
    factors = mixtures.cholesky()
    np.testing.assert_allclose(factors @ factors.swapaxes(-1, -2), mixtures.covariances, rtol=1e-12)
    assert (np.triu(factors, 1) == 0).all()


@pytest.mark.parametrize("use", [Mixtures.cholesky, lambda m: log_density(m, np.zeros((4, 1, 2)))])
def test_a_covariance_that_is_not_positive_definite_is_named(random_mixtures, use):
    mixtures = random_mixtures(4, 3, 2)
    mixtures.covariances[2, 1] = [[1.0, 2.0], [2.0, 1.0]]
    with pytest.raises(UserError, match=r"component 1 in round 2 .*smallest eigenvalue -1\)"):
        use(mixtures)


@pytest.mark.parametrize(
    ("weights", "means", "covariances", "named"),
    [
        ((2, 3), (3, 4), (2, 3, 4, 4), "means"),
        ((2, 2), (2, 3, 4), (2, 3, 4, 4), "weights"),
        ((3,), (2, 3, 4), (2, 3, 4, 4), "weights"),
        ((2, 3), (2, 3, 4), (2, 3, 4), "covariances"),
        ((2, 3), (2, 3, 4), (2, 3, 3, 3), "covariances"),
    ],
)
def test_shapes_that_do_not_fit_together_are_refused(weights, means, covariances, named):
    with pytest.raises(ValueError, match=f"{named} must have shape"):
        Mixtures(np.ones(weights), np.ones(means), np.ones(covariances))


def test_equal_weights_are_one_over_the_number_of_components(random_mixtures):
    mixtures = random_mixtures(3, 4, 2)
    equal = Mixtures.equal_weights(mixtures.means, mixtures.covariances)
    np.testing.assert_array_equal(equal.weights, np.full((3, 4), 0.25))
    assert (equal.rounds, equal.components, equal.dimensions) == (3, 4, 2)


def test_an_index_picks_mixtures_of_the_batch(random_mixtures):
    mixtures = random_mixtures(5, 2, 3)
    for index in (slice(1, 4), np.array([4, 0])):
        picked = mixtures[index]
        np.testing.assert_array_equal(picked.weights, mixtures.weights[index])
        np.testing.assert_array_equal(picked.means, mixtures.means[index])
        np.testing.assert_array_equal(picked.covariances, mixtures.covariances[index])
