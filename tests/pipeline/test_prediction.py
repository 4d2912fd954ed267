import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata, spearmanr

from ggmi.pipeline.prediction import RIDGE, SINGLE, estimators_worth


def drawn(generator, n=150, *, own=0.0):
    """An outcome of length and of a cause of its own; estimators that see one, both, or nothing."""
    length, cause = generator.normal(size=(2, n))
    outcome = length + own * cause + generator.normal(size=n)
    values = pd.DataFrame(
        {
            "length again": length + 0.1 * generator.normal(size=n),
            "cause": cause + 0.3 * generator.normal(size=n),
            "nothing": generator.normal(size=n),
            "constant": np.ones(n),
            "missing": np.where(np.arange(n) == 3, np.nan, cause),
        }
    )
    return values, outcome, length


def test_what_follows_length_alone_is_worth_nothing_beyond_it():
    values, outcome, length = drawn(np.random.default_rng(0), own=1.0)
    table = estimators_worth(values, outcome, length, 0).set_index("estimator")
    assert list(table.index) == ["length again", "cause", "nothing", RIDGE, SINGLE]
    assert table.loc["length again", "raw"] == pytest.approx(spearmanr(values["length again"], outcome).statistic)
    assert table.loc["length again", "raw_p_holm"] < 0.01
    assert table.loc["length again", "partial_p_holm"] > 0.05
    assert abs(table.loc["length again", "partial"]) < 0.25
    assert table.loc["length again", "skill_ci_low"] < 0.02
    assert table.loc["cause", "partial_p_holm"] < 0.01
    assert table.loc["cause", "skill_ci_low"] > 0.2
    assert table.loc["nothing", "skill"] < 0.02
    assert table.loc[RIDGE, "skill"] == pytest.approx(table.loc["cause", "skill"], abs=0.08)


def test_the_partial_correlation_is_that_of_residuals():
    values, outcome, length = drawn(np.random.default_rng(1), own=0.5)
    table = estimators_worth(values[["cause", "nothing"]], outcome, length, 0).set_index("estimator")
    ranks = rankdata(length)
    design = np.column_stack([np.ones(150), ranks, ranks**2])

    def left(x):
        return rankdata(x) - design @ np.linalg.lstsq(design, rankdata(x), rcond=None)[0]

    expected = np.corrcoef(left(values["cause"]), left(outcome))[0, 1]
    assert table.loc["cause", "partial"] == pytest.approx(expected)


def test_nothing_is_found_where_nothing_is(monkeypatch):
    """Type-I error of both correlations after Holm's correction, and of each interval of skill."""
    monkeypatch.setattr("ggmi.pipeline.prediction.PERMUTATIONS", 199)
    monkeypatch.setattr("ggmi.pipeline.prediction.RESAMPLES", 99)
    monkeypatch.setattr("ggmi.pipeline.prediction.REPEATS", 1)
    generator = np.random.default_rng(2)
    rounds, false = 100, {"raw": 0, "partial": 0, "skill": 0}
    for seed in range(rounds):
        length, outcome, *columns = generator.normal(size=(6, 40))
        table = estimators_worth(pd.DataFrame(np.array(columns).T).add_prefix("e"), outcome, length, seed)
        for kind in ("raw", "partial"):
            false[kind] += bool((table[f"{kind}_p_holm"] < 0.05).any())
        false["skill"] += int((table["skill_ci_low"] > 0).sum())
    # 5 of 100 expected at most; 12 or more come with a probability of .004
    assert false["raw"] < 12
    assert false["partial"] < 12
    # one interval in forty lies above what is true, and these are not corrected: 15 of 600 expected
    assert false["skill"] < 36
