"""All statements by key, in the paper's order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import ggmi.theory.flow
import ggmi.theory.gain
import ggmi.theory.risks  # noqa: F401
from ggmi.errors import UserError, did_you_mean
from ggmi.theory.regimes import REGIMES, proof_in
from ggmi.theory.statement import REGISTRY, Statement


def _order(key: str) -> tuple[int, int, bool]:
    """Number, line and reading."""
    number, line = re.match(r"\((\d+)\)(?:\.(\d+))?", key).groups()  # type: ignore[union-attr]
    return int(number), int(line or 0), key.endswith("charitable")


STATEMENTS: Mapping[str, Statement] = {key: REGISTRY[key] for key in sorted(REGISTRY, key=_order)}
# Statements that a world can contradict; the others are definitions and assumptions.
JUDGED = tuple(key for key, statement in STATEMENTS.items() if statement.judged)
# Those of them that some regime has no proof of, so that a search is worth its time.
SEARCHED = tuple(key for key in JUDGED if not all(proof_in(STATEMENTS[key].proofs, r) for r in REGIMES.values()))
# What version 0.1.0 called them, for files that still do. Its forms were not all the paper's.
FORMER = {
    **{f"eq{n}": f"({n})" for n in (12, 17, 18, 30, 31)},
    **{f"eq{n}": f"({n}).1" for n in (14, 15, 19, 21, 22, 23, 25, 28, 32, 33, 34)},
    **{"eq20": "(20)", "lemmaE1": "(24)", "lemmaE2": "(26)"},
    **{"lemma3.1": "(1)", "lemma4.4": "(4)", "lemma4.5": "(5)", "lemma4.6": "(6)"},
    **{"theorem4.7": "(7)", "lemma4.8": "(8)", "theorem4.10": "(10)"},
}
_FORMER_ENDINGS = re.compile("-(signed|corrected|restricted|independent)$")


def find_statements(keys: Iterable[str] | None = None) -> list[Statement]:
    """Statements by key, all of them by default.

    Raises
    ------
    UserError
        If a key is unknown; one of version 0.1.0 is told what is called so now.
    """
    if keys is None:
        return list(STATEMENTS.values())
    result = []
    for key in keys:
        if key not in STATEMENTS:
            raise UserError(f"there is no statement '{key}'; {renamed(key) or did_you_mean(key, STATEMENTS)}")
        result.append(STATEMENTS[key])
    return result


def renamed(key: str) -> str:
    """What stands under a name of version 0.1.0 now, as a phrase; empty for other names.

    Examples
    --------
    >>> renamed("lemma4.5-restricted")
    "its number in the paper is '(5)', and version 0.1.0 did not have all forms as printed"
    """
    former = _FORMER_ENDINGS.sub("", key)
    if former not in FORMER:
        return ""
    return f"its number in the paper is '{FORMER[former]}', and version 0.1.0 did not have all forms as printed"
