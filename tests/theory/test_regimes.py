"""What is proven, required and corrected in each regime, in families of worlds of it and in worlds made by hand."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from ggmi.theory import known, terms
from ggmi.theory.catalogue import JUDGED, STATEMENTS
from ggmi.theory.consequences import CONSEQUENCES
from ggmi.theory.families import DEFAULT_FAMILIES
from ggmi.theory.flow import B_SYN, BOUND_5, I_GEN
from ggmi.theory.regimes import (
    ASSUMPTIONS,
    CHAINS_ONLY,
    DECLARED,
    FUNCTION_OF_PROMPT,
    MODEL_CHAIN,
    REGIMES,
    STRUCTURE,
    WITHOUT_4_1,
    proof_in,
    regimes_of,
)
from ggmi.theory.world import World

BIT = np.log(2)
BY_NAME = pytest.mark.parametrize("family", DEFAULT_FAMILIES, ids=lambda f: f.name)


@BY_NAME
def test_worlds_of_a_family_meet_its_regime(family, drawn):
    world = drawn(family)
    missed = {a.key: a.missed_by(world).max() for a in REGIMES[family.regime].assumptions}
    assert max(missed.values()) < 1e-12, missed
    member = regimes_of(world)
    for key, regime in REGIMES.items():
        if regime.covers(REGIMES[family.regime]):
            assert member[key].all()


@BY_NAME
def test_no_world_of_a_family_contradicts_what_is_proven_conditioned_or_corrected(family, drawn):
    world = drawn(family)
    regime = REGIMES[family.regime]
    spoken = 0
    for key in JUDGED:
        statement = STATEMENTS[key]
        applies, slack = statement.applies(world), statement.slack(world)
        spoken += int(applies.sum())
        if proof_in(statement.proofs, regime):
            assert slack[applies].min(initial=0) >= -statement.tolerance, key
        if (amended := statement.amended()) is not None:
            assert amended.slack(world)[applies].min(initial=0) >= -statement.tolerance, f"{key} corrected"
        condition = statement.condition
        if condition is not None and condition.term is not None:
            excess = terms.evaluate(condition.term, world)
            # Between the tolerances either may say no.
            assert slack[applies & (excess < -1e-9)].min(initial=0) >= -statement.tolerance, f"{key} conditioned"
            if condition.exact:
                assert (slack[applies & (excess > 1e-8)] < 0).all(), f"{key} where its condition is missed"
    for consequence in CONSEQUENCES:
        assert consequence.excess(world).max() < 1e-6, consequence.title
    assert spoken > 20 * len(world)


@pytest.mark.parametrize("key", [k for k in JUDGED if STATEMENTS[k].condition is not None])
def test_conditions_are_met_and_missed_somewhere(key, drawn):
    """Else the test above would say nothing of them."""
    statement = STATEMENTS[key]
    if statement.condition.term is None:
        assert not statement.condition.exact
        return
    met = missed = 0
    for family in DEFAULT_FAMILIES:
        world = drawn(family)
        excess = terms.evaluate(statement.condition.term, world)[statement.applies(world)]
        met += int((excess < 1e-12).sum())
        missed += int((excess > 1e-8).sum())
    assert met > 100
    assert missed > 100


@pytest.mark.parametrize("consequence", CONSEQUENCES, ids=lambda c: c.title)
def test_theorems_of_ours_speak_of_many_worlds(consequence, drawn):
    assert sum(int(np.isfinite(consequence.excess(drawn(f))).sum()) for f in DEFAULT_FAMILIES) > 1000


def test_a_proof_in_a_regime_covers_the_stricter_ones():
    assert [k for k, r in REGIMES.items() if STRUCTURE.covers(r)] == list(REGIMES)
    assert [k for k, r in REGIMES.items() if WITHOUT_4_1.covers(r)] == ["declared", "without_4.1"]
    assert [k for k, r in REGIMES.items() if CHAINS_ONLY.covers(r)] == ["declared", "chains_only"]
    lemma = STATEMENTS["(5)"]
    assert [k for k, r in REGIMES.items() if proof_in(lemma.proofs, r)] == ["declared", "chains_only"]
    assert [k for k, r in REGIMES.items() if proof_in(STATEMENTS["(31)"].proofs, r)] == ["declared", "without_4.1"]


# World, statement, strictest regime that the world meets, what each assumption is missed by, and by how much it fails.
BY_HAND = [
    (known.fair_output, "(10)", DECLARED, BIT / 2),
    (known.fair_output, "(32).2", DECLARED, BIT / 2),
    (known.fair_output, "(17)", DECLARED, BIT / 2),
    (known.added_noise, "(10)", DECLARED, BIT),
    (known.added_noise, "(18)", DECLARED, BIT),
    (known.added_noise, "(19).2", DECLARED, BIT),
    (known.relayed_prompt, "(25).5", DECLARED, BIT),
    (known.relayed_prompt, "(28).1", DECLARED, BIT),
    (known.still_student, "(6)", DECLARED, None),
    (known.still_student, "(8)", DECLARED, 0.5),
    (known.opposite_losses, "(1)", DECLARED, 1.0),
    (known.opposite_losses, "(16).2", DECLARED, 1.0),
    (known.fair_bits, "(5)", WITHOUT_4_1, BIT / 2),
    (known.fair_bits, "(23).2", WITHOUT_4_1, BIT),
    (known.fair_bits, "(25).1", WITHOUT_4_1, BIT),
    (known.fair_bits, "(6) charitable", WITHOUT_4_1, 0.5 - np.sqrt(BIT / 4)),
    (known.own_randomness, "(31)", CHAINS_ONLY, BIT),
]


@pytest.mark.parametrize(("make", "key", "regime", "size"), BY_HAND)
def test_worlds_made_by_hand_fail_by_what_a_hand_computes(make, key, regime, size):
    world, statement = make(), STATEMENTS[key]
    member = regimes_of(world)
    assert statement.applies(world)[0]
    for other in REGIMES.values():
        assert member[other.key][0] == other.covers(regime), other.key
    excess = -statement.slack(world)[0]
    assert excess > statement.tolerance
    if size is not None:
        assert excess == pytest.approx(size, abs=1e-12)


def test_theorem_4_10_fails_with_a_gain_of_zero_and_a_bound_of_minus_half_a_bit():
    world, theorem = known.fair_output(), STATEMENTS["(10)"]
    assert terms.evaluate(theorem.left, world)[0] == pytest.approx(0, abs=1e-12)
    assert terms.evaluate(theorem.right, world)[0] == pytest.approx(-BIT / 2, abs=1e-12)


def test_added_noise_meets_lemma_4_5_with_equality():
    world = known.added_noise()
    assert terms.evaluate(I_GEN, world)[0] == pytest.approx(BIT, abs=1e-12)
    assert STATEMENTS["(5)"].slack(world)[0] == pytest.approx(0, abs=1e-12)
    assert STATEMENTS["(5)"].applies(world)[0]


def test_the_parity_misses_the_chain_of_4_1_by_a_bit_and_nothing_else():
    missed = {a.key: float(a.missed_by(known.fair_bits())[0]) for a in ASSUMPTIONS}
    assert missed.pop(MODEL_CHAIN.key) == pytest.approx(BIT, abs=1e-12)
    assert max(missed.values()) < 1e-12


def test_31_fails_only_where_the_prompt_factor_has_randomness_of_its_own(drawn):
    failed = 0
    for family in DEFAULT_FAMILIES:
        world = drawn(family)
        bad = STATEMENTS["(31)"].slack(world) < -1e-9
        failed += bad.sum()
        assert (FUNCTION_OF_PROMPT.missed_by(world)[bad] > 1e-12).all()
    assert failed > 1000


def test_theorem_4_10_is_32_2_in_every_world(random_worlds):
    for seed in range(5):
        world = random_worlds(seed, batch=40)
        equal = STATEMENTS["(10)"].slack(world), STATEMENTS["(32).2"].slack(world)
        np.testing.assert_allclose(*equal, atol=1e-12)
        assert np.ptp(equal[0]) > 0.1


def test_granted_the_chain_the_lemma_is_idle(drawn, family_named):
    """B_syn alone is a bound on I(M, W), and the lemma's right side plus delta_eps lies above it."""
    world = drawn(family_named("declared: noise"))
    applies = STATEMENTS["(5)"].applies(world)
    informative = terms.evaluate(terms.information("M", "W"), world) > 0.01
    assert (applies & informative).sum() > 100
    lost = terms.information("M", "W") - I_GEN
    assert terms.evaluate(BOUND_5 + lost - B_SYN, world)[applies].min() > -1e-12
    assert terms.evaluate(B_SYN - terms.information("M", "W"), world).min() > -1e-12


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=lambda s: s.slug)
def test_what_can_fail_has_a_correction_that_a_proof_stands_by(statement):
    unproven = statement.judged and not all(proof_in(statement.proofs, r) for r in REGIMES.values())
    assert unproven == (statement.correction is not None)
    if unproven:
        assert statement.correction.proof
        assert statement.correction.latex != statement.latex
    if statement.condition is not None:
        assert unproven
        assert statement.condition.proof


def test_noise_is_told_from_other_curation():
    """A shift is noise; a channel that treats values of M(p) apart is none; a cyclic sum is noise on a cycle."""
    noise = next(a for a in ASSUMPTIONS if a.key.startswith("S_gen is M plus noise"))

    def curated(channel):
        return World.build([0.5, 0.5], np.eye(2), [1.0], [0, 1], [0], channel, np.eye(len(channel[0])))

    # e_p is the prompt, which S_gen may depend on: given p, M(p) is certain and any curation is noise.
    assert noise.holds(curated([[0.5, 0.5], [0.0, 1.0]]))[0]

    def drawn_output(channel, h=0, **options):
        return World.build([1.0], [[1.0]], [0.5, 0.5], [h], [0, 1], channel, np.eye(len(channel[0])), **options)

    assert noise.missed_by(drawn_output([[0.5, 0.5], [0.0, 1.0]]))[0] > 0.1
    assert noise.holds(drawn_output([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]))[0]
    assert noise.missed_by(drawn_output([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]]))[0] > 0.01
    # A binary symmetric channel adds a bit modulo 2: noise where M(p) is such a sum itself.
    assert noise.holds(drawn_output([[0.25, 0.75], [0.75, 0.25]], h=1, modulus=2))[0]
    assert noise.missed_by(drawn_output([[0.25, 0.75], [0.75, 0.25]]))[0] > 0.1
    # Merging is a noise that undoes M(p), which depends on it.
    assert noise.missed_by(drawn_output([[1.0], [1.0]]))[0] == pytest.approx(BIT)


def test_noise_that_sees_the_prompt_can_teach_it_under_all_that_is_declared():
    """M(p) is 2 e_M, S_gen adds the prompt's bit and W reads it: the theorem on independent factors needs more."""
    curation = np.stack([np.eye(3, 4, shift) for shift in (0, 1)])
    world = World.build([0.5, 0.5], np.eye(2), [0.5, 0.5], [0, 0], [0, 2], curation, np.eye(2)[[0, 1, 0, 1]])
    assert DECLARED.admits(world)[0]
    assert world.mutual_information("e_p", "e_M")[0] == pytest.approx(0)
    assert world.mutual_information("e_p", "W")[0] == pytest.approx(BIT)
    blind = next(c for c in CONSEQUENCES if "blinds" in c.title)
    assert blind.excess(world)[0] == -np.inf


def test_copies_are_no_examples():
    """Two copies of a fair bit that W learns would break bounds that divide by n = 2."""
    learner, loss = np.eye(2)[[0, 0, 1, 1]], [[0, 1], [1, 0]]
    world = World.build([1.0], [[1.0]], [0.5, 0.0, 0.0, 0.5], [0], np.arange(4), None, learner, loss=loss, samples=2)
    for key in ("(4)", "(12)", "(12) charitable", "(6) charitable"):
        assert STATEMENTS[key].slack(world)[0] < -0.05
        assert not STATEMENTS[key].applies(world)[0]


def test_a_contraction_that_the_layers_do_not_have_is_no_world_of_lemma_4_4():
    world = replace(known.fair_bits(), contraction=Fraction(1, 16))
    assert STATEMENTS["(4)"].applies(known.fair_bits())[0]
    assert not STATEMENTS["(4)"].applies(world)[0]
    assert STATEMENTS["(4)"].slack(world)[0] < -0.3
