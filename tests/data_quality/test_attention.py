"""Linear self-attention in blocks against the recursion."""

import numpy as np
import pytest
from data_quality.attention import think, think_in_blocks

from ggmi.random import stream


@pytest.mark.parametrize("n", [1, 3, 40])
def test_blocks_and_recursion_agree_to_rounding(n):
    generator, d, steps = stream(1, "attention", n), 4, 6
    inputs, weights = generator.standard_normal((d, n)), generator.standard_normal(d)
    v, w = -0.3 * np.eye(d) + 0.1 * generator.standard_normal((d, d)), generator.standard_normal((d, d))
    blocks = think_in_blocks(inputs, weights @ inputs, v, w, steps)
    recursion = think(inputs @ inputs.T / n, weights, v, w, steps)
    np.testing.assert_allclose(blocks, recursion, rtol=0, atol=1e-12 * np.abs(recursion).max())


def test_with_w_the_identity_what_is_left_is_a_power():
    generator, d = stream(2, "attention"), 3
    s = np.cov(generator.standard_normal((d, 9)))
    weights, v = generator.standard_normal((5, d)), generator.standard_normal((d, d)) / 4
    found = think(np.broadcast_to(s, (5, d, d)), weights, v, np.eye(d), 4)
    left = np.linalg.matrix_power(np.eye(d) + v @ s, 4)
    np.testing.assert_allclose(found[:, -1] - weights, -weights @ left.T, rtol=1e-12)
