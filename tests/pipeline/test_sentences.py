"""Sentences that name a set keep their level; `benchmarks/verdicts.py` simulates the same at more sizes."""

import numpy as np
import pytest
from scipy import stats

from ggmi.information.clustering import SimilarEmbedding
from ggmi.information.distances import mmd
from ggmi.information.diversity import vendi_score
from ggmi.information.duplicates import near_duplicates, near_repeats
from ggmi.information.semantic_entropy import semantic_entropy
from ggmi.pipeline.comparing import INSIDE, LEVEL, compared, order_of
from ggmi.pipeline.estimation_claims import slope
from ggmi.random import stream
from ggmi.reporting.estimation import findings

ESTIMATORS = {
    "mmd": lambda made, train, trial: mmd(train, made, n_permutations=19, seed=trial),
    "vendi": lambda made, *_: vendi_score(made),
    "near_repeats": lambda made, *_: near_repeats(made),
    "near_duplicates": lambda made, train, trial: near_duplicates(made, train, n_permutations=1, seed=trial),
}


def law(draw, n):
    """Records about topics, some of which repeat each other."""
    centres = stream(15, "topics").normal(size=(90, 10))
    return centres[draw.choice(90, n, p=(w := 1 / np.arange(1, 91)) / w.sum())] + 0.05 * draw.normal(size=(n, 10))


@pytest.mark.parametrize("n", [30, 90])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_sets_of_one_law_are_rarely_told_apart(estimator, n):
    trials, told = 200, 0
    for trial in range(trials):
        draw = stream(15, estimator, n, trial)
        train = law(draw, 60)
        rows = [{"estimator": estimator, **ESTIMATORS[estimator](law(draw, n), train, trial).row()} for _ in "ab"]
        (row,) = compared({"a": rows[:1], "b": rows[1:]})
        told += row["verdict"] != INSIDE
    assert told <= stats.binom.ppf(0.999, trials, LEVEL)


def test_a_slope_along_conditions_of_one_law_is_rarely_found():
    trials, found = 100, 0
    for trial in range(trials):
        points = []
        for step in range(3):
            made = law(stream(15, "slope", trial, step), 40)
            entropy = semantic_entropy([str(i) for i in range(40)], SimilarEmbedding(made, 0.9), seed=trial)
            points.append((step, entropy.miller_madow.row()))
        found += slope(points, -1)["p_value"] <= LEVEL
    assert found <= stats.binom.ppf(0.999, trials, LEVEL)


def estimate(value, note="", estimator="mmd"):
    """A row with an error of half, or one that is missing."""
    ends = {"ci_low": None if value is None else value - 1, "ci_high": None if value is None else value + 1}
    tests = {"p_value": None, "p_holm": None, "null_mean": None}
    return {"estimator": estimator, "value": value, "n": 30, "note": note, "method": "", **ends, **tests}


def everything(value, note=""):
    names = ("mmd", "vendi", "near_repeats", "near_duplicates", "hsic")
    return [estimate(value, note, name) for name in names]


def test_a_set_without_an_estimate_is_named_and_no_other_wins_by_it():
    tables = {"far": everything(9.0), "gone": everything(None, "its records are all the same; they must differ")}
    assert compared(tables) == []
    assert order_of("closer to T", tables, []) == ("", [], ["gone"])
    said = dict(findings(tables, []))
    assert said["Closest to T"] == (
        "not told, for it takes two sets with an estimate (mmd); without it: gone (its records are all the same)."
    )
    three = {**tables, "near": everything(0.0)}
    said = dict(findings(three, compared(three)))
    assert said["Closest to T"] == (
        "near (mmd, Holm-corrected); left out, without an estimate: gone (its records are all the same)."
    )
