"""What every certificate says: the statement, its regime, both sides and the violation, enclosed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ggmi.exact.intervals import Interval
from ggmi.exact.statement import Regime, Statement
from ggmi.exact.trees import Term
from ggmi.formulas import plain


def certified(
    statement: Statement, regime: Regime, enclose: Callable[[Term], Interval], *, admitted: bool
) -> dict[str, Any]:
    """Certify that a statement fails, or does not, in a world of a regime.

    Parameters
    ----------
    statement
        The statement.
    regime
        Whose assumptions the world meets.
    enclose
        Encloses a tree's value in the world.
    admitted
        Whether the statement speaks of the world and the world belongs to the regime.

    Returns
    -------
    dict
        The part of a certificate that is the same in every study; JSON can hold it. Its ``verdict`` is
        ``violated`` only if the interval of the violation lies above zero and the world is admitted.
    """
    excess = enclose(statement.excess)
    return {
        "statement": statement.key,
        "reference": statement.reference,
        "reading": statement.reading,
        "regime": regime.key,
        "formula": plain(statement.latex),
        "needs": [a.key for a in statement.needs],
        "assumptions": [a.key for a in regime.assumptions],
        "assumptions met": admitted,
        "units": statement.units,
        "verdict": "violated" if excess.low > 0 and admitted else "not violated",
        "relation": statement.relation,
        "left": _side(statement, statement.left, enclose),
        "right": _side(statement, statement.right, enclose),
        "violation": _side(statement, statement.excess, enclose),
        "terms": _named(statement.terms, enclose),
    }


def _side(statement: Statement, term: Term, enclose: Callable[[Term], Interval]) -> dict[str, Any]:
    """A side's tree, and its value unless that differs from outcome to outcome."""
    enclosed = {"interval": enclose(term).as_json()} if statement.has_value(term) else {}
    return {**enclosed, "tree": term.as_json()}


def _named(named: Mapping[str, Term], enclose: Callable[[Term], Interval]) -> dict[str, Any]:
    """Named terms, without quotients that are not defined here."""
    result = {}
    for name, term in named.items():
        with suppress(ZeroDivisionError):
            result[name] = enclose(term).as_json()
    return result
