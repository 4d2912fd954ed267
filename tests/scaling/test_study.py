import numpy as np
import pytest

from ggmi.errors import UserError
from ggmi.random import stream
from ggmi.scaling.samples import Samples
from ggmi.scaling.settings import Settings
from ggmi.scaling.study import scaling
from ggmi.scaling.verdict import advice


def simulated(generator, problems, n, p, *, wrong=3, score=None):
    """Problems whose samples are right with probability p each; so many wrong answers, or nothing said (0)."""
    p = np.broadcast_to(p, problems)
    right = generator.random((problems, n)) < p[:, None]
    said = np.where(right, 0, 1 + generator.integers(0, max(wrong, 1), (problems, n))).ravel()
    scores = {} if score is None else {"s": score(right).ravel()}
    names = np.repeat([f"{i:04d}" for i in range(problems)], n).tolist()
    answer = [str(one) for one in said] if wrong else None
    return Samples.of(names, right.ravel(), answer=answer, scores=scores, tokens=np.full(said.size, 10.0))


def at(table, k, **wanted):
    rows = table[table["k"] == k]
    for name, value in wanted.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def test_a_perfect_score_is_pass_at_k_and_a_constant_one_is_chance():
    generator = stream(1, "test")
    samples = simulated(generator, 60, 8, generator.beta(1, 1, 60), score=lambda right: right.astype(float))
    found = scaling(samples, Settings())
    for k in (2, 4, 8):
        passed = at(found.curves, k, method="pass")["value"]
        assert at(found.curves, k, method="best of k")["value"] == pytest.approx(passed, abs=1e-12)
        assert at(found.curves, k, method="weighted vote")["value"] == pytest.approx(passed, abs=1e-12)
        assert at(found.reliability, k)["reliability"] == pytest.approx(1)
    constant = scaling(simulated(generator, 60, 8, 0.4, score=np.zeros_like), Settings())
    row = at(constant.reliability, 8)
    assert row["reliability"] == pytest.approx(row["threshold"], abs=1e-12)
    assert row["gain"] == pytest.approx(0, abs=1e-12)
    verdicts = constant.claims.set_index("claim")["verdict"]
    assert verdicts["s chooses better than chance among 8 samples"] == "undecided"


def test_the_threshold_is_the_mean_of_p_over_the_mean_of_pass():
    """With one p for all problems it is p / (1 − (1 − p)^k), far above 1/k."""
    samples = simulated(stream(2, "test"), 4000, 8, 0.3, wrong=0, score=np.zeros_like)
    row = at(scaling(samples, Settings()).reliability, 4)
    assert row["threshold"] == pytest.approx(0.3 / (1 - 0.7**4), abs=0.01)
    assert row["threshold_ci_low"] < 0.3 / (1 - 0.7**4) < row["threshold_ci_high"]
    assert row["one_over_k"] == 0.25


def test_all_k_are_compared_on_the_same_problems_and_the_others_are_told():
    names = [name for name, n in (("a", 8), ("b", 8), ("c", 3)) for _ in range(n)]
    samples = Samples.of(names, [1, 0] * 9 + [1])
    found = scaling(samples, Settings(most=8))
    assert found.problems == 2
    assert found.notes[0] == (
        "1 of 3 problems have fewer than 8 samples and are left out, so that every k is measured on the same "
        "problems; --most 3 keeps all."
    )
    assert set(found.curves["problems"]) == {2}
    assert scaling(samples, Settings()).most == 3
    with pytest.raises(UserError, match="--most: no problem has 9 samples; at most 8"):
        scaling(samples, Settings(most=9))


def test_cost_of_a_solved_problem_and_where_samples_stop_paying():
    """Perfect choice at p = 1/2: net value v (1 − 2^−k) − k is largest where the next halving is worth less than k."""
    generator = stream(3, "test")
    samples = simulated(generator, 3000, 16, 0.5, wrong=0, score=lambda right: right.astype(float))
    found = scaling(samples, Settings(price=1.0, value=40.0))
    for k in (1, 4, 16):
        row = at(found.cost, k, method="pass")
        assert row["samples_a_solved"] == pytest.approx(k / (1 - 0.5**k), rel=0.03)
        assert row["tokens_a_solved"] == pytest.approx(10 * row["samples_a_solved"])
        assert row["price_a_solved"] == pytest.approx(row["samples_a_solved"])
        assert row["samples_ci_low"] < row["samples_a_solved"] < row["samples_ci_high"]
    stop = found.stops[found.stops["method"] == "pass"].iloc[0]
    net = {k: 40 * (1 - 0.5**k) - k for k in (1, 2, 4, 8, 16)}
    assert stop["k"] == max(net, key=net.get) == 4
    assert not stop["last"]
    by_tokens = scaling(samples, Settings(price=100.0, by_tokens=True, value=40.0))
    assert at(by_tokens.cost, 4, method="pass")["net_value"] == pytest.approx(
        at(found.cost, 4, method="pass")["net_value"]
    )


def test_not_even_one_sample_pays_where_nothing_is_solved():
    found = scaling(Samples.of(["a", "a", "b", "b"], [0] * 4), Settings(price=1.0, value=5.0))
    assert found.stops[["k", "net_value"]].to_numpy().tolist() == [[0, 0]]
    assert found.cost["price_a_solved"].isna().all()
    assert found.advice.word == "undecided"


def test_a_price_of_tokens_needs_tokens():
    with pytest.raises(UserError, match="--price-tokens: no column of tokens is known"):
        scaling(Samples.of(["a", "a"], [1, 0]), Settings(price=1.0, by_tokens=True))


def test_one_sample_a_problem_decides_nothing():
    found = scaling(Samples.of(["a", "b", "c"], [1, 0, 1], scores={"s": [1, 2, 3]}), Settings())
    assert found.advice.word == "undecided"
    assert found.claims.empty
    assert found.reliability.empty


def test_noise_is_rarely_called_a_verifier_or_better_than_another_way():
    """At most five in a hundred, with the error of 100 runs; no claim of the family is decided more often."""
    runs, decided = 100, 0
    for run in range(runs):
        generator = stream(run, "test", "null")
        p = generator.beta(1, 1, 40)
        right = generator.random((40, 6)) < p[:, None]
        names = np.repeat([f"{i:02d}" for i in range(40)], 6).tolist()
        scores = {"s": generator.random(240), "t": generator.integers(0, 3, 240)}
        claims = scaling(Samples.of(names, right.ravel(), scores=scores), Settings(seed=run)).claims
        decided += bool((claims["verdict"] != "undecided").any())
    # The binomial's 99.9 % point.
    assert decided <= 13


@pytest.mark.parametrize(
    ("kind", "word"),
    [("easy", "neither"), ("ever rarer", "sample more"), ("outvoted", "verify better"), ("few", "undecided")],
)
def test_verdicts_of_worlds_that_are_known(kind, word):
    generator = stream(4, "test", kind)
    if kind == "easy":
        samples = simulated(generator, 400, 8, 0.999)
    elif kind == "ever rarer":
        # A right sample is rare, and a perfect score finds it: only more of them help.
        samples = simulated(generator, 500, 16, 0.05, score=lambda right: right.astype(float))
    elif kind == "outvoted":
        # The wrong answer is one and more frequent, so that votes get worse with more of them.
        samples = simulated(generator, 400, 16, 0.25, wrong=1)
    else:
        samples = simulated(generator, 6, 8, generator.beta(1, 1, 6))
    found = scaling(samples, Settings())
    assert found.advice.word == word
    assert found.advice.sentence.lower().startswith(word)


def test_a_verdict_needs_whole_intervals():
    zero, small, open_, large = (0.0, -0.001, 0.001), (0.004, 0.002, 0.008), (0.02, 0.005, 0.035), (0.05, 0.03, 0.07)
    for gain, gap, more, word in (
        (zero, small, small, "neither"),
        (large, small, zero, "sample more"),
        (small, large, large, "verify better"),
        (open_, small, zero, "undecided"),
        (small, open_, zero, "undecided"),
        (large, open_, zero, "sample more"),
        (large, large, zero, "both"),
    ):
        assert advice(gain, gap, more, 4, 8, "majority of k", 0.01).word == word
    first = advice(large, large, large, 4, 8, "majority of k", 0.01)
    assert first.sentence.startswith("Verify better first")
