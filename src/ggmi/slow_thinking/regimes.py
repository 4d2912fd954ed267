"""What is assumed of chains: how steps depend on each other, whether losses fall, what a statement speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from ggmi.exact import statement
from ggmi.exact.statement import Array, Assumption, Regime
from ggmi.slow_thinking import terms
from ggmi.slow_thinking.chains import PLACES, STEPS, VARIABLES, Chains


def _dependence(world: Chains) -> Array:
    """Total correlation of the pairs (t_l, r_l), in nats."""
    parts = sum(world.entropy([f"t{x}", f"r{x}"]) for x in PLACES)
    return np.maximum(parts - world.entropy(VARIABLES), 0.0)


def _unlikeness(world: Chains) -> Array:
    """How far rates of a step differ between the thoughts that occur, mean over steps."""
    spread = np.zeros(len(world))
    for place, rate in zip(PLACES, world.rates(), strict=True):
        law = np.einsum("zabcdef->z" + "abcdef"[2 * int(place) - 2], world.joint)
        spread = spread + np.where(law > 0, rate, -np.inf).max(1) - np.where(law > 0, rate, np.inf).min(1)
    return spread / STEPS


def _falls(world: Chains) -> Array:
    """By how much information losses fall from step to step, in nats."""
    losses = [world.value(terms.loss(i + 1)) for i in range(STEPS)]
    return np.sum([np.maximum(one - two, 0.0) for one, two in pairwise(losses)], axis=0)


def _ambiguity(world: Chains) -> Array:
    """Pairs of thoughts of one value."""
    values = world.thought_values
    same = (values[:, :, None] == values[:, None, :]).sum(axis=(1, 2)) - values.shape[1]
    return same.astype(float)


def _all_losses(world: Chains) -> Array:
    return world.value(terms.loss(1) + terms.loss(2) + terms.loss(3))


def _uncertain_later(world: Chains) -> Array:
    """How far the rates of all steps but the first are from one, for the thoughts."""
    return np.maximum(sum((1 - rate).max(axis=1) for rate in world.rates()[1:]), 0.0)


def _missing_gain(world: Chains) -> Array:
    """By how much one candidate is better than choosing among k at the first layer; zero only where it is worse."""
    gain = world.value(terms.EPSILON * terms.rule("first layer") - terms.right(1))
    return np.where(gain > 1e-9, 0.0, np.maximum(1e-9, -gain))


def _below_one_in_k(world: Chains) -> Array:
    return np.maximum(world.value(terms.ONE - terms.WIDTH * terms.EPSILON), 0.0)


INDEPENDENT = Assumption(
    "steps are independent",
    r"the pairs $(t_l, r_l)$ of thought and step are independent of each other",
    _dependence,
)
ALIKE = Assumption(
    "thoughts are alike",
    r"a step is right with the same probability whatever its thought is, so all problems are equally hard",
    _unlikeness,
)
RISING = Assumption(
    "losses do not fall",
    r"information losses do not fall: $H(t_1 \mid r_1) \le H(t_2 \mid r_2) \le \dots$",
    _falls,
)
RECOVERED = Assumption(
    "a thought has a value of its own", r"a step is right if and only if it names its thought", _ambiguity
)
THREE = Assumption(
    "three thoughts or more",
    r"there are three thoughts or more; with two, $\log(|T_l| - 1) = 0$ and the bound is not defined",
    lambda world: np.full(len(world), max(0.0, 3.0 - world.first.shape[1])),
)
LOSSLESS = Assumption("no information is lost", r"every step tells its thought: $H(t_l \mid r_l) = 0$", _all_losses)
GAINS = Assumption(
    "the first layer gains",
    r"choosing among $k$ candidates beats one: $\varepsilon\,[1 - (1 - p_1)^k] \gt p_1$",
    _missing_gain,
)
ABOVE = Assumption("epsilon is 1/k or more", r"$\varepsilon \ge 1/k$", _below_one_in_k)
ONE_HARD = Assumption(
    "one step is uncertain",
    r"every step but one is right for certain",
    _uncertain_later,
)

ALIKE_STEPS = Regime(
    "alike",
    "Steps are independent, and each is right with one probability whatever the problem is.",
    (INDEPENDENT, ALIKE),
)
INDEPENDENT_STEPS = Regime(
    "independent", "Steps are independent; problems may differ in how hard they are.", (INDEPENDENT,)
)
RISING_LOSSES = Regime(
    "rising", "Information losses do not fall along the chain; steps may depend on each other.", (RISING,)
)
ANY = Regime("any", "Any chain: thoughts depend on thoughts, steps on whether the step before was right.", ())
REGIMES: Mapping[str, Regime] = {r.key: r for r in (ALIKE_STEPS, INDEPENDENT_STEPS, RISING_LOSSES, ANY)}


def proof_in(proofs: Mapping[str, str], regime: Regime) -> str:
    """The proof that covers a regime, or nothing."""
    return statement.proof_in(proofs, regime, REGIMES)
