"""Search for the worst violation, and for the smallest: gradient ascent with restarts from every structure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ggmi.random import stream
from ggmi.theory import terms
from ggmi.theory.families import additive
from ggmi.theory.learners import deterministic, layered_loss
from ggmi.theory.simplify import SIMPLER, VIOLATION, WORST, joint_states, simplify
from ggmi.theory.statement import LOSS_UNSIGNED, Flags, Statement
from ggmi.theory.terms import Term, parameter
from ggmi.theory.world import FREE, LETTERS, Array, Indices, World

# Plainest first: a counterexample that needs fewer ingredients says more.
CURATIONS = ("none", "deterministic", "additive", "random")
STRUCTURES = tuple((f, c) for f in ("independent", "dependent") for c in CURATIONS)
FREE_LETTERS = "".join(LETTERS[n] for n in FREE)
LEARNING_RATE = 0.15
# eta^L of the layers in searches that let a loss see its data through any.
LAYERS = Fraction(1, 4)
# Starts whose violation is simplified in search of the worst.
CONTENDERS = 3


@dataclass(frozen=True)
class Reached:
    """A world that violates a statement.

    Parameters
    ----------
    world
        A batch of one, with small fractions.
    violation
        Size of the violation, in nats (units of the loss for statements about risks).
    structure
        Factors, curation and sum of the world that was searched.
    """

    world: World
    violation: float
    structure: str


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Parameters
    ----------
    worlds
        Worlds that meet the statement's assumptions and in which it was tested: all that the ascent
        passed through, not only where it ended.
    evaluated
        The largest violation among them, before any rounding; 0 if none exceeds `VIOLATION`.
    smallest
        The violating world of fewest joint states, and the plainest of these, over one for each
        structure; None where none was found or none survived rounding.
    worst
        The largest violation that survived rounding, over all structures and alphabets.
    """

    worlds: int
    evaluated: float
    smallest: Reached | None
    worst: Reached | None


@dataclass(frozen=True)
class Plan:
    """Alphabets and losses of one batch of starts.

    Parameters
    ----------
    large
        Whether factors and parameters have three symbols instead of two.
    signed
        Whether losses lie in [-C, C].
    contraction
        eta^L of the layers that the loss sees its data through.
    """

    large: bool = False
    signed: bool = False
    contraction: Fraction = Fraction(1)


def search(statement: Statement, seed: int, *, restarts: int = 24, steps: int = 120) -> Found:
    """Look for the worst and for the smallest violation of a statement.

    Every combination of factors (independent, dependent) and curation (none, a map, additive
    noise, a channel) that the statement admits gets its restarts, some of them with a sum modulo the
    alphabet's size, on small and on larger alphabets; all of a size ascend in one batch. Every
    world on the way that meets the assumptions is tested.

    Parameters
    ----------
    statement
        What to refute.
    seed
        The run's seed.
    restarts
        Starts for each combination.
    steps
        Steps of ascent.

    Returns
    -------
    Found
    """
    worlds, evaluated = 0, 0.0
    reached: list[tuple[float, World, str]] = []
    smallest: list[Reached] = []
    for plan in _plans(statement):
        ascent = _Ascent(statement, seed, restarts, plan)
        if not len(ascent.kinds):
            continue
        batch = ascent.climb(steps)
        worlds += ascent.tested
        violating = np.flatnonzero(ascent.excess > VIOLATION)
        order = violating[np.argsort(-ascent.excess[violating], kind="stable")]
        ends = [(float(ascent.excess[i]), batch[i : i + 1], ascent.structure(i)) for i in order]
        evaluated = max([evaluated, *(excess for excess, _, _ in ends[:1])])
        reached += ends[:CONTENDERS]
        if not smallest:
            kinds = ascent.kinds[order]
            firsts = [np.flatnonzero(kinds == kind)[0] for kind in np.unique(kinds)]
            smallest = _simplified(statement, [ends[i] for i in firsts], SIMPLER)
    reached.sort(key=lambda end: -end[0])
    worst = _simplified(statement, reached[:CONTENDERS], WORST)
    return Found(
        worlds,
        evaluated,
        min(smallest, key=lambda r: joint_states(r.world), default=None),
        max(worst, key=lambda r: round(r.violation, 9), default=None),
    )


def _plans(statement: Statement) -> Iterator[Plan]:
    """Small alphabets first, then larger ones; signed and layered losses last, where they matter."""
    yield Plan()
    yield Plan(large=True)
    leaves = statement.excess.leaves()
    if statement.needs_loss and LOSS_UNSIGNED not in statement.assumptions:
        yield Plan(signed=True)
    if parameter("contraction") in leaves:
        yield Plan(contraction=LAYERS)


def _simplified(statement: Statement, ends: Sequence[tuple[float, World, str]], keep: float) -> list[Reached]:
    """The worlds in small fractions, without those that no rounding keeps a violation."""
    result = []
    for _, world, structure in ends:
        simple = simplify(statement, world, keep=keep)
        if simple is not None:
            result.append(Reached(simple, float(-statement.slack(simple)[0]), structure))
    return result


class _Ascent:
    """Logits of a batch of worlds, climbing a statement's excess with Adam.

    After `climb`, `tested` is the number of worlds passed that met the assumptions and `excess` the
    largest excess of each start among them, shape (B,), -inf where none did.
    """

    def __init__(self, statement: Statement, seed: int, restarts: int, plan: Plan) -> None:
        self.statement = statement
        self.plan = plan
        self.tested = 0
        generator = stream(seed, "theory", "search", statement.key, str(plan))
        f = 3 if plan.large else 2
        s = 3 if plan.large or statement.needs_loss else 2
        w = 3 if plan.large else 2
        v = 2 if any("W'" in leaf.args for leaf in statement.excess.leaves()) else 1
        kinds = np.repeat(np.arange(len(STRUCTURES)), restarts)
        n = len(kinds)
        start = np.arange(n)
        self.h = generator.integers(0, f, (n, f))
        self.g = generator.integers(0, f, (n, f))
        # Every second start counts: h and g one-to-one, the natural case.
        self.h[::2] = self.g[::2] = np.arange(f)
        k = 2 * f - 1
        # A quarter, with maps of either kind, sums modulo the factors' alphabet.
        self.moduli = np.where(np.isin(start % 8, (3, 6)), f, k)
        self.maps = deterministic(generator.integers(0, k, (n, k)), k + 1)
        z = max(s, k + 1)
        shapes = {
            "anchor": (n, s),
            "prompt_factor": (n, s, f),
            "model_factor": (n, f, f),
            "noise": (n, 2),
            "channel": (n, k, k + 1),
            "learner": (n, k + 1, w),
            "anchor_learner": (n, s, v),
        }
        if statement.needs_loss:
            shapes |= {"loss": (n, w, z), "anchor_loss": (n, v, z)}
        self.logits = {name: 1.5 * generator.standard_normal(shape) for name, shape in shapes.items()}
        self.kinds = kinds
        # Structure and maps decide whether a start can meet the assumptions, but for terms that can be followed.
        first = self.world(self.logits)
        possible = [a.holds(first) for a in statement.assumptions if a.term is None]
        self._keep(np.flatnonzero(np.all(possible, axis=0)) if possible else start)
        self.excess = np.full(len(self.kinds), -np.inf)

    def _keep(self, index: Indices) -> None:
        self.logits = {name: value[index] for name, value in self.logits.items()}
        for name in ("h", "g", "maps", "kinds", "moduli"):
            setattr(self, name, getattr(self, name)[index])

    def structure(self, index: int) -> str:
        """Factors, curation and sum of one start, in words."""
        factors, curation = STRUCTURES[self.kinds[index]]
        modulo = f", sum modulo {self.moduli[index]}" if self.moduli[index] < self.maps.shape[1] else ""
        layered = f", layers contracting to {self.plan.contraction}" if self.plan.contraction < 1 else ""
        return f"{factors} factors, {'no' if curation == 'none' else curation} curation{modulo}{layered}"

    @property
    def _independent(self) -> NDArray[np.bool_]:
        return self.kinds < len(CURATIONS)

    def world(self, logits: Mapping[str, Array]) -> World:
        """The worlds of some logits."""
        tables = {name: _softmax(value) for name, value in logits.items() if "loss" not in name}
        model = np.where(self._independent[:, None, None], tables["model_factor"][:, :1], tables["model_factor"])
        k = tables["channel"].shape[1]
        curation = np.array(tables["channel"])
        which = self.kinds % len(CURATIONS)
        curation[which == 0] = np.eye(k, k + 1)
        curation[which == 1] = self.maps[which == 1]
        curation[which == 2] = additive(tables["noise"][which == 2], k, cyclic=False)
        losses = {name: np.tanh(value) for name, value in logits.items() if "loss" in name}
        if not self.plan.signed:
            losses = {name: (value + 1) / 2 for name, value in losses.items()}
        losses = {name: layered_loss(value, self.plan.contraction) for name, value in losses.items()}
        return World(
            tables["anchor"],
            tables["prompt_factor"],
            model,
            self.h,
            self.g,
            (self.h[:, :, None] + self.g[:, None, :]) % self.moduli[:, None, None],
            curation,
            tables["learner"],
            tables["anchor_learner"],
            losses.get("loss"),
            losses.get("anchor_loss"),
            sigma=Fraction(1) if self.plan.signed else Fraction(1, 2),
            contraction=self.plan.contraction,
        )

    def climb(self, steps: int) -> World:
        """Ascend and return the worst world of each start; test all on the way."""
        first = {name: np.zeros_like(value) for name, value in self.logits.items()}
        second = {name: np.zeros_like(value) for name, value in self.logits.items()}
        best = {name: value.copy() for name, value in self.logits.items()}
        for step in range(1, steps + 2):
            world = self.world(self.logits)
            admitted = self.statement.admits(world)
            self._record(world, admitted, best)
            if step > steps:
                break
            slopes = self._slopes(world, admitted)
            for name, slope in slopes.items():
                first[name] = 0.9 * first[name] + 0.1 * slope
                second[name] = 0.99 * second[name] + 0.01 * slope**2
                mean = first[name] / (1 - 0.9**step)
                scale = np.sqrt(second[name] / (1 - 0.99**step)) + 1e-6
                self.logits[name] += LEARNING_RATE * mean / scale
                # Beyond this a probability is nil and its gradient too.
                np.clip(self.logits[name], -25, 25, out=self.logits[name])
        return self.world(best)

    def _record(self, world: World, admitted: Flags, best: dict[str, Array]) -> None:
        """Count the worlds that count, and keep the logits where a start is at its worst."""
        self.tested += int(admitted.sum())
        excess = np.where(admitted, -self.statement.slack(world), -np.inf)
        better = excess > self.excess
        self.excess[better] = excess[better]
        for name, value in best.items():
            value[better] = self.logits[name][better]

    def _slopes(self, world: World, admitted: Flags) -> dict[str, Array]:
        """Gradient with respect to every logit: of the excess, or of what leads back to the assumptions."""
        slopes = terms.gradient(self.statement.excess, world)
        if not admitted.all():
            slopes = {leaf: slope * admitted for leaf, slope in slopes.items()}
            for assumption in self.statement.assumptions:
                if assumption.term is None:
                    continue
                unmet = ~assumption.holds(world)
                for leaf, slope in terms.gradient(assumption.term, world).items():
                    slopes[leaf] = slopes.get(leaf, 0.0) - slope * unmet
        pull, loss_slopes = _pull(slopes, world)
        weight = world.joint() * pull
        scopes = {
            "anchor": "s",
            "prompt_factor": "se",
            "model_factor": "em",
            "learner": "yw",
            "anchor_learner": "sv",
        }
        result = {}
        for name, letters in scopes.items():
            result[name] = _softmax_slope(np.einsum(f"z{FREE_LETTERS}->z{letters}", weight), getattr(world, name))
        mask = self._independent
        result["model_factor"][mask, 0] = result["model_factor"][mask].sum(axis=1)
        result["model_factor"][mask, 1:] = 0
        onehot = (world.output[..., None] == np.arange(world.curation.shape[1])).astype(float)
        cell = np.einsum("zemy,zemk->zky", np.einsum(f"z{FREE_LETTERS}->zemy", weight), onehot)
        result["channel"] = _softmax_slope(cell, world.curation)
        rows = np.arange(cell.shape[1])
        noise = np.stack([cell[:, rows, rows + shift].sum(axis=1) for shift in (0, 1)], axis=1)
        result["noise"] = _softmax_slope(noise, _softmax(self.logits["noise"]))
        for name, slope in loss_slopes.items():
            tanh = np.tanh(self.logits[name])
            # The layers' map is its own transpose.
            through = layered_loss(slope, self.plan.contraction)
            result[name] = through * (1 - tanh**2) * (1.0 if self.plan.signed else 0.5)
        return result


def _pull(slopes: dict[Term, Array], world: World) -> tuple[Array, dict[str, Array]]:
    """Derivative with respect to each joint state's probability, and to each loss."""
    pull = np.zeros_like(world.joint())
    losses: dict[str, Array] = {}
    for leaf, slope in slopes.items():
        if leaf.op == "parameter":
            continue
        if leaf.op == "H":
            law = world.marginal(leaf.args)
            local = np.where(law > 0, -np.log(np.where(law > 0, law, 1.0)) - 1, 0.0)
            pull += _spread(_scaled(local, slope), leaf.args, world)
            continue
        if leaf.op == "tv":
            size = max(world.sizes[n] for n in leaf.args)
            sign = 0.5 * np.sign(world.data_law(leaf.args[0], size) - world.data_law(leaf.args[1], size))
            for name, side in zip(leaf.args, (sign, -sign), strict=True):
                pull += _spread(_scaled(side[:, : world.sizes[name]], slope), (name,), world)
            continue
        data, learner = leaf.args
        table = terms.loss_table(world, learner)
        key = "loss" if learner == "W" else "anchor_loss"
        used = table[:, :, : world.sizes[data]]
        if leaf.op == "training":
            law = world.marginal((learner, data))
            pull += _spread(_scaled(used, slope), (learner, data), world)
        else:
            parameters, values = world.marginal((learner,)), world.marginal((data,))
            law = parameters[:, :, None] * values[:, None, :]
            pull += _spread(_scaled(np.einsum("zwx,zx->zw", used, values), slope), (learner,), world)
            pull += _spread(_scaled(np.einsum("zwx,zw->zx", used, parameters), slope), (data,), world)
        losses.setdefault(key, np.zeros_like(table))[:, :, : law.shape[2]] += _scaled(law, slope)
    return pull, losses


def _scaled(table: Array, slope: Array) -> Array:
    return table * slope.reshape(-1, *[1] * (table.ndim - 1))


def _spread(table: Array, names: tuple[str, ...], world: World) -> Array:
    """Write a function of some variables as a function of the free ones, with axes ready to broadcast."""
    letters = "".join(LETTERS[n] for n in names)
    for derived, index, parents in (("a", world.h, "e"), ("b", world.g, "m"), ("k", world.output, "em")):
        if derived in letters:
            size = table.shape[letters.index(derived) + 1]
            onehot = (index[..., None] == np.arange(size)).astype(float)
            kept = letters.replace(derived, "")
            target = kept + "".join(p for p in parents if p not in kept)
            table = np.einsum(f"z{letters},z{parents}{derived}->z{target}", table, onehot)
            letters = target
    ordered = "".join(c for c in FREE_LETTERS if c in letters)
    table = np.einsum(f"z{letters}->z{ordered}", table)
    sizes = iter(table.shape[1:])
    return table.reshape(len(table), *(next(sizes) if c in ordered else 1 for c in FREE_LETTERS))


def _softmax(logits: Array) -> Array:
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def _softmax_slope(cell: Array, table: Array) -> Array:
    """Gradient with respect to logits, given the summed weight of every cell of a table."""
    return cell - table * cell.sum(axis=-1, keepdims=True)
