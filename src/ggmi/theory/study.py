"""The study: statements over families of random worlds, searches, certificates, verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ggmi.errors import UserError, did_you_mean
from ggmi.theory import known
from ggmi.theory.catalogue import STATEMENTS, chosen
from ggmi.theory.certify import certificate
from ggmi.theory.families import BLOCK, DEFAULT_FAMILIES, Family, draw
from ggmi.theory.search import search
from ggmi.theory.statement import TOLERANCE, Statement
from ggmi.theory.world import Array

WORLDS = 10_000
# Worlds drawn in wait for those that meet a statement's assumptions, as a multiple of those asked for.
PATIENCE = 3
COLUMNS = (
    "statement",
    "reference",
    "family",
    "worlds",
    "violated_share",
    "worst_violation_nats",
    "median_slack_nats",
    "certificate",
)


@dataclass(frozen=True)
class Refutation:
    """What came of searching one statement.

    Parameters
    ----------
    statement
        Its key.
    worlds
        Worlds that the search tested, all of which meet the statement's assumptions.
    evaluated
        The largest violation among them, in floating point.
    certificate
        The certified counterexample of fewest joint states; None where none was found.
    structure
        Where it comes from: factors and curation of the searched world, or a world made by hand.
    worst
        The certified counterexample of the largest violation.
    worst_structure
        Where that one comes from.
    """

    statement: str
    worlds: int
    evaluated: float = 0.0
    certificate: dict[str, Any] | None = None
    structure: str = ""
    worst: dict[str, Any] | None = None
    worst_structure: str = ""

    @property
    def violation(self) -> float:
        """How much the worst certified world violates the statement by at least; 0 without one."""
        return 0.0 if self.worst is None else _certified(self.worst)

    @property
    def summary(self) -> str:
        """One phrase for a table."""
        if self.certificate is not None:
            return (
                f"smallest: violated by {_certified(self.certificate):.6g} ({self.structure}); "
                f"worst: by {self.violation:.6g} ({self.worst_structure}); signs certified"
            )
        if self.evaluated:
            return f"violated by {self.evaluated:.6g} in floating point, which no rounding to fractions certified"
        return f"none found after {self.worlds} worlds"


def _certified(certificate: Mapping[str, Any]) -> float:
    """Lower end of a certificate's violation."""
    return float(certificate["violation"]["interval"]["low"])


def family_named(name: str) -> Family:
    """A default family by its name.

    Raises
    ------
    UserError
        If there is none of that name.
    """
    by_name = {f.name: f for f in DEFAULT_FAMILIES}
    if name not in by_name:
        raise UserError(f"there is no family '{name}'; {did_you_mean(name, by_name)}")
    return by_name[name]


def evaluate_family(
    family: Family, seed: int, *, worlds: int = WORLDS, keys: Iterable[str] | None = None
) -> list[dict[str, Any]]:
    """Evaluate statements in every world of a family.

    Parameters
    ----------
    family
        Whose worlds.
    seed
        The run's seed.
    worlds
        How many are to meet each statement's assumptions. Up to `PATIENCE` times as many are drawn;
        a statement that still has fewer is reported with what it has.
    keys
        Which statements; all by default.

    Returns
    -------
    list of dict
        One row a statement whose assumptions at least one world meets, with the keys `COLUMNS`.
        ``worlds`` are those that meet them, the first of the family. For statements about risks the unit is that of
        the loss instead of nats.
    """
    statements = chosen(keys)
    slacks: dict[str, list[Array]] = {s.key: [] for s in statements}
    wanting = dict.fromkeys(slacks, worlds)
    for first in range(0, PATIENCE * worlds, BLOCK):
        # Past the worlds asked for, only those are waited for that have turned up at all.
        pending = [s for s in statements if wanting[s.key] and (first < worlds or slacks[s.key])]
        if not pending:
            break
        batch = draw(family, BLOCK, seed, first=first)
        for statement in pending:
            admitted = np.flatnonzero(statement.admits(batch))[: wanting[statement.key]]
            if len(admitted):
                # Evaluated in all worlds, because statements share the batch's entropies.
                slacks[statement.key].append(statement.slack(batch)[admitted])
                wanting[statement.key] -= len(admitted)
    rows = []
    for statement in statements:
        if not slacks[statement.key]:
            continue
        slack = np.concatenate(slacks[statement.key])
        violated = slack < -TOLERANCE
        rows.append(
            {
                "statement": statement.key,
                "reference": statement.reference,
                "family": family.name,
                "worlds": len(slack),
                "violated_share": float(violated.mean()),
                "worst_violation_nats": float(-slack.min()) if violated.any() else 0.0,
                "median_slack_nats": float(np.median(slack)),
                "certificate": "",
            }
        )
    return rows


def refute(key: str, seed: int, *, restarts: int = 24, steps: int = 120) -> Refutation:
    """Search a statement, and certify the smallest world that refutes it and the one that does so most.

    The candidates are what the search comes to and the worlds of `ggmi.theory.known`.

    Parameters
    ----------
    key
        The statement's.
    seed
        The run's seed.
    restarts, steps
        Effort of the search, see `ggmi.theory.search.search`.

    Returns
    -------
    Refutation
    """
    (statement,) = chosen([key])
    found = search(statement, seed, restarts=restarts, steps=steps)
    candidates = [(reached.structure, reached.world) for reached in (found.smallest, found.worst) if reached]
    made = (known.fair_bits, known.parity_task, known.added_noise, known.merging_curation)
    candidates += [(f"made by hand: {make.__name__.replace('_', ' ')}", make()) for make in made]
    proven = [
        (structure, certificate(statement, world))
        for structure, world in candidates
        if statement.admits(world).all() and (statement.slack(world) < -TOLERANCE).all()
    ]
    proven = [(structure, c) for structure, c in proven if c["verdict"] == "violated"]
    if not proven:
        return Refutation(key, found.worlds, found.evaluated)
    # Equal violations differ in the last digits; then the first, found by search, or the smaller one counts.
    structure, smallest = min(proven, key=lambda pair: len(pair[1]["joint"]["states"]))
    worst_structure, worst = max(
        proven, key=lambda pair: (round(_certified(pair[1]), 9), -len(pair[1]["joint"]["states"]))
    )
    return Refutation(key, found.worlds, found.evaluated, smallest, structure, worst, worst_structure)


def statements_table(rows: Sequence[Mapping[str, Any]], certificates: Mapping[str, str]) -> pd.DataFrame:
    """The table ``statements.csv``.

    Parameters
    ----------
    rows
        Of `evaluate_family`, of all families.
    certificates
        File name of the certificate, or the phrase that there is none, by statement.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; statements in the order of `STATEMENTS`, families in the order of `rows`.
    """
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["certificate"] = [certificates.get(key, "") for key in table["statement"]]
    order = {key: i for i, key in enumerate(STATEMENTS)}
    return table.sort_values("statement", key=lambda c: c.map(order), kind="stable").reset_index(drop=True)


def verdicts(rows: Sequence[Mapping[str, Any]], refutations: Mapping[str, Refutation]) -> pd.DataFrame:
    """One row a statement of the paper: whether it holds, and what is true instead.

    Parameters
    ----------
    rows
        Of `evaluate_family`, of all families.
    refutations
        By statement, also of the restricted and corrected ones.

    Returns
    -------
    DataFrame
        Columns statement, reference, formula, published_form, verdict (holds, holds by definition,
        fails), worst_violation_nats, worst_found (how the worst was found: certified, or evaluated in
        a family or by the search where that is larger), certified_violation_nats, worlds (of families
        and search, those that meet the assumptions), search, holds_under, corrected. An amendment is
        listed only if no family and no search violates it.
    """
    found: dict[str, list[tuple[float, str]]] = {}
    seen: dict[str, int] = {}
    for row in rows:
        key = row["statement"]
        found.setdefault(key, []).append((row["worst_violation_nats"], f"evaluated in family {row['family']}"))
        seen[key] = seen.get(key, 0) + row["worlds"]
    for key, refutation in refutations.items():
        found.setdefault(key, []).append((refutation.violation, "certified"))
        found[key].append((refutation.evaluated, "evaluated in the search"))
        seen[key] = seen.get(key, 0) + refutation.worlds
    worst = {key: _worst(violations) for key, violations in found.items()}
    result = []
    for statement in STATEMENTS.values():
        key = statement.key
        if statement.kind != "published" or key not in worst:
            continue
        amendments = [s for s in STATEMENTS.values() if s.amends == key and worst.get(s.key, (0.0, ""))[0] == 0.0]
        violation, source = worst[key]
        holds = "holds by definition" if statement.by_definition else "holds"
        result.append(
            {
                "statement": key,
                "reference": statement.reference,
                "formula": statement.formula,
                "published_form": statement.published_form,
                "verdict": "fails" if violation > 0 else holds,
                "worst_violation_nats": violation,
                "worst_found": source if violation > 0 else "",
                "certified_violation_nats": refutations[key].violation if key in refutations else 0.0,
                "worlds": seen[key],
                "search": refutations[key].summary if key in refutations else "",
                "holds_under": "; or ".join(_condition(s, statement) for s in amendments if s.kind == "restricted"),
                "corrected": "; and ".join(s.formula for s in amendments if s.kind == "corrected"),
            }
        )
    return pd.DataFrame(result)


def _worst(violations: Sequence[tuple[float, str]]) -> tuple[float, str]:
    """Size and origin of the largest violation; a certified one that is as large as any is preferred."""
    largest = max(size for size, _ in violations)
    proven = max((size for size, source in violations if source == "certified"), default=0.0)
    if proven >= largest - TOLERANCE:
        return proven, "certified"
    return next((size, source) for size, source in violations if size == largest)


def _condition(restricted: Statement, statement: Statement) -> str:
    """What a restriction adds to a statement's assumptions, whether that is exact, and simple cases of it."""
    text = " and ".join(a.text for a in restricted.assumptions if a not in statement.assumptions)
    if restricted.necessary:
        text += " (exactly then)"
    return f"{text}; for example where {restricted.instances}" if restricted.instances else text
