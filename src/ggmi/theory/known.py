"""Counterexamples that can be checked by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ggmi.theory.learners import deterministic
from ggmi.theory.world import World

FAIR = [0.5, 0.5]
BIT = np.eye(2)


def fair_bits() -> World:
    """Lemma 4.5 without section 4.1's chain: S_gen = e_p + e_M with fair bits, W their parity.

    W tells nothing of either bit (B_syn = 0) and one bit of the sum. With lambda = 2 the sides of (5)
    are 1 and 1/2 bit. Given e_M, W tells M(p): the chain M(p) -> e_M -> W is missed by one bit.

    Returns
    -------
    World
        One world, with the loss 1 where W is not the parity of the data. (6) with the modulus outside
        fails too: the training risk is 0, the risk given p is 1/2, the bound sqrt(ln(2) / 4) = 0.416.
    """
    parity = deterministic(np.array([0, 1, 0]), 2)
    loss = 1 - parity.T
    return World.build(FAIR, BIT, FAIR, [0, 1], [0, 1], None, parity, loss=loss, anchor_loss=np.zeros((1, 3)))


def added_noise() -> World:
    """(10), (17), (18): a constant output plus a fair noise bit, which the learner stores.

    Everything that the paper declares holds. (5) does too, with equality.

    Returns
    -------
    World
    """
    return World.build([1.0], np.ones((1, 1)), [1.0], [0], [0], [FAIR], BIT)


def fair_output() -> World:
    """(10): S_anchor = e_p = M(p) a fair bit, S_gen = M(p) plus an independent fair bit, constant W and W'.

    Everything that the paper declares holds, GGMI is zero and its bound -1/2 bit.

    Returns
    -------
    World
    """
    noise = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]
    return World.build(FAIR, BIT, [1.0], [0, 1], [0], noise, np.ones((3, 1)))


def relayed_prompt() -> World:
    """(25).5 and (28).1: h drops the prompt's fair bit, e_M copies it into M(p), W is constant.

    Returns
    -------
    World
    """
    return World.build(FAIR, BIT, BIT, [0, 0], [0, 1], None, np.ones((2, 1)))


def still_student() -> World:
    """(6) and (8): data that are a fair bit, and parameters that ignore them.

    The risk is 1/2 and the training loss 0 or 1, so that the mean of the modulus is 1/2; the bounds are zero.

    Returns
    -------
    World
    """
    return World.build(
        FAIR, np.ones((2, 1)), FAIR, [0], [0, 1], None, np.ones((2, 1)), loss=[[0, 1]], anchor_loss=[[0, 1]]
    )


def opposite_losses() -> World:
    """(1) and (16).2: a task value of loss C and a synthetic value of loss -C; twice what the lemma allows.

    Returns
    -------
    World
    """
    return World.build(
        [1.0], np.ones((1, 1)), [1.0], [1], [0], None, np.ones((2, 1)), loss=[[1, -1]], anchor_loss=[[1, 0]],
        sigma=Fraction(1),
    )  # fmt: skip


def own_randomness() -> World:
    """(31): an e_p with a fair bit of its own, which M(p) is; the anchors tell nothing of it.

    Returns
    -------
    World
    """
    return World.build([1.0], [FAIR], [1.0], [0, 1], [0], None, np.ones((2, 1)))


MADE = (
    fair_bits,
    added_noise,
    fair_output,
    relayed_prompt,
    still_student,
    opposite_losses,
    own_randomness,
)
