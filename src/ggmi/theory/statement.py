"""What a statement of the theory is: its place, its sides, the regimes it is judged in, what is true instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ggmi.theory import terms
from ggmi.theory.terms import Term
from ggmi.theory.world import Array, World

Flags = NDArray[np.bool_]
Relation = Literal["<=", ">=", "="]
Reading = Literal["printed", "charitable"]
Kind = Literal["inequality", "identity", "definition", "assumption"]

# Sides that differ by less are equal: entropies of a few hundred states carry errors near 1e-14.
TOLERANCE = 1e-9
# A root turns an information that is off by 1e-14 into a bound that is off by 1e-7.
ROOT_TOLERANCE = 1e-6
# Terms and probabilities that differ by less are equal.
EXACT = 1e-12


@dataclass(frozen=True)
class Assumption:
    """A condition on a world.

    Parameters
    ----------
    key
        Short name, by which certificates and their recheck know it.
    text
        The condition for a reader; formulas stand between dollar signs, in LaTeX.
    missed_by
        How far each world is from meeting it, shape (B,): zero where it is met, in nats where the
        condition is one of information, a distance of probabilities or losses else.
    """

    key: str
    text: str
    missed_by: Callable[[World], Array]

    def holds(self, world: World) -> Flags:
        """Whether each world meets it, shape (B,)."""
        return self.missed_by(world) < EXACT


@dataclass(frozen=True)
class Condition:
    """What a failing statement needs in addition.

    Parameters
    ----------
    latex
        The condition, an inequality.
    term
        The tree that is at most zero exactly where the condition holds; None where it is no inequality
        of the world's quantities.
    proof
        Why it is enough and, where `exact`, why the statement fails wherever it does not hold.
    exact
        Whether the statement fails wherever the condition does not hold.
    simple
        Simple cases in words, in which it holds.
    """

    latex: str
    term: Term | None
    proof: str
    exact: bool = True
    simple: str = ""

    def holds(self, world: World) -> Flags:
        """Whether each world meets it, shape (B,).

        Raises
        ------
        ValueError
            If it has no term.
        """
        if self.term is None:
            raise ValueError(f"the condition {self.latex} has no term to evaluate")
        return terms.evaluate(self.term, world) < EXACT


@dataclass(frozen=True)
class Correction:
    """An inequality that is true in place of a failing one, with its proof.

    Parameters
    ----------
    latex
        The whole inequality.
    left, right
        Its sides, related as the statement's.
    proof
        In a few lines.
    """

    latex: str
    left: Term
    right: Term
    proof: str


@dataclass(frozen=True)
class Statement:
    """A numbered line of the paper, as printed or in a charitable reading.

    Parameters
    ----------
    key
        The paper's number: ``(25).5`` is line 5 of (25). A charitable reading's ends in `` charitable``.
    reference
        Where the paper has it.
    latex
        The statement.
    relation
        How the left side relates to the right.
    left, right
        The sides, in nats (risks in units of the loss).
    kind
        ``inequality``; ``identity``, which can be evaluated and holds; ``definition`` or
        ``assumption``, which no world can contradict.
    reading
        ``printed``, or ``charitable`` where the form is ours.
    terms
        Named quantities worth showing, by LaTeX.
    needs
        What a world must have for the statement to speak of it.
    note
        What it says and, for a charitable reading, how it differs from what is printed.
    proofs
        Proof in a line by the widest regime in which it is one; it holds in the stricter ones too.
    condition, correction
        What it needs in addition where it fails, and what is true instead.
    """

    key: str
    reference: str
    latex: str
    relation: Relation
    left: Term
    right: Term
    kind: Kind = "inequality"
    reading: Reading = "printed"
    terms: Mapping[str, Term] = field(default_factory=dict)
    needs: tuple[Assumption, ...] = ()
    note: str = ""
    proofs: Mapping[str, str] = field(default_factory=dict)
    condition: Condition | None = None
    correction: Correction | None = None

    @property
    def label(self) -> str:
        """The paper's number alone."""
        return self.key.removesuffix(" charitable")

    @property
    def slug(self) -> str:
        """The key as a file name: ``25.5``, ``6-charitable``."""
        return self.key.replace("(", "").replace(")", "").replace(" ", "-")

    def applies(self, world: World) -> Flags:
        """Whether the statement speaks of each world, shape (B,)."""
        flags = np.ones(len(world), dtype=bool)
        for assumption in self.needs:
            flags &= assumption.holds(world)
        return flags

    @property
    def excess(self) -> Term:
        """The tree that is positive exactly where the statement fails."""
        if self.relation == "=":
            return terms.supremum(terms.absolute(self.left - self.right))
        return terms.supremum(self.left - self.right if self.relation == "<=" else self.right - self.left)

    def slack(self, world: World) -> Array:
        """How far the statement is from failing in each world, negative where it fails, shape (B,)."""
        return -terms.evaluate(self.excess, world)

    @property
    def judged(self) -> bool:
        """Whether a world could contradict it."""
        return self.kind in ("inequality", "identity")

    @property
    def needs_loss(self) -> bool:
        """Whether the statement speaks of losses."""
        return any(leaf.op in ("risk", "loss") for leaf in self.excess.leaves())

    @property
    def tolerance(self) -> float:
        """What float64 may feign of a violation."""
        return ROOT_TOLERANCE if self.needs_loss else TOLERANCE

    def amended(self) -> Statement | None:
        """The corrected inequality as a statement of its own, which holds in every regime."""
        if self.correction is None:
            return None
        c = self.correction
        return replace(
            self,
            key=f"{self.key} corrected",
            latex=c.latex,
            left=c.left,
            right=c.right,
            kind="inequality",
            proofs={"structure": c.proof},
            condition=None,
            correction=None,
        )


REGISTRY: dict[str, Statement] = {}


def register(statement: Statement) -> Statement:
    """Add a statement to the catalogue.

    Raises
    ------
    ValueError
        If its key is taken.
    """
    if statement.key in REGISTRY:
        raise ValueError(f"two statements are called {statement.key}")
    REGISTRY[statement.key] = statement
    return statement


def charitable(statement: Statement, latex: str, note: str, **changes: object) -> Statement:
    """Register another reading of a statement, which is ours."""
    return register(
        replace(statement, key=f"{statement.key} charitable", latex=latex, note=note, reading="charitable", **changes)  # type: ignore[arg-type]
    )
