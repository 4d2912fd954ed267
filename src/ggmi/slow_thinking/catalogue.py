"""All statements by key, in the paper's order."""

from __future__ import annotations

from collections.abc import Mapping

from ggmi.errors import UserError, did_you_mean
from ggmi.exact.statement import Statement
from ggmi.slow_thinking import frameworks, losses, searching

STATEMENTS: Mapping[str, Statement] = {
    s.key: s for s in (*losses.STATEMENTS, *searching.STATEMENTS, *frameworks.STATEMENTS)
}
# Statements that a world can contradict; the others are definitions and assumptions.
JUDGED = tuple(key for key, statement in STATEMENTS.items() if statement.judged)


def find_statement(key: str) -> Statement:
    """A statement by its key.

    Raises
    ------
    UserError
        If there is none.
    """
    if key not in STATEMENTS:
        raise UserError(f"there is no statement '{key}'; {did_you_mean(key, STATEMENTS)}")
    return STATEMENTS[key]
