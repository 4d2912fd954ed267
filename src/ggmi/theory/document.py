"""The catalogue as a page of documentation: every statement's formula, what is added to it and why."""

from __future__ import annotations

from ggmi.exact.document import items, written_prose
from ggmi.formulas import expand
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.consequences import CONSEQUENCES
from ggmi.theory.regimes import REGIMES

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
    lines += [f"- `{regime.key}`: {written_prose(regime.text)}" for regime in REGIMES.values()]
    lines += ["", "## Statements", ""]
    for statement in STATEMENTS.values():
        lines += [f"- {item}" if i == 0 else f"  - {item}" for i, item in enumerate(items(statement))]
    lines += ["", "## What follows for the theory as a whole", ""]
    for consequence in CONSEQUENCES:
        lines += [f"### {consequence.title}", "", f"${expand(consequence.latex)}$", ""]
        lines += ["Where:", "", *(f"- {written_prose(need.text)}" for need in consequence.needs), ""]
        lines += [f"{written_prose(consequence.note)} *Proof.* {written_prose(consequence.proof)}", ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(statements_markdown())
