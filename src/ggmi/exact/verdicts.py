"""What came of refuting a statement, and the row of a table that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ggmi.exact.statement import Statement
from ggmi.formulas import plain, plain_prose

VERDICT_COLUMNS = (
    "statement",
    "reference",
    "reading",
    "regime",
    "verdict",
    "fewest_states",
    "worst_violation_nats",
    "worlds_admitted",
    "certificate",
    "condition",
    "condition_is_exact",
    "simple_case",
    "corrected",
    "proof",
    "worlds_searched",
    "evaluated_violation_nats",
)


@dataclass(frozen=True)
class Refutation:
    """What came of searching one statement in one regime.

    Parameters
    ----------
    statement, regime
        Their keys.
    worlds
        Worlds of the regime that the search tested and the statement speaks of.
    evaluated
        The largest violation among them, in floating point.
    smallest, worst
        The certified counterexamples of fewest joint states and of the largest violation; None where
        none was found.
    """

    statement: str
    regime: str
    worlds: int
    evaluated: float = 0.0
    smallest: dict[str, Any] | None = None
    worst: dict[str, Any] | None = None

    @property
    def violation(self) -> float:
        """How much the worst certified world violates the statement by at least; 0 without one."""
        return 0.0 if self.worst is None else certified_violation(self.worst)


def certified_violation(stored: Mapping[str, Any]) -> float:
    """Lower end of a certificate's violation."""
    return float(stored["violation"]["interval"]["low"])


def states_of(stored: Mapping[str, Any]) -> int:
    """Joint states of a certificate's world."""
    return len(stored["joint"]["states"])


def extremes(certificates: Sequence[dict[str, Any]]) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The certificate of fewest states and that of the largest violation; None of none."""
    # Of equal states the larger violation, and of equal violations, which differ in the last digits, fewer states.
    smallest = min(certificates, key=lambda c: (states_of(c), -round(certified_violation(c), 9)), default=None)
    worst = max(certificates, key=lambda c: (round(certified_violation(c), 9), -states_of(c)), default=None)
    return smallest, worst


def verdict_row(
    statement: Statement, regime: str, refutation: Refutation, proof: str, *, admitted: int, evaluated: float
) -> dict[str, Any]:
    """Say whether a statement holds in a regime, and what is true instead.

    Parameters
    ----------
    statement
        The statement.
    regime
        The regime's key.
    refutation
        What came of searching it there.
    proof
        A proof that covers the regime, or nothing.
    admitted
        Random worlds of the regime that the statement speaks of.
    evaluated
        The largest violation among them.

    Returns
    -------
    dict
        The columns `VERDICT_COLUMNS`.

    Raises
    ------
    AssertionError
        If a world contradicts a proof of ours.
    """
    worst = max(evaluated, refutation.violation)
    fails = statement.judged and worst > 0
    assert not (fails and proof), f"{statement.key} fails in {regime}, where it has a proof"
    found = {"definition": "by definition", "assumption": "assumption"}.get(
        statement.kind, "fails" if fails else "holds"
    )
    condition, correction = (statement.condition, statement.correction) if fails else (None, None)
    return {
        "statement": statement.label,
        "reference": statement.reference,
        "reading": statement.reading,
        "regime": regime,
        "verdict": found,
        "fewest_states": states_of(refutation.smallest) if fails and refutation.smallest else None,
        "worst_violation_nats": (refutation.violation or worst) if fails else 0.0,
        "worlds_admitted": admitted if statement.judged else 0,
        "certificate": f"certificates/{regime}/{statement.slug}.json" if refutation.smallest else "",
        "condition": plain(condition.latex) if condition else "",
        "condition_is_exact": condition.exact if condition else None,
        "simple_case": plain_prose(condition.simple) if condition else "",
        "corrected": plain(correction.latex) if correction else "",
        "proof": plain_prose(proof),
        "worlds_searched": refutation.worlds,
        "evaluated_violation_nats": max(worst, refutation.evaluated) if fails else 0.0,
    }
