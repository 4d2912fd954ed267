import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ggmi.errors import UserError
from ggmi.theory import known, terms
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.families import DEFAULT_FAMILIES, draw
from ggmi.theory.statement import DETERMINISTIC_CURATION, INDEPENDENT, TOLERANCE, alpha, smallest_lambda
from ggmi.theory.study import family_named
from ggmi.theory.world import World

BIT = np.log(2)
# What holds in every world: the corrected and restricted statements, and these of the paper.
TRUE_AS_PUBLISHED = {
    "eq19", "eq20", "eq21", "eq24", "lemmaE1", "lemmaE2", "eq28", "eq30", "eq31",
    "eq14", "eq15", "lemma3.1", "eq12", "lemma4.4", "lemma4.8",
}  # fmt: skip
TRUE = [s for s in STATEMENTS.values() if s.kind != "published" or s.key in TRUE_AS_PUBLISHED]
FALSE = [s for s in STATEMENTS.values() if s.kind == "published" and s.key not in TRUE_AS_PUBLISHED]


def sides(key, world):
    statement = STATEMENTS[key]
    assert statement.admits(world)[0]
    return float(terms.evaluate(statement.left, world)[0]), float(terms.evaluate(statement.right, world)[0])


def test_every_statement_of_the_list_is_there():
    wanted = {f"eq{n}" for n in (12, 14, 15, 17, 18, 19, 20, 21, 22, 23, 25, 28, 30, 31, 32, 34)}
    wanted |= {"lemmaE1", "lemmaE2", "lemma3.1", "lemma4.4", "lemma4.5", "lemma4.6", "lemma4.8"}
    wanted |= {"theorem4.7", "theorem4.10"}
    assert wanted <= set(STATEMENTS)


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=lambda s: s.key)
def test_a_statement_explains_itself(statement):
    assert statement.reference
    assert statement.explanation
    if statement.kind == "corrected":
        assert "Proof" in statement.explanation
    if statement.kind != "published":
        assert STATEMENTS[statement.amends].kind == "published"


@pytest.mark.parametrize("statement", FALSE, ids=lambda s: s.key)
def test_a_false_statement_has_an_amendment(statement):
    assert any(s.amends == statement.key and s.kind == "corrected" for s in STATEMENTS.values())


@pytest.mark.parametrize("family", DEFAULT_FAMILIES, ids=lambda f: f.name)
def test_true_statements_hold_in_every_family(family):
    world = draw(family, 1000, seed=77)
    checked = 0
    for statement in TRUE:
        admitted = statement.admits(world)
        if admitted.any():
            slack = statement.slack(world[np.flatnonzero(admitted)])
            assert slack.min() >= -TOLERANCE, statement.key
            checked += 1
    assert checked > len(TRUE) / 2


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_true_statements_hold_in_worlds_of_other_shapes_and_with_zeros(random_worlds, seed, s, e, m, cyclic):
    world = random_worlds(seed, batch=5, s=s, e=e, m=m, w=3, modulus=2 if cyclic else None)
    for statement in TRUE:
        admitted = np.flatnonzero(statement.admits(world))
        if len(admitted):
            assert statement.slack(world[admitted]).min() >= -TOLERANCE, statement.key


def test_fair_bits_break_23_and_lemma_4_5():
    world = known.fair_bits()
    assert sides("eq23", world) == pytest.approx((BIT, 0.0), abs=1e-12)
    assert sides("lemma4.5", world) == pytest.approx((BIT, BIT / 2), abs=1e-12)
    assert sides("lemma4.6", world) == pytest.approx((0.5, np.sqrt(BIT / 4)), abs=1e-12)
    assert sides("eq25-independent", world) == pytest.approx((BIT, BIT), abs=1e-12)
    assert smallest_lambda(world)[0] == pytest.approx(2)
    named = {name: float(terms.evaluate(t, world)[0] / BIT) for name, t in STATEMENTS["lemma4.5"].terms.items()}
    assert named.pop("lambda") * BIT == pytest.approx(2)
    expected = {"delta_I": 1.0, "B_syn": 0.0, "H(e_M)": 1.0, "delta_eps_p": 0.5, "I(e_p; e_M | W)": 1.0}
    assert named == pytest.approx({"I(S_gen, W)": 1.0, **expected}, abs=1e-12)


def test_the_parity_task_breaks_theorem_4_7_with_both_divergences_zero():
    world = known.parity_task()
    assert world.total_variation("S_anchor", "M")[0] == 0
    assert world.total_variation("M", "S_gen")[0] == 0
    assert sides("theorem4.7", world) == pytest.approx((0.5, np.sqrt(BIT / 4)), abs=1e-12)
    assert STATEMENTS["theorem4.7-corrected"].slack(world)[0] > 0


def test_added_noise_breaks_17_and_18():
    world = known.added_noise()
    assert sides("eq17", world) == pytest.approx((BIT, 0.0), abs=1e-12)
    assert sides("eq18", world) == pytest.approx((BIT, 0.0), abs=1e-12)


def test_added_noise_breaks_lemma_4_5_in_two_states():
    """H(e_p) = 0: every lambda meets Lemma E.1's definition, delta is zero, and W stores a bit of noise."""
    world = known.added_noise()
    assert smallest_lambda(world)[0] == 1
    assert sides("lemma4.5", world) == pytest.approx((BIT, 0.0), abs=1e-12)
    assert STATEMENTS["lemma4.5-corrected"].slack(world)[0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("family", DEFAULT_FAMILIES[:8], ids=lambda f: f.name)
def test_necessary_assumptions_hold_exactly_where_the_statement_does(family):
    world = draw(family, 1000, seed=21)
    exact = [s for s in STATEMENTS.values() if s.necessary]
    assert len(exact) == 10
    for restriction in exact:
        published = STATEMENTS[restriction.amends]
        admitted, slack = published.admits(world), published.slack(world)
        # Between the two tolerances either may say no.
        clear = admitted & (np.abs(slack) > TOLERANCE)
        np.testing.assert_array_equal(restriction.admits(world)[clear], slack[clear] > 0, restriction.key)
        if family.curation == "random":
            assert clear.any(), restriction.key


@pytest.mark.parametrize(
    ("key", "family", "least"),
    [
        ("eq32", "dependent, random curation", 300),
        ("eq33", "independent, random curation", 300),
        ("eq34", "dependent, random curation", 300),
        ("lemma4.5", "dependent, no curation", 300),
        ("eq17", "independent, random curation", 50),
    ],
)
def test_restrictions_are_weaker_than_their_simple_cases(key, family, least):
    """Worlds of these families miss the simple case, and the restriction admits many of them."""
    world = draw(family_named(family), 1000, seed=22)
    simple = {"eq17": DETERMINISTIC_CURATION, "eq33": DETERMINISTIC_CURATION}.get(key, INDEPENDENT)
    assert (STATEMENTS[f"{key}-restricted"].admits(world) & ~simple.holds(world)).sum() >= least


def test_definitions_are_told_from_theorems():
    assert {s.key for s in STATEMENTS.values() if s.by_definition} == {"eq20", "eq30", "eq31"}


def test_a_merging_curation_breaks_theorem_4_10():
    world = known.merging_curation()
    assert sides("theorem4.10", world) == pytest.approx((0.0, BIT), abs=1e-12)
    assert sides("theorem4.10-corrected", world) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_the_first_correction_needs_a_curation_without_noise():
    """I(S_gen, W) <= B_syn + I(e_p; e_M | W) is false for independent factors if W can store noise."""
    statement = STATEMENTS["eq25-independent"]
    noisy = draw(family_named("independent, additive curation"), 1000, seed=5)
    assert (INDEPENDENT.holds(noisy) & ~DETERMINISTIC_CURATION.holds(noisy)).sum() > 500
    assert (statement.slack(noisy) < -TOLERANCE).mean() > 0.5
    assert not statement.admits(known.added_noise())[0]


def test_theorem_4_10_and_34_are_the_same_claim():
    world = draw(family_named("dependent, random curation"), 500, seed=9)
    np.testing.assert_allclose(STATEMENTS["theorem4.10"].slack(world), STATEMENTS["eq34"].slack(world), atol=1e-10)


def test_17_and_33_hold_together_only_where_entropies_are_equal():
    world = draw(family_named("independent, deterministic curation"), 500, seed=9)
    both = STATEMENTS["eq17"].slack(world) + STATEMENTS["eq33"].slack(world)
    np.testing.assert_allclose(both, 0, atol=1e-12)


def test_alpha_scales_what_the_student_of_the_anchors_does_not_know(random_worlds):
    world = random_worlds(3, batch=20)
    below, above = (world.conditional_entropy("S_anchor", name) for name in ("W", "W'"))
    found = alpha(world)
    np.testing.assert_array_equal(np.isnan(found), below < TOLERANCE)
    known_ones = below > TOLERANCE
    shown = terms.evaluate(STATEMENTS["theorem4.10"].terms["alpha"], world)
    np.testing.assert_allclose(found[known_ones], shown[known_ones])
    assert known_ones.sum() > 10
    np.testing.assert_allclose((found * below)[known_ones], above[known_ones], atol=1e-12)


def test_lambda_is_the_smallest_admissible_one(random_worlds):
    world = random_worlds(4, batch=50)
    found = smallest_lambda(world)
    finite = np.isfinite(found)
    assert finite.any()
    shared = world.mutual_information("h", "M")[finite]
    np.testing.assert_allclose(found[finite] * shared, world.entropy("e_p")[finite], atol=1e-12)
    assert (found >= 1 - 1e-12).all()
    delta = terms.evaluate(STATEMENTS["lemma4.5"].terms["delta_eps_p"], world)
    np.testing.assert_allclose(delta[finite], (found[finite] - 1) * shared, atol=1e-12)


def test_without_a_prompt_that_matters_there_is_no_lambda():
    deaf = World.build([0.5, 0.5], np.eye(2), [0.5, 0.5], [0, 0], [0, 1], None, np.eye(2))
    assert np.isinf(smallest_lambda(deaf)[0])
    assert not STATEMENTS["lemma4.5"].admits(deaf)[0]


def read(tree):
    """A tree from its JSON: numbers are text, and so are the names that a leaf is applied to."""
    if isinstance(tree, str):
        return terms.number(tree)
    op, *args = tree
    return terms.Term(op, tuple(args) if op in terms.LEAVES else tuple(read(part) for part in args))


def test_trees_survive_json(random_worlds):
    world = random_worlds(6, batch=7)
    for statement in STATEMENTS.values():
        copy = read(json.loads(json.dumps(statement.excess.as_json())))
        assert copy == statement.excess
        if statement.admits(world).any():
            np.testing.assert_array_equal(terms.evaluate(copy, world), -statement.slack(world))


def test_the_gradient_of_a_tree_is_its_slope_in_each_leaf():
    a, b = terms.entropy("M"), terms.entropy("W")
    tree = terms.sqrt(terms.number("1/3") * a * b + a) - terms.absolute(b - a) * b
    world = known.fair_bits()
    slopes = terms.gradient(tree, world)
    values = {leaf: float(terms.leaf_value(leaf, world)[0]) for leaf in (a, b)}

    def at(x):
        return terms.fold(tree, lambda leaf: x[leaf], float, np.sqrt)

    for leaf in (a, b):
        step = 1e-6
        up, down = ({**values, leaf: values[leaf] + d} for d in (step, -step))
        assert slopes[leaf][0] == pytest.approx((at(up) - at(down)) / (2 * step), rel=1e-6)


def test_risks_are_expectations(random_worlds, enumerated):
    world = random_worlds(8)
    law = enumerated(world)
    training = sum(p * world.loss[0, x[7], x[6]] for x, p in law.items())
    population = sum(p * q * world.loss[0, x[7], z[0]] for x, p in law.items() for z, q in law.items())
    assert terms.evaluate(terms.training_risk("S_gen"), world)[0] == pytest.approx(training)
    assert terms.evaluate(terms.risk("S_anchor"), world)[0] == pytest.approx(population)


def test_a_risk_without_a_loss_is_refused():
    world = World.build([1.0], [[1.0]], [1.0], [0], [0], None, [[1.0]])
    with pytest.raises(UserError, match="no loss table for W"):
        terms.evaluate(terms.risk("S_gen"), world)
    assert not STATEMENTS["eq12"].admits(world)[0]


def test_parameters_reach_the_bounds():
    world = draw(family_named("independent, Gibbs, two examples"), 20, seed=1)
    found = terms.parameters(world)
    assert found == {"C": 1, "sigma": Fraction(1, 2), "1/n": Fraction(1, 2), "contraction": 1}
    expected = 0.25 * world.mutual_information("S_gen", "W")
    np.testing.assert_allclose(terms.evaluate(STATEMENTS["eq12"].right, world) ** 2, expected, atol=1e-12)
    assert expected.max() > 0.01


def test_the_layers_factor_shrinks_the_bound_of_lemma_4_4_and_not_that_of_12():
    world = draw(family_named("independent, ERM, two layers of eta 3/4"), 50, seed=1)
    information = world.mutual_information("S_gen", "W")
    for key, factor in (("eq12", 1.0), ("lemma4.4", 9 / 16)):
        bound = terms.evaluate(STATEMENTS[key].right, world)
        np.testing.assert_allclose(bound**2, 0.5 * factor * information, atol=1e-12)


def test_a_contraction_that_the_layers_do_not_have_would_break_lemma_4_4():
    """eta^L = 1/16 claimed of layers that let everything through: the gap exceeds the bound."""
    world = replace(known.fair_bits(), contraction=Fraction(1, 16))
    assert STATEMENTS["lemma4.4"].slack(world)[0] < -0.3
    assert STATEMENTS["lemma4.4"].slack(known.fair_bits())[0] > 0
