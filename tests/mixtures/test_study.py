import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ggmi.mixtures.divergence import gaussian_kl, kl_divergence
from ggmi.mixtures.em import fit
from ggmi.mixtures.histogram import histogram_divergences
from ggmi.mixtures.study import (
    ALPHA,
    PUBLISHED_DIRECTION,
    divergence_accuracy,
    divergences,
    fit_quality,
    gap_summary,
    gap_trend,
    verdicts,
)
from ggmi.random import stream
from ggmi.statistics import mean_interval, median_interval, trend

HISTOGRAM = {"bins": 10, "points": 200, "resamplings": 4}
EXACT = {"relative_error": 0.05, "absolute_error": 0.05, "max_points": 100_000}
SHARES = st.floats(0, 1)


@pytest.fixture
def problem(random_mixtures, streams):
    """Three truths, two fits of each, and a fresh set of streams by name."""
    truth = random_mixtures(3, 3, 2, "truth")
    fits = {"synthetic": random_mixtures(3, 4, 2, "synthetic"), "anchors_text": random_mixtures(3, 2, 2, "anchors")}
    return truth, fits, lambda: {name: streams(3, name) for name in ("truth", "null", *fits)}


# Divergences.


@pytest.mark.parametrize("estimator", ["forward", "reverse"])
def test_an_exact_estimator_is_the_librarys_divergence_in_its_direction(problem, estimator):
    truth, fits, generators = problem
    found = divergences(estimator, EXACT, truth, fits, generators())
    assert set(found) == {f"{name}_{part}" for name in fits for part in ("value", "error", "points")}
    for name, fitted in fits.items():
        pair = (fitted, truth) if estimator == "forward" else (truth, fitted)
        expected = kl_divergence(*pair, generators()[name], **EXACT)
        np.testing.assert_array_equal(found[f"{name}_value"], expected.value)
        np.testing.assert_array_equal(found[f"{name}_error"], expected.standard_error)
        np.testing.assert_array_equal(found[f"{name}_points"], expected.points)


def test_forward_averages_over_the_fit_and_reverse_over_the_truth(gaussian, streams):
    truth, fitted = gaussian([0.0], 1.0), gaussian([1.0], 4.0)
    generators = {name: streams(1, name) for name in ("truth", "synthetic")}
    for estimator, pair in (("forward", (fitted, truth)), ("reverse", (truth, fitted))):
        found = divergences(estimator, EXACT, truth, {"synthetic": fitted}, generators)
        assert found["synthetic_value"][0] == pytest.approx(gaussian_kl(*pair)[0, 0, 0], rel=1e-9)


@pytest.mark.parametrize(("estimator", "edges"), [("released_histogram", "own"), ("aligned_histogram", "common")])
def test_a_histogram_estimator_is_the_librarys_with_its_edges(problem, estimator, edges):
    truth, fits, generators = problem
    found = divergences(estimator, HISTOGRAM, truth, fits, generators())
    given_streams = generators()
    expected = histogram_divergences(
        list(fits.values()),
        truth,
        [given_streams[name] for name in ("truth", *fits)],
        edges=edges,
        **HISTOGRAM,
    )
    for name, (value, error) in zip(fits, expected, strict=True):
        np.testing.assert_array_equal(found[f"{name}_value"], value)
        np.testing.assert_array_equal(found[f"{name}_error"], error)
        np.testing.assert_array_equal(found[f"{name}_points"], [800, 800, 800])


@pytest.mark.parametrize("estimator", ["released_histogram", "aligned_histogram"])
def test_a_histogram_says_what_it_reads_where_the_divergence_is_zero(problem, estimator):
    truth, fits, generators = problem
    null = divergences(estimator, HISTOGRAM, truth, fits, generators())
    assert (null["null_value"] > 0.1).all()
    np.testing.assert_array_equal(null["null_points"], [400, 400, 400])


@pytest.mark.parametrize("estimator", ["released_histogram", "aligned_histogram", "forward", "reverse"])
def test_one_fits_divergence_does_not_depend_on_the_other_fits(problem, estimator):
    truth, fits, generators = problem
    settings = HISTOGRAM if estimator.endswith("histogram") else EXACT
    together = divergences(estimator, settings, truth, fits, generators())
    alone = divergences(estimator, settings, truth, {"anchors_text": fits["anchors_text"]}, generators())
    for name, values in alone.items():
        np.testing.assert_array_equal(values, together[name])


@pytest.mark.parametrize("estimator", ["forward", "reverse"])
def test_the_truth_itself_has_no_divergence(random_mixtures, streams, estimator):
    truth = random_mixtures(2, 3, 2, "truth")
    found = divergences(estimator, EXACT, truth, {"synthetic": truth}, {"synthetic": streams(2, "s")})
    np.testing.assert_allclose(found["synthetic_value"], 0, atol=1e-12)


# Gaps over rounds.


def test_a_summary_is_numpys_and_scipys():
    gaps = stream(1, "gaps").standard_t(3, size=60) + 2
    found = gap_summary(gaps, stream(1, "resamples"))
    assert found["rounds"] == 60
    assert found["mean_nats"] == pytest.approx(np.mean(gaps), rel=1e-12)
    assert found["sd_nats"] == pytest.approx(np.std(gaps, ddof=1), rel=1e-12)
    assert found["median_nats"] == pytest.approx(np.median(gaps), rel=1e-12)
    expected = stats.bootstrap(
        (gaps,), np.mean, method="BCa", n_resamples=9999, rng=np.random.default_rng(5)
    ).confidence_interval
    width = expected.high - expected.low
    # Two bootstraps of 9,999 resamples differ at random by a hundredth of the width.
    assert found["ci_low_nats"] == pytest.approx(expected.low, abs=0.05 * width)
    assert found["ci_high_nats"] == pytest.approx(expected.high, abs=0.05 * width)
    exact = stats.quantile_test(gaps, p=0.5).confidence_interval(0.95)
    assert (found["median_ci_low_nats"], found["median_ci_high_nats"]) == (exact.low, exact.high)


@given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=30))
def test_a_summary_lies_in_its_intervals_and_its_intervals_in_the_data(values):
    gaps = np.array(values)
    found = gap_summary(gaps, stream(2, "resamples"))
    slack = 1e-9 * max(1.0, np.abs(gaps).max())
    low, high = gaps.min() - slack, gaps.max() + slack
    assert low <= found["median_ci_low_nats"] <= found["median_nats"] <= found["median_ci_high_nats"] <= high
    assert low <= found["ci_low_nats"] <= found["ci_high_nats"] <= high
    assert low <= found["mean_nats"] <= high
    assert found["sd_nats"] >= 0


def test_two_rounds_are_too_few_for_an_interval_of_the_median():
    found = gap_summary(np.array([1.0, 3.0]), stream(3, "resamples"))
    assert (found["rounds"], found["mean_nats"], found["median_nats"]) == (2, 2.0, 2.0)
    assert found["sd_nats"] == pytest.approx(np.sqrt(2))
    assert np.isnan([found["median_ci_low_nats"], found["median_ci_high_nats"]]).all()
    assert 1 <= found["ci_low_nats"] <= found["ci_high_nats"] <= 3


def test_a_summary_is_repeated_by_the_same_stream():
    gaps = stream(4, "gaps").normal(size=20)
    first = gap_summary(gaps, stream(4, "resamples"))
    assert gap_summary(gaps, stream(4, "resamples")) == first
    assert (first["ci_low_nats"], first["ci_high_nats"]) == (
        mean_interval(gaps, stream(4, "resamples")).low,
        mean_interval(gaps, stream(4, "resamples")).high,
    )
    assert first["median_ci_low_nats"] == median_interval(gaps).low


# Trends along a sweep.


@pytest.fixture
def rising():
    """Sweep values and gaps of 30 rounds that rise by 0.3 nats a component."""
    values = [2, 3, 5, 9]
    noise = stream(5, "rising").normal(size=(4, 30))
    return values, 0.3 * np.array(values)[:, None] + noise


def test_a_trend_is_scipys_rank_correlation_and_least_squares_slope(rising):
    values, gaps = rising
    found = gap_trend(values, gaps, stream(5, "resamples"))
    x, y = np.repeat(values, 30), gaps.ravel()
    assert found["spearman"] == pytest.approx(stats.spearmanr(x, y).statistic, rel=1e-9)
    assert found["slope_nats"] == pytest.approx(stats.linregress(values, gaps.mean(axis=1)).slope, rel=1e-12)
    assert found["spearman_ci_low"] < found["spearman"] < found["spearman_ci_high"]
    assert found["slope_nats_ci_low"] < found["slope_nats"] < found["slope_nats_ci_high"]
    assert found["slope_nats_ci_low"] < 0.3 < found["slope_nats_ci_high"]
    assert found["p_value"] == pytest.approx(1 / 5000)


def test_a_trend_names_every_number_of_the_librarys(rising):
    values, gaps = rising
    found = gap_trend(values, gaps, stream(6, "resamples"))
    expected = trend(values, gaps, stream(6, "resamples"))
    assert found == {
        "spearman": expected.spearman,
        "spearman_ci_low": expected.spearman_interval.low,
        "spearman_ci_high": expected.spearman_interval.high,
        "slope_nats": expected.slope,
        "slope_nats_ci_low": expected.slope_interval.low,
        "slope_nats_ci_high": expected.slope_interval.high,
        "p_value": expected.p_value,
    }


def test_a_falling_trend_is_the_mirror_of_a_rising_one(rising):
    values, gaps = rising
    up, down = (gap_trend(values, sign * gaps, stream(7, "resamples")) for sign in (1, -1))
    assert down["spearman"] == pytest.approx(-up["spearman"])
    assert down["slope_nats"] == pytest.approx(-up["slope_nats"])
    assert down["slope_nats_ci_low"] == pytest.approx(-up["slope_nats_ci_high"])


def test_without_a_trend_the_p_value_is_rarely_small():
    found = [
        gap_trend([2, 3, 4], stream(8, "flat", r).normal(size=(3, 10)), stream(8, "resamples", r))["p_value"]
        for r in range(60)
    ]
    # Uniform under independence: 3 of 60 below 0.05 are expected, 10 or more have probability 0.001.
    assert sum(p < 0.05 for p in found) < 10
    assert 0.3 < np.mean(found) < 0.7


# Verdicts.


def test_a_verdict_compares_the_sign_with_the_published_one():
    axes = ["K", "K", "J", "J", "L", "L"]
    signs = [-0.5, 0.5, 0.5, -0.5, -0.5, 0.5]
    corrected, found = verdicts(axes, signs, [0.0002] * 6)
    assert found == ["as_published", "against"] * 3
    np.testing.assert_allclose(corrected, 0.0012)


def test_the_published_figure_falls_with_k_rises_with_j_and_falls_with_l():
    assert PUBLISHED_DIRECTION == {"K": -1, "J": 1, "L": -1}


def test_all_trends_of_a_table_are_corrected_together():
    # Alone, 0.02 would decide; among four, Holm's correction makes it 0.06.
    assert verdicts(["K"], [-0.4], [0.02])[1] == ["as_published"]
    corrected, found = verdicts(["K", "J", "L", "K"], [-0.4, 0.4, -0.4, -0.4], [0.02, 0.001, 0.03, 0.04])
    np.testing.assert_allclose(corrected, [0.06, 0.004, 0.06, 0.06])
    assert found == ["undecided", "as_published", "undecided", "undecided"]


@given(st.lists(st.tuples(st.sampled_from("KJL"), st.floats(-1, 1), SHARES), min_size=1, max_size=24))
def test_a_verdict_is_given_exactly_where_the_corrected_p_value_allows_it(rows):
    axes, spearman, p_values = (list(column) for column in zip(*rows, strict=True))
    corrected, found = verdicts(axes, spearman, p_values)
    # Holm (1979), written out: the i-th smallest of m times m - i, never less than the one before.
    m, largest = len(p_values), 0.0
    for i, index in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, (m - i) * p_values[index]))
        assert corrected[index] == pytest.approx(largest)
    for axis, correlation, p, verdict in zip(axes, spearman, corrected, found, strict=True):
        assert (verdict == "undecided") == (p > ALPHA)
        if verdict != "undecided":
            right = np.sign(correlation) == PUBLISHED_DIRECTION[axis]
            assert verdict == ("as_published" if right else "against")


# How well the parts worked.


def test_fit_quality_is_that_of_the_fits(streams):
    points = stream(9, "points").normal(size=(6, 40, 2))
    arrays = fit(points, 3, streams(6, "fit"), tolerance=1e-6, max_iterations=15).arrays()
    found = fit_quality(arrays)
    assert found["rounds"] == 6
    assert found["converged_share"] == np.count_nonzero(arrays["converged"]) / 6
    assert 0 < found["mean_iterations"] <= 15
    assert found["mean_log_likelihood_nats_per_point"] == pytest.approx(np.mean(arrays["log_likelihood"]))


def test_fit_quality_counts_rounds_and_components_that_collapsed():
    found = fit_quality(
        {
            "iterations": np.array([3, 5, 100, 4]),
            "converged": np.array([True, True, False, True]),
            "collapsed": np.array([0, 2, 0, 1]),
            "log_likelihood": np.array([-1.0, -2.0, -3.0, -4.0]),
        }
    )
    assert found == {
        "rounds": 4,
        "converged_share": 0.75,
        "mean_iterations": 28.0,
        "collapsed_share": 0.5,
        "mean_collapsed_components": 0.75,
        "mean_log_likelihood_nats_per_point": -2.5,
    }


@pytest.fixture
def estimates():
    return {
        "value": np.array([-10.0, 1.0, 3.0, 100.0]),
        "error": np.array([0.09, 0.03, 0.02, 1.1]),
        "points": np.array([1000, 2000, 4000, 8000]),
    }


def test_accuracy_says_how_often_the_wanted_precision_was_reached(estimates):
    found = divergence_accuracy(estimates, {"relative_error": 0.01, "absolute_error": 0.02, "max_points": 8000})
    # Wanted: 0.1, 0.02, 0.03 and 1 nats.
    assert found == {
        "rounds": 4,
        "median_nats": 2.0,
        "largest_error_nats": 1.1,
        "precision_reached_share": 0.5,
        "median_points": 3000.0,
        "largest_points": 8000,
    }


def test_histograms_promise_no_precision(estimates):
    found = divergence_accuracy(estimates, HISTOGRAM)
    assert np.isnan(found.pop("precision_reached_share"))
    assert np.isfinite(list(found.values())).all()


def test_an_exact_estimate_reaches_what_it_was_asked_for(problem):
    truth, fits, generators = problem
    found = divergences("reverse", EXACT, truth, fits, generators())
    arrays = {part: found[f"synthetic_{part}"] for part in ("value", "error", "points")}
    assert divergence_accuracy(arrays, EXACT)["precision_reached_share"] == 1
