import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ggmi.random import stream
from ggmi.statistics import holm, mean_interval, median_interval, trend, wilson

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=6)


def inside_binomial_band(successes, trials, probability, level=0.95):
    low, high = stats.binom.interval(level, trials, probability)
    return low <= successes <= high


def spearman_of(positions, outcomes):
    return stats.spearmanr(np.repeat(positions, outcomes.shape[1]), outcomes.ravel()).statistic


@pytest.mark.parametrize(
    ("law", "parameters", "sign"),
    [("normal", (), 1), ("exponential", (), 1), ("lognormal", (0, 1.2), 1), ("gamma", (0.5,), -1)],
)
def test_mean_interval_agrees_with_scipys_bca_bootstrap(law, parameters, sign):
    # At this many resamples the two ends differ by about 0.012 standard errors of Monte-Carlo error.
    values = sign * getattr(stream(1, "bca", law), law)(*parameters, size=25)
    found = mean_interval(values, stream(2, "bca"), resamples=199_999)
    expected = stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=199_999, rng=np.random.default_rng(3)
    ).confidence_interval
    tolerance = 0.05 * values.std(ddof=1) / np.sqrt(len(values))
    assert found.low == pytest.approx(expected.low, abs=tolerance)
    assert found.high == pytest.approx(expected.high, abs=tolerance)


def test_mean_interval_is_shifted_towards_the_long_tail():
    values = stats.expon.ppf((np.arange(30) + 0.5) / 30)
    found = mean_interval(values, stream(5, "tail"))
    plain = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(3)).confidence_interval
    shift = 0.1 * values.std(ddof=1) / np.sqrt(len(values))
    assert found.low > plain.low + shift
    assert found.high > plain.high + shift


def test_mean_interval_covers_the_mean_of_normal_samples_as_often_as_the_bootstrap_can():
    # A bootstrap interval of a normal mean is mean -+ 1.96 sqrt((n - 1) / n) standard errors.
    n, trials = 40, 2000
    generator = stream(6, "coverage")
    intervals = [mean_interval(generator.normal(3.0, 2.0, n), generator, resamples=999) for _ in range(trials)]
    covered = sum(interval.low <= 3.0 <= interval.high for interval in intervals)
    nominal = 1 - 2 * stats.t.sf(stats.norm.ppf(0.975) * np.sqrt((n - 1) / n), n - 1)
    assert 0.93 < nominal < 0.95
    assert inside_binomial_band(covered, trials, nominal, 0.999)


@given(st.floats(-100, 100), st.sampled_from([0.125, 1.0, 64.0]))
def test_mean_interval_moves_and_scales_with_the_data(shift, scale):
    values = stream(9, "scale").exponential(size=12)
    one = mean_interval(values, stream(10, "scale"), resamples=499)
    other = mean_interval(scale * values + shift, stream(10, "scale"), resamples=499)
    assert (other.low - shift) / scale == pytest.approx(one.low, abs=1e-9)
    assert (other.high - shift) / scale == pytest.approx(one.high, abs=1e-9)


def test_mean_interval_of_one_value_is_unknown_and_of_equal_values_is_a_point():
    assert np.isnan([mean_interval([1.0], stream(0)).low, mean_interval([], stream(0)).high]).all()
    point = mean_interval([2.5] * 10, stream(0))
    assert (point.low, point.high) == (2.5, 2.5)


def test_median_interval_is_the_narrowest_that_the_exact_binomial_allows():
    for n in range(6, 201):
        interval = median_interval(np.arange(1, n + 1))
        k = int(interval.low)
        assert interval.high == n + 1 - k
        assert 2 * stats.binom.cdf(k - 1, n, 0.5) <= 0.05 < 2 * stats.binom.cdf(k, n, 0.5)


def test_median_interval_is_unknown_below_six_values():
    for n in range(6):
        interval = median_interval(np.arange(n))
        assert np.isnan([interval.low, interval.high]).all()


@pytest.mark.parametrize("n", [1000, 2001, 10_000])
def test_median_interval_of_many_values_equals_the_exact_binomial(n):
    interval = median_interval(np.arange(1, n + 1))
    ranks = np.arange(1, n // 2)
    k = ranks[2 * stats.binom.cdf(ranks - 1, n, 0.5) <= 0.05].max()
    assert (interval.low, interval.high) == (k, n + 1 - k)


@pytest.mark.parametrize("n", [6, 25, 100])
def test_median_interval_covers_the_median_of_a_skewed_law_at_least_as_often_as_stated(n):
    trials = 4000
    samples = stream(11, "median", n).lognormal(size=(trials, n))
    intervals = [median_interval(sample) for sample in samples]
    covered = sum(interval.low <= 1.0 <= interval.high for interval in intervals)
    assert covered >= stats.binom.ppf(0.001, trials, 0.95)


@given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=40), st.randoms(use_true_random=False))
def test_median_interval_holds_the_median_and_forgets_the_order(values, random):
    shuffled = random.sample(values, len(values))
    interval = median_interval(values)
    assert interval.low <= np.median(values) <= interval.high
    assert median_interval(shuffled) == interval


@pytest.mark.parametrize("positions", [[2, 3, 5, 9], [9, 2, 5, 3], [0.5, -1.0]])
def test_spearman_and_slope_equal_scipys_and_numpys(positions):
    outcomes = 0.3 * np.array(positions)[:, None] + stream(12, "trend").normal(size=(len(positions), 25))
    found = trend(positions, outcomes, stream(13, "trend"), resamples=10, permutations=10)
    assert found.spearman == pytest.approx(spearman_of(positions, outcomes), abs=1e-12)
    assert found.slope == pytest.approx(np.polyfit(np.repeat(positions, 25), outcomes.ravel(), 1)[0], abs=1e-12)


def test_p_value_of_no_trend_falls_below_five_percent_in_five_percent_of_trials():
    trials = 1000
    generator = stream(14, "null")
    p_values = np.array(
        [
            trend([2, 3, 4, 5], generator.exponential(size=(4, 8)), generator, resamples=2, permutations=399).p_value
            for _ in range(trials)
        ]
    )
    assert inside_binomial_band((p_values <= 0.05).sum(), trials, 0.05)
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_p_value_agrees_with_scipys_asymptotic_test():
    outcomes = 0.25 * np.arange(5)[:, None] + np.sin(13 * np.arange(60)).reshape(5, 12)
    found = trend(range(5), outcomes, stream(16, "p"), resamples=2, permutations=40_000)
    expected = stats.spearmanr(np.repeat(range(5), 12), outcomes.ravel()).pvalue
    assert 0.001 < expected < 0.2
    assert found.p_value == pytest.approx(expected, rel=0.15)


def test_p_value_of_two_by_two_outcomes_equals_full_enumeration():
    # The 24 orders of four outcomes give the extreme correlation in 8: 4 rising and 4 falling.
    found = trend([1, 2], np.array([[0.0, 1.0], [2.0, 3.0]]), stream(17, "exact"), resamples=2, permutations=60_000)
    assert found.p_value == pytest.approx(8 / 24, abs=4 * np.sqrt(2 / 9 / 60_000))


def test_a_strong_trend_is_found_every_time_with_the_smallest_p_value():
    generator = stream(18, "power")
    for _ in range(50):
        outcomes = np.arange(6)[:, None] + generator.normal(size=(6, 20))
        assert trend(range(6), outcomes, generator, resamples=2, permutations=999).p_value == 1 / 1000


@pytest.mark.parametrize("sign", [1, -1])
def test_a_perfect_order_of_single_outcomes_has_correlation_one(sign):
    outcomes = sign * np.array([1.0, 4.0, 9.0, 16.0, 25.0])[:, None]
    found = trend(range(5), outcomes, stream(19, "perfect"), permutations=999)
    assert found.spearman == pytest.approx(sign)
    assert found.spearman_interval.low == pytest.approx(sign)
    assert found.spearman_interval.high == pytest.approx(sign)


def test_bootstrap_intervals_equal_those_of_resampling_and_ranking_anew():
    # The Monte-Carlo error of either end is about 0.04 standard deviations.
    m, rounds, resamples = 4, 15, 4000
    outcomes = 0.4 * np.arange(m)[:, None] + stream(20, "anew").exponential(size=(m, rounds))
    found = trend(range(m), outcomes, stream(21, "anew"), resamples=resamples, permutations=2)
    picks = stream(22, "anew").integers(rounds, size=(resamples, m, rounds))
    resampled = outcomes[np.arange(m)[:, None], picks]
    correlations = [spearman_of(range(m), sample) for sample in resampled]
    slopes = np.polyfit(range(m), resampled.mean(axis=2).T, 1)[0]
    for interval, values in ((found.spearman_interval, correlations), (found.slope_interval, slopes)):
        low, high = np.quantile(values, [0.025, 0.975])
        assert interval.low == pytest.approx(low, abs=0.2 * np.std(values))
        assert interval.high == pytest.approx(high, abs=0.2 * np.std(values))


def test_bootstrap_intervals_end_where_full_enumeration_of_resamples_puts_them():
    # All 27 x 27 resamples of three rounds at two sweep values; levels next to a jump are left out.
    outcomes = np.array([[0.0, 1.0, 4.0], [0.5, 3.0, 9.0]])
    hands = np.array(list(itertools.product(range(3), repeat=3)))
    resampled = [np.stack([outcomes[0, a], outcomes[1, b]]) for a in hands for b in hands]
    spearmans = [spearman_of([1, 2], sample) for sample in resampled]
    slopes = [sample[1].mean() - sample[0].mean() for sample in resampled]
    checked = 0
    for level in np.linspace(0.3, 0.98, 12):
        found = trend([1, 2], outcomes, stream(24, "all"), level=level, resamples=20_000, permutations=2)
        for interval, values in ((found.spearman_interval, spearmans), (found.slope_interval, slopes)):
            for end, probability in ((interval.low, (1 - level) / 2), (interval.high, (1 + level) / 2)):
                near = probability + np.array([-1, 1]) * 5 * np.sqrt(probability * (1 - probability) / 20_000)
                below, above = np.quantile(values, near, method="inverted_cdf")
                if above - below < 1e-9:
                    assert end == pytest.approx(below, abs=1e-9)
                    checked += 1
    assert checked >= 12


def test_bootstrap_intervals_cover_the_truth():
    # Resampling 30 rounds narrows the interval by sqrt(29 / 30), and Spearman's is skewed: 92 % at least.
    trials, m, rounds = 500, 4, 30
    generator = stream(23, "cover")
    long_run = 0.3 * np.arange(m)[:, None] + generator.normal(size=(m, 50_000))
    spearman = spearman_of(range(m), long_run)
    slope_covered = spearman_covered = 0
    for _ in range(trials):
        outcomes = 0.3 * np.arange(m)[:, None] + generator.normal(size=(m, rounds))
        found = trend(range(m), outcomes, generator, resamples=499, permutations=2)
        slope_covered += found.slope_interval.low <= 0.3 <= found.slope_interval.high
        spearman_covered += found.spearman_interval.low <= spearman <= found.spearman_interval.high
    assert inside_binomial_band(slope_covered, trials, 0.94, 0.999)
    assert stats.binom.ppf(0.001, trials, 0.92) <= spearman_covered <= stats.binom.ppf(0.999, trials, 0.95)


def test_one_sweep_value_makes_no_trend():
    with pytest.raises(ValueError, match="at least two sweep values, got 1"):
        trend([3], np.zeros((1, 5)), stream(0))


def test_holm_gives_the_hand_computed_example():
    # Sorted 0.005 0.01 0.03 0.04 times 4 3 2 1: 0.02 0.03 0.06 0.04, then the running maximum.
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02], rtol=1e-12)


def test_holm_stops_at_one_and_leaves_a_single_value_alone():
    np.testing.assert_array_equal(holm([0.6, 0.9, 0.4]), [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(holm([0.2]), [0.2])
    assert holm([]).shape == (0,)


@given(P_VALUES)
def test_holm_equals_closed_testing_with_bonferroni(p_values):
    indices = range(len(p_values))
    subsets = [s for size in range(1, len(p_values) + 1) for s in itertools.combinations(indices, size)]
    expected = [min(1.0, max(len(s) * min(p_values[j] for j in s) for s in subsets if i in s)) for i in indices]
    np.testing.assert_allclose(holm(p_values), expected, rtol=1e-12)


@given(P_VALUES)
def test_holm_keeps_the_order_and_never_lowers_a_p_value(p_values):
    adjusted = holm(p_values)
    order = np.argsort(p_values)
    assert (np.diff(adjusted[order]) >= 0).all()
    assert ((adjusted >= p_values) & (adjusted <= 1)).all()


def test_tied_outcomes_share_their_ranks():
    outcomes = np.array([[0.0, 1.0, 1.0, 2.0], [1.0, 1.0, 2.0, 2.0], [0.0, 2.0, 2.0, 2.0]])
    found = trend([1, 2, 3], outcomes, stream(17, "ties"), resamples=200, permutations=200)
    expected = stats.spearmanr(np.repeat([1, 2, 3], 4), outcomes.ravel()).statistic
    assert found.spearman == pytest.approx(expected, rel=1e-12)


def test_bootstrapped_rank_correlations_of_tied_outcomes_are_scipys():
    outcomes = stream(18, "tied outcomes").integers(0, 3, (3, 20)).astype(float)
    found = trend([1, 2, 3], outcomes, stream(18, "resamples"), resamples=2000, permutations=1)
    resampler = stream(18, "other resamples")
    values = []
    for _ in range(2000):
        picks = resampler.integers(0, 20, (3, 20))
        values.append(
            stats.spearmanr(np.repeat([1, 2, 3], 20), np.take_along_axis(outcomes, picks, 1).ravel()).statistic
        )
    expected = np.quantile(values, [0.025, 0.975])
    # The ends of two such intervals differ at random by about 0.01.
    np.testing.assert_allclose([found.spearman_interval.low, found.spearman_interval.high], expected, atol=0.04)


def test_equal_outcomes_show_no_trend():
    found = trend([1, 2, 3], np.ones((3, 5)), stream(19, "equal"), resamples=50, permutations=50)
    assert np.isnan(found.spearman)
    assert found.p_value == 1
    assert found.slope == 0


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (10, 10), (400, 1000)])
def test_wilson_equals_scipys(successes, n):
    expected = stats.binomtest(successes, n).proportion_ci(method="wilson")
    found = wilson(successes / n, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert (found.low == 0, found.high == 1) == (successes == 0, successes == n)
