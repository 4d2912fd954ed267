"""A statement as items of a page of documentation: its formula, what is added to it and why."""

from __future__ import annotations

from collections.abc import Iterator

from ggmi.exact.statement import Statement
from ggmi.formulas import expand, split


def items(statement: Statement) -> Iterator[str]:
    """What there is to say of one statement, the formula first."""
    ours = "" if statement.reading == "printed" else f" *{statement.reading}*"
    yield f"**{statement.label}**{ours} ({statement.reference}, {statement.kind}): ${expand(statement.latex)}$"
    if statement.note:
        yield written_prose(statement.note)
    for regime, proof in statement.proofs.items():
        yield f"Holds in `{regime}` and where more is assumed: {written_prose(proof)}"
    if (condition := statement.condition) is not None:
        exactly = "Holds exactly where" if condition.exact else "Holds where"
        simple = f", for example where {written_prose(condition.simple)}" if condition.simple else ""
        yield f"{exactly} ${expand(condition.latex)}${simple}. {written_prose(condition.proof)}".rstrip()
    if (correction := statement.correction) is not None:
        yield f"True everywhere: ${expand(correction.latex)}$. {written_prose(correction.proof)}"


def written_prose(text: str) -> str:
    """Prose whose formulas have their macros written out."""
    return "".join(f"${expand(part)}$" if formula else part for part, formula in split(text))
