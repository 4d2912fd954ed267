import numpy as np
import pytest
from search.table import Knows, Silent, TablePolicy

from ggmi.search.beam import beam_search
from ggmi.search.policy import NO_ANSWER

P = np.array((0.7, 0.5, 0.6))


@pytest.mark.parametrize("width", [1, 3, 8])
def test_stepwise_selection_by_a_perfect_verifier_has_the_exact_accuracy(width, policy, roots, generator, near):
    found = beam_search(policy, Knows(policy), roots, width, generator, limit=9)
    near(policy.right(found.nodes), np.prod(1 - (1 - P) ** width))
    assert (found.answers == 0).mean() == policy.right(found.nodes).mean()
    assert (found.cost.calls == 3 * width).all()
    assert (found.cost.tokens == 6 * width).all()
    assert (found.cost.responses == width).all()


@pytest.mark.parametrize("width", [2, 5, 8])
def test_two_beams_with_a_perfect_verifier_have_the_exact_accuracy(width, policy, roots, generator, near):
    # Two beams share the draws, the right one first; the wrong one never becomes right. All draws equal
    # (the right step) leave one beam, which then gets them all.
    one, two = 1.0, 0.0
    for p in P:
        half = -(-width // 2)
        one, two = one * p**width, one * (1 - p**width - (1 - p) ** width) + two * (1 - (1 - p) ** half)
    found = beam_search(policy, Knows(policy), roots, width, generator, keep=2, limit=9)
    near(policy.right(found.nodes), one + two)


@pytest.mark.parametrize("width", [1, 4, 16])
def test_without_scores_the_choice_is_by_chance(width, policy, roots, generator, near):
    # Repeats count once, so that the right step has the same chance as each different wrong one.
    rng = np.random.default_rng(0)
    exact = 1.0
    for p in P:
        hits = rng.random((40_000, width)) < p
        wrong = np.sort(np.where(hits, 0, rng.integers(1, policy.base, (40_000, width))), axis=1)
        different = 1 + (wrong[:, 1:] != wrong[:, :-1]).sum(axis=1)
        exact *= (hits.any(axis=1) / different).mean()
    found = beam_search(policy, Silent(), roots, width, generator, limit=9)
    error = 4 * np.sqrt(exact * (1 - exact) * (1 / len(roots) + 1 / 40_000) * 3)
    assert abs(policy.right(found.nodes).mean() - exact) < error


def test_layers_are_shown_with_what_was_kept(policy, roots, generator):
    layers = []
    found = beam_search(policy, Knows(policy), roots[:100], 4, generator, limit=9, watch=layers.append)
    assert [layer.number for layer in layers] == [1, 2, 3]
    assert (layers[0].before[:, 0] == roots[:100]).all()
    for layer in layers:
        there = layer.candidates[:, 1:]
        assert (there >= 0).all()
        assert (layer.candidates[:, 0] == -1).all()
        any_right = policy.right(there).any(axis=1)
        assert (policy.right(layer.kept[:, 0]) == any_right).all()
    assert (layers[-1].kept[:, 0] == found.nodes).all()


def test_a_text_that_never_ends_stops_at_the_depth_limit(roots, generator):
    policy = TablePolicy(P, np.random.default_rng(0), endless=True)
    found = beam_search(policy, Knows(policy), roots[:20], 4, generator, limit=5)
    assert (found.answers == NO_ANSWER).all()
    assert (found.cost.calls == 20).all()
    assert (found.cost.responses == 0).all()


def test_a_complete_answer_is_kept_beside_beams_that_go_on(generator):
    class Short(TablePolicy):
        """An odd wrong step ends a text at once."""

        def ended(self, nodes):
            return super().ended(nodes) | (nodes % self.base % 2 == 1) & (nodes > 1)

    policy = Short((0.0, 0.0), np.random.default_rng(1))
    found = beam_search(policy, Silent(), np.ones(500, dtype=int), 6, generator, keep=3, limit=4)
    assert policy.ended(found.nodes).all()
    assert set(policy.depth(found.nodes)) == {1, 2}
