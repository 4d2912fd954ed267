"""The theory's statements: they may speak of losses, whose bounds have roots and depend on the outcome."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ggmi.exact import statement
from ggmi.exact.statement import TOLERANCE
from ggmi.exact.trees import Term
from ggmi.theory.terms import is_random, supremum

# A root turns an information that is off by 1e-14 into a bound that is off by 1e-7.
ROOT_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Statement(statement.Statement):
    """A numbered line of the paper, as printed or in a charitable reading.

    Sides are in nats, risks in units of the loss.
    """

    widest: str = "structure"

    @property
    def excess(self) -> Term:
        """The tree that is positive exactly where the statement fails, at its worst outcome."""
        return supremum(super().excess)

    @property
    def needs_loss(self) -> bool:
        """Whether the statement speaks of losses."""
        return any(leaf.op in ("risk", "loss") for leaf in self.excess.leaves())

    @property
    def tolerance(self) -> float:
        """What float64 may feign of a violation."""
        return ROOT_TOLERANCE if self.needs_loss else TOLERANCE

    @property
    def units(self) -> str:
        """Units of the sides, for a reader."""
        return "entropies in nats, risks in units of the loss"

    def has_value(self, term: Term) -> bool:
        """Whether a side has one value in a world, not one an outcome."""
        return not is_random(term)


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
