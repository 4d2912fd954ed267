import numpy as np
import pytest
from scipy import integrate, stats

from ggmi.mixtures.divergence import FIRST_POINTS, gaussian_kl, kl_divergence
from ggmi.mixtures.gaussian import Mixtures
from ggmi.mixtures.lattice import REPLICATES

PRECISE = {"relative_error": 1e-4, "absolute_error": 1e-4, "max_points": 2_000_000}


@pytest.fixture
def pairs(random_mixtures):
    """Two batches of overlapping mixtures with different numbers of components."""

    def make(rounds, components, d, *name, side=4.0):
        p = random_mixtures(rounds, components, d, "p", *name, side=side)
        q = random_mixtures(rounds, components + 1, d, "q", *name, side=side)
        return p, q

    return make


@pytest.mark.parametrize(
    ("p", "q", "expected"),
    [
        ((0.0, 1.0), (3.0, 1.0), 4.5),
        ((0.0, 4.0), (1.0, 1.0), (4 + 1 - 1 - np.log(4)) / 2),
        ((0.0, 1.0), (1.0, 4.0), (0.25 + 0.25 - 1 + np.log(4)) / 2),
        ((2.0, 9.0), (2.0, 9.0), 0.0),
    ],
)
def test_gaussian_kl_equals_the_textbook_values(gaussian, p, q, expected):
    assert gaussian_kl(gaussian(*p), gaussian(*q))[0, 0, 0] == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_gaussian_kl_equals_the_trace_formula_for_every_pair_of_components(pairs, d):
    p, q = pairs(4, 3, d)
    found = gaussian_kl(p, q)
    assert found.shape == (4, 3, 4)
    for r, c, b in np.ndindex(found.shape):
        ratio = np.linalg.solve(q.covariances[r, b], p.covariances[r, c])
        shift = q.means[r, b] - p.means[r, c]
        distance = shift @ np.linalg.solve(q.covariances[r, b], shift)
        expected = (np.trace(ratio) - d - np.linalg.slogdet(ratio)[1] + distance) / 2
        assert found[r, c, b] == pytest.approx(expected, rel=1e-10)


def test_gaussian_kl_equals_numerical_integration(pairs):
    p, q = pairs(3, 1, 1)
    found = gaussian_kl(p, q)
    for r, b in np.ndindex(3, 2):
        mean, sd = p.means[r, 0, 0], np.sqrt(p.covariances[r, 0, 0, 0])
        one, other = stats.norm(mean, sd), stats.norm(q.means[r, b, 0], np.sqrt(q.covariances[r, b, 0, 0]))

        def integrand(x, one=one, other=other):
            return one.pdf(x) * (one.logpdf(x) - other.logpdf(x))

        expected = integrate.quad(integrand, mean - 12 * sd, mean + 12 * sd, epsabs=1e-11, limit=200)[0]
        assert found[r, 0, b] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_divergence_of_single_gaussians_is_exact_and_without_error(random_mixtures, streams, d):
    p, q = random_mixtures(10, 1, d, "p"), random_mixtures(10, 1, d, "q")
    found = kl_divergence(p, q, streams(10, "single"))
    np.testing.assert_allclose(found.value, gaussian_kl(p, q)[:, 0, 0], rtol=1e-9)
    np.testing.assert_allclose(found.standard_error / found.value, 0, atol=1e-9)


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1]])
def test_divergence_of_identical_mixtures_is_zero_whatever_the_order_of_components(random_mixtures, streams, d, order):
    p = random_mixtures(20, 4, d)
    q = Mixtures(p.weights[:, order], p.means[:, order], p.covariances[:, order])
    found = kl_divergence(p, q, streams(20, "identical"), **PRECISE)
    assert (np.abs(found.value) < 4.5 * found.standard_error + 1e-9).all()
    assert (np.abs(found.value) < 5e-4).all()


@pytest.mark.parametrize(("d", "rounds"), [(2, 2), (5, 1)])
@pytest.mark.parametrize("components", [2, 4])
def test_divergence_agrees_with_plain_monte_carlo(
    pairs, streams, numpy_sample, scipy_log_density, components, d, rounds
):
    n = 1_000_000
    p, q = pairs(rounds, components, d)
    found = kl_divergence(p, q, streams(rounds, "monte carlo"), **PRECISE)
    for r in range(rounds):
        points = numpy_sample(p, r, n, np.random.default_rng(r))
        ratio = scipy_log_density(p, r, points) - scipy_log_density(q, r, points)
        error = np.hypot(ratio.std() / np.sqrt(n), found.standard_error[r])
        assert abs(found.value[r] - ratio.mean()) < 4 * error
        assert found.standard_error[r] < ratio.std() / np.sqrt(n)
        assert error < 0.01 * found.value[r]


@pytest.mark.parametrize("swapped", [False, True])
def test_divergence_equals_numerical_integration_on_the_line(pairs, streams, scipy_log_density, swapped):
    p, q = pairs(6, 3, 1)
    if swapped:
        p, q = q, p
    found = kl_divergence(p, q, streams(6, "line"), **PRECISE)
    grid = np.linspace(-10, 14, 40_001)
    for r in range(6):
        log_p, log_q = scipy_log_density(p, r, grid[:, None]), scipy_log_density(q, r, grid[:, None])
        expected = np.trapezoid(np.exp(log_p) * (log_p - log_q), grid)
        assert abs(found.value[r] - expected) < 4 * found.standard_error[r] + 1e-6


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("components", [2, 7])
def test_divergence_from_a_wide_gaussian_gives_back_the_entropy(gaussian, streams, components, d):
    covariance = np.diag(np.arange(1.0, d + 1)) + 0.5
    means = 200.0 * np.arange(components)[None, :, None] * np.ones(d)
    p = Mixtures.equal_weights(means, covariance * np.ones((1, components, 1, 1)))
    centre, wide = means[0].mean(axis=0), 1e5 * np.eye(d)
    found = kl_divergence(p, gaussian(centre, wide), streams(1, "entropy"), **PRECISE)
    second_moment = covariance + np.cov(means[0].T, bias=True).reshape(d, d)
    cross_entropy = (d * np.log(2 * np.pi * 1e5) + np.trace(second_moment) / 1e5) / 2
    entropy = np.log(components) + (d * (1 + np.log(2 * np.pi)) + np.linalg.slogdet(covariance)[1]) / 2
    assert found.value[0] == pytest.approx(cross_entropy - entropy, abs=4 * found.standard_error[0] + 1e-8)


@pytest.mark.parametrize("far", [False, True])
def test_components_of_no_weight_do_not_count(pairs, streams, far):
    p, q = pairs(3, 2, 2)
    more = Mixtures(
        np.concatenate([p.weights, np.zeros((3, 1))], axis=1),
        np.concatenate([p.means, np.full((3, 1, 2), 1e3 if far else 2.0)], axis=1),
        np.concatenate([p.covariances, np.eye(2) * np.ones((3, 1, 1, 1))], axis=1),
    )
    for one, other, same in ((more, q, (p, q)), (q, more, (q, p)), (more, more, (p, p))):
        found = kl_divergence(one, other, streams(3, "weightless"), **PRECISE)
        expected = kl_divergence(*same, streams(3, "weight"), **PRECISE)
        error = np.hypot(found.standard_error, expected.standard_error)
        assert (np.abs(found.value - expected.value) < 4 * error + 1e-9).all()


@pytest.mark.parametrize(("components", "d"), [(2, 2), (4, 1), (4, 5)])
def test_standard_errors_are_calibrated(pairs, streams, repeated, components, d):
    # Each estimate averages 16 replicates: its z-score follows Student's law with 15 degrees of freedom.
    repeats = 1000
    p, q = pairs(1, components, d)
    reference = kl_divergence(p, q, streams(1, "reference"), relative_error=1e-5, absolute_error=1e-5)
    assert reference.standard_error[0] < 0.002 * reference.value[0]
    fixed = {"relative_error": 1e-9, "absolute_error": 1e-9, "max_points": 1024 * components}
    found = kl_divergence(repeated(p, repeats), repeated(q, repeats), streams(repeats, "calibration"), **fixed)
    assert (found.points == 1024 * components).all()
    spread = found.value.std() / np.sqrt(repeats)
    assert abs(found.value.mean() - reference.value[0]) < 4 * np.hypot(spread, reference.standard_error[0])
    z = (found.value - reference.value[0]) / found.standard_error
    assert abs(z.mean()) < 0.4
    assert z.var() == pytest.approx(15 / 13, rel=0.25)
    outside = (np.abs(z) > stats.t.ppf(0.975, 15)).sum()
    low, high = stats.binom.interval(0.999, repeats, 0.05)
    assert low <= outside <= high


def test_standard_errors_stay_near_the_truth_when_drawing_stops_by_itself(pairs, streams, repeated):
    # Stopping as soon as the error looks small enough understates it, by a fifth at most.
    repeats = 1000
    for components, d in ((2, 2), (2, 3), (4, 5)):
        p, q = pairs(1, components, d)
        reference = kl_divergence(p, q, streams(1, "reference"), relative_error=1e-5, absolute_error=1e-5)
        found = kl_divergence(repeated(p, repeats), repeated(q, repeats), streams(repeats, "stopping"))
        stated = np.sqrt(np.square(found.standard_error).mean())
        actual = np.sqrt(np.square(found.value - reference.value[0]).mean())
        assert 0.85 < actual / stated < 1.3


def test_the_wanted_precision_is_reached_for_every_pair(pairs, streams):
    p, q = pairs(100, 3, 2)
    for relative, absolute in ((0.01, 0.02), (0.001, 0.0), (0.0, 0.002)):
        settings = {"relative_error": relative, "absolute_error": absolute, "max_points": 4_000_000}
        found = kl_divergence(p, q, streams(100, "precision"), **settings)
        assert (found.standard_error <= np.maximum(relative * np.abs(found.value), absolute)).all()
        assert (found.points <= 4_000_000).all()


def test_drawing_stops_at_the_most_points_allowed_and_says_what_was_reached(pairs, streams):
    p, q = pairs(10, 3, 2)
    found = kl_divergence(p, q, streams(10, "limit"), relative_error=0, absolute_error=0, max_points=50_000)
    assert ((found.points <= 50_000) & (found.points > 25_000)).all()
    assert (found.standard_error > 0).all()
    np.testing.assert_array_equal(found.points % (FIRST_POINTS * REPLICATES * 3), 0)


def test_more_points_lower_the_standard_error_faster_than_independent_points_would(pairs, streams):
    p, q = pairs(10, 2, 1)
    errors = [
        kl_divergence(p, q, streams(10, "rate"), relative_error=0, absolute_error=0, max_points=n).standard_error
        for n in (16_384, 1_048_576)
    ]
    assert np.median(errors[1] / errors[0]) < 1 / 16


@pytest.mark.parametrize("d", [1, 3])
def test_a_pairs_result_does_not_depend_on_the_batch(pairs, streams, d):
    p, q = pairs(12, 3, d)
    together = kl_divergence(p, q, streams(12, "batch"))
    for r in (0, 5, 11):
        alone = kl_divergence(p[r : r + 1], q[r : r + 1], streams(12, "batch")[r : r + 1])
        assert alone.value[0] == together.value[r]
        assert alone.standard_error[0] == together.standard_error[r]
        assert alone.points[0] == together.points[r]


@pytest.mark.parametrize("count", [2, 4])
def test_divergence_needs_as_many_generators_as_pairs(pairs, streams, count):
    with pytest.raises(ValueError):
        kl_divergence(*pairs(3, 2, 2), streams(count, "too few or many"))


def test_divergence_does_not_change_when_both_mixtures_are_transformed(pairs, streams):
    p, q = pairs(4, 3, 2)
    turn = np.array([[3.0, 1.0], [-2.0, 0.5]])

    def transformed(m):
        return Mixtures(m.weights, m.means @ turn.T + 7.0, turn @ m.covariances @ turn.T)

    found = kl_divergence(transformed(p), transformed(q), streams(4, "turned"), **PRECISE)
    expected = kl_divergence(p, q, streams(4, "straight"), **PRECISE)
    error = np.hypot(found.standard_error, expected.standard_error)
    assert (np.abs(found.value - expected.value) < 4 * error).all()
