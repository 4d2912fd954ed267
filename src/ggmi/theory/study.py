"""The study: statements over families of random worlds, searches, certificates, verdicts by regime."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ggmi.errors import UserError, did_you_mean
from ggmi.exact.statement import Flags
from ggmi.exact.verdicts import VERDICT_COLUMNS, Refutation, extremes, verdict_row
from ggmi.theory import known
from ggmi.theory.catalogue import JUDGED, STATEMENTS, find_statements
from ggmi.theory.certify import certificate
from ggmi.theory.families import BLOCK, DEFAULT_FAMILIES, Family, draw
from ggmi.theory.laws import Array
from ggmi.theory.regimes import REGIMES, proof_in
from ggmi.theory.search import search
from ggmi.theory.statement import Statement
from ggmi.theory.world import World

WORLDS = 2000
# Worlds drawn in wait for those that a statement speaks of, as a multiple of those asked for.
PATIENCE = 3
FAMILY_COLUMNS = (
    "statement",
    "reading",
    "form",
    "family",
    "regime",
    "worlds",
    "violated_share",
    "worst_violation_nats",
    "median_slack_nats",
)


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


@dataclass
class _Tally:
    """Slacks of one form of a statement in one family."""

    statement: Statement
    form: str
    slacks: list[Array] = field(default_factory=list)

    def add(self, world: World, admitted: Flags, wanted: int) -> None:
        """Count the worlds that are admitted, up to a number."""
        index = np.flatnonzero(admitted)[: wanted - sum(map(len, self.slacks))]
        if len(index):
            self.slacks.append(self.statement.slack(world)[index])


def evaluate_family(
    family: Family, seed: int, *, worlds: int = WORLDS, keys: Iterable[str] | None = None
) -> list[dict[str, Any]]:
    """Evaluate statements, and what is said in place of those that fail, in every world of a family.

    Parameters
    ----------
    family
        Whose worlds.
    seed
        The run's seed.
    worlds
        How many are to be admitted to each statement. Up to `PATIENCE` times as many are drawn; a
        statement that still has fewer is reported with what it has.
    keys
        Which statements; all that a world can contradict by default.

    Returns
    -------
    list of dict
        One row a form that at least one world is admitted to, with the keys `FAMILY_COLUMNS`: ``form``
        is ``stated``, ``conditioned`` (where the added condition holds) or ``corrected``. A world is
        admitted if it belongs to the family's regime and the statement speaks of it. For statements
        about risks the unit is that of the loss instead of nats.
    """
    regime = REGIMES[family.regime]
    tallies = []
    for statement in find_statements(JUDGED if keys is None else keys):
        tallies.append(_Tally(statement, "stated"))
        if statement.condition is not None and statement.condition.term is not None:
            tallies.append(_Tally(statement, "conditioned"))
        if (amended := statement.amended()) is not None:
            tallies.append(_Tally(amended, "corrected"))
    for first in range(0, PATIENCE * worlds, BLOCK):
        # Past the worlds asked for, only those are waited for that have turned up at all.
        pending = [t for t in tallies if sum(map(len, t.slacks)) < worlds and (first < worlds or t.slacks)]
        if not pending:
            break
        batch = draw(family, BLOCK, seed, first=first)
        member = regime.admits(batch)
        for tally in pending:
            admitted = member & tally.statement.applies(batch)
            if tally.form == "conditioned" and tally.statement.condition is not None:
                admitted &= tally.statement.condition.holds(batch)
            tally.add(batch, admitted, worlds)
    rows = []
    for tally in tallies:
        if tally.slacks:
            slack = np.concatenate(tally.slacks)
            violated = slack < -tally.statement.tolerance
            rows.append(
                {
                    "statement": tally.statement.label.removesuffix(" corrected").removesuffix(" charitable"),
                    "reading": tally.statement.reading,
                    "form": tally.form,
                    "family": family.name,
                    "regime": family.regime,
                    "worlds": len(slack),
                    "violated_share": float(violated.mean()),
                    "worst_violation_nats": float(-slack.min()) if violated.any() else 0.0,
                    "median_slack_nats": float(np.median(slack)),
                }
            )
    return rows


def refute(key: str, seed: int, *, restarts: int = 4, steps: int = 60) -> list[Refutation]:
    """Search a statement in every regime, and certify the smallest world that refutes it and the one that does so most.

    The candidates of a regime are what the search came to in it and in stricter ones, and the worlds of
    `ggmi.theory.known`.

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
    list of Refutation
        One a regime.
    """
    (statement,) = find_statements([key])
    found = search(statement, seed, restarts=restarts, steps=steps)
    made = [make() for make in known.MADE]
    results = []
    for regime in REGIMES.values():
        within = [f for k, f in found.items() if regime.covers(REGIMES[k])]
        worlds = [r.world for f in within for r in f.reached] + made
        proven = []
        for world in worlds:
            speaks = statement.applies(world).all() and regime.admits(world).all()
            if speaks and (statement.slack(world) < -statement.tolerance).all():
                stored = certificate(statement, regime, world)
                proven += [stored] if stored["verdict"] == "violated" else []
        tested, evaluated = sum(f.worlds for f in within), max((f.evaluated for f in within), default=0.0)
        smallest, worst = extremes(proven)
        results.append(Refutation(key, regime.key, tested, evaluated, smallest, worst))
    return results


def statements_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The table ``statements.csv``.

    Parameters
    ----------
    rows
        Of `evaluate_family`, of all families.

    Returns
    -------
    DataFrame
        Columns `FAMILY_COLUMNS`; statements in the order of the paper, families in the order of `rows`.
    """
    table = pd.DataFrame(rows, columns=list(FAMILY_COLUMNS))
    order = {(s.label, s.reading): i for i, s in enumerate(STATEMENTS.values())}
    place = [order[key] for key in zip(table["statement"], table["reading"], strict=True)]
    return table.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


def verdicts(rows: Sequence[Mapping[str, Any]], refutations: Sequence[Refutation]) -> pd.DataFrame:
    """One row a statement and regime: whether it holds there, and what is true instead.

    Parameters
    ----------
    rows
        Of `evaluate_family`, of all families.
    refutations
        Of all statements that were searched.

    Returns
    -------
    DataFrame
        Columns `VERDICT_COLUMNS`. ``verdict`` is ``holds``, ``fails``, ``by definition`` or
        ``assumption``. The worst violation is the certified one; what families and searches came to in
        floating point, on larger alphabets too, stands beside it.

    Raises
    ------
    AssertionError
        If a world contradicts a proof, a condition or a correction of ours.
    """
    by_key = {(r.statement, r.regime): r for r in refutations}
    table = pd.DataFrame(rows, columns=list(FAMILY_COLUMNS))
    result = []
    for statement in STATEMENTS.values():
        own = table[(table["statement"] == statement.label) & (table["reading"] == statement.reading)]
        assert not own[own["form"] != "stated"]["violated_share"].any(), f"an amendment of {statement.key} is false"
        own = own[own["form"] == "stated"]
        for regime in REGIMES.values():
            covered = own[np.array([regime.covers(REGIMES[key]) for key in own["regime"]], dtype=bool)]
            refutation = by_key.get((statement.key, regime.key), Refutation(statement.key, regime.key, 0))
            result.append(_verdict(statement, regime.key, covered, refutation))
    return pd.DataFrame(result, columns=list(VERDICT_COLUMNS))


def _verdict(statement: Statement, regime: str, covered: pd.DataFrame, refutation: Refutation) -> dict[str, Any]:
    """The row of one statement in one regime, from the families that the regime covers and its search."""
    evaluated = float(covered["worst_violation_nats"].max()) if len(covered) else 0.0
    proof, worlds = proof_in(statement.proofs, REGIMES[regime]), int(covered["worlds"].sum())
    return verdict_row(statement, regime, refutation, proof, admitted=worlds, evaluated=evaluated)
