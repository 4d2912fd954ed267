import numpy as np
import pytest

from ggmi.theory.families import BLOCK, DEFAULT_FAMILIES, draw
from ggmi.theory.statement import ADDITIVE_CURATION, DETERMINISTIC_CURATION, INDEPENDENT, SCREENED
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
        assert SCREENED.holds(world).all()
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


def test_the_default_study_covers_the_stated_options():
    assert {f.factors for f in DEFAULT_FAMILIES} == {"independent", "dependent"}
    assert {f.curation for f in DEFAULT_FAMILIES} == {"none", "deterministic", "random", "additive"}
    assert {f.learner for f in DEFAULT_FAMILIES} == {"stochastic", "deterministic", "erm", "gibbs", "separable"}
    assert {f.samples for f in DEFAULT_FAMILIES} == {1, 2}
    assert len({f.name for f in DEFAULT_FAMILIES}) == len(DEFAULT_FAMILIES)


@pytest.mark.parametrize("request_", [{"worlds": BLOCK + 1}, {"worlds": 0}, {"worlds": 5, "first": 7}])
def test_only_a_block_is_drawn_at_once(request_):
    with pytest.raises(ValueError, match="a block holds"):
        draw(DEFAULT_FAMILIES[0], seed=1, **request_)
