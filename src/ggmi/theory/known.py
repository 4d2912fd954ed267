"""Counterexamples that can be checked by hand."""

from __future__ import annotations

import numpy as np

from ggmi.theory.learners import deterministic
from ggmi.theory.world import World

FAIR = [0.5, 0.5]


def fair_bits() -> World:
    """Lemma 4.5 and (23): S_gen = e_p + e_M with fair bits, W = S_gen mod 2.

    W is the exclusive or of two independent bits: it tells nothing of either (B_syn = 0) and one
    bit of the sum. With lambda = 2 the sides of (5) are 1 and 1/2 bit.

    Returns
    -------
    World
        One world, with the loss 1 where W is not the parity of the data. Lemma 4.6 fails too:
        the training risk is 0, the population risk 1/2, the bound sqrt(ln(2) / 4) = 0.416.
    """
    parity = deterministic(np.array([0, 1, 0]), 2)
    loss = 1 - parity.T
    return World.build(FAIR, np.eye(2), FAIR, [0, 1], [0, 1], None, parity, loss=loss, anchor_loss=np.zeros((1, 2)))


def parity_task() -> World:
    """Theorem 4.7: the fair bits, with anchors that have the law of the synthetic data.

    S_anchor is 0, 1, 2 with probabilities 1/4, 1/2, 1/4 and e_p = 1 where it is 1, so that both
    divergences are zero and Theorem 4.7 says what Lemma 4.6 says.

    Returns
    -------
    World
    """
    parity = deterministic(np.array([0, 1, 0]), 2)
    prompt = deterministic(np.array([0, 1, 0]), 2)
    anchor = [0.25, 0.5, 0.25]
    loss = 1 - parity.T
    return World.build(anchor, prompt, FAIR, [0, 1], [0, 1], None, parity, loss=loss, anchor_loss=np.zeros((1, 3)))


def added_noise() -> World:
    """(17) and (18): a constant output plus a fair noise bit, which the learner stores.

    Returns
    -------
    World
    """
    return World.build([1.0], np.ones((1, 1)), [1.0], [0], [0], [FAIR], np.eye(2))


def merging_curation() -> World:
    """Theorem 4.10: the generator adds a fair bit, and curation merges its two values.

    S_anchor is a fair bit that the prompt ignores and no learner knows. GGMI is zero, the bound is
    delta_I = 1 bit.

    Returns
    -------
    World
    """
    merged = deterministic(np.array([0, 0]), 1)
    return World.build(FAIR, np.ones((2, 1)), FAIR, [0], [0, 1], merged, np.ones((1, 1)))
