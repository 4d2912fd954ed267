"""Search for the worst violation, and for the smallest: gradient ascent with restarts in every regime."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import autograd.numpy as anp
import numpy as np

from ggmi.exact.ascent import ascend
from ggmi.exact.simplify import SIMPLER, VIOLATION, WORST
from ggmi.exact.trees import parameter
from ggmi.random import stream
from ggmi.theory import terms
from ggmi.theory.laws import Array, Indices, Laws
from ggmi.theory.learners import layered_loss
from ggmi.theory.needs import UNSIGNED
from ggmi.theory.regimes import REGIMES, proof_in
from ggmi.theory.simplify import joint_states, simplify
from ggmi.theory.skeleton import ALLOWED, CURATIONS, Sizes, Skeleton, sketch
from ggmi.theory.statement import Statement
from ggmi.theory.world import World

# eta^L of the layers, and lambda's excess, in searches that try one.
LAYERS, EXCESS = Fraction(1, 4), Fraction(1)
# Starts whose violation is simplified in search of the worst, and of the smallest, in each regime.
CONTENDERS = 2
SMALL = Sizes(s=2, e=2, m=4, values=2, w=2, v=2, clusters=2)
LARGE = Sizes(s=3, e=3, m=4, values=2, w=3, v=2, clusters=2)
Logits = dict[str, Array]


@dataclass(frozen=True)
class Reached:
    """A world that violates a statement.

    Parameters
    ----------
    world
        A batch of one, with small fractions.
    violation
        Size of the violation, in nats (units of the loss for statements about risks).
    origin
        How it was come by.
    """

    world: World
    violation: float
    origin: str


@dataclass(frozen=True)
class Found:
    """What a search came to in one regime.

    Parameters
    ----------
    worlds
        Worlds of the regime that the statement speaks of and in which it was tested: all that the
        ascent passed through, not only where it ended.
    evaluated
        The largest violation among them, before any rounding; 0 if none exceeds `VIOLATION`.
    reached
        Violating worlds with small fractions: candidates for the smallest and for the worst.
    """

    worlds: int
    evaluated: float
    reached: tuple[Reached, ...]


@dataclass(frozen=True)
class Plan:
    """Alphabets and losses of one batch of starts.

    Parameters
    ----------
    sizes
        Alphabets.
    signed
        Whether losses lie in [-C, C].
    contraction
        eta^L of the layers that losses see their data through.
    lambda_excess
        How far lambda lies above the smallest.
    """

    sizes: Sizes = SMALL
    signed: bool = False
    contraction: Fraction = Fraction(1)
    lambda_excess: Fraction = Fraction(0)


def search(statement: Statement, seed: int, *, restarts: int = 4, steps: int = 60) -> dict[str, Found]:
    """Look for violations of a statement in every regime.

    Every curation that a regime allows, with independent factors and with dependent ones, gets its
    restarts, on small and on larger alphabets; all of a size ascend in one batch. Every world on the
    way that the statement speaks of is tested.

    Parameters
    ----------
    statement
        What to refute.
    seed
        The run's seed.
    restarts
        Starts of each structure.
    steps
        Steps of ascent.

    Returns
    -------
    dict
        By regime that the statement is not proven in, of the worlds that were built for it.
    """
    climbs = [_Ascent(statement, seed, restarts, plan) for plan in _plans(statement)]
    for climb in climbs:
        climb.run(steps)
    found = {}
    for key in unproven_regimes(statement):
        ends = [end for climb in climbs for end in climb.ends(key)]
        ends.sort(key=lambda end: -end[0])
        reached = []
        # The worst keep their violation; for the smallest the plainest structures come first.
        for keep, chosen in ((WORST, ends[:CONTENDERS]), (SIMPLER, _plainest(ends))):
            for _, world, origin in chosen:
                simple = simplify(statement, world, REGIMES[key], keep=keep)
                if simple is not None:
                    reached.append(Reached(simple, float(-statement.slack(simple)[0]), origin))
        worlds = sum(climb.tested(key) for climb in climbs)
        found[key] = Found(worlds, max((end[0] for end in ends), default=0.0), tuple(reached))
    return found


def unproven_regimes(statement: Statement) -> list[str]:
    """Regimes in which the statement has no proof, so that a search is worth its time."""
    return [key for key, regime in REGIMES.items() if not proof_in(statement.proofs, regime)]


def _plans(statement: Statement) -> Iterator[Plan]:
    """Small alphabets, then larger ones; signed and layered losses and a larger lambda where they matter."""
    yield Plan()
    leaves = statement.excess.leaves()
    if statement.needs_loss and UNSIGNED not in statement.needs:
        yield Plan(signed=True)
    else:
        yield Plan(LARGE)
    if parameter("contraction") in leaves or parameter("anchor contraction") in leaves:
        yield Plan(contraction=LAYERS)
    if parameter("lambda excess") in leaves:
        yield Plan(lambda_excess=EXCESS)


def _plainest(ends: Sequence[tuple[float, World, str]]) -> list[tuple[float, World, str]]:
    """The largest violation of each origin, fewest joint states first."""
    firsts: dict[str, tuple[float, World, str]] = {}
    for end in ends:
        firsts.setdefault(end[2], end)
    return sorted(firsts.values(), key=lambda end: joint_states(end[1]))[: 2 * CONTENDERS]


class _Climbing(Laws):
    """The laws of a batch of worlds whose tables can be differentiated."""

    xp = anp
    root_floor = 1e-12

    def __init__(self, world: World, tables: Mapping[str, Any], losses: Mapping[str, Any]) -> None:
        for name, table in tables.items():
            setattr(self, name, table)
        self.h, self.g, self.output = world.h, world.g, world.output
        self.samples, self.anchor_samples = world.samples, world.anchor_samples
        self._parameters = world.parameters
        self._losses = losses
        self._marginals: dict[str, Array] = {}

    @property
    def parameters(self) -> Mapping[str, Fraction]:
        """The world's parameters."""
        return self._parameters

    def losses(self, learner: str) -> Any:
        """Loss of W or of W' at every data value."""
        return self._losses[learner]


class _Ascent:
    """Logits of a batch of worlds, climbing a statement's excess with Adam."""

    def __init__(self, statement: Statement, seed: int, restarts: int, plan: Plan) -> None:
        self.statement = statement
        self.plan = plan
        generator = stream(seed, "theory", "search", statement.key, str(plan))
        sizes = plan.sizes
        # W' takes no part in most statements.
        if not any("W'" in leaf.args for leaf in statement.excess.leaves()):
            sizes = Sizes(**{**vars(sizes), "v": 1})
        parts: list[Skeleton] = []
        self.regimes: list[str] = []
        self.origins: list[str] = []
        self.searched = unproven_regimes(statement)
        for key in self.searched:
            for curation in ALLOWED[key]:
                for independent in (True, False):
                    parts.append(sketch(generator, restarts, sizes, key, curations=[curation], independent=independent))
                    self.regimes += [key] * restarts
                    factors = "independent" if independent else "dependent"
                    self.origins += [f"{factors} factors, curation: {CURATIONS[curation]}"] * restarts
        self.skeleton = _joined(parts)
        n = len(self.skeleton)
        shapes = {name: (n, *shape) for name, shape in self.skeleton.shapes(sizes).items()}
        if statement.needs_loss:
            z = max(sizes.s, sizes.y)
            shapes |= {"loss": (n, sizes.w, z), "anchor_loss": (n, sizes.v, z)}
        self.logits: Logits = {name: 1.5 * generator.standard_normal(shape) for name, shape in shapes.items()}
        self.best = {name: value.copy() for name, value in self.logits.items()}
        self.excess = np.full(n, -np.inf)
        regimes = np.array(self.regimes)
        self.members = {key: np.flatnonzero(regimes == key) for key in self.searched}
        self.counts = dict.fromkeys(self.searched, 0)

    def run(self, steps: int) -> None:
        """Ascend; test all worlds on the way."""
        ascend(self._total, self.logits, steps, self._record)

    def _total(self, logits: Mapping[str, Any]) -> Any:
        """Sum of all starts' excess: they do not touch one another, so its gradient is each one's own."""
        laws = _Climbing(self.current, *self._tables(logits, anp))
        return anp.sum(terms.evaluate(self.statement.excess, laws))

    def _tables(self, logits: Mapping[str, Any], xp: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        losses = {}
        for learner, name in (("W", "loss"), ("W'", "anchor_loss")):
            if name in logits:
                squashed = xp.tanh(logits[name])
                squashed = squashed if self.plan.signed else (squashed + 1) / 2
                losses[learner] = layered_loss(squashed, self.plan.contraction)
        return self.skeleton.tables(logits, xp), losses

    def world(self, logits: Mapping[str, Array], index: slice | Indices = slice(None)) -> World:
        """The worlds of some logits."""
        tables, losses = self._tables(logits, np)
        made = World(
            tables["anchor"],
            tables["prompt_factor"],
            tables["model_factor"],
            self.skeleton.h,
            self.skeleton.g,
            self.skeleton.output,
            tables["curation"],
            tables["learner"],
            tables["anchor_learner"],
            losses.get("W"),
            losses.get("W'"),
            sigma=Fraction(1) if self.plan.signed else Fraction(1, 2),
            contraction=self.plan.contraction,
            anchor_contraction=self.plan.contraction,
            lambda_excess=self.plan.lambda_excess,
        )
        return made[index]

    def _record(self) -> None:
        """Count the worlds that count, and keep the logits where a start is at its worst."""
        self.current = self.world(self.logits)
        # A skeleton keeps its worlds in their regime; what violates is checked once more when it is simplified.
        admitted = self.statement.applies(self.current)
        for key, members in self.members.items():
            self.counts[key] += int(admitted[members].sum())
        excess = np.where(admitted, -self.statement.slack(self.current), -np.inf)
        better = excess > self.excess
        self.excess[better] = excess[better]
        for name, value in self.best.items():
            value[better] = self.logits[name][better]

    def tested(self, regime: str) -> int:
        """Worlds tested that were built for a regime."""
        return self.counts[regime]

    def ends(self, regime: str) -> list[tuple[float, World, str]]:
        """Violating worlds of a regime, the worst of each start."""
        hits = [i for i in np.flatnonzero(self.excess > VIOLATION) if self.regimes[i] == regime]
        if not hits:
            return []
        worst = self.world(self.best, np.array(hits))
        return [(float(self.excess[i]), worst[j : j + 1], self.origins[i]) for j, i in enumerate(hits)]


def _joined(parts: Sequence[Skeleton]) -> Skeleton:
    """One batch of several."""
    names = Skeleton.__dataclass_fields__
    return Skeleton(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
