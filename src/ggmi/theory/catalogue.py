"""All statements by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ggmi.theory.bounds
import ggmi.theory.statements  # noqa: F401
from ggmi.errors import UserError, did_you_mean
from ggmi.theory.statement import REGISTRY, Statement

STATEMENTS: Mapping[str, Statement] = REGISTRY
PUBLISHED = tuple(key for key, statement in STATEMENTS.items() if statement.kind == "published")


def chosen(keys: Iterable[str] | None = None) -> list[Statement]:
    """Statements by key, all of them by default.

    Raises
    ------
    UserError
        If a key is unknown.
    """
    if keys is None:
        return list(STATEMENTS.values())
    result = []
    for key in keys:
        if key not in STATEMENTS:
            raise UserError(f"there is no statement '{key}'; {did_you_mean(key, STATEMENTS)}")
        result.append(STATEMENTS[key])
    return result


def with_amendments(key: str) -> list[str]:
    """Keys of a published statement and of the restricted and corrected ones that amend it."""
    return [key, *(s.key for s in STATEMENTS.values() if s.amends == key)]
