"""Refute statements: random chains of every regime, ascent to the worst violation, certificates, verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
import pandas as pd

from ggmi.exact.ascent import ascend
from ggmi.exact.simplify import SIMPLER, VIOLATION, WORST, rounded_rows, simplify, thinned_rows
from ggmi.exact.statement import Array, Statement
from ggmi.exact.verdicts import VERDICT_COLUMNS, Refutation, extremes, verdict_row
from ggmi.random import stream
from ggmi.slow_thinking import known
from ggmi.slow_thinking.catalogue import STATEMENTS, find_statement
from ggmi.slow_thinking.certify import certificate
from ggmi.slow_thinking.chains import ChainLaws, Chains
from ggmi.slow_thinking.families import draw, kind_of, random_logits, tables_of, values
from ggmi.slow_thinking.regimes import REGIMES, proof_in

# Ends of an ascent that are simplified, for the worst and for the smallest.
CONTENDERS = 2


@dataclass(frozen=True)
class Outcome:
    """What random chains and the search say of a statement in a regime.

    Parameters
    ----------
    refutation
        What came of searching it.
    admitted
        Random chains of the regime that the statement speaks of.
    evaluated
        The largest violation among them.
    amended
        The largest violation of the condition's or the correction's claim among them; positive is a
        mistake of ours.
    """

    refutation: Refutation
    admitted: int
    evaluated: float
    amended: float


class _Climbing(ChainLaws):
    """The laws of a batch of chains whose tables can be differentiated."""

    xp = anp

    def __init__(self, world: Chains, tables: Mapping[str, Any]) -> None:
        for name, table in tables.items():
            setattr(self, name, table)
        self.right, self.width, self.growth = world.right, world.width, world.growth
        self._joint = []


class _Ascent:
    """Logits of a batch of chains of one regime, climbing a statement's excess."""

    def __init__(self, statement: Statement, regime: str, seed: int, restarts: int) -> None:
        self.statement, self.regime, self.kind = statement, regime, kind_of(statement)
        generator = stream(seed, "slow thinking", "search", statement.key, regime)
        # Half of the starts have values that thoughts share.
        self.logits = random_logits(generator, 2 * restarts, 1.5)
        self.values = values(2 * restarts, statement)
        self.best = {name: value.copy() for name, value in self.logits.items()}
        self.excess = np.full(2 * restarts, -np.inf)
        self.tested = 0
        self.current = self._chains(self.logits)

    def _chains(self, logits: Mapping[str, Array]) -> Chains:
        right = self.values["thought_values"][:, :, None] == self.values["step_values"][:, None, :]
        return Chains(**tables_of(logits, right.astype(float), self.regime, self.kind), **self.values)

    def total(self, logits: Mapping[str, Any]) -> Any:
        """Sum of all starts' excess: they do not touch one another, so its gradient is each one's own."""
        tables = tables_of(logits, self.current.right, self.regime, self.kind, anp)
        return anp.sum(_Climbing(self.current, tables).value(self.statement.excess))

    def record(self) -> None:
        """Count the chains that count, and keep the logits where a start is at its worst."""
        self.current = self._chains(self.logits)
        admitted = self.statement.applies(self.current) & REGIMES[self.regime].admits(self.current)
        self.tested += int(admitted.sum())
        excess = np.where(admitted, -self.statement.slack(self.current), -np.inf)
        better = excess > self.excess
        self.excess[better] = excess[better]
        for name, value in self.best.items():
            value[better] = self.logits[name][better]

    def ends(self) -> Iterator[Chains]:
        """Violating chains, the worst first."""
        worst = self._chains(self.best)
        for i in np.argsort(-self.excess, kind="stable"):
            if self.excess[i] > VIOLATION:
                yield worst[i : i + 1]


def _rounded(world: Chains, denominator: int) -> dict[str, Array]:
    return {name: rounded_rows(table, denominator) for name, table in world.tables().items()}


def _thinner(world: Chains) -> Iterator[dict[str, Array]]:
    for name, table in world.tables().items():
        for thinned in thinned_rows(table):
            yield {name: thinned}


def refute(key: str, seed: int, *, worlds: int = 1000, restarts: int = 4, steps: int = 60) -> list[Outcome]:
    """Search a statement in every regime, and certify the smallest chain that refutes it and the one that does so most.

    The candidates of a regime are what the search came to in it and in stricter ones, and the chains
    of `ggmi.slow_thinking.known`.

    Parameters
    ----------
    key
        The statement's.
    seed
        The run's seed.
    worlds
        Random chains of each regime.
    restarts, steps
        Starts of the search, twice as many, in each regime without a proof, and steps of ascent.

    Returns
    -------
    list of Outcome
        One a regime.
    """
    statement = find_statement(key)
    reached: dict[str, list[Chains]] = {}
    tested, climbed = dict.fromkeys(REGIMES, 0), dict.fromkeys(REGIMES, 0.0)
    for name, regime in REGIMES.items():
        reached[name] = []
        # What depends on no table cannot be climbed.
        if not proof_in(statement.proofs, regime) and any(x.op != "log" for x in statement.excess.leaves()):
            ascent = _Ascent(statement, name, seed, restarts)
            ascend(ascent.total, ascent.logits, steps, ascent.record)
            tested[name], climbed[name] = ascent.tested, max(0.0, float(ascent.excess.max()))
            ends = list(ascent.ends())[:CONTENDERS]
            found = [simplify(statement, e, regime, _rounded, _thinner, keep=k) for e in ends for k in (WORST, SIMPLER)]
            reached[name] = [world for world in found if world is not None]
    made = [make() for make in known.MADE]
    drawn = {name: _evaluated(statement, name, seed, worlds) for name in REGIMES}
    outcomes = []
    for name, regime in REGIMES.items():
        within = [key for key, other in REGIMES.items() if regime.covers(other)]
        proven = []
        for world in [*(w for key in within for w in reached[key]), *made]:
            speaks = statement.applies(world).all() and regime.admits(world).all()
            if speaks and (statement.slack(world) < -statement.tolerance).all():
                stored = certificate(statement, regime, world)
                proven += [stored] if stored["verdict"] == "violated" else []
        evaluated = max(climbed[key] for key in within)
        refutation = Refutation(key, name, sum(tested[key] for key in within), evaluated, *extremes(proven))
        admitted, worst, amended = zip(*(drawn[key] for key in within), strict=True)
        outcomes.append(Outcome(refutation, sum(admitted), max(worst), max(amended)))
    return outcomes


def _evaluated(statement: Statement, regime: str, seed: int, worlds: int) -> tuple[int, float, float]:
    """Random chains that count, the statement's worst violation, and that of what is said in its place."""
    batch = draw(statement, regime, seed, worlds)
    admitted = REGIMES[regime].admits(batch) & statement.applies(batch)
    if not admitted.any():
        return 0, 0.0, 0.0
    batch = batch[np.flatnonzero(admitted)]
    slack, amended = statement.slack(batch), 0.0
    if statement.correction is not None and (correct := statement.amended()) is not None:
        amended = max(amended, -float(correct.slack(batch).min()))
    condition = statement.condition
    if condition is not None and condition.term is not None:
        meets = condition.holds(batch)
        amended = max(amended, -float(np.min(slack, where=meets, initial=0.0)))
    worst = -float(slack.min())
    return len(batch), max(0.0, worst - statement.tolerance), max(0.0, amended - statement.tolerance)


def verdicts(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """One row a statement and regime: whether it holds there, and what is true instead.

    Parameters
    ----------
    outcomes
        Of `refute`, of all statements that a world can contradict.

    Returns
    -------
    DataFrame
        Columns `VERDICT_COLUMNS`, as of the theory study. Violations of statements about probabilities
        are probabilities, of those about information nats.

    Raises
    ------
    AssertionError
        If a chain contradicts a proof, a condition or a correction of ours.
    """
    by_key = {(o.refutation.statement, o.refutation.regime): o for o in outcomes}
    rows = []
    for key, statement in STATEMENTS.items():
        for name, regime in REGIMES.items():
            outcome = by_key.get((key, name), Outcome(Refutation(key, name, 0), 0, 0.0, 0.0))
            assert not outcome.amended, f"an amendment of {key} is false in {name}"
            proof = proof_in(statement.proofs, regime)
            evaluated, refutation = outcome.evaluated, outcome.refutation
            rows.append(verdict_row(statement, name, refutation, proof, admitted=outcome.admitted, evaluated=evaluated))
    return pd.DataFrame(rows, columns=list(VERDICT_COLUMNS))
