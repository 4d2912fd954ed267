import numpy as np
import pytest

from ggmi.mixtures.study import ALPHA, agreement, gap_trend, summary, trend_summary, verdicts
from ggmi.mixtures.term_claims import (
    BOUND_SIGNS,
    CLAIM_COLUMNS,
    CLAIMS,
    PERMUTATIONS,
    TREND_COLUMNS,
    claim_verdicts,
    term_summary,
    term_trend,
)
from ggmi.mixtures.terms import term_units
from ggmi.random import stream
from ggmi.statistics import holm, mean_interval, median_interval, trend


def drawn(slope, rounds=30, values=(2, 4, 6, 8)):
    """A term that moves by `slope` a component, with unit noise."""
    return slope * np.array(values)[:, None] + stream(1, "term", rounds).standard_normal((len(values), rounds))


def test_every_claim_is_on_a_term_that_is_estimated_and_has_a_sign_in_the_bound():
    units = term_units(["released"])
    assert {c.text for c in CLAIMS} == {
        "J raises ΔI",
        "K raises H(S_anchor|W)",
        "L raises H(S_gen|W)",
        "L lowers ΔH",
    }
    for claim in CLAIMS:
        assert units[claim.term] == "nats a point"
        assert claim.text.startswith(claim.axis)
        assert claim.direction == (1 if "raises" in claim.text else -1)
        assert abs(BOUND_SIGNS[claim.term]) == 1


@pytest.mark.parametrize(
    ("slopes", "expected"),
    [
        ((0.5, -0.5), ["supported", "supported"]),
        ((-0.5, 0.5), ["contradicted", "contradicted"]),
        ((0.0, -0.5), ["undecided", "supported"]),
    ],
)
def test_a_claim_is_judged_by_where_its_term_goes(slopes, expected):
    values = (2, 4, 6, 8)
    found = [term_trend(values, drawn(slope), stream(2, "judge", i)) for i, slope in enumerate(slopes)]
    corrected, words = claim_verdicts([1, -1], [f["spearman"] for f in found], [f["p_value"] for f in found])
    assert words == expected
    np.testing.assert_array_equal(corrected, holm([f["p_value"] for f in found]))


def test_many_claims_make_each_harder_to_decide():
    one = claim_verdicts([1], [0.3], [0.02])
    many = claim_verdicts([1] * 5, [0.3] * 5, [0.02] * 5)
    assert one[1] == ["supported"]
    assert many[1] == ["undecided"] * 5
    assert (many[0] == 0.1).all()


def test_a_term_that_never_varies_decides_nothing():
    found = term_trend((2, 3), np.ones((2, 10)), stream(3, "constant"))
    assert np.isnan(found["spearman"])
    assert claim_verdicts([1], [found["spearman"]], [found["p_value"]])[1] == ["undecided"]


def test_no_claims_have_no_verdicts():
    corrected, words = claim_verdicts([], [], [])
    assert (list(corrected), words) == ([], [])


def test_words_differ_and_judgements_do_not():
    axes, spearman, p_values = ["K", "J", "L"], [-0.5, -0.4, 0.01], [0.001, 0.001, 0.9]
    corrected, signs = agreement([-1, 1, -1], spearman, p_values)
    assert signs == [1, -1, 0]
    np.testing.assert_array_equal(verdicts(axes, spearman, p_values)[0], corrected)
    assert verdicts(axes, spearman, p_values)[1] == ["as_published", "against", "undecided"]
    assert claim_verdicts([-1, 1, -1], spearman, p_values)[1] == ["supported", "contradicted", "undecided"]
    # A claim is decided at 0.05 exactly, and not above.
    assert agreement([1], [0.2], [ALPHA])[1] == [1]
    assert agreement([1], [0.2], [ALPHA + 1e-9])[1] == [0]


def test_a_trend_is_the_statistics_with_their_intervals_and_counts():
    values, outcomes = (2, 3, 5), drawn(0.1, 12, (2, 3, 5))
    found = term_trend(values, outcomes, stream(4, "trend"))
    expected = trend(values, outcomes, stream(4, "trend"), resamples=999, permutations=PERMUTATIONS)
    assert found == {
        "spearman": expected.spearman,
        "spearman_ci_low": expected.spearman_interval.low,
        "spearman_ci_high": expected.spearman_interval.high,
        "slope": expected.slope,
        "slope_ci_low": expected.slope_interval.low,
        "slope_ci_high": expected.slope_interval.high,
        "p_value": expected.p_value,
    }
    assert set(found) <= set(TREND_COLUMNS) & set(CLAIM_COLUMNS)
    whole = trend_summary(values, outcomes, stream(4, "whole"))
    in_nats = gap_trend(values, outcomes, stream(4, "whole"))
    assert list(in_nats.values()) == list(whole.values())
    assert {name.replace("slope_nats", "slope") for name in in_nats} == set(whole)


def test_a_summary_has_both_intervals_and_the_root_mean_square_of_the_errors():
    values = stream(5, "values").normal(size=40)
    found = term_summary(values, np.repeat([3.0, 4.0], 20), stream(5, "resamples"))
    assert found["monte_carlo_error"] == pytest.approx(np.sqrt(12.5))
    mean, median = mean_interval(values, stream(5, "resamples"), resamples=999), median_interval(values)
    assert (found["ci_low"], found["ci_high"]) == (mean.low, mean.high)
    assert (found["median_ci_low"], found["median_ci_high"]) == (median.low, median.high)
    assert found["sd"] == pytest.approx(values.std(ddof=1))
    assert summary(values, stream(5, "resamples"))["median"] == np.median(values)
