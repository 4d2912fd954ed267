import math

import numpy as np
import pytest
from search.table import Knows, Silent, TablePolicy

from ggmi.search.policy import NO_ANSWER
from ggmi.search.tree import tree_search

P = np.array((0.7, 0.5, 0.6))


@pytest.mark.parametrize("width", [1, 3, 8])
def test_with_a_perfect_verifier_it_fails_only_where_a_layer_has_no_right_step(width, policy, roots, generator, near):
    found = tree_search(policy, Knows(policy), roots[:6000], width, generator, simulations=40, limit=9)
    near(policy.right(found.nodes), np.prod(1 - (1 - P) ** width), rows=6000)


class Rough:
    """Right texts score higher on average; the score of a text is always the same."""

    def __init__(self, policy):
        self.policy = policy

    def score(self, nodes):
        return 0.3 * self.policy.right(nodes) + 0.7 * ((nodes * 2654435761) % 1021) / 1021


def plain_search(policy, verifier, root, width, simulations, c, limit):
    """The same search for one question, with a class a node and no arrays."""

    class Node:
        def __init__(self, text, prior, depth):
            self.text, self.prior, self.depth = text, prior, depth
            self.children, self.visits, self.total, self.value = [], 0, 0.0, None
            self.closed = bool(policy.ended(np.array([text]))[0]) or depth >= limit

        def expand(self):
            if self.closed:
                return
            steps = policy.extend(np.full(width, self.text))
            odds = {}
            for text, nats in zip(steps.nodes, steps.log_probs, strict=True):
                odds.setdefault(int(text), math.exp(nats))
            self.children = [Node(t, o / sum(odds.values()), self.depth + 1) for t, o in odds.items()]

    top, met = Node(root, 1.0, 0), []
    top.expand()
    for _ in range(simulations):
        path = [top]
        while path[-1].children:
            here = path[-1]
            path.append(
                max(
                    here.children,
                    key=lambda n: (
                        (n.total / n.visits if n.visits else 0)
                        + c * n.prior * math.sqrt(max(here.visits, 1)) / (1 + n.visits)
                    ),
                )
            )
        leaf = path[-1]
        if leaf.value is None:
            leaf.value = float(verifier.score(np.array([[leaf.text]]))[0, 0])
            met += [leaf] if policy.ended(np.array([leaf.text]))[0] else []
        for node in path:
            node.visits += 1
            node.total += leaf.value
        if not leaf.children:
            leaf.expand()
    return max(met, key=lambda n: n.value).text, len(met)


@pytest.mark.parametrize("width", [1, 3, 8])
def test_it_does_what_a_plain_search_of_one_question_does(width, generator):
    for seed in range(60):
        policies = [TablePolicy(P, np.random.default_rng(seed), base=9) for _ in range(2)]
        found = tree_search(
            policies[0], Rough(policies[0]), np.ones(1, dtype=int), width, generator, simulations=25, limit=9
        )
        text, responses = plain_search(policies[1], Rough(policies[1]), 1, width, 25, 1.0, 9)
        assert found.nodes[0] == text
        assert found.cost.responses[0] == responses


def test_rows_do_not_touch_each_other(generator):
    policy = TablePolicy((0.5, 0.5), np.random.default_rng(0), base=9)
    found = tree_search(policy, Rough(policy), np.ones(300, dtype=int), 4, generator, simulations=12, limit=4)
    assert policy.ended(found.nodes).all()
    assert (found.cost.calls % 4 == 0).all()
    assert (found.cost.scores <= 12).all()


def test_without_scores_it_still_answers(policy, roots, generator):
    found = tree_search(policy, Silent(), roots[:200], 3, generator, simulations=20, limit=9)
    assert policy.ended(found.nodes).all()
    assert np.isfinite(found.cost.calls).all()


def test_too_few_simulations_are_completed_by_sampling(policy, roots, generator):
    found = tree_search(policy, Knows(policy), roots[:200], 2, generator, simulations=1, limit=9)
    assert policy.ended(found.nodes).all()
    assert (found.answers != NO_ANSWER).all()
    assert (found.cost.responses == 1).all()


def test_a_text_that_never_ends_gives_no_answer(roots, generator):
    policy = TablePolicy(P, np.random.default_rng(0), endless=True)
    found = tree_search(policy, Knows(policy), roots[:20], 2, generator, simulations=12, limit=4)
    assert (found.answers == NO_ANSWER).all()
    assert (found.cost.responses == 0).all()
