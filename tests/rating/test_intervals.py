import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ggmi.random import stream
from ggmi.rating.intervals import crossed_bootstrap, mean_rating, paired_difference, resampled


def drawn(generator, n, m, seeds_sd, easy=None, *, whole=False, missing=0.0):
    """Ratings about 5: items and seeds both random, and items that differ from condition to condition."""
    items = (generator.normal(size=n) * 1.5 if easy is None else easy) + 0.5 * generator.normal(size=n)
    y = 5 + items[:, None] + seeds_sd * generator.normal(size=m) + generator.normal(size=(n, m))
    y = np.clip(y.round(), 1, 10) if whole else y
    y[generator.random((n, m)) < missing] = np.nan
    return y


def inside(successes, trials, low, high):
    return stats.binom.ppf(0.0005, trials, low) <= successes <= stats.binom.ppf(0.9995, trials, high)


def test_one_seed_gives_the_t_interval_of_the_items():
    y = stream(1, "one").integers(1, 11, 25).astype(float)
    found = mean_rating(y[:, None])
    expected = stats.ttest_1samp(y, 0).confidence_interval(0.95)
    assert (found.value, found.n_items) == (pytest.approx(y.mean()), 25)
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))


def test_one_seed_against_one_seed_is_the_paired_t_test():
    generator = stream(2, "paired")
    y = generator.integers(1, 11, 40).astype(float)
    z = y + generator.integers(-2, 4, 40)
    found = paired_difference(y[:, None], z[:, None], level=0.9)
    expected = stats.ttest_rel(y, z)
    ends = expected.confidence_interval(0.9)
    assert found.value == pytest.approx((y - z).mean())
    assert (found.interval.low, found.interval.high) == pytest.approx((ends.low, ends.high))
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6)


def test_a_whole_table_gives_the_classical_mean_squares():
    n, m = 12, 4
    y = drawn(stream(3, "squares"), n, m, 0.7)
    rows, columns, mean = y.mean(axis=1), y.mean(axis=0), y.mean()
    ms_items = m * np.square(rows - mean).sum() / (n - 1)
    ms_seeds = n * np.square(columns - mean).sum() / (m - 1)
    ms_both = np.square(y - rows[:, None] - columns + mean).sum() / ((n - 1) * (m - 1))
    t_items, t_seeds, z = stats.t.ppf(0.975, n - 1), stats.t.ppf(0.975, m - 1), stats.norm.ppf(0.975)
    half = np.sqrt((t_items**2 * ms_items + t_seeds**2 * ms_seeds - z**2 * ms_both) / (n * m))
    found = mean_rating(y)
    assert (found.interval.low, found.interval.high) == pytest.approx((mean - half, mean + half))


def test_residuals_of_a_table_with_holes_are_those_of_a_regression_on_items_and_seeds():
    n, m = 9, 3
    y = drawn(stream(4, "holes"), n, m, 0.7)
    y[0, 1] = y[3, 0] = y[3, 2] = y[7, 2] = np.nan
    present = np.isfinite(y)
    i, s = np.nonzero(present)
    design = np.hstack([np.eye(n)[i], np.eye(m)[s]])
    effects, _, rank, _ = np.linalg.lstsq(design, y[present], rcond=None)
    assert rank == n + m - 1
    residual = y[present] - design @ effects
    weights = present / (n * present.sum(axis=1, keepdims=True))
    influence = weights * np.where(present, y - np.nanmean(y, axis=1).mean(), 0)
    v_items = n / (n - 1) * np.square(influence.sum(axis=1)).sum()
    v_seeds = m / (m - 1) * np.square(influence.sum(axis=0)).sum()
    v_both = np.square(residual).sum() / (present.sum() - rank) * np.square(weights).sum()
    t_items, t_seeds, z = stats.t.ppf(0.975, n - 1), stats.t.ppf(0.975, m - 1), stats.norm.ppf(0.975)
    half = np.sqrt(t_items**2 * v_items + t_seeds**2 * v_seeds - z**2 * v_both)
    found = mean_rating(y)
    mean = np.nanmean(y, axis=1).mean()
    assert found.value == pytest.approx(mean)
    assert (found.interval.low, found.interval.high) == pytest.approx((mean - half, mean + half))


@pytest.mark.parametrize("seeds_sd", [0.0, 0.2, 1.0])
def test_the_interval_of_a_mean_covers_with_five_seeds(seeds_sd):
    trials = 1200
    generator = stream(5, "cover", str(seeds_sd))
    covered = 0
    for _ in range(trials):
        found = mean_rating(drawn(generator, 60, 5, seeds_sd)).interval
        covered += found.low <= 5 <= found.high
    assert inside(covered, trials, 0.95, 0.97)


@pytest.mark.parametrize(("seeds", "missing"), [(3, 0.0), (2, 0.0), (5, 0.2)])
def test_the_interval_never_covers_too_seldom(seeds, missing):
    trials = 800
    generator = stream(6, "few", seeds)
    covered = 0
    for _ in range(trials):
        found = mean_rating(drawn(generator, 40, seeds, 0.5, whole=True, missing=missing)).interval
        covered += found.low <= 5 <= found.high
    assert inside(covered, trials, 0.95, 0.995)


def test_the_bootstrap_covers_too_seldom_where_five_seeds_differ():
    trials = 300
    generator = stream(7, "bootstrap")
    covered = 0
    for _ in range(trials):
        found = crossed_bootstrap(drawn(generator, 60, 5, 1.0), generator, resamples=299)
        covered += found.low <= 5 <= found.high
    # Five resampled seeds have 4/5 of the variance, and the normal quantile: P(|t4| < 1.96 sqrt(4/5)) = 0.85.
    assert inside(covered, trials, 0.83, 0.90)


@pytest.mark.parametrize(("base_seeds", "missing"), [(1, 0.0), (5, 0.0), (3, 0.1)])
def test_equal_conditions_differ_significantly_in_at_most_one_test_of_twenty(base_seeds, missing):
    trials = 1200
    generator = stream(8, "null", base_seeds)
    p_values = []
    for _ in range(trials):
        easy = generator.normal(size=50) * 1.5
        y, z = (drawn(generator, 50, m, 0.3 * (m > 1), easy, whole=True, missing=missing) for m in (5, base_seeds))
        p_values.append(paired_difference(y, z).p_value)
    rejected = np.count_nonzero(np.array(p_values) <= 0.05)
    assert inside(rejected, trials, 0.025, 0.05)


def test_a_test_over_items_alone_would_find_differences_that_are_seeds():
    # What the two-way model is for: the same data, seeds averaged, items as the only chance.
    trials = 300
    generator = stream(9, "naive")
    rejected = 0
    for _ in range(trials):
        easy = generator.normal(size=50) * 1.5
        y, z = drawn(generator, 50, 5, 0.3, easy), drawn(generator, 50, 5, 0.3, easy)
        rejected += stats.ttest_rel(y.mean(axis=1), z.mean(axis=1)).pvalue <= 0.05
    assert rejected > 0.15 * trials


def test_pairing_by_item_finds_what_unpaired_means_hide():
    generator = stream(10, "power")
    easy = 3 * generator.normal(size=80)
    y, z = drawn(generator, 80, 5, 0.05, easy) + 0.6, drawn(generator, 80, 1, 0.0, easy)
    assert mean_rating(y).interval.low < mean_rating(z).interval.high
    found = paired_difference(y, z)
    assert found.p_value < 0.01
    assert found.interval.low > 0


TABLES = st.integers(0, 10**6)


@given(TABLES, st.integers(2, 8), st.integers(1, 4), st.integers(1, 3), st.floats(0.05, 0.9))
def test_an_interval_at_the_p_value_just_reaches_zero(seed, n, m, base_seeds, level):
    generator = stream(seed, "dual")
    y, z = (generator.integers(1, 11, (n, seeds)).astype(float) for seeds in (m, base_seeds))
    found = paired_difference(y, z, level=level)
    inside_interval = found.interval.low <= 0 <= found.interval.high
    if found.p_value > 2.0 ** (1 - n) and abs(found.p_value - (1 - level)) > 1e-9:
        assert inside_interval == (found.p_value > 1 - level)


@given(TABLES)
def test_sides_shifts_and_orders_change_what_they_should(seed):
    generator = stream(seed, "sides")
    y, z = drawn(generator, 8, 3, 0.5, missing=0.2), drawn(generator, 8, 2, 0.5, missing=0.2)
    one, other = paired_difference(y, z), paired_difference(z, y)
    assert one.value == pytest.approx(-other.value, nan_ok=True)
    assert one.p_value == pytest.approx(other.p_value, nan_ok=True)
    moved = paired_difference(y + 2, z)
    assert moved.value == pytest.approx(one.value + 2, nan_ok=True)
    assert moved.interval.high - moved.interval.low == pytest.approx(one.interval.high - one.interval.low, nan_ok=True)
    order = generator.permutation(8)
    assert paired_difference(y[order][:, ::-1], z[order]).value == pytest.approx(one.value, nan_ok=True)


def test_items_missing_on_one_side_are_left_out():
    y, z = np.array([[9.0], [4.0], [np.nan], [6.0]]), np.array([[np.nan], [2.0], [1.0], [3.0]])
    found = paired_difference(y, z)
    assert (found.value, found.n_items) == (2.5, 2)


def test_equal_differences_prove_no_more_than_their_signs_do():
    y = np.arange(1.0, 6.0)[:, None]
    found = paired_difference(y + 2, y)
    assert (found.interval.low, found.interval.high) == pytest.approx((2, 2))
    assert found.p_value == 2**-4
    assert paired_difference(y, y).p_value == 1


@pytest.mark.parametrize("ratings", [np.empty((0, 0)), np.full((3, 2), np.nan), [[5.0, 6.0]]])
def test_fewer_than_two_items_have_no_interval(ratings):
    found = mean_rating(ratings)
    assert np.isnan([found.interval.low, found.interval.high, found.p_value]).all()
    assert np.isnan(crossed_bootstrap(ratings, stream(0, "none")).low)
    assert found.n_items == len(ratings) * (len(ratings) == 1)


def test_the_bootstrap_ends_where_full_enumeration_puts_them():
    y = np.array([[1.0, 2.0], [4.0, 7.0], [9.0, 3.0]])
    means = sorted(
        y[list(items)][:, list(seeds)].mean()
        for items in itertools.product(range(3), repeat=3)
        for seeds in itertools.product(range(2), repeat=2)
    )
    found = crossed_bootstrap(y, stream(11, "all"), level=0.8, resamples=40_000)
    for end, probability in ((found.low, 0.1), (found.high, 0.9)):
        near = np.quantile(means, [probability - 0.01, probability + 0.01], method="inverted_cdf")
        assert near[0] - 1e-9 <= end <= near[1] + 1e-9


def test_the_bootstrap_of_a_table_with_holes_is_that_of_resampling_anew():
    y = drawn(stream(12, "holes"), 15, 3, 0.8, missing=0.3)
    found = crossed_bootstrap(y, stream(13, "holes"), resamples=8000)
    generator = stream(14, "holes")
    means = []
    for _ in range(8000):
        table = y[generator.integers(0, len(y), len(y))][:, generator.integers(0, 3, 3)]
        counts = np.isfinite(table).sum(axis=1)
        means.append((np.nansum(table, axis=1)[counts > 0] / counts[counts > 0]).mean())
    np.testing.assert_allclose([found.low, found.high], np.quantile(means, [0.025, 0.975]), atol=0.15 * np.std(means))


def test_resamples_come_in_pieces_that_add_up():
    pieces = list(resampled(7, 100, stream(15, "pieces"), elements=2**17))
    assert [len(piece) for piece in pieces] == [16] * 6 + [4]
    assert all((piece.sum(axis=1) == 7).all() for piece in pieces)
