"""What a statement of a theory is: its place, its sides, the regimes it is judged in, what is true instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ggmi.exact.trees import Term, absolute

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Relation = Literal["<=", ">=", "="]
Reading = Literal["printed", "as reported", "charitable", "ours"]
Kind = Literal["inequality", "identity", "definition", "assumption"]

# Sides that differ by less are equal: entropies of a few hundred states carry errors near 1e-14.
TOLERANCE = 1e-9
# Terms and probabilities that differ by less are equal.
EXACT = 1e-12


class Worlds(Protocol):
    """A batch of worlds, as far as statements ask."""

    def __len__(self) -> int:
        """Worlds in the batch."""

    def value(self, term: Term) -> Array:
        """A tree's value in every world, shape (B,)."""


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
    missed_by: Callable[[Any], Array]

    def holds(self, world: Worlds) -> Flags:
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

    def holds(self, world: Worlds) -> Flags:
        """Whether each world meets it, shape (B,).

        Raises
        ------
        ValueError
            If it has no term.
        """
        if self.term is None:
            raise ValueError(f"the condition {self.latex} has no term to evaluate")
        return world.value(self.term) < EXACT


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
    """A numbered line of a paper, as printed or reported, in a charitable reading, or a line of ours.

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
        ``printed``; ``as reported`` by others, where the paper could not be read; ``charitable`` or
        ``ours`` where the form is ours.
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
    widest
        The regime of no assumptions, in which corrections hold.
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
    widest: str = "any"

    @property
    def label(self) -> str:
        """The paper's number alone."""
        return self.key.removesuffix(" charitable")

    @property
    def slug(self) -> str:
        """The key as a file name: ``25.5``, ``6-charitable``."""
        return re.sub(r"[^\w.]+", "-", re.sub(r"[()]", "", self.key)).strip("-")

    def applies(self, world: Worlds) -> Flags:
        """Whether the statement speaks of each world, shape (B,)."""
        flags = np.ones(len(world), dtype=bool)
        for assumption in self.needs:
            flags &= assumption.holds(world)
        return flags

    @property
    def excess(self) -> Term:
        """The tree that is positive exactly where the statement fails."""
        if self.relation == "=":
            return absolute(self.left - self.right)
        return self.left - self.right if self.relation == "<=" else self.right - self.left

    def slack(self, world: Worlds) -> Array:
        """How far the statement is from failing in each world, negative where it fails, shape (B,)."""
        return -world.value(self.excess)

    @property
    def judged(self) -> bool:
        """Whether a world could contradict it."""
        return self.kind in ("inequality", "identity")

    @property
    def tolerance(self) -> float:
        """What float64 may feign of a violation."""
        return TOLERANCE

    @property
    def units(self) -> str:
        """Units of the sides, for a reader."""
        return "probabilities as such, entropies in nats"

    def has_value(self, term: Term) -> bool:  # noqa: ARG002
        """Whether a side has one value in a world."""
        return True

    def amended(self) -> Self | None:
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
            proofs={self.widest: c.proof},
            condition=None,
            correction=None,
        )


@dataclass(frozen=True)
class Regime:
    """A set of assumptions under which statements are judged.

    Parameters
    ----------
    key
        Short name.
    text
        What is assumed, for a reader; formulas in LaTeX between dollar signs.
    assumptions
        What a world must meet.
    """

    key: str
    text: str
    assumptions: tuple[Assumption, ...]

    def admits(self, world: Worlds) -> Flags:
        """Whether each world meets every assumption, shape (B,)."""
        flags = np.ones(len(world), dtype=bool)
        for assumption in self.assumptions:
            flags &= assumption.holds(world)
        return flags

    def covers(self, other: Regime) -> bool:
        """Whether every world of the other regime is one of this."""
        return set(self.assumptions) <= set(other.assumptions)


def proof_in(proofs: Mapping[str, str], regime: Regime, regimes: Mapping[str, Regime]) -> str:
    """The proof that covers a regime, or nothing."""
    return next((text for key, text in proofs.items() if regimes[key].covers(regime)), "")
