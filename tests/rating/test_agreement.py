import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ggmi.random import stream
from ggmi.rating.agreement import agreement

NAN = np.nan
# Krippendorff (2011), section E: four observers, twelve units.
FOUR_OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
).T
# The example of the encyclopaedia's article on the coefficient: three coders, fifteen units.
THREE_CODERS = np.array(
    [
        [NAN, NAN, NAN, NAN, NAN, 3, 4, 1, 2, 1, 1, 3, 3, NAN, 3],
        [1, NAN, 2, 1, 3, 3, 4, 3, *[NAN] * 7],
        [NAN, NAN, 2, 1, 3, 4, 4, NAN, 2, 1, 1, 3, 3, NAN, 4],
    ]
).T


def alpha(ratings, metric="interval"):
    return agreement(ratings, stream(0, "alpha"), metric=metric, resamples=99).alpha


def alpha_by_pairs(ratings, metric):
    """The definition, pair by pair: disagreement inside units over that of all pairs."""
    units = [[v for v in unit if np.isfinite(v)] for unit in ratings]
    units = [unit for unit in units if len(unit) > 1]
    everything = [v for unit in units for v in unit]
    n = len(everything)

    def squared(a, b):
        if metric == "interval":
            return (a - b) ** 2
        between = sum(min(a, b) <= v <= max(a, b) for v in everything)
        return (between - (everything.count(a) + everything.count(b)) / 2) ** 2 if a != b else 0

    observed = sum(squared(a, b) / (len(unit) - 1) for unit in units for a, b in itertools.permutations(unit, 2))
    expected = sum(squared(a, b) for a, b in itertools.permutations(everything, 2)) / max(n - 1, 1)
    return 1 - observed / expected if expected else NAN


@pytest.mark.parametrize(
    ("ratings", "metric", "published"),
    [(FOUR_OBSERVERS, "interval", 0.849), (FOUR_OBSERVERS, "ordinal", 0.815), (THREE_CODERS, "interval", 0.811)],
)
def test_published_examples_come_out(ratings, metric, published):
    assert alpha(ratings, metric) == pytest.approx(published, abs=0.0005)


RATINGS = st.lists(st.lists(st.integers(1, 10) | st.just(NAN) | st.just(7.5), min_size=3, max_size=3), max_size=8)


@given(RATINGS, st.sampled_from(["interval", "ordinal"]))
def test_alpha_equals_the_definition_pair_by_pair(ratings, metric):
    array = np.array(ratings, dtype=float).reshape(-1, 3)
    expected = alpha_by_pairs(ratings, metric)
    assert alpha(array, metric) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_perfect_and_worst_agreement():
    assert alpha([[1, 1], [5, 5], [9, 9]]) == 1
    assert alpha([[1, 9], [9, 1]] * 50) == pytest.approx(-1, abs=0.02)
    assert np.isnan(alpha([[5, 5], [5, 5]]))
    assert np.isnan(alpha([[5, NAN], [NAN, 3]]))


@pytest.mark.parametrize("metric", ["interval", "ordinal"])
def test_verdicts_thrown_with_dice_have_alpha_zero(metric):
    ratings = stream(1, "dice").integers(1, 11, (4000, 3)).astype(float)
    found = agreement(ratings, stream(2, "dice"), metric=metric, resamples=400)
    assert found.interval.low < 0 < found.interval.high
    assert found.interval.high - found.interval.low < 0.05


def test_the_interval_covers_the_intraclass_correlation_of_a_known_law():
    # Interval alpha of verdicts item + noise is the share of the items in the variance; rounding adds 1/12.
    truth = 9 / (9 + 4 + 1 / 12)
    trials = 120
    generator = stream(3, "cover")
    covered = 0
    for _ in range(trials):
        ratings = (3 * generator.normal(size=(60, 1)) + 2 * generator.normal(size=(60, 2))).round()
        found = agreement(ratings, generator, resamples=199)
        covered += found.interval.low <= truth <= found.interval.high
    # A percentile interval of 60 items is a little narrow.
    assert stats.binom.ppf(0.001, trials, 0.91) <= covered <= stats.binom.ppf(0.999, trials, 0.96)


def test_answers_to_one_item_are_resampled_together():
    # Forty copies of each of ten items know no more than the ten items.
    one_each = stream(4, "items").integers(1, 11, (10, 2)).astype(float)
    copies = np.repeat(one_each, 40, axis=0)
    items = np.repeat([f"q{i}" for i in range(10)], 40)
    apart = agreement(copies, stream(5, "items"))
    together = agreement(copies, stream(5, "items"), items=items)
    assert together.alpha == apart.alpha
    assert (together.n_units, together.n_items, together.n_ratings) == (400, 10, 800)
    widths = [found.interval.high - found.interval.low for found in (apart, together)]
    assert widths[1] > 4 * widths[0]


def test_items_without_two_verdicts_do_not_count():
    with_singles = np.vstack([FOUR_OBSERVERS, [[3, NAN, NAN, NAN]] * 30])
    found = agreement(with_singles, stream(6, "singles"))
    assert found == agreement(FOUR_OBSERVERS, stream(6, "singles"))
    # The twelfth unit has a single value.
    assert (found.n_units, found.n_items, found.n_ratings) == (11, 11, 40)


@pytest.mark.parametrize("ratings", [np.empty((0, 2)), [[1, 2]], [[5, 5]] * 9, [[5, NAN]] * 9])
def test_nothing_to_agree_on_has_no_interval(ratings):
    found = agreement(ratings, stream(7, "nothing"))
    assert np.isnan(found.interval.low)
    assert np.isnan(found.interval.high)
