"""Training sets of several examples: of one prompt or of a prompt each, against the law of S_gen given p or without p.

Appendix C of Gan & Liu, arXiv 2410.01720, gives D_gen given p; sections 3 and 4 write it without. For
one example the two hardly differ. For n examples of one prompt they do: the examples are independent
given p only, so a bound that divides by n holds for the risk given p and not for the marginal one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from ggmi.exact.trees import Term
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.certify import certificate
from ggmi.theory.families import BLOCK, Family, Prompts, draw
from ggmi.theory.learners import deterministic
from ggmi.theory.regimes import DECLARED, proof_in
from ggmi.theory.statement import Statement
from ggmi.theory.world import World

KEYS = ("(4)", "(6) charitable", "(7) charitable", "(8) charitable")
D_GEN = ("given p", "marginal")
# Prompts, n, m, eta^L and eta'^L.
SETTINGS: Sequence[tuple[Prompts, int, int, Fraction, Fraction]] = (
    ("one", 1, 1, Fraction(1), Fraction(1)),
    ("one", 2, 2, Fraction(1), Fraction(1)),
    ("one", 2, 3, Fraction(1, 2), Fraction(1, 4)),
    ("one", 3, 2, Fraction(1), Fraction(1)),
    ("one each", 2, 2, Fraction(1), Fraction(1)),
)
COLUMNS = (
    "statement",
    "reading",
    "d_gen",
    "prompts",
    "n",
    "m",
    "eta",
    "eta_anchor",
    "worlds",
    "verdict",
    "worst_violation",
    "certificate",
)


def with_marginal_laws(statement: Statement) -> Statement:
    """The statement with the laws of M(p) and S_gen without p."""

    def changed(term: Term) -> Term:
        args = tuple(changed(a) if isinstance(a, Term) else a for a in term.args)
        return Term(term.op, (*args[:-1], "") if term.op in ("risk", "tv") else args)

    return replace(
        statement,
        key=f"{statement.key} marginal",
        left=changed(statement.left),
        right=changed(statement.right),
        proofs={},
        condition=None,
        correction=None,
    )


def copied_prompt(n: int) -> World:
    """N examples that all are the prompt's fair bit, which e_M relays and W learns; all that the paper declares holds.

    Parameters
    ----------
    n
        Examples in a set.

    Returns
    -------
    World
        With the loss 1 where the parameter is not the example: the training loss is zero, and so is the
        risk given p, but the marginal risk is 1/2.
    """
    fair = [0.5, 0.5]
    ones = 2**n - 1
    copies = np.eye(2**n)[[0, ones]]
    learner = deterministic((np.arange(2**n) > ones // 2).astype(np.int64), 2)
    loss = [[0, 1], [1, 0]]
    return World.build(
        fair, np.eye(2), copies, [0, 0], np.arange(2**n), None, learner, np.eye(2), loss=loss, anchor_loss=loss,
        samples=n,
    )  # fmt: skip


def evaluate_examples(seed: int, *, worlds: int) -> tuple[pd.DataFrame, Mapping[str, Mapping[str, Any]]]:
    """Evaluate the bounds on errors for sets of examples in worlds that meet all that the paper declares.

    Parameters
    ----------
    seed
        The run's seed.
    worlds
        Random worlds of each setting, up to a block.

    Returns
    -------
    table : DataFrame
        Columns `COLUMNS`: the table ``examples.csv``. ``verdict`` is ``fails``, ``holds`` where there is a
        proof, or ``none found``.
    certificates : dict
        Certified counterexamples by file name.
    """
    rows, certificates = [], {}
    for prompts, n, m, eta, eta_anchor in SETTINGS:
        family = Family(
            f"examples: {n} of {prompts}, {m} anchors",
            "declared",
            learner="erm",
            examples=n,
            anchor_examples=m,
            prompts=prompts,
            contraction=eta,
            anchor_contraction=eta_anchor,
        )
        batches = [draw(family, min(worlds, BLOCK), seed)]
        if prompts == "one" and eta == 1:
            batches.append(copied_prompt(n))
        for key in KEYS:
            # The law of S_gen does not enter (8).
            for d_gen in D_GEN if key != "(8) charitable" else D_GEN[:1]:
                form = STATEMENTS[key] if d_gen == "given p" else with_marginal_laws(STATEMENTS[key])
                row, stored = _row(form, batches)
                name = f"examples/{form.slug}-n{n}.json" if stored else ""
                if stored:
                    certificates[name] = stored
                setting = {"d_gen": d_gen, "prompts": prompts, "n": n, "m": m}
                layers = {"eta": str(eta), "eta_anchor": str(eta_anchor)}
                file = f"certificates/{name}" if name else ""
                rows.append({**row, **setting, **layers, "certificate": file})
    return pd.DataFrame(rows, columns=list(COLUMNS)), certificates


def _row(form: Statement, batches: Sequence[World]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Verdict on one statement in some worlds, and the certificate of a violation by the last, made by hand."""
    count, worst = 0, 0.0
    for world in batches:
        admitted = form.applies(world) & DECLARED.admits(world)
        excess = -form.slack(world)[admitted]
        count += int(admitted.sum())
        worst = max([worst, *excess[excess > form.tolerance]])
    stored = certificate(form, DECLARED, batches[-1]) if len(batches[-1]) == 1 else None
    proven = stored if stored and stored["verdict"] == "violated" else None
    verdict = "fails" if worst else "holds" if proof_in(form.proofs, DECLARED) else "none found"
    label = form.label.removesuffix(" marginal").removesuffix(" charitable")
    return {
        "statement": label,
        "reading": form.reading,
        "worlds": count,
        "verdict": verdict,
        "worst_violation": float(worst),
    }, proven
