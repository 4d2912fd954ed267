import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scaling.brute import best, over_subsets, passed, samples_of, world
from scipy.special import betaln, comb

from ggmi.random import stream
from ggmi.scaling.expectations import best_of, misses, pass_at
from ggmi.scaling.samples import Samples


def test_pass_at_k_and_best_of_k_are_the_means_over_all_subsets():
    generator = stream(1, "test", "expectations")
    for _ in range(60):
        n = int(generator.integers(1, 9))
        said, correct, scores = world(generator, n)
        samples = samples_of(said, correct, scores)
        chosen = best_of(samples, "s", range(1, n + 1))[0]
        for k in range(1, n + 1):
            assert pass_at(samples, k)[0] == pytest.approx(over_subsets(n, k, passed(correct)), abs=1e-12)
            assert chosen[k - 1] == pytest.approx(over_subsets(n, k, best(correct, scores)), abs=1e-12)


def test_problems_of_different_sizes_do_not_mix():
    generator = stream(2, "test", "expectations")
    parts = [world(generator, n) for n in (8, 3, 5, 3)]
    names = [f"p{i}" for i, part in enumerate(parts) for _ in part[0]]
    together = Samples.of(
        names,
        np.concatenate([part[1] for part in parts]),
        answer=[answer for part in parts for answer in part[0]],
        scores={"s": np.concatenate([part[2] for part in parts])},
    )
    alone = [samples_of(*part) for part in parts]
    np.testing.assert_allclose(pass_at(together, 3), [pass_at(one, 3)[0] for one in alone], atol=1e-14)
    np.testing.assert_allclose(
        best_of(together, "s", [2, 3]), [best_of(one, "s", [2, 3])[0] for one in alone], atol=1e-14
    )


@given(st.integers(1, 300), st.data())
@settings(max_examples=50, deadline=None)
def test_misses_are_ratios_of_binomials(n, data):
    k, a = data.draw(st.integers(1, n)), data.draw(st.integers(0, n))
    exact = comb(n - a, k, exact=True) / comb(n, k, exact=True)
    assert misses(n, k)[a] == pytest.approx(exact, rel=1e-10, abs=1e-300)


def test_pass_at_k_of_beta_binomial_problems_is_known():
    """E[1 − (1 − p)^k] = 1 − B(a, b + k) / B(a, b) for p from a beta law, whatever the n it is estimated from."""
    generator = stream(3, "test", "beta")
    a, b, problems, n = 0.7, 1.8, 6000, 20
    p = generator.beta(a, b, problems)
    correct = generator.random((problems, n)) < p[:, None]
    names = np.repeat([f"{i:04d}" for i in range(problems)], n).tolist()
    samples = Samples.of(names, correct.ravel())
    for k in (1, 4, 20):
        found = pass_at(samples, k)
        wanted = 1 - np.exp(betaln(a, b + k) - betaln(a, b))
        assert abs(found.mean() - wanted) < 4 * found.std() / np.sqrt(problems)


def test_a_choice_without_any_score_is_one_at_random():
    samples = Samples.of(["p"] * 4, [1, 0, 0, 0], scores={"s": [np.nan] * 4})
    np.testing.assert_allclose(best_of(samples, "s", [1, 2, 4]), 0.25)


def test_a_sample_without_a_score_is_chosen_last():
    samples = Samples.of(["p"] * 2, [1, 0], scores={"s": [np.nan, -np.inf]})
    assert best_of(samples, "s", [2]).tolist() == [[0.0]]


def test_the_order_of_rows_changes_no_bit():
    generator = stream(4, "test", "order")
    said, correct, scores = world(generator, 40, answers=6)
    names = [f"p{i % 3}" for i in range(40)]
    first = Samples.of(names, correct, answer=said, scores={"s": scores}, tokens=np.arange(40.0) % 7)
    order = generator.permutation(40)
    again = Samples.of(
        [names[i] for i in order],
        np.array(correct)[order],
        answer=[said[i] for i in order],
        scores={"s": scores[order]},
        tokens=(np.arange(40.0) % 7)[order],
    )
    for one, other in (
        (first.correct, again.correct),
        (first.answer, again.answer),
        (first.scores["s"], again.scores["s"]),
    ):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(first.tokens, again.tokens)
