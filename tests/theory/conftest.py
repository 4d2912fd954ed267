from itertools import product

import numpy as np
import pytest

from ggmi.random import stream
from ggmi.theory.world import NAMES, World


@pytest.fixture
def random_worlds():
    """Batches of worlds of any shape, with zeros among their probabilities."""

    def make(seed, batch=1, s=3, e=2, m=3, y=None, w=2, v=2, modulus=None):
        generator = stream(seed, "test worlds")

        def laws(*shape):
            weights = generator.random(shape) * (generator.random(shape) < 0.7)
            weights[..., 0] += 1e-3
            return weights / weights.sum(axis=-1, keepdims=True)

        h, g = generator.integers(0, 3, (batch, e)), generator.integers(0, 3, (batch, m))
        k = modulus or int((h[:, :, None] + g[:, None, :]).max()) + 1
        y = y or k
        z = max(s, k, y)
        tables = (laws(batch, s), laws(batch, s, e), laws(batch, e, m), h, g, laws(batch, k, y))
        learners = laws(batch, y, w), laws(batch, s, v)
        losses = {"loss": generator.random((batch, w, z)), "anchor_loss": generator.random((batch, v, z))}
        return World.build(*tables, *learners, modulus=modulus, **losses)

    return make


@pytest.fixture
def enumerated():
    """The joint law of one world as a dictionary over `NAMES`, by nested loops."""

    def make(world):
        assert len(world) == 1
        law = {}
        s_n, e_n, m_n = world.prompt_factor.shape[1], world.prompt_factor.shape[2], world.model_factor.shape[2]
        y_n, w_n, v_n = world.curation.shape[2], world.learner.shape[2], world.anchor_learner.shape[2]
        for s, e, m, y, w, v in product(*(range(n) for n in (s_n, e_n, m_n, y_n, w_n, v_n))):
            k = int(world.output[0, e, m])
            p = world.anchor[0, s] * world.prompt_factor[0, s, e] * world.model_factor[0, e, m]
            p *= world.curation[0, k, y] * world.learner[0, y, w] * world.anchor_learner[0, s, v]
            state = (s, e, int(world.h[0, e]), m, int(world.g[0, m]), k, y, w, v)
            law[state] = law.get(state, 0.0) + p
        return law

    return make


@pytest.fixture
def dictionary_entropy():
    """Entropy in nats of some variables under a dictionary of states."""

    def make(law, names):
        marginal = {}
        for state, p in law.items():
            key = tuple(state[NAMES.index(n)] for n in names)
            marginal[key] = marginal.get(key, 0.0) + p
        return -sum(p * np.log(p) for p in marginal.values() if p > 0)

    return make
