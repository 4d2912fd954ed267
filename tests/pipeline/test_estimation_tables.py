import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import entr

from ggmi.embedded.domains import Domains
from ggmi.pipeline.correlating import interval_of, power_of, rank_correlation
from ggmi.pipeline.estimation import ESTIMATORS
from ggmi.pipeline.estimation_claims import ENTROPY, FEWER, GAIN, SIZE, claims_table, slope
from ggmi.pipeline.estimation_tables import (
    PLACE,
    estimates_table,
    exact_quantities,
    first_records_gain,
    predictions_table,
    published_table,
    truth_table,
)
from ggmi.random import stream
from ggmi.text.records import Record
from ggmi.text.samples import Sample

GENERATORS, CONDITIONS = ("large", "small"), ("3-ins", "10-ins", "20-ins")


def row(estimator, value, width=0.1):
    """An estimate with a narrow interval."""
    tested = estimator in ("hsic", "cka", "mmd")
    return {
        **{"estimator": estimator, "value": value, "ci_low": value - width, "ci_high": value + width},
        **{"p_value": 0.001 if tested else None, "null_mean": 0.0, "ceiling": 5.0, "n": 100, "unit": "", "method": "m"},
        "note": "",
    }


def values(generator, step):
    """HSIC falls with instances, entropies rise; the small generator has more of both; ΔI falls with HSIC."""
    size = GENERATORS.index(generator)
    hsic = 5.0 - step + 3 * size
    return {
        **dict.fromkeys(ESTIMATORS, 1.0),
        **dict.fromkeys(("hsic", "cka"), hsic),
        **{name: 2.0 + step + 3 * size for name in ESTIMATORS if name.startswith("semantic_entropy")},
        "information_gain": -hsic,
    }


@pytest.fixture(scope="module")
def table():
    return estimates_table(
        {
            (g, x, "as_is"): [row(name, value) for name, value in values(g, i).items()]
            for g in GENERATORS
            for i, x in enumerate(CONDITIONS)
        }
    )


def test_a_row_is_found_for_every_condition_and_estimator_with_holm_over_all_tests(table):
    assert list(table)[:4] == [*PLACE, "estimator"]
    assert len(table) == len(ESTIMATORS) * 6
    tested = table[table["p_value"].notna()]
    assert tested["p_holm"].iloc[0] == pytest.approx(0.001 * 12)  # HSIC and MMD of six sets


def test_what_is_not_estimated_keeps_its_row_and_reason():
    rows = [{**row(name, 1.0), "value": None, "p_value": None, "note": "empty"} for name in ESTIMATORS]
    found = estimates_table({("g", "3-ins", "c"): rows})
    assert found["value"].isna().all()
    assert set(found["note"]) == {"empty"}
    assert published_table(found)["hsic"].isna().all()


def test_the_published_form_stands_beside_the_calibrated_one(table):
    found = published_table(table)
    assert len(found) == 6
    first = found.iloc[0]
    assert (first["hsic"], first["hsic_ci_low"], first["entropy_published_nats"]) == (5.0, 4.9, 2.0)


def test_claims_are_supported_or_contradicted_as_the_data_were_made(table):
    found = claims_table(table, GENERATORS, CONDITIONS, 1)
    verdicts = found[found["estimator"].isin(["hsic", "semantic_entropy_miller_madow"])].groupby("claim")["verdict"]
    assert verdicts.unique().map(list).to_dict() == {
        FEWER: ["supported"],
        GAIN: ["supported"],
        ENTROPY: ["contradicted"],
        SIZE: ["supported"],
    }
    untested = found[found["estimator"] == "hsic_published"]
    assert set(untested["verdict"]) == {"undecided"}
    assert untested["p_value"].isna().all()


def test_a_missing_condition_leaves_the_others_and_says_what_is_missing(table):
    one = table[(table["generator"] == "large") & (table["condition"] == "3-ins")]
    found = claims_table(one, GENERATORS, CONDITIONS, 1)
    assert set(found["verdict"]) == {"undecided"}
    slopes = found[(found["claim"] == FEWER) & (found["estimator"] == "hsic")]
    assert set(slopes["note"]) == {"fewer than two conditions have an estimate with an interval"}


def test_the_slope_is_that_of_weighted_least_squares_and_covers():
    draw = stream(3, "slope").normal
    errors, x = np.array([0.5, 1.0, 2.0, 1.0]), np.arange(4)
    covered = 0
    for _ in range(400):
        y = 0.7 * x + errors * draw(size=4)
        points = [
            (i, {"value": y[i], "ci_low": y[i] - 1.96 * errors[i], "ci_high": y[i] + 1.96 * errors[i]}) for i in x
        ]
        found = slope(points, 1)
        assert found["statistic"] == pytest.approx(np.polyfit(x, y, 1, w=1 / errors)[0])
        covered += found["ci_low"] < 0.7 < found["ci_high"]
    assert stats.binomtest(covered, 400, 0.95).pvalue > 0.01


def test_the_correlation_and_its_exact_p_are_scipys():
    x, y = stream(4, "rank").normal(size=(2, 7))
    found = rank_correlation(x, y, 0, "test")
    exact = stats.permutation_test(
        (x,), lambda a: stats.spearmanr(a, y).statistic, permutation_type="pairings", n_resamples=np.inf
    )
    assert found.value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.p_value == pytest.approx(exact.pvalue)
    assert found.smallest_p == pytest.approx(2 / 5040)


def test_five_conditions_cannot_decide_and_the_stated_power_is_about_right():
    assert power_of(0.8, 5) < 0.4
    draw = stream(5, "power")
    n, found, trials = 12, 0, 300
    # A Pearson correlation of normals r has Spearman's 6/pi asin(r/2).
    r = 2 * np.sin(np.pi * 0.8 / 6)
    for _ in range(trials):
        x, y = draw.multivariate_normal([0, 0], [[1, r], [r, 1]], size=n).T
        low, high = interval_of(stats.spearmanr(x, y).statistic, n)
        found += low > 0 or high < 0
    assert found / trials == pytest.approx(power_of(0.8, n), abs=0.1)


def test_a_perfect_correlation_of_few_conditions_has_no_narrow_interval():
    found = rank_correlation([1, 2, 3, 4], [1, 2, 3, 4], 0, "test")
    assert found.value == 1
    assert found.ci_low < 0
    assert np.isnan(rank_correlation([1, 2], [1, 2], 0, "test").value)
    assert np.isnan(rank_correlation([1, 1, 1, 1], [1, 2, 3, 4], 0, "test").value)


def test_the_estimator_that_orders_the_ratings_predicts_them(table):
    ratings = {(g, x, "as_is"): 10 - values(g, i)["hsic"] for g in GENERATORS for i, x in enumerate(CONDITIONS)}
    found = predictions_table(table, ratings, 1).set_index("estimator")
    assert found.loc["hsic", "spearman"] == pytest.approx(-1)
    assert np.isnan(found.loc["vendi", "spearman"])
    assert found.loc["hsic", "n"] == 6
    nothing = predictions_table(table, {}, 1)
    assert nothing["spearman"].isna().all()


@pytest.fixture(scope="module")
def domains():
    return Domains.draw(1)


def test_exact_quantities_are_those_of_the_mixture_over_prompts(domains):
    counts = domains.counts(domains.draw_anchors(200, 3, stream(6, "anchors")))
    found = exact_quantities(domains, counts)
    laws = domains.next_skill(counts)
    context = domains.sizes.length * np.log(domains.sizes.letters)
    assert found["information_gain"] == pytest.approx(np.mean([entr(law).sum() for law in laws]) + context)
    assert found["mutual_information"] == pytest.approx(
        np.mean([stats.entropy(law, laws.mean(axis=0)) for law in laws]), abs=1e-9
    )
    assert 0 < found["task_divergence"] < 1


def test_log_probabilities_of_the_ideal_generator_estimate_the_exact_gain(domains):
    draw = stream(7, "ideal")
    counts = domains.counts(domains.draw_anchors(400, 3, draw))
    laws = domains.next_skill(counts)
    skills = [draw.choice(len(law), p=law) for law in laws]
    context = domains.sizes.length * np.log(domains.sizes.letters)
    nats = [float(np.log(law[s]) - context) for law, s in zip(laws, skills, strict=True)]
    n = len(nats)
    records = tuple(Record(str(i), "a", "b", "c") for i in range(n))
    keys = tuple(f"p{i}" for i in range(n))
    sample = Sample("S", records, ("line 1",) * n, keys, ((),) * n, tuple(nats), (11,) * n)
    found = first_records_gain(sample, [0] * n, 1)
    assert found["ci_low"] < exact_quantities(domains, counts)["information_gain"] < found["ci_high"]
    assert first_records_gain(sample, [1] * n, 1)["value"] is None


def test_estimates_stand_beside_the_truth_of_their_condition(table):
    exact = {
        x: {q: float(i) for q in ("information_gain", "task_divergence", "entropy", "mutual_information")}
        for i, x in enumerate(CONDITIONS)
    }
    firsts = {("large", x, "as_is"): {"value": 9.0, "ci_low": 8.0, "ci_high": 10.0} for x in CONDITIONS}
    found = truth_table(table, firsts, exact)
    assert isinstance(found, pd.DataFrame)
    assert found.groupby("condition")["truth"].unique().map(list).to_dict() == {
        "3-ins": [0],
        "10-ins": [1],
        "20-ins": [2],
    }
    assert set(found.loc[found["estimator"] == "information_gain_first", "value"]) == {9.0}
    assert found.loc[found["estimator"] == "hsic", "value"].tolist() == [5.0, 4.0, 3.0]
