import numpy as np
import pytest
from scipy import stats

from ggmi.errors import UserError
from ggmi.mixtures.divergence import kl_divergence
from ggmi.mixtures.gaussian import Mixtures
from ggmi.mixtures.histogram import (
    BLOCK_POINTS,
    _Counts,
    _discrete_kl,
    _draw,
    _log_share_tables,
    _normals,
    histogram_divergences,
)


def by_numpy_and_scipy(p_points, q_points, bins, edges):
    """The released script's estimate of D(p || q) from points (n, d), or the same with common edges."""
    both = np.concatenate([p_points, q_points])
    span = list(zip(both.min(axis=0), both.max(axis=0), strict=True)) if edges == "common" else None
    densities = [
        np.clip(np.histogramdd(points, bins=bins, range=span, density=True)[0], 1e-10, None)
        for points in (p_points, q_points)
    ]
    return stats.entropy(densities[0].ravel(), densities[1].ravel())


def points_inside_bins(generator, repeat, n, d, bins, low, width):
    """Points (d, repeat, n) at the centres of random bins, but for one on either outer edge."""
    cells = np.clip(generator.normal(bins / 2, bins / 6, size=(d, repeat, n)).round(), 0, bins - 1)
    points = low + (cells + 0.5) * width
    points[:, :, 0], points[:, :, 1] = low, low + bins * width
    return points.astype(np.float32)


@pytest.mark.parametrize("edges", ["own", "common"])
@pytest.mark.parametrize(("d", "bins"), [(1, 50), (2, 50), (3, 12)])
def test_average_divergence_equals_that_of_numpy_histograms_and_scipy_entropy(
    random_mixtures, streams, numpy_sample, d, bins, edges
):
    rounds, resamplings = 200, 8
    truth, fitted = random_mixtures(rounds, 3, d, "truth"), random_mixtures(rounds, 4, d, "fitted")
    generators = [streams(rounds, "histogram", name) for name in ("truth", "fitted")]
    [(found, _)] = histogram_divergences(
        [fitted], truth, generators, edges=edges, bins=bins, points=1000, resamplings=resamplings
    )
    released = np.empty((rounds, resamplings))
    for r, generator in enumerate(streams(rounds, "numpy", d)):
        for i in range(resamplings):
            fitted_points, truth_points = (numpy_sample(m, r, 1000, generator) for m in (fitted, truth))
            released[r, i] = by_numpy_and_scipy(fitted_points, truth_points, bins, edges)
    expected = released.mean(axis=1)
    difference = found - expected
    error = difference.std(ddof=1) / np.sqrt(rounds)
    assert abs(difference.mean()) < 4 * error
    assert error < 0.02 * expected.mean()
    assert np.corrcoef(found, expected)[0, 1] > 0.9


@pytest.mark.parametrize(("d", "bins", "width"), [(1, 50, 0.25), (2, 50, 0.25), (2, 20, 1024.0), (3, 12, 8.0)])
def test_discrete_divergence_of_samples_with_their_own_edges_is_exact(streams, d, bins, width):
    # Bins 1024 wide hold 1e-4 of probability at the floor, which then counts in the sums.
    repeat, n = 6, 500
    generator = streams(1, "own edges", d)[0]
    p = points_inside_bins(generator, repeat, n, d, bins, low=-3.0, width=width)
    q = points_inside_bins(generator, repeat, n, d, bins, low=2.0, width=2 * width)
    counts = [_Counts(sample, sample.min(axis=2), sample.max(axis=2), bins) for sample in (p, q)]
    found = _discrete_kl(*counts, _log_share_tables(n))
    for i in range(repeat):
        assert found[i] == pytest.approx(by_numpy_and_scipy(p[:, i].T, q[:, i].T, bins, "own"), abs=1e-9)


@pytest.mark.parametrize(("d", "bins", "width"), [(1, 50, 0.25), (2, 50, 0.25), (2, 20, 1024.0), (3, 12, 8.0)])
def test_discrete_divergence_of_samples_with_common_edges_is_exact(streams, d, bins, width):
    repeat, n = 6, 500
    generator = streams(1, "common edges", d)[0]
    p = points_inside_bins(generator, repeat, n, d, bins, low=1.0, width=width)
    q = points_inside_bins(generator, repeat, n, d, bins, low=1.0, width=width)
    q[0] = np.maximum(q[0], 1.0 + 10.5 * width)
    low, high = (reduce([reduce(x, axis=2) for x in (p, q)], axis=0) for reduce in (np.min, np.max))
    found = _discrete_kl(*(_Counts(sample, low, high, bins) for sample in (p, q)), _log_share_tables(n))
    for i in range(repeat):
        assert found[i] == pytest.approx(by_numpy_and_scipy(p[:, i].T, q[:, i].T, bins, "common"), abs=1e-9)


def test_discrete_divergence_of_a_sample_from_itself_is_zero(streams):
    sample = points_inside_bins(streams(1, "itself")[0], 3, 200, 2, 30, low=0.0, width=1.0)
    counts = _Counts(sample, sample.min(axis=2), sample.max(axis=2), 30)
    np.testing.assert_allclose(_discrete_kl(counts, counts, _log_share_tables(200)), 0, atol=1e-12)


def test_discrete_divergence_of_a_tiny_example_equals_the_sum_written_out():
    # Two bins of width 2 and of width 1: p = (3/4, 1/4) and q = (1/4, 3/4), none empty.
    p = np.array([[[0.0, 0.5, 1.0, 4.0]]], dtype=np.float32)
    q = np.array([[[5.0, 6.5, 6.75, 7.0]]], dtype=np.float32)
    counts = [_Counts(sample, sample.min(axis=2), sample.max(axis=2), 2) for sample in (p, q)]
    expected = 0.75 * np.log(3) + 0.25 * np.log(1 / 3)
    np.testing.assert_allclose(_discrete_kl(*counts, _log_share_tables(4)), expected, rtol=1e-12)


def test_counts_are_those_of_numpys_histogram(streams):
    sample = points_inside_bins(streams(1, "counts")[0], 4, 300, 2, 10, low=-1.0, width=0.5)
    counts = _Counts(sample, sample.min(axis=2), sample.max(axis=2), 10)
    for i in range(4):
        expected = np.histogramdd(sample[:, i].T, bins=10)[0]
        np.testing.assert_array_equal(counts.counts.reshape(4, 10, 10)[i], expected)
        assert counts.empty[i] == (expected == 0).sum()


@pytest.mark.parametrize("size", [1, 2, 7, 400_000, 400_001])
def test_normals_come_in_the_number_wanted(streams, size):
    normals = _normals(streams(1, "size")[0], size)
    assert normals.shape == (size,)
    assert normals.dtype == np.float32
    assert np.isfinite(normals).all()


def test_normals_are_standard_normal(streams):
    n = 1_000_000
    normals = _normals(streams(1, "normals")[0], n).astype(float)
    assert stats.kstest(normals, "norm").pvalue > 0.001
    assert abs(normals.mean()) < 4 / np.sqrt(n)
    assert abs(normals.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs(stats.skew(normals)) < 4 * np.sqrt(6 / n)
    assert abs(stats.kurtosis(normals, fisher=False) - 3) < 4 * np.sqrt(24 / n)
    beyond = (np.abs(normals) > 4).sum()
    low, high = stats.binom.interval(0.999, n, 2 * stats.norm.sf(4))
    assert low <= beyond <= high


def test_the_two_halves_of_the_normals_are_independent(streams):
    n = 500_000
    one, other = _normals(streams(1, "halves")[0], 2 * n).astype(float).reshape(2, n)
    for f in (np.asarray, np.square, np.abs):
        assert abs(np.corrcoef(f(one), f(other))[0, 1]) < 4 / np.sqrt(n)
    assert abs(np.corrcoef(one, np.square(other))[0, 1]) < 4 / np.sqrt(n)


def test_drawn_points_have_the_mean_and_covariance_of_the_mixture(random_mixtures, streams):
    mixtures = random_mixtures(1, 3, 3)
    weights, means, covariances = mixtures.weights[0], mixtures.means[0], mixtures.covariances[0]
    repeat, n = 200, 1000
    drawn = _draw(weights, means, mixtures.cholesky()[0], n, repeat, streams(1, "draw")[0])
    assert drawn.shape == (3, repeat, n)
    points = drawn.reshape(3, -1).astype(float)
    mean = weights @ means
    centred = means - mean
    covariance = np.einsum("c,cij->ij", weights, covariances) + np.einsum("c,ci,cj->ij", weights, centred, centred)
    errors = np.sqrt(np.diag(covariance) / points.shape[1])
    assert (np.abs(points.mean(axis=1) - mean) < 4 * errors).all()
    np.testing.assert_allclose(np.cov(points), covariance, atol=0.03 * np.diag(covariance).max())


@pytest.mark.parametrize("edges", ["own", "common"])
def test_identical_mixtures_seem_far_apart(random_mixtures, streams, edges):
    # The exact divergence is zero; 1000 points in 2500 bins cannot show it.
    truth = random_mixtures(50, 4, 2)
    generators = [streams(50, "identical", name) for name in ("truth", "fit")]
    [(value, _)] = histogram_divergences([truth], truth, generators, edges=edges, resamplings=10)
    assert (value > 1.0).all()
    exact = kl_divergence(truth, truth, streams(50, "exact"))
    assert (np.abs(exact.value) < 0.1).all()


def test_the_bias_of_common_edges_vanishes_with_many_points_in_few_bins(random_mixtures, streams):
    truth = random_mixtures(5, 3, 2)
    generators = [streams(5, "vanishes", name) for name in ("truth", "fit")]
    settings = {"edges": "common", "points": 200_000, "resamplings": 4}
    [(few, _)] = histogram_divergences([truth], truth, generators, bins=4, **settings)
    assert (few < 0.001).all()


def test_common_edges_see_a_shift_that_own_edges_hide(gaussian, streams):
    truth, shifted = gaussian(0.0, 1.0), gaussian(3.0, 1.0)
    found = {
        edges: histogram_divergences(
            [shifted], truth, [streams(1, "truth"), streams(1, "fit")], edges=edges, bins=8, points=5000
        )[0][0][0]
        for edges in ("own", "common")
    }
    assert found["own"] < 0.5
    assert found["common"] > 2.0


def test_the_standard_error_is_the_spread_of_repeated_estimates(random_mixtures, repeated, streams):
    repeats = 400
    truth, fitted = random_mixtures(1, 3, 2, "truth"), random_mixtures(1, 3, 2, "fitted")
    [(value, error)] = histogram_divergences(
        [repeated(fitted, repeats)],
        repeated(truth, repeats),
        [streams(repeats, "spread", name) for name in ("truth", "fit")],
        edges="common",
        bins=20,
        points=500,
        resamplings=10,
    )
    assert value.std(ddof=1) == pytest.approx(np.sqrt(np.square(error).mean()), rel=4 / np.sqrt(2 * repeats))


def test_one_resampling_has_no_standard_error(random_mixtures, streams):
    truth = random_mixtures(2, 2, 1)
    [(value, error)] = histogram_divergences(
        [truth], truth, [streams(2, "one"), streams(2, "fit")], edges="own", resamplings=1
    )
    assert np.isfinite(value).all()
    assert np.isnan(error).all()


@pytest.mark.parametrize("edges", ["own", "common"])
def test_a_fits_estimate_depends_on_no_other_fit_and_no_other_problem(random_mixtures, streams, edges):
    rounds = 6
    truth = random_mixtures(rounds, 3, 2, "truth")
    fits = [random_mixtures(rounds, c, 2, "fit") for c in (2, 5)]
    generators = [lambda name=name: streams(rounds, "alone", name) for name in ("truth", "one", "other")]
    settings = {"edges": edges, "bins": 20, "resamplings": 2 * BLOCK_POINTS // 1000 + 3}
    together = histogram_divergences(fits, truth, [g() for g in generators], **settings)
    [alone] = histogram_divergences(fits[1:], truth, [generators[0](), generators[2]()], **settings)
    np.testing.assert_array_equal(alone, together[1])
    [last] = histogram_divergences([fits[0][4:5]], truth[4:5], [generators[0]()[4:5], generators[1]()[4:5]], **settings)
    np.testing.assert_array_equal(np.ravel(last), [together[0][0][4], together[0][1][4]])


def test_the_truth_and_every_fit_need_generators(random_mixtures, streams):
    truth = random_mixtures(2, 2, 1)
    with pytest.raises(ValueError):
        histogram_divergences([truth, truth], truth, [streams(2, "truth"), streams(2, "fit")], edges="own")


@pytest.mark.parametrize(("bins", "d"), [(2049, 2), (50, 4), (2**22 + 1, 1)])
def test_grids_of_too_many_bins_are_refused(random_mixtures, streams, bins, d):
    truth = random_mixtures(1, 2, d)
    with pytest.raises(ValueError, match=f"{bins} bins in {d} dimensions make {bins**d} cells"):
        histogram_divergences([truth], truth, [streams(1, "truth"), streams(1, "fit")], edges="own", bins=bins)


@pytest.mark.parametrize("edges", ["own", "common"])
def test_bins_so_wide_that_points_sink_below_the_floor_are_refused(random_mixtures, streams, edges):
    narrow = random_mixtures(1, 2, 2)
    wide = Mixtures(narrow.weights, narrow.means * 1e5, narrow.covariances * 1e10)
    with pytest.raises(ValueError, match="standardise the data"):
        histogram_divergences([wide], narrow, [streams(1, "truth"), streams(1, "fit")], edges=edges)


def test_a_covariance_that_is_not_positive_definite_is_named(random_mixtures, streams):
    truth, fitted = random_mixtures(1, 2, 2, "truth"), random_mixtures(1, 2, 2, "fit")
    fitted.covariances[0, 1] = [[1.0, 2.0], [2.0, 1.0]]
    with pytest.raises(UserError, match="component 1 in round 0"):
        histogram_divergences([fitted], truth, [streams(1, "truth"), streams(1, "fit")], edges="own")
