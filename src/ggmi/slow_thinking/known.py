"""Chains that are known to refute a statement, tried beside what the search finds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ggmi.slow_thinking.chains import STEPS, Chains, chain

EYE = np.eye(3).tolist()
SAME = [EYE] * (STEPS - 1)
# A fair bit among three thoughts.
BIT = [0.5, 0.5, 0.0]
CERTAIN = [1.0, 0.0, 0.0]


def _constant(law: Sequence[float]) -> list[Sequence[float]]:
    """The same law whatever is given."""
    return [law] * 3


def plan_once() -> Chains:
    """A plan that the first step states; nothing is left to say."""
    return chain(BIT, [_constant(CERTAIN)] * 2, [EYE] * STEPS)


def plan_repeated() -> Chains:
    """A plan that every step states again."""
    return chain(BIT, SAME, [EYE] * STEPS)


def early_loss() -> Chains:
    """A first step that tells nothing, and certain ones after it."""
    return chain(BIT, [_constant(CERTAIN)] * 2, [_constant(BIT), EYE, EYE])


def total_early_loss() -> Chains:
    """The same with three equally likely thoughts, in two steps."""
    third = [1 / 3, 1 / 3, 1 / 3]
    return chain(third, [_constant(third), _constant(CERTAIN)], [_constant(third), _constant(third), EYE])


def relabelled() -> Chains:
    """Every step names the next thought: nothing is lost, nothing is right."""
    return chain(BIT, SAME, [np.roll(EYE, 1, axis=1).tolist()] * STEPS)


def interchangeable() -> Chains:
    """Two thoughts of one value, for which one text stands."""
    return chain(BIT, SAME, [_constant(CERTAIN)] * STEPS, thought_values=[0, 0, 1])


def together(solved: float = 0.5) -> Chains:
    """A share of the problems is solved at every step, the others at none."""
    return chain([solved, 1 - solved, 0.0], SAME, [_constant(CERTAIN)] * STEPS)


def half_named() -> Chains:
    """A last step that tells its thought but names it in one case of two only."""
    return chain(BIT, SAME, [EYE, EYE, [CERTAIN, [0.0, 0.0, 1.0], CERTAIN]])


def garden_path() -> Chains:
    """A problem that is easy until its last step, and one that is fair at every step."""
    early, late = [CERTAIN, BIT, CERTAIN], [[0.0, 1.0, 0.0], BIT, CERTAIN]
    return chain(BIT, SAME, [early, early, late])


def uniform(p: float, epsilon: float = 1.0) -> Chains:
    """One problem, whose steps are right with one probability."""
    return chain(CERTAIN, [_constant(CERTAIN)] * 2, [_constant([p, 1 - p, 0])] * STEPS, epsilon=epsilon)


MADE = (
    *(plan_once, plan_repeated, early_loss, total_early_loss, relabelled, interchangeable, together, garden_path),
    *(half_named, lambda: together(0.25)),
    *(lambda: uniform(0.1), lambda: uniform(0.5), lambda: uniform(0.5, 0.6), lambda: uniform(0.5, 0.5)),
    *(lambda: uniform(1.0), lambda: uniform(1.0, 0.5), lambda: uniform(0.9, 0.9)),
)
