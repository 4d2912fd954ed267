import numpy as np
import pytest
from ggmi.theory.statements import CREATED

from ggmi.theory import terms
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.families import BLOCK, DEFAULT_FAMILIES, draw
from ggmi.theory.statement import ADDITIVE_CURATION, DETERMINISTIC_CURATION, INDEPENDENT
from ggmi.theory.study import family_named

BY_NAME = pytest.mark.parametrize("family", DEFAULT_FAMILIES, ids=lambda f: f.name)


@BY_NAME
def test_a_family_has_the_structure_it_names(family):
    world = draw(family, 200, seed=3)
    assert INDEPENDENT.holds(world).all() == (family.factors == "independent")
    if family.curation in ("none", "deterministic"):
        assert DETERMINISTIC_CURATION.holds(world).all()
    assert ADDITIVE_CURATION.holds(world).all() == (family.curation in ("none", "additive"))
    if family.learner == "separable":
        np.testing.assert_allclose(terms.evaluate(CREATED, world), 0, atol=1e-12)
    if family.modulus:
        assert world.sizes["M"] == family.modulus
    assert world.samples == family.samples
    assert (world.loss.min() < 0) == family.signed


@BY_NAME
def test_worlds_of_a_family_differ_from_each_other(family):
    information = draw(family, 300, seed=3).mutual_information("S_gen", "W")
    assert len(np.unique(information.round(9))) > 100


def test_streams_are_named_by_seed_family_and_block():
    family, other = DEFAULT_FAMILIES[:2]
    first = draw(family, 50, seed=1)
    np.testing.assert_array_equal(first.anchor, draw(family, BLOCK, seed=1).anchor[:50])
    for different in (draw(family, 50, seed=2), draw(other, 50, seed=1), draw(family, 50, seed=1, first=BLOCK)):
        assert not np.array_equal(first.anchor, different.anchor)


def test_two_examples_are_independent_copies():
    """A pair's law is the product of two equal laws, so its entropy is twice one example's."""
    world = draw(family_named("independent, Gibbs, two examples"), 100, seed=1)
    for name in ("S_anchor", "M", "S_gen"):
        law = world.marginal([name])
        side = round(law.shape[1] ** 0.5)
        pair = law.reshape(-1, side, side)
        one, two = pair.sum(axis=2), pair.sum(axis=1)
        np.testing.assert_allclose(one, two, atol=1e-12)
        np.testing.assert_allclose(pair, one[:, :, None] * two[:, None, :], atol=1e-12)


def test_total_variation_is_that_of_one_example():
    world = draw(family_named("dependent, ERM, two examples"), 100, seed=1)
    one = [world.marginal([name]).reshape(100, 3, 3).sum(axis=2) for name in ("S_anchor", "M")]
    found = world.total_variation("S_anchor", "M")
    np.testing.assert_allclose(found, np.abs(one[0] - one[1]).sum(axis=1) / 2, atol=1e-12)
    # The pairs' laws lie further apart, so the bound with one example's is the sharper one.
    pairs = np.abs(world.marginal(["S_anchor"]) - world.marginal(["M"])).sum(axis=1) / 2
    assert (found <= pairs + 1e-12).all()
    assert np.median(pairs - found) > 0.01


def test_risks_of_pairs_are_those_of_one_example():
    """R_D on pairs is the mean over single examples, whose losses stand where both examples are equal."""
    world = draw(family_named("dependent, ERM, two examples"), 100, seed=1)
    single = world.loss[:, :, [0, 4, 8]]
    anchors = world.marginal(["S_anchor"]).reshape(100, 3, 3).sum(axis=2)
    expected = np.einsum("zw,zx,zwx->z", world.marginal(["W"]), anchors, single)
    np.testing.assert_allclose(terms.evaluate(terms.risk("S_anchor"), world), expected, atol=1e-12)
    assert STATEMENTS["lemma3.1"].admits(world).all()


def test_the_default_study_covers_the_stated_options():
    assert {f.factors for f in DEFAULT_FAMILIES} == {"independent", "dependent"}
    assert {f.curation for f in DEFAULT_FAMILIES} == {"none", "deterministic", "random", "additive"}
    assert {f.learner for f in DEFAULT_FAMILIES} == {"stochastic", "deterministic", "erm", "gibbs", "separable"}
    assert {f.samples for f in DEFAULT_FAMILIES} == {1, 2}
    for factors in ("independent", "dependent"):
        mine = [f for f in DEFAULT_FAMILIES if f.factors == factors]
        assert {"stochastic", "deterministic", "erm", "gibbs"} <= {f.learner for f in mine}
        assert {f.samples for f in mine} == {1, 2}
        assert any(f.modulus for f in mine)
        assert any(f.contraction < 1 for f in mine)
    assert len({f.name for f in DEFAULT_FAMILIES}) == len(DEFAULT_FAMILIES)


@pytest.mark.parametrize("request_", [{"worlds": BLOCK + 1}, {"worlds": 0}, {"worlds": 5, "first": 7}])
def test_only_a_block_is_drawn_at_once(request_):
    with pytest.raises(ValueError, match="a block holds"):
        draw(DEFAULT_FAMILIES[0], seed=1, **request_)
