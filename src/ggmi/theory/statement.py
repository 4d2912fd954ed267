"""What a statement is: its place, assumptions and two sides; and the assumptions that statements make."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ggmi.theory import terms
from ggmi.theory.terms import Term
from ggmi.theory.world import Array, World

Flags = NDArray[np.bool_]

# Sides that differ by less are equal: entropies of a few hundred states carry errors near 1e-14.
TOLERANCE = 1e-9
# Probabilities that differ by less are equal.
EXACT = 1e-12


@dataclass(frozen=True)
class Assumption:
    """A condition on a world.

    Parameters
    ----------
    text
        The condition in words.
    holds
        Whether each world of a batch meets it, shape (B,).
    term
        The term that is at most zero where the condition holds, if it is of that form: a search
        that has left the condition can follow it back.
    """

    text: str
    holds: Callable[[World], Flags]
    term: Term | None = None


def at_most_zero(text: str, term: Term) -> Assumption:
    """Assume that a term is zero or negative.

    The tolerance is `EXACT`: the bounds on risks take a square root, which makes 1e-6 of 1e-12.
    """
    return Assumption(text, lambda world: terms.evaluate(term, world) < EXACT, term)


@dataclass(frozen=True)
class Statement:
    """An inequality or identity between terms of a world.

    Parameters
    ----------
    key
        Short name, unique.
    reference
        Where the paper says it, or which published statement it amends.
    formula
        The statement for a reader.
    kind
        ``published``, ``restricted`` (published under an extra assumption) or ``corrected``.
    relation
        How the left side relates to the right.
    left, right
        The sides, in nats (risks in units of the loss).
    terms
        Named quantities worth showing.
    assumptions
        All must hold for the statement to apply.
    explanation
        What it says, how certain its published form is to us, and a proof where it is true.
    amends
        Key of the published statement behind a restricted or corrected one.
    as_read
        Whether the published form is our reading of the proof's step, not a quotation.
    rereads
        Key of the published statement of which this is another reading.
    necessary
        Whether the statement fails wherever the assumptions that a restriction adds do not hold.
    instances
        In words, simple cases in which the added assumptions hold.
    """

    key: str
    reference: str
    formula: str
    kind: Literal["published", "restricted", "corrected"]
    relation: Literal["<=", ">=", "="]
    left: Term
    right: Term
    terms: Mapping[str, Term] = field(default_factory=dict)
    assumptions: tuple[Assumption, ...] = ()
    explanation: str = ""
    amends: str = ""
    as_read: bool = False
    rereads: str = ""
    necessary: bool = False
    instances: str = ""

    def admits(self, world: World) -> Flags:
        """Whether each world meets the assumptions, shape (B,)."""
        flags = np.ones(len(world), dtype=bool)
        for assumption in self.assumptions:
            flags &= assumption.holds(world)
        return flags

    @property
    def excess(self) -> Term:
        """The tree that is positive exactly where the statement fails."""
        if self.relation == "=":
            return terms.absolute(self.left - self.right)
        return self.left - self.right if self.relation == "<=" else self.right - self.left

    def slack(self, world: World) -> Array:
        """How far the statement is from failing in each world, negative where it fails, shape (B,)."""
        return -terms.evaluate(self.excess, world)

    @property
    def published_form(self) -> str:
        """How the form relates to the paper's text, in words."""
        if self.rereads:
            return f"another reading of {REGISTRY[self.rereads].reference}"
        return "as we read it" if self.as_read else "as published"

    @property
    def by_definition(self) -> bool:
        """Whether both sides are the same sum of entropies, so that no world could tell them apart."""
        return self.relation == "=" and not any(terms.coefficients(self.left - self.right).values())

    @property
    def needs_loss(self) -> bool:
        """Whether the statement speaks of risks."""
        return any(leaf.op in ("risk", "training") for leaf in self.excess.leaves())


Sides = tuple[Term, Term] | tuple[Term, Term, Mapping[str, Term]]
REGISTRY: dict[str, Statement] = {}


def published(
    key: str,
    reference: str,
    formula: str,
    *assumptions: Assumption,
    relation: Literal["<=", ">=", "="] = "<=",
    as_read: bool = False,
    rereads: str = "",
) -> Callable[[Callable[[], Sides]], Statement]:
    """Register a statement of the paper; the decorated function returns its sides and explains it."""

    def register(function: Callable[[], Sides]) -> Statement:
        left, right, *named = function()
        REGISTRY[key] = Statement(
            key,
            reference,
            formula,
            "published",
            relation,
            left,
            right,
            named[0] if named else {},
            assumptions,
            inspect.cleandoc(function.__doc__ or ""),
            as_read=as_read,
            rereads=rereads,
        )
        return REGISTRY[key]

    return register


def corrected(
    key: str, amends: Statement, formula: str, *assumptions: Assumption
) -> Callable[[Callable[[], Sides]], Statement]:
    """Register a proven amendment; the decorated function's docstring is the proof."""

    def register(function: Callable[[], Sides]) -> Statement:
        left, right, *named = function()
        REGISTRY[key] = Statement(
            key,
            f"corrects {amends.reference}",
            formula,
            "corrected",
            amends.relation,
            left,
            right,
            named[0] if named else {},
            assumptions,
            inspect.cleandoc(function.__doc__ or ""),
            amends.key,
        )
        return REGISTRY[key]

    return register


def restricted(
    key: str,
    statement: Statement,
    *assumptions: Assumption,
    proof: str,
    necessary: bool = False,
    instances: str = "",
) -> Statement:
    """Register a published statement under extra assumptions that make it true."""
    joined = " and ".join(a.text for a in assumptions)
    REGISTRY[key] = Statement(
        key,
        f"{statement.reference}, restricted",
        f"{statement.formula}, {'if and only if' if necessary else 'if'} {joined}",
        "restricted",
        statement.relation,
        statement.left,
        statement.right,
        statement.terms,
        (*statement.assumptions, *assumptions),
        inspect.cleandoc(proof),
        statement.key,
        necessary=necessary,
        instances=instances,
    )
    return REGISTRY[key]


def smallest_lambda(world: World) -> Array:
    """Least lambda with H(e_p) <= lambda I(h(e_p), M(p)): Lemma E.1's, as we read it.

    Where e_p does not vary both sides are zero, every lambda will do, and 1 is returned; where e_p
    varies and the output ignores it there is none, and inf is returned.

    Returns
    -------
    ndarray, shape (B,)
    """
    varies, shared = world.entropy("e_p"), world.mutual_information("h", "M")
    ratio = np.divide(varies, shared, out=np.full(len(world), np.inf), where=shared > TOLERANCE)
    return np.where(varies < EXACT, 1.0, ratio)


def alpha(world: World) -> Array:
    """Theorem 4.10's alpha = H(S_anchor|W') / H(S_anchor|W); NaN if the denominator is zero."""
    below = world.conditional_entropy("S_anchor", "W")
    above = world.conditional_entropy("S_anchor", "W'")
    return np.divide(above, below, out=np.full(len(world), np.nan), where=below > TOLERANCE)


def _independent(world: World) -> Flags:
    rows = world.model_factor
    return np.abs(rows - rows[:, :1]).max(axis=(1, 2)) < EXACT


def _deterministic_curation(world: World) -> Flags:
    # No tolerance: a probability of 1e-10 already carries an entropy of 2e-9 nats.
    return ((world.curation == 0) | (world.curation == 1)).all(axis=(1, 2))


def _additive_curation(world: World) -> Flags:
    """Whether P(S_gen = y | M(p) = x) depends on y - x only, over the integers or modulo the alphabet's size."""
    k, y = world.curation.shape[1:]
    noise = world.curation[:, 0]
    rows = np.arange(k)[:, None]
    shift = np.arange(y)[None, :] - rows
    wrapped = noise[:, shift % y]
    straight = np.where(shift >= 0, wrapped, 0.0)
    flags = np.abs(world.curation - straight).max(axis=(1, 2)) < EXACT
    # A cyclic sum needs M(p) and S_gen to share their alphabet.
    if k == y:
        flags |= np.abs(world.curation - wrapped).max(axis=(1, 2)) < EXACT
    return flags


def _shared_values(world: World) -> bool:
    """Whether an index is the same data value for all three, and for sets of n examples a number of n digits."""
    size = world.anchor.shape[1]
    digits = round(size ** (1 / world.samples)) ** world.samples == size
    return world.samples == 1 or (digits and world.curation.shape[1:] == (size, size))


def _everywhere(world: World) -> Flags:
    return np.ones(len(world), dtype=bool)


def _oscillates(world: World, learner: str, *, layers: bool) -> Flags:
    """Whether a loss is given whose values for two data differ by at most 2 sigma, or 2 sigma eta^L behind layers."""
    table = world.loss if learner == "W" else world.anchor_loss
    if table is None:
        return ~_everywhere(world)
    # Hoeffding's lemma: what oscillates by 2 sigma is sigma-sub-Gaussian under every law of the data.
    most = 2 * float(world.sigma * (world.contraction if layers else 1)) + EXACT
    oscillation: Array = table.max(axis=2) - table.min(axis=2)
    return oscillation.max(axis=1) <= most


INDEPENDENT = Assumption("e_p and e_M are independent", _independent)
DETERMINISTIC_CURATION = Assumption("S_gen is a function of M(p)", _deterministic_curation)
ADDITIVE_CURATION = Assumption("S_gen is M(p) plus noise independent of it, or M(p) itself", _additive_curation)
LAMBDA_EXISTS = Assumption(
    "lambda exists: I(h(e_p), M(p)) > 0, or e_p does not vary", lambda world: np.isfinite(smallest_lambda(world))
)
ALPHA_EXISTS = Assumption("alpha exists: H(S_anchor|W) > 0", lambda world: np.isfinite(alpha(world)))
SHARED_VALUES = Assumption(
    "training sets have one example, or S_anchor, M(p) and S_gen share one alphabet",
    lambda world: np.full(len(world), _shared_values(world)),
)
LOSS_GIVEN = Assumption(
    "a loss with |loss| <= C is given", lambda world: ~_everywhere(world) if world.loss is None else _everywhere(world)
)
# Hoeffding's lemma: what oscillates by 2 sigma is sigma-sub-Gaussian under every law of the data.
SUBGAUSSIAN = Assumption(
    "a loss of W is given that oscillates by at most 2 sigma", partial(_oscillates, learner="W", layers=False)
)
# A table of this oscillation is that of a loss of oscillation 2 sigma behind layers that keep a
# value with probability eta^L, and no other table can be.
LAYERED, LAYERED_ANCHOR = (
    Assumption(
        f"a loss of {learner} is given that oscillates by at most 2 sigma eta^L, as one of 2 sigma does if it sees "
        "data only through layers whose contraction coefficients multiply to eta^L",
        partial(_oscillates, learner=learner, layers=True),
    )
    for learner in ("W", "W'")
)
LOSS_UNSIGNED = Assumption(
    "0 <= loss <= C", lambda world: ~_everywhere(world) if world.loss is None else world.loss.min(axis=(1, 2)) >= 0
)
