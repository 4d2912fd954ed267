import numpy as np
import pandas as pd
import pytest
from project import ROOT, merged
from scipy import stats
from scipy.special import entr

from ggmi.config import load, read_yaml
from ggmi.embedded.domains import Domains
from ggmi.pipeline.comparable import too_small
from ggmi.pipeline.correlating import power_of, rank_correlation
from ggmi.pipeline.estimation_claims import ENTROPY, FEWER, GAIN, SIZE, claims_table, slope
from ggmi.pipeline.estimation_tables import (
    PLACE,
    curves_table,
    estimates_table,
    exact_quantities,
    first_records_gain,
    predictions_table,
    published_table,
    truth_table,
    worth_table,
)
from ggmi.pipeline.estimators import ESTIMATORS
from ggmi.random import stream
from ggmi.text.records import Record
from ggmi.text.samples import Sample

GENERATORS, CONDITIONS = ("large", "small"), ("3-ins", "10-ins", "20-ins")


def row(estimator, value, width=0.1, n=100, ceiling=50.0):
    """An estimate with a narrow interval."""
    tested = estimator in ("hsic", "cka", "mmd")
    return {
        **{"estimator": estimator, "value": value, "ci_low": value - width, "ci_high": value + width},
        **{"p_value": 0.001 if tested else None, "smallest_p": 0.001 if tested else None, "null_mean": 0.0},
        **{"ceiling": ceiling, "n": n, "unit": "", "method": "m", "note": ""},
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
        "semantic_growth": 0.05,
    }


def tabled(**changes):
    """All conditions; `changes` of rows by generator are given estimator and row and return the row."""
    return estimates_table(
        {
            (g, x, "as_is"): [changes.get(g, lambda one: one)(row(name, v)) for name, v in values(g, i).items()]
            for g in GENERATORS
            for i, x in enumerate(CONDITIONS)
        },
        1,
    )


@pytest.fixture(scope="module")
def table():
    return tabled()


def test_a_row_is_found_for_every_condition_and_estimator_with_holm_over_all_tests(table):
    assert list(table)[:6] == [*PLACE, "instances", "seed", "estimator"]
    assert dict(zip(table["condition"], table["instances"], strict=True)) == {"3-ins": 3, "10-ins": 10, "20-ins": 20}
    assert set(table["seed"]) == {1}
    assert len(table) == len(ESTIMATORS) * 6
    tested = table[table["p_value"].notna()]
    assert tested["p_holm"].iloc[0] == pytest.approx(0.001 * 12)  # HSIC and MMD of six sets


def test_what_is_not_estimated_keeps_its_row_and_reason():
    rows = [{**row(name, 1.0), "value": None, "p_value": None, "note": "empty"} for name in ESTIMATORS]
    found = estimates_table({("g", "given", "c"): rows}, 1)
    assert found["instances"].isna().all()
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


NAMED = "left out, with less than half of the 100 records of the largest set: small 3-ins (7)"


def test_sets_of_a_few_records_are_left_out_of_claims_by_name():
    found = claims_table(tabled(small=lambda one: {**one, "n": 7}), GENERATORS, CONDITIONS, 1)
    size = found[found["claim"] == SIZE]
    assert set(size["verdict"]) == {"undecided"}
    assert size.loc[size["condition"] == "3-ins", "note"].str.contains(NAMED, regex=False).all()
    large = found[(found["generator"] == "large") & (found["estimator"] == "hsic")]
    assert large["verdict"].tolist() == ["supported"]
    assert large["note"].tolist() == [""]
    gain = found[found["claim"] == GAIN]
    assert set(gain["n"]) == {3}
    assert gain["note"].str.contains("small 3-ins (7), small 10-ins (7), small 20-ins (7)", regex=False).all()


@pytest.mark.parametrize(
    ("change", "estimators", "reason"),
    [
        # Lists of a mean logarithm of length from 2 to 1.5: their entropies tell that length.
        (
            lambda one: {**one, "value": 1.5, "ceiling": 1.5} if one["estimator"] == "semantic_entropy_lists" else one,
            ["semantic_entropy_lists"],
            "at its ceiling, hardly a record repeats, in small 3-ins; lists differ in length, the mean of its "
            "logarithm goes from 1.50 to 50.00",
        ),
        (
            lambda one: {**one, "ceiling": 49.0} if one["estimator"] == "semantic_entropy_lists" else one,
            ["semantic_entropy_lists"],
            "lists differ in length",
        ),
        (
            lambda one: {**one, "value": 0.98} if one["estimator"] == "semantic_growth" else one,
            ["semantic_entropy_miller_madow", "semantic_entropy_chao_shen"],
            "n does not suffice, its last doubling added up to 98 % of ln 2",
        ),
        (
            lambda one: {**one, "ceiling": one["value"]} if one["estimator"] == "semantic_entropy" else one,
            ["semantic_entropy_miller_madow", "semantic_entropy_chao_shen"],
            "the plug-in entropy is at its ceiling",
        ),
    ],
)
def test_entropies_that_tell_the_number_of_records_decide_nothing(change, estimators, reason):
    before = claims_table(tabled(), GENERATORS, CONDITIONS, 1)
    found = claims_table(tabled(small=change), GENERATORS, CONDITIONS, 1)
    for table, verdict, tests in ((before, "supported", False), (found, "undecided", True)):
        rows = table[(table["claim"] == SIZE) & table["estimator"].isin(estimators) & (table["condition"] == "3-ins")]
        assert rows["verdict"].tolist() == [verdict] * len(estimators)
        assert (rows["p_value"].isna() == tests).all()
        assert rows["note"].str.contains(reason, regex=False).eq(tests).all()
    others = found[(found["claim"] == SIZE) & (found["estimator"] == "hsic")]
    assert set(others["verdict"]) == {"supported"}


def test_a_corrected_entropy_without_a_ceiling_is_judged_by_the_plug_in():
    def bare(one):
        return {**one, "ceiling": None} if one["estimator"].endswith(("madow", "shen")) else one

    found = claims_table(tabled(large=bare, small=bare), GENERATORS, CONDITIONS, 1)
    pd.testing.assert_frame_equal(found, claims_table(tabled(), GENERATORS, CONDITIONS, 1))


def test_an_estimate_without_an_error_is_left_out_by_name():
    def sure(one):
        return {**one, "ci_low": one["value"], "ci_high": one["value"]} if one["estimator"] == "hsic" else one

    found = claims_table(tabled(small=sure), GENERATORS, CONDITIONS, 1)
    rows = found[(found["claim"] == SIZE) & (found["estimator"] == "hsic")]
    assert set(rows["verdict"]) == {"undecided"}
    assert rows["note"].str.contains("left out, with no estimate or no error: small ").all()


def test_a_set_of_half_the_largest_is_compared_and_a_smaller_one_is_not():
    assert too_small({("a",): 400, ("b",): 200, ("c",): 199}) == {("c",): 199}
    assert too_small({}) == {}


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


@pytest.mark.parametrize(("n", "tests"), [(5, 1), (6, 1), (7, 17), (12, 18)])
def test_the_stated_power_is_how_often_the_test_finds_a_correlation(n, tests):
    draw, trials, found = stream(5, "power", n), 300, 0
    for trial in range(trials):
        x, y = draw.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=n).T
        found += rank_correlation(x, y, trial, "power").p_value < 0.05 / tests
    stated = power_of(n, tests)
    assert stats.binomtest(found, trials, stated).pvalue > 0.002  # 1 % over the four cases


def test_few_conditions_cannot_decide_beside_many_tests():
    # Published tails of Spearman's coefficient: of five conditions only a perfect order has p = 2/120.
    assert power_of(5, 18) == 0.0
    assert power_of(12, 18) < 0.5 < power_of(12) < 0.9
    # Where nothing is correlated the test finds its level, exactly where ranks allow: 28 of 720 orders of six.
    sizes = [power_of(6, 1, 0.0), power_of(20, 1, 0.0)]
    for size in sizes:
        assert size == pytest.approx(0.05, abs=0.025)


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
    assert set(found["tests"]) == {found["p_value"].notna().sum()}
    assert found.loc["hsic", "power"] == power_of(6, int(found.loc["hsic", "tests"]))
    assert set(found.drop("hsic_published")["note"]) == {""}
    assert "information_gain_total" not in found.index
    nothing = predictions_table(table, {}, 1)
    assert nothing["spearman"].isna().all()


def test_a_few_records_do_not_order_the_ratings():
    ratings = {(g, x, "as_is"): 10 - values(g, i)["hsic"] for g in GENERATORS for i, x in enumerate(CONDITIONS)}

    def few(one):
        # What the published statistic reads of m records that are independent: 1 / (m - 1).
        published = {"value": 1 / 6, "null_mean": 1 / 6} if one["estimator"] == "hsic_published" else {}
        return {**one, **published, "n": 7}

    def many(one):
        published = {"value": 1 / 99, "null_mean": 1 / 99 - 1e-12} if one["estimator"] == "hsic_published" else {}
        return {**one, **published}

    found = predictions_table(tabled(large=many, small=few), ratings, 1).set_index("estimator")
    assert set(found["n"]) == {3}
    assert found.loc["hsic", "note"].startswith("left out, with less than half of the 100 records")
    assert found.loc["hsic", "note"].endswith("small 3-ins as_is (7), small 10-ins as_is (7), small 20-ins as_is (7)")
    assert np.isnan(found.loc["hsic_published", "spearman"])
    assert found.loc["hsic_published", "note"].startswith("its excess over independent data; left out")


def test_what_many_conditions_tell_is_free_of_their_sizes():
    """The rating follows diversity and the size; repeats follow the size alone."""
    draw = np.random.default_rng(0)
    n = 60
    size, diversity = draw.integers(20, 500, n), draw.normal(size=n)
    worth = {"vendi": diversity, "near_repeats": 1.0 * size, "hsic": draw.normal(size=n)}
    tables = {
        ("large", f"{i}-ins", "as_is"): [
            {**row(name, worth[name][i] if name in worth else 1.0), "n": size[i]} for name in ESTIMATORS
        ]
        for i in range(n)
    }
    tables["large", "0-ins", "as_is"] = [{**one, "value": None} for one in tables["large", "0-ins", "as_is"]]
    places = pd.MultiIndex.from_tuples(tables, names=PLACE)
    rating = diversity + size / 200 + draw.normal(size=n) / 4
    outcomes = pd.DataFrame({"rating": rating, "test risk": -rating}, places)
    known = pd.DataFrame({"records": size, "characters": 3.0}, places)
    found = worth_table(estimates_table(tables, 1), outcomes, known, 1).set_index(["outcome", "estimator"])
    assert set(found["n"]) == {n - 1}
    assert found.loc[("rating", "near_repeats"), "raw_p_holm"] < 0.01
    assert found.loc[("rating", "near_repeats"), "partial_p_holm"] > 0.05
    assert found.loc[("rating", "vendi"), "partial"] > 0.8
    assert found.loc[("test risk", "vendi"), "partial"] == pytest.approx(-found.loc[("rating", "vendi"), "partial"])
    assert found.loc[("test risk", "vendi"), "concordance"] > 0.6
    few = worth_table(estimates_table(tables, 1), outcomes[:20], known, 1)
    assert "spearman" in few  # 19 of them have estimates


def test_the_conditions_of_the_preset_find_what_is_worth_finding():
    preset = load(merged(read_yaml(ROOT / "config.yaml"), read_yaml(ROOT / "presets/prediction.yaml")))
    task = preset.tasks["embedded"]
    conditions = len(task.conditions()) * len(task.curations)
    assert conditions == 140
    assert power_of(conditions, len(ESTIMATORS) - 1, 0.4) >= 0.9


def test_curves_of_all_sets_are_rows_with_their_places():
    point = {"n": 50, "plug_in": 3.0, "miller_madow": 3.1, "chao_shen": 3.2, "clusters": 40.0, "ceiling": 3.9}
    rows = {("g", "3-ins", "c"): [{**row("semantic_growth", 0.05), "curve": [point, {**point, "n": 100}]}]}
    found = curves_table({**rows, ("h", "3-ins", "c"): [{**row("semantic_growth", 0.05), "curve": []}]})
    assert found.to_dict("records")[0] == {**dict(zip(PLACE, ("g", "3-ins", "c"), strict=True)), **point}
    assert found["n"].tolist() == [50, 100]
    assert list(curves_table({})) == [*PLACE, *point]


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
    assert set(found["records"]) == {100}
    assert not found["too_small"].any()
