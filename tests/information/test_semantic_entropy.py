import numpy as np
import pytest
from scipy import stats

from ggmi.errors import UserError
from ggmi.information.clustering import Equivalence
from ggmi.information.semantic_entropy import (
    CORRECTIONS,
    chao_shen,
    miller_madow,
    plug_in,
    semantic_entropy,
    semantic_entropy_by_prompt,
)
from ggmi.random import stream

ZIPF = (1 / np.arange(1, 61)) / (1 / np.arange(1, 61)).sum()


class SameText(Equivalence):
    def cluster(self, records):
        return np.unique(records, return_inverse=True)[1]

    def describe(self):
        return "text"


SAME_TEXT = SameText()


def sample(n, *name):
    return [f"answer {i}" for i in stream(1, "zipf", *name).choice(60, n, p=ZIPF)]


@pytest.mark.parametrize("counts", [[1], [3, 1], [5, 5, 5], [10, 4, 1, 1, 0]])
def test_plug_in_and_miller_madow_equal_their_formulas(counts):
    positive = np.array([c for c in counts if c])
    assert plug_in(counts) == pytest.approx(stats.entropy(positive), abs=1e-12)
    assert miller_madow(counts) == pytest.approx(stats.entropy(positive) + (len(positive) - 1) / (2 * sum(counts)))


def test_chao_shen_equals_its_formula_term_by_term():
    counts = [4, 3, 1, 1, 1]
    n, coverage = 10, 1 - 3 / 10
    terms = [coverage * c / n for c in counts]
    expected = -sum(p * np.log(p) / (1 - (1 - p) ** n) for p in terms)
    assert chao_shen(counts) == pytest.approx(expected, rel=1e-12)
    assert chao_shen([7]) == 0
    assert np.isfinite(chao_shen([1, 1, 1]))
    assert chao_shen([1, 1, 1]) > np.log(3)


def test_the_corrections_take_bias_away():
    truth = stats.entropy(ZIPF)
    counts = stream(2, "bias").multinomial(80, ZIPF, size=400)
    bias = {name: abs(np.mean([f(c) for c in counts]) - truth) for name, f in CORRECTIONS.items()}
    assert bias["miller_madow"] < 0.6 * bias["plug_in"]
    assert bias["chao_shen"] < 0.3 * bias["plug_in"]


@pytest.mark.parametrize(("name", "n", "least"), [("miller_madow", 1000, 0.92), ("chao_shen", 300, 0.88)])
def test_intervals_cover_the_entropy_of_the_source(name, n, least):
    trials, covered = 200, 0
    for trial in range(trials):
        found = semantic_entropy(sample(n, "coverage", trial), SAME_TEXT).estimates[name]
        covered += found.ci_low <= stats.entropy(ZIPF) <= found.ci_high
    assert covered >= stats.binom.ppf(0.001, trials, least)


def test_the_jackknife_error_is_that_of_leaving_out_each_record():
    records = sample(60, "jackknife")
    found = semantic_entropy(records, SAME_TEXT).chao_shen
    labels = SAME_TEXT.cluster(records)
    left_out = [chao_shen(np.bincount(np.delete(labels, i))) for i in range(60)]
    error = np.sqrt(59 / 60 * np.square(left_out - np.mean(left_out)).sum())
    assert found.ci_high - found.ci_low == pytest.approx(2 * 1.959964 * error, rel=1e-6)


def by_prompt(trial, prompts=40, each=10):
    """Lists of answers, a prompt's all among two of fifty: far fewer different ones than independent answers show."""
    draw = stream(8, "lists", trial)
    sizes = draw.integers(1, 2 * each, size=prompts)
    drawn = [draw.choice(50, 2, replace=False)[draw.integers(2, size=size)] for size in sizes]
    return [f"answer {i}" for answers in drawn for i in answers], np.repeat(np.arange(prompts), sizes)


@pytest.mark.parametrize("name", CORRECTIONS)
def test_the_jackknife_over_groups_leaves_out_each(name):
    records, groups = by_prompt("jackknife", 12, 5)
    found = semantic_entropy(records, SAME_TEXT, groups=groups).estimates[name]
    n, sizes = len(records), np.bincount(groups)
    labels = SAME_TEXT.cluster(records)
    weights = n / sizes
    left_out = np.array([CORRECTIONS[name](np.bincount(labels[groups != g])) for g in range(12)])
    pseudo = weights * found.value - (weights - 1) * left_out
    error = np.sqrt(np.mean((pseudo - np.sum(pseudo / weights)) ** 2 / (weights - 1)))
    assert found.ci_high - found.value == pytest.approx(1.959964 * error, rel=1e-6)
    assert found.value == semantic_entropy(records, SAME_TEXT).estimates[name].value
    assert "spread over 12 groups of records, without the bias" in found.method
    assert semantic_entropy(records, SAME_TEXT, groups=["p"] * n).estimates[name].ci_low is None


def test_intervals_over_groups_cover_what_the_estimator_gives_on_average_and_not_its_bias():
    trials = 100
    drawn = [by_prompt(trial) for trial in range(trials)]
    by_itself = [semantic_entropy(records, SAME_TEXT).miller_madow for records, _ in drawn]
    grouped = [semantic_entropy(records, SAME_TEXT, groups=groups).miller_madow for records, groups in drawn]
    mean = np.mean([found.value for found in grouped])
    covered = [sum(one.ci_low <= mean <= one.ci_high for one in found) for found in (by_itself, grouped)]
    assert covered[0] < 0.8 * trials
    assert covered[1] >= stats.binom.ppf(0.001, trials, 0.95)
    # Forty lists of two answers each show too few of the fifty; no correction for n records knows that.
    assert sum(one.ci_low <= np.log(50) <= one.ci_high for one in grouped) < 0.05 * trials


def test_only_the_plug_in_has_a_ceiling():
    found = semantic_entropy([f"answer {max(i, 1)}" for i in range(400)], SAME_TEXT)
    assert found.plug_in.value < found.plug_in.ceiling == pytest.approx(np.log(400))
    for corrected in (found.miller_madow, found.chao_shen):
        assert corrected.value > np.log(400)
        assert corrected.ceiling is None


def test_the_curve_tells_a_set_that_suffices_from_one_that_does_not():
    few = semantic_entropy([f"answer {i % 5}" for i in range(400)], SAME_TEXT)
    assert few.suffices
    assert few.clusters == 5
    assert few.growth < 0.02
    assert few.plug_in.value == pytest.approx(np.log(5))
    fresh = semantic_entropy([f"answer {i}" for i in range(400)], SAME_TEXT)
    assert not fresh.suffices
    assert fresh.growth == pytest.approx(1)
    assert fresh.plug_in.value == pytest.approx(fresh.plug_in.ceiling) == pytest.approx(np.log(400))
    assert fresh.plug_in.ci_low is None
    assert [point.n for point in few.curve] == [25, 50, 100, 200, 400]
    assert few.curve[-1].plug_in == few.plug_in.value


def test_a_subsample_of_the_curve_has_the_mean_of_all_subsamples():
    records = sample(64, "curve")
    found = semantic_entropy(records, SAME_TEXT, seed=3)
    labels = SAME_TEXT.cluster(records)
    generator = stream(9, "many")
    many = [plug_in(np.bincount(generator.choice(labels, 32, replace=False))) for _ in range(2000)]
    error = np.std(many) * np.sqrt(1 / 20 + 1 / 2000)
    assert abs(found.curve[-2].plug_in - np.mean(many)) < 4 * error


def test_each_prompt_gets_its_own_entropy_and_ceiling():
    records, prompts = ["a", "a", "b", "c", "d", "d"], ["p", "q", "p", "q", "p", "p"]
    labels = semantic_entropy(records, SAME_TEXT).labels
    found = semantic_entropy_by_prompt(records, prompts, labels, correction="plug_in")
    assert found["p"].value == pytest.approx(stats.entropy([1, 1, 2]))
    assert found["p"].ceiling == pytest.approx(np.log(4))
    assert found["q"].value == pytest.approx(np.log(2))
    assert semantic_entropy_by_prompt(records, prompts, labels)["p"].ceiling is None
    with pytest.raises(UserError, match="prompt_ids: 1 for 6 records"):
        semantic_entropy_by_prompt(records, ["p"], labels)


@pytest.mark.parametrize(
    ("records", "message"),
    [([], "records: holds 0"), (["a"], "records: holds 1"), (["a", 3], "records: record 1 is int; it must be text")],
)
def test_sets_without_an_entropy_are_refused(records, message):
    with pytest.raises(UserError, match=message):
        semantic_entropy(records, SAME_TEXT)
