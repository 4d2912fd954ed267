"""The sampler of S w in O(d) against prompts drawn example by example."""

import numpy as np
from scipy.stats import ks_2samp

from ggmi.data_quality.prompts import Draws, moments
from ggmi.random import stream

SCALE, N, MANY = np.array([0.1, 1.0, 2.5]), 4, 40_000


def test_products_have_the_law_of_drawn_prompts():
    exact = Draws.draw(1, ("law",), 3, N, MANY)
    fast = exact.products(SCALE).T
    inputs = np.sqrt(SCALE) * stream(2, "direct").standard_normal((MANY, N, 3))
    weights = stream(2, "weights").standard_normal((MANY, 3))
    slow = np.einsum("bni,bnj,bj->bi", inputs, inputs, weights) / N
    # The joint law with w*: projections, products with w* and length.
    pairs = [(fast @ u, slow @ u) for u in (np.ones(3), np.array([1.0, -2.0, 0.5]))]
    pairs += [((fast * exact.weights).sum(1), (slow * weights).sum(1))]
    pairs += [(np.linalg.norm(fast - exact.weights, axis=1), np.linalg.norm(slow - weights, axis=1))]
    assert min(ks_2samp(*pair).pvalue for pair in pairs) > 0.01 / len(pairs)


def test_moments_given_the_weights_are_the_exact_ones():
    d = 3
    w = np.array([1.0, -0.5, 2.0])
    draws = Draws(
        np.tile(w, (MANY, 1)), stream(3, "z").standard_normal((MANY, d)), stream(3, "c").chisquare(N, MANY), N
    )
    found = draws.products(SCALE)
    a = SCALE * w
    np.testing.assert_allclose(found.mean(axis=1), a, atol=0.06)
    expected = ((w @ a) * np.diag(SCALE) + np.outer(a, a)) / N
    np.testing.assert_allclose(np.cov(found), expected, atol=0.05 * expected.max())


def test_a_prompt_does_not_depend_on_how_many_follow_nor_weights_on_the_length():
    few, many, longer = (Draws.draw(1, ("p",), 5, n, b) for n, b in ((7, 3), (7, 50), (9, 3)))
    scale = np.linspace(0.5, 2, 5)
    np.testing.assert_array_equal(few.products(scale), many.products(scale)[:, :3])
    np.testing.assert_array_equal(few.weights, longer.weights)


def test_coordinates_without_variance_stay_empty():
    found = Draws.draw(1, ("none",), 4, 7, 6).products(np.array([0.0, 1.0, 0.0, 2.0]))
    assert (found[[0, 2]] == 0).all()
    assert (found[[1, 3]] != 0).all()


def test_moments_are_symmetric_with_the_stated_mean():
    found = moments(stream(4, "m"), SCALE, N, 20_000)
    np.testing.assert_allclose(found, np.swapaxes(found, 1, 2))
    np.testing.assert_allclose(found.mean(axis=0), np.diag(SCALE), atol=0.06)
