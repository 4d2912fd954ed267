"""What a world must have for a statement to speak of it: a loss, a lambda, an alpha."""

from __future__ import annotations

from functools import partial

import numpy as np

from ggmi.exact.statement import EXACT, TOLERANCE, Assumption
from ggmi.theory.laws import Array, entropy_of
from ggmi.theory.world import World


def _lambda_missing(world: World) -> Array:
    """H(e_p) where no lambda has H(e_p) <= lambda I(e_p, M): where M tells nothing of an e_p that varies."""
    varies, shared = world.entropy("e_p"), world.mutual_information("e_p", "M")
    return np.where(shared > TOLERANCE, 0.0, varies)


def _alpha_missing(world: World) -> Array:
    """H(S_anchor|W') where no alpha has H(S_anchor|W') = alpha H(S_anchor|W)."""
    above, below = (world.conditional_entropy("S_anchor", learner) for learner in ("W'", "W"))
    return np.where(below > TOLERANCE, 0.0, np.maximum(above, 0.0))


def _loss(world: World, learner: str) -> Array | None:
    return world.loss if learner == "W" else world.anchor_loss


def _loss_missing(world: World, learner: str) -> Array:
    """Infinite without a loss; a loss is within C by the world's own check."""
    return np.full(len(world), np.inf if _loss(world, learner) is None else 0.0)


def _below_zero(world: World) -> Array:
    """How far a loss lies below zero."""
    if world.loss is None:
        return _loss_missing(world, "W")
    return np.maximum(-world.loss.min(axis=(1, 2)), 0.0)


def _too_wide(world: World, learner: str, *, layers: bool) -> Array:
    """How far a loss oscillates beyond 2 sigma, or beyond 2 sigma eta^L behind layers."""
    table = _loss(world, learner)
    if table is None:
        return _loss_missing(world, learner)
    contraction = world.contraction if learner == "W" else world.anchor_contraction
    most = 2 * float(world.sigma * (contraction if layers else 1))
    oscillation: Array = (table.max(axis=2) - table.min(axis=2)).max(axis=1)
    # Rounding of layered losses is not a miss.
    return np.where(oscillation > most + EXACT, oscillation - most, 0.0)


def dependence_of_examples(world: World, name: str) -> Array:
    """Total correlation of the examples that a variable stands for, given p but for the anchors', in nats."""
    if (n := world.examples(name)) == 1:
        return np.zeros(len(world))
    given = "" if name == "S_anchor" else "p"
    # Each entropy given p is that of the joint law less that of p.
    alone = sum(entropy_of(law) for law in world.laws_by_place(name, given))
    together = world.entropy([name, "S_anchor"] if given else name)
    return np.maximum(alone - together - (n - 1) * (world.entropy("S_anchor") if given else 0.0), 0.0)


LAMBDA_EXISTS = Assumption(
    "lambda exists",
    r"a $\lambda$ exists: $I(e_p, \Mp)$ is not zero, or $e_p$ does not vary",
    _lambda_missing,
)
ALPHA_EXISTS = Assumption(
    "alpha exists",
    r"an $\alpha$ exists: $H(\Sa \mid W)$ is not zero, or $H(\Sa \mid W') = 0$",
    _alpha_missing,
)
BOUNDED = Assumption(
    "a loss of W within C", r"a loss with $|\ell| \le C$ is given", partial(_loss_missing, learner="W")
)
UNSIGNED = Assumption("a loss of W from 0 to C", r"a loss with $0 \le \ell \le C$ is given", _below_zero)
# Hoeffding's lemma: what oscillates by 2 sigma is sigma-sub-Gaussian under every law of the data.
SUBGAUSSIAN = Assumption(
    "a loss of W that oscillates by 2 sigma",
    r"a loss of $W$ is given that oscillates by at most $2\sigma$, so that it is $\sigma$-sub-Gaussian",
    partial(_too_wide, learner="W", layers=False),
)
# A table of this oscillation is that of a loss of oscillation 2 sigma behind layers that keep a value
# with probability eta^L, whose Dobrushin coefficients multiply to eta^L. Layers that contract information
# by eta each allow more, 2 sigma eta^(L/2), for which (4) follows from (12) as well.
LAYERED, LAYERED_ANCHOR = (
    Assumption(
        f"a loss of {learner} that oscillates by 2 sigma eta^L",
        rf"a loss of ${learner}$ is given that oscillates by at most $2\sigma\eta^L$, as one of $2\sigma$ does if it "
        r"sees data only through layers whose contraction coefficients multiply to $\eta^L$",
        partial(_too_wide, learner=learner, layers=True),
    )
    for learner in ("W", "W'")
)
# Lemma 3.1 declares those of S_gen i.i.d., section 4.3 draws those of S_anchor from D. With a prompt each
# the former are independent given all prompts.
EXAMPLES = Assumption(
    "the examples of S_gen are independent given p",
    r"the examples of $\Sg$ are independent given $p$",
    partial(dependence_of_examples, name="S_gen"),
)
ANCHOR_EXAMPLES = Assumption(
    "the examples of S_anchor are independent",
    r"the examples of $\Sa$ are independent",
    partial(dependence_of_examples, name="S_anchor"),
)
