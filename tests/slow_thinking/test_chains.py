"""Chains against a second implementation, closed forms and enumeration of every draw."""

from fractions import Fraction
from itertools import product
from math import log, prod

import numpy as np
import pytest
from slow_thinking.conftest import random_chain

from ggmi.errors import UserError
from ggmi.exact.trees import number
from ggmi.slow_thinking import recheck, terms
from ggmi.slow_thinking.certify import ExactChain, certificate
from ggmi.slow_thinking.chains import STEPS, WAYS, Chains, answers_of, chain, probability_found
from ggmi.slow_thinking.losses import THEOREM_3_3
from ggmi.slow_thinking.regimes import ANY

LEAVES = [
    *(terms.entropy(*names) for names in (("t1",), ("r3", "t3"), ("t1", "r2", "t3"))),
    *(terms.right(*places) for places in ((1,), (2,), (1, 3), (1, 2, 3))),
    *(terms.error(2), terms.error(1, 2, 3), terms.error_entropy(3), terms.error_entropy(1, 2, 3)),
    *(terms.decoding_error(2), terms.EPSILON, terms.WIDTH, terms.log("T"), terms.log("T - 1"), terms.log("lambda")),
    *(kind(way) for kind in (terms.found, terms.rule) for way in WAYS),
]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("values", [None, [0, 0, 1]])
def test_quantities_agree_between_floats_intervals_and_the_recheck(seed, values):
    world = random_chain(seed, width=2 + seed % 2, values=values)
    stored = certificate(THEOREM_3_3, ANY, world)
    joint, exact = recheck.joint_law(stored), ExactChain(world)
    for leaf in LEAVES:
        rechecked = float(recheck.value(stored, joint, leaf.as_json()))
        enclosed = exact.enclose(leaf)
        assert world.value(leaf)[0] == pytest.approx(rechecked, abs=1e-12), leaf
        assert float(enclosed.low) - 1e-15 <= rechecked <= float(enclosed.high) + 1e-15, leaf


def test_joint_law_is_a_law_and_factorises():
    world = random_chain(7)
    assert world.joint.sum() == pytest.approx(1)
    pairs = np.einsum("zabcdef->zab", world.joint)
    np.testing.assert_allclose(pairs, world.first[:, :, None] * world.steps[:, 0, 0])


def drawn(rates, width, selects):
    """Probability of a right chain, over every outcome of every candidate, by hand."""
    total = 0.0
    for draws in product([0, 1], repeat=len(rates) * width):
        chance = prod(rates[i // width] if hit else 1 - rates[i // width] for i, hit in enumerate(draws))
        total += chance * selects([draws[i * width : (i + 1) * width] for i in range(len(rates))])
    return total


def test_searches_equal_the_enumeration_of_all_candidates():
    rates = [0.7, 0.4, 0.55]
    stepwise = drawn(rates, 2, lambda layers: all(any(layer) for layer in layers))
    assert probability_found("stepwise", rates, 2) == pytest.approx(stepwise)
    whole = drawn(rates, 2, lambda layers: any(all(path) for path in zip(*layers, strict=True)))
    assert probability_found("N = k", rates, 2) == pytest.approx(whole)
    assert probability_found("first layer", rates, 3) == pytest.approx(1 - 0.3**3)
    assert probability_found("chain", rates, 5) == pytest.approx(prod(rates))


def test_the_full_tree_equals_the_enumeration_of_its_nodes():
    p, q = 0.6, 0.3
    # Two children, two grandchildren each: six independent nodes, right with p in the first layer and q below.
    total = 0.0
    for nodes in product([0, 1], repeat=6):
        chance = prod((p if i < 2 else q) if hit else 1 - (p if i < 2 else q) for i, hit in enumerate(nodes))
        total += chance * any(nodes[i] and any(nodes[2 + 2 * i : 4 + 2 * i]) for i in range(2))
    assert probability_found("tree", [p, q], 2) == pytest.approx(total)


@pytest.mark.parametrize(("width", "numbers"), [(2, (2, 3, 8, 4)), (4, (4, 8, 64, 28)), (3, (3, 6, 27, 13))])
def test_numbers_of_answers(width, numbers):
    ways = ("N = k", "N = k^(L/2)", "N = k^L", "N of the tree's calls")
    assert tuple(answers_of(way, width) for way in ways) == numbers


def test_symmetric_channels_have_their_closed_form():
    errors = (0.3, 0.3, 0.05)
    law, own = np.full(8, 1 / 8), np.eye(8)
    channels = [((1 - e) * own + e / 7 * (1 - own)).tolist() for e in errors]
    world = chain(law.tolist(), [np.tile(law, (8, 1)).tolist()] * 2, channels)
    for place, e in enumerate(errors, 1):
        loss = -(1 - e) * log(1 - e) - e * log(e) + e * log(7)
        assert world.value(terms.loss(place))[0] == pytest.approx(loss)
        assert world.value(terms.error(place))[0] == pytest.approx(e)
    # The bound of Theorem 3.3 exceeds the true error of the last step.
    assert THEOREM_3_3.applies(world).all()
    assert world.value(THEOREM_3_3.right)[0] > 0.05 + 0.1
    assert world.value(THEOREM_3_3.correction.right)[0] == pytest.approx(0.05)


def test_theorem_3_3_does_not_speak_of_two_thoughts():
    half = [[0.5, 0.5]] * 2
    world = chain([0.5, 0.5], [half] * 2, [half] * STEPS)
    assert not THEOREM_3_3.applies(world).any()


def test_a_batch_keeps_its_worlds_apart():
    one, two = random_chain(1), random_chain(2)
    names = ("first", "thoughts", "steps", "selection", "thought_values", "step_values")
    both = Chains(*(np.concatenate([getattr(x, n) for x in (one, two)]) for n in names))
    for leaf in LEAVES[:20]:
        np.testing.assert_allclose(both.value(leaf), [one.value(leaf)[0], two.value(leaf)[0]])


def test_tables_that_are_no_laws_or_do_not_fit_are_refused():
    world = random_chain(1)
    fields = ("first", "thoughts", "steps", "selection", "thought_values", "step_values")
    with pytest.raises(UserError, match="first of the chains: a row is no probability law"):
        Chains(world.first * 2, *(getattr(world, n) for n in fields[1:]))
    with pytest.raises(UserError, match="selection of the chains must have shape"):
        Chains(*(getattr(world, n) for n in fields[:3]), np.ones((1, 3)) / 3, world.thought_values, world.step_values)
    with pytest.raises(UserError, match="about one world, got a batch of 2"):
        ExactChain(world[np.array([0, 0])])
    assert ExactChain(world).enclose(number(Fraction(1, 3))).low == Fraction(1, 3)
