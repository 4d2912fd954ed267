"""The catalogue as a page of documentation: every statement's formula, what is added to it and why."""

from __future__ import annotations

from collections.abc import Iterator

from ggmi.formulas import expand, split
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.consequences import CONSEQUENCES
from ggmi.theory.regimes import REGIMES
from ggmi.theory.statement import Statement

HEAD = """# The theory, statement by statement

Every numbered line of Gan & Liu, [arXiv 2410.01720](https://arxiv.org/abs/2410.01720), in the paper's numbers: (25).5
is line 5 of (25). *Charitable* readings, conditions, corrections and their proofs are ours. What holds in which regime,
with counterexamples, is in `results/theory.html`; `ggmi theory WORLD.json` says it of a world of your own. This page is
printed by `python -m ggmi.theory.document`.
"""


def statements_markdown() -> str:
    """The page ``docs/theory.md``.

    Returns
    -------
    str
        Markdown with formulas between dollar signs.
    """
    lines = [HEAD, "## Regimes", ""]
    lines += [f"- `{regime.key}`: {_prose(regime.text)}" for regime in REGIMES.values()]
    lines += ["", "## Statements", ""]
    for statement in STATEMENTS.values():
        lines += [f"- {item}" if i == 0 else f"  - {item}" for i, item in enumerate(_items(statement))]
    lines += ["", "## What follows for the theory as a whole", ""]
    for consequence in CONSEQUENCES:
        lines += [f"### {consequence.title}", "", f"${expand(consequence.latex)}$", ""]
        lines += ["Where:", "", *(f"- {_prose(need.text)}" for need in consequence.needs), ""]
        lines += [f"{_prose(consequence.note)} *Proof.* {_prose(consequence.proof)}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _items(statement: Statement) -> Iterator[str]:
    """What there is to say of one statement, the formula first."""
    ours = " *charitable*" if statement.reading == "charitable" else ""
    yield f"**{statement.label}**{ours} ({statement.reference}, {statement.kind}): ${expand(statement.latex)}$"
    if statement.note:
        yield _prose(statement.note)
    for regime, proof in statement.proofs.items():
        yield f"Holds in `{regime}` and where more is assumed: {_prose(proof)}"
    if (condition := statement.condition) is not None:
        exactly = "Holds exactly where" if condition.exact else "Holds where"
        simple = f", for example where {_prose(condition.simple)}" if condition.simple else ""
        yield f"{exactly} ${expand(condition.latex)}${simple}. {_prose(condition.proof)}".rstrip()
    if (correction := statement.correction) is not None:
        yield f"True everywhere: ${expand(correction.latex)}$. {_prose(correction.proof)}"


def _prose(text: str) -> str:
    """Prose whose formulas have their macros written out."""
    return "".join(f"${expand(part)}$" if formula else part for part, formula in split(text))


if __name__ == "__main__":
    import sys

    sys.stdout.write(statements_markdown())
