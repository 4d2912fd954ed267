from itertools import pairwise

import numpy as np
import pytest
from scaling.brute import over_subsets, samples_of, voted, world
from scipy.stats import betabinom

from ggmi.random import stream
from ggmi.scaling import weighting
from ggmi.scaling.samples import Samples
from ggmi.scaling.sums import votes_of_sums, whole_weights
from ggmi.scaling.voting import majority_at
from ggmi.scaling.weighting import weighted_votes, weights_of


def test_majorities_and_weighted_votes_are_the_means_over_all_subsets():
    generator = stream(1, "test", "votes")
    for _ in range(50):
        n = int(generator.integers(1, 9))
        said, correct, scores = world(generator, n, answers=int(generator.integers(1, 5)))
        samples = samples_of(said, correct, scores)
        ks = range(1, n + 1)
        majority = {k: majority_at(samples, k) for k in ks}
        values, errors = weighted_votes(samples, ks, majority, 0)
        weights = np.nan_to_num(scores)
        for k in ks:
            assert majority[k][0] == pytest.approx(over_subsets(n, k, voted(said, correct, np.ones(n))), abs=1e-12)
            assert values["s", k][0] == pytest.approx(over_subsets(n, k, voted(said, correct, weights)), abs=1e-12)
            assert errors["s", k][0] == 0


def test_an_answer_that_is_right_in_some_samples_only_has_that_credit():
    said, correct = ["7", "7", "7", "3"], [1, 1, 0, 0]
    found = majority_at(samples_of(said, correct), 3)[0]
    assert found == pytest.approx(over_subsets(4, 3, voted(said, correct, np.ones(4))), abs=1e-12)


def test_majorities_of_many_samples_agree_with_drawn_subsets():
    generator = stream(2, "test", "votes")
    said, correct, _ = world(generator, 90, answers=7)
    samples = samples_of(said, correct)
    for k in (7, 30, 61):
        exact = majority_at(samples, k)
        values, errors = weighted_votes(samples, [k], {k: None}, 0)
        assert 0 < errors["", k][0] < 0.01
        assert abs(values["", k][0] - exact[0]) < 4 * errors["", k][0]


def test_drawn_weighted_votes_agree_with_all_subsets(monkeypatch):
    """The exact majority as a control variate biases nothing, and the stated error is the real one."""
    generator = stream(3, "test", "votes")
    parts = [world(generator, 12, levels=9) for _ in range(40)]
    names = [f"p{i:02d}" for i in range(40) for _ in range(12)]
    samples = Samples.of(
        names,
        np.concatenate([part[1] for part in parts]),
        answer=[answer for part in parts for answer in part[0]],
        scores={"s": np.concatenate([part[2] for part in parts])},
    )
    majority = {6: majority_at(samples, 6)}
    exact, none = weighted_votes(samples, [6], majority, 0)
    assert not none["s", 6].any()
    monkeypatch.setattr(weighting, "MOST", 500)
    drawn, errors = weighted_votes(samples, [6], majority, 0)
    known = errors["s", 6] > 0
    assert known.sum() > 20
    apart = (drawn["s", 6] - exact["s", 6])[known] / errors["s", 6][known]
    assert np.abs(apart).max() < 5
    assert 0.6 < apart.std() < 1.4
    again, _ = weighted_votes(samples, [6], majority, 0)
    np.testing.assert_array_equal(again["s", 6], drawn["s", 6])


def test_a_problem_more_changes_no_other_problem(monkeypatch):
    monkeypatch.setattr(weighting, "MOST", 48)
    generator = stream(4, "test", "votes")
    parts = [world(generator, 20, levels=9) for _ in range(3)]

    def votes(which):
        samples = Samples.of(
            [f"p{i}" for i in which for _ in range(20)],
            np.concatenate([parts[i][1] for i in which]),
            answer=[answer for i in which for answer in parts[i][0]],
            scores={"s": np.concatenate([parts[i][2] for i in which])},
        )
        return weighted_votes(samples, [8], {8: majority_at(samples, 8)}, 0)[0]["s", 8]

    np.testing.assert_array_equal(votes([0, 2]), votes([0, 1, 2])[[0, 2]])


def test_the_majority_of_two_answers_in_beta_binomial_problems_is_known():
    """Right if more than half of k are; half the credit at a tie."""
    generator = stream(5, "test", "beta")
    a, b, problems, n = 1.2, 0.9, 5000, 24
    p = generator.beta(a, b, problems)
    correct = (generator.random((problems, n)) < p[:, None]).ravel()
    names = np.repeat([f"{i:04d}" for i in range(problems)], n).tolist()
    samples = Samples.of(names, correct, answer=["yes" if right else "no" for right in correct])
    for k in (2, 5, 8):
        found = majority_at(samples, k)
        wanted = betabinom(k, a, b).sf(k / 2) + (betabinom(k, a, b).pmf(k // 2) / 2 if k % 2 == 0 else 0)
        assert abs(found.mean() - wanted) < 4 * found.std() / np.sqrt(problems)


def test_nothing_overflows_with_thousands_of_samples():
    samples = Samples.of(["p"] * 3000, [1] * 1600 + [0] * 1400, answer=["a"] * 1600 + ["b"] * 1400)
    shares = [majority_at(samples, k)[0] for k in (1, 101, 301)]
    assert shares[0] == pytest.approx(1600 / 3000)
    assert all(one < other < 1 for one, other in pairwise(shares))


def test_nobody_answering_is_never_right():
    samples = Samples.of(["p"] * 4 + ["q"] * 4, [0] * 8, answer=[None] * 8, scores={"s": np.arange(8) / 7})
    majority = {k: majority_at(samples, k) for k in (1, 2, 4)}
    values, errors = weighted_votes(samples, [1, 2, 4], majority, 0)
    assert not any(value.any() for value in (*majority.values(), *values.values(), *errors.values()))


def test_negative_scores_weigh_by_their_exponential():
    samples = Samples.of(["p"] * 3, [1, 0, 0], answer=["a", "b", "b"], scores={"s": [-1.0, -3.0, np.nan]})
    weights, rule = weights_of(samples, "s")
    assert rule == "exp(score)"
    np.testing.assert_allclose(sorted(weights), [0, np.exp(-2), 1])


def test_weights_of_equal_sum_tie_whatever_the_order_of_addition():
    samples = Samples.of(["p"] * 4, [1, 1, 1, 0], answer=["a"] * 3 + ["b"], scores={"s": [0.1, 0.2, 0.3, 0.6]})
    values, _ = weighted_votes(samples, [4], {4: majority_at(samples, 4)}, 0)
    assert values["s", 4][0] == 0.5


def test_whole_weights_give_the_means_over_all_subsets():
    generator = stream(6, "test", "votes")
    for _ in range(40):
        n = int(generator.integers(1, 9))
        said, correct, scores = world(generator, n, levels=int(generator.integers(1, 5)))
        samples = samples_of(said, correct, scores)
        weights = weights_of(samples, "s")[0]
        found = votes_of_sums(samples, whole_weights(samples, weights), range(1, n + 1))[0]
        for k in range(1, n + 1):
            brute = over_subsets(n, k, voted(said, correct, np.nan_to_num(scores)))
            assert found[k - 1] == pytest.approx(brute, abs=1e-12)


def test_equal_whole_weights_are_a_majority():
    generator = stream(7, "test", "votes")
    said, correct, _ = world(generator, 60, answers=9)
    samples = samples_of(said, correct)
    ks = [1, 2, 7, 30, 60]
    found = votes_of_sums(samples, np.full(60, 3), ks)[0]
    np.testing.assert_allclose(found, [majority_at(samples, k)[0] for k in ks], atol=1e-12)


def test_marks_are_counted_and_agree_with_drawn_subsets(monkeypatch):
    generator = stream(8, "test", "votes")
    said, correct, scores = world(generator, 64, answers=6, levels=5)
    samples = samples_of(said, correct, scores)
    majority = {k: majority_at(samples, k) for k in (6, 24)}
    exact, none = weighted_votes(samples, [6, 24], majority, 0)
    monkeypatch.setattr(weighting, "WORK", 0)
    drawn, errors = weighted_votes(samples, [6, 24], majority, 0)
    for k in (6, 24):
        assert none["s", k][0] == 0
        assert 0 < errors["s", k][0] < 0.01
        assert abs(exact["s", k][0] - drawn["s", k][0]) < 4 * errors["s", k][0]


def test_weights_without_a_unit_are_not_whole():
    samples = Samples.of(["p"] * 2, [1, 0])
    assert whole_weights(samples, np.array([0.1234567, 1.0])) is None
    assert whole_weights(samples, np.array([1e6, 1.0])) is None
    assert whole_weights(samples, np.array([0.0, 0.0])).tolist() == [0, 0]
