import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from ggmi.theory.families import BLOCK, DEFAULT_FAMILIES, draw
from ggmi.theory.regimes import REGIMES, regimes_of
from ggmi.theory.skeleton import ALLOWED, CURATIONS, Sizes, _first_linked, sketch, tied_rows
from ggmi.theory.world import World

BY_NAME = pytest.mark.parametrize("family", DEFAULT_FAMILIES, ids=lambda f: f.name)


@BY_NAME
def test_a_family_is_what_it_says(family, drawn):
    world = drawn(family)
    assert family.name.startswith(family.regime)
    assert world.samples == family.examples
    assert world.anchor_samples == family.anchor_examples
    assert world.lambda_excess == family.lambda_excess
    assert (world.loss.min() < 0) == family.signed
    apart = world.mutual_information("e_p", "e_M")
    if family.independent is None:
        assert 0.3 < (apart > 1e-9).mean() < 0.7
    else:
        assert (apart < 1e-12).all() == family.independent
    curated = world.conditional_entropy("S_gen", "M")
    if family.curation in ("none", "map"):
        assert curated.max() < 1e-12
        if family.curation == "none":
            assert world.conditional_entropy("M", "S_gen").max() < 1e-12
    else:
        assert np.median(curated) > 0.01
    if family.modulus:
        assert world.output.max() < family.modulus
    for learner, size in (("loss", world.contraction), ("anchor_loss", world.anchor_contraction)):
        table = getattr(world, learner)
        # A loss of oscillation 2 sigma behind layers oscillates by 2 sigma eta^L at most.
        assert np.ptp(table, axis=2).max() <= 2 * float(world.sigma * size) + 1e-12


@BY_NAME
def test_worlds_of_a_family_differ_and_teach_something(family, drawn):
    shared = drawn(family).mutual_information("S_gen", "W")[:300]
    assert len(np.unique(shared.round(9))) > 80
    # Where curation mixes all values, the chain of section 4.1 leaves most students nothing to tell apart.
    assert (shared > 1e-3).mean() > 0.2


def test_streams_are_named_by_seed_family_and_block():
    family, other = DEFAULT_FAMILIES[:2]
    first = draw(family, 50, seed=1)
    whole = draw(family, BLOCK, seed=1)
    for name, table in first.tables().items():
        np.testing.assert_array_equal(table, getattr(whole, name)[:50])
    for different in (draw(family, 50, seed=2), draw(other, 50, seed=1), draw(family, 50, seed=1, first=BLOCK)):
        assert not np.array_equal(first.anchor, different.anchor)


def test_every_regime_has_families_of_at_least_ten_thousand_worlds_between_them():
    for regime in REGIMES.values():
        assert sum(regime.covers(REGIMES[f.regime]) for f in DEFAULT_FAMILIES) * 2000 >= 10_000
    assert len({f.name for f in DEFAULT_FAMILIES}) == len(DEFAULT_FAMILIES)


def _factors(law, side):
    """The laws of the two digits of a symbol, and the pair's."""
    pair = law.reshape(*law.shape[:-1], side, side)
    return pair, pair.sum(axis=-1), pair.sum(axis=-2)


def test_examples_of_one_prompt_are_independent_given_it_and_alike(drawn, family_named):
    world = drawn(family_named("declared: two examples of one prompt"))
    for name in ("M", "S_gen"):
        law = world.marginal(["S_anchor", name])
        given = law / law.sum(axis=2, keepdims=True)
        pair, one, two = _factors(given, round(law.shape[2] ** 0.5))
        np.testing.assert_allclose(one, two, atol=1e-12)
        np.testing.assert_allclose(pair, one[..., :, None] * two[..., None, :], atol=1e-12)
    # Without the prompt they are not: it is what they share.
    pair, one, two = _factors(world.marginal(["M"]), round(world.sizes["M"] ** 0.5))
    assert np.abs(pair - one[..., :, None] * two[..., None, :]).max() > 0.01


def test_examples_of_a_prompt_each_are_independent_and_alike(drawn, family_named):
    world = drawn(family_named("declared: two examples, a prompt each"))
    for name in ("S_anchor", "e_p", "M", "S_gen"):
        law = world.marginal([name])
        pair, one, two = _factors(law, round(law.shape[1] ** 0.5))
        np.testing.assert_allclose(one, two, atol=1e-12)
        np.testing.assert_allclose(pair, one[..., :, None] * two[..., None, :], atol=1e-12)


@pytest.mark.parametrize("request_", [{"worlds": BLOCK + 1}, {"worlds": 0}, {"worlds": 5, "first": 7}])
def test_only_a_block_is_drawn_at_once(request_):
    with pytest.raises(ValueError, match="a block holds"):
        draw(DEFAULT_FAMILIES[0], seed=1, **request_)


def test_rows_that_one_e_m_cannot_tell_apart_are_one():
    """An e_M with outputs 0 and 1, which lead to 0, 1 and 2, ties these three; 3 is another's alone."""
    mask = np.ones((1, 2, 2), dtype=bool)
    support = np.eye(4, 5, dtype=bool)[None] | np.eye(4, 5, 1, dtype=bool)[None]
    output = np.array([[[0, 3], [1, 3]]])
    assert tied_rows(mask, output, support).tolist() == [[0, 0, 0, 3, 4]]
    # With a factor that goes with one prompt only there is nothing to tie.
    mask[0, 1, 0] = False
    assert tied_rows(mask, output, support).tolist() == [[0, 1, 2, 3, 4]]
    # Ties are passed on: 0-1 by one e_M and 1-2 by another.
    chain = tied_rows(np.ones((1, 2, 2), dtype=bool), np.array([[[0, 1], [1, 2]]]), np.eye(3, dtype=bool)[None])
    assert chain.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("regime", REGIMES)
def test_skeletons_keep_their_regime_whatever_the_logits_are(regime):
    generator = np.random.default_rng(5)
    sizes = Sizes(s=2, e=2, m=4, values=2, w=2, v=2, clusters=2)
    for curation in ALLOWED[regime]:
        for independent in (True, False):
            skeleton = sketch(generator, 60, sizes, regime, curations=[curation], independent=independent)
            logits = {n: 3 * generator.standard_normal((60, *shape)) for n, shape in skeleton.shapes(sizes).items()}
            world = World(**skeleton.tables(logits), h=skeleton.h, g=skeleton.g, output=skeleton.output)
            assert regimes_of(world)[regime].all(), CURATIONS[curation]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3])
def test_what_is_linked_has_the_first_of_its_component(share):
    links = np.random.default_rng(3).random((40, 12, 12)) < share
    links |= np.swapaxes(links, 1, 2)
    for found, graph in zip(_first_linked(links), links, strict=True):
        component = connected_components(graph)[1]
        assert found.tolist() == [component.tolist().index(one) for one in component]
