"""Search for the worst violation: gradient ascent with restarts, then small supports and small fractions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ggmi.random import stream
from ggmi.theory import terms
from ggmi.theory.families import additive
from ggmi.theory.learners import deterministic
from ggmi.theory.statement import ADDITIVE_CURATION, DETERMINISTIC_CURATION, INDEPENDENT, TOLERANCE, Statement
from ggmi.theory.terms import Term
from ggmi.theory.world import FREE, LETTERS, Array, Indices, World

# Plainest first: a counterexample that needs fewer ingredients says more.
CURATIONS = ("none", "deterministic", "additive", "random")
STRUCTURES = tuple((f, c) for f in ("independent", "dependent") for c in CURATIONS)
FREE_LETTERS = "".join(LETTERS[n] for n in FREE)
LEARNING_RATE = 0.15
DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 48)
# A simpler world may give up this share of the violation.
GIVE_UP = 0.5


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Parameters
    ----------
    statement
        What was searched.
    worlds
        Worlds evaluated.
    world
        The simplified worst violation, one world with small fractions; None where none was found.
    violation
        Its size, in nats (units of the loss for statements about risks).
    continuous
        The violation that the ascent reached before simplification.
    structure
        Factors and curation of the world.
    """

    statement: Statement
    worlds: int
    world: World | None
    violation: float
    continuous: float
    structure: tuple[str, str] | None


def search(statement: Statement, seed: int, *, restarts: int = 24, steps: int = 120) -> Found:
    """Look for the worst violation of a statement.

    Every combination of factors (independent, dependent) and curation (none, a map, additive
    noise, a channel) that the statement admits gets its restarts; all ascend in one batch. The
    plainest combination with a violation is simplified and returned.

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
    worlds = 0
    for large, signed in _plans(statement):
        ascent = _Ascent(statement, seed, restarts, large=large, signed=signed)
        if not len(ascent.kinds):
            continue
        batch = ascent.climb(steps)
        worlds += len(batch) * (steps + 1)
        excess = np.where(statement.admits(batch), -statement.slack(batch), -np.inf)
        for structure, label in enumerate(STRUCTURES):
            mine = np.flatnonzero((ascent.kinds == structure) & (excess > 1e3 * TOLERANCE))
            for best in mine[np.argsort(-excess[mine], kind="stable")][:3]:
                simple = simplify(statement, batch[best : best + 1])
                if simple is not None:
                    violation = float(-statement.slack(simple)[0])
                    return Found(statement, worlds, simple, violation, float(excess[best]), label)
    return Found(statement, worlds, None, 0.0, 0.0, None)


def _plans(statement: Statement) -> Iterator[tuple[bool, bool]]:
    """Small alphabets first, then larger ones; signed losses last, where there are losses."""
    yield False, False
    yield True, False
    if statement.needs_loss:
        yield False, True


class _Ascent:
    """Logits of a batch of worlds, climbing a statement's excess with Adam."""

    def __init__(self, statement: Statement, seed: int, restarts: int, *, large: bool, signed: bool) -> None:
        self.statement = statement
        self.signed = signed
        generator = stream(seed, "theory", "search", statement.key, int(large), int(signed))
        f = 3 if large else 2
        s = 3 if large or statement.needs_loss else 2
        w = 3 if large else 2
        v = 2 if any("W'" in leaf.args for leaf in statement.excess.leaves()) else 1
        kinds = np.repeat(np.arange(len(STRUCTURES)), restarts)
        n = len(kinds)
        self.h = generator.integers(0, f, (n, f))
        self.g = generator.integers(0, f, (n, f))
        # The first half counts: h and g one-to-one, the natural case.
        self.h[::2] = self.g[::2] = np.arange(f)
        k = 2 * f - 1
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
        # The structure decides what is admitted; screened worlds have measure zero and are not climbed to.
        self._keep(np.flatnonzero(statement.admits(self.world())))

    def _keep(self, index: Indices) -> None:
        self.logits = {name: value[index] for name, value in self.logits.items()}
        self.h, self.g, self.maps, self.kinds = self.h[index], self.g[index], self.maps[index], self.kinds[index]

    @property
    def _independent(self) -> NDArray[np.bool_]:
        return self.kinds < len(CURATIONS)

    def world(self) -> World:
        """The worlds at the present logits."""
        tables = {name: _softmax(value) for name, value in self.logits.items() if "loss" not in name}
        model = np.where(self._independent[:, None, None], tables["model_factor"][:, :1], tables["model_factor"])
        k = tables["channel"].shape[1]
        curation = np.array(tables["channel"])
        which = self.kinds % len(CURATIONS)
        curation[which == 0] = np.eye(k, k + 1)
        curation[which == 1] = self.maps[which == 1]
        curation[which == 2] = additive(tables["noise"][which == 2], k, cyclic=False)
        losses = {name: np.tanh(value) for name, value in self.logits.items() if "loss" in name}
        if not self.signed:
            losses = {name: (value + 1) / 2 for name, value in losses.items()}
        return World(
            tables["anchor"],
            tables["prompt_factor"],
            model,
            self.h,
            self.g,
            self.h[:, :, None] + self.g[:, None, :],
            curation,
            tables["learner"],
            tables["anchor_learner"],
            losses.get("loss"),
            losses.get("anchor_loss"),
            sigma=Fraction(1) if self.signed else Fraction(1, 2),
        )

    def climb(self, steps: int) -> World:
        """Ascend and return the last worlds."""
        first = {name: np.zeros_like(value) for name, value in self.logits.items()}
        second = {name: np.zeros_like(value) for name, value in self.logits.items()}
        for step in range(1, steps + 1):
            slopes = self._slopes(self.world())
            for name, slope in slopes.items():
                first[name] = 0.9 * first[name] + 0.1 * slope
                second[name] = 0.99 * second[name] + 0.01 * slope**2
                mean = first[name] / (1 - 0.9**step)
                scale = np.sqrt(second[name] / (1 - 0.99**step)) + 1e-6
                self.logits[name] += LEARNING_RATE * mean / scale
                # Beyond this a probability is nil and its gradient too.
                np.clip(self.logits[name], -25, 25, out=self.logits[name])
        return self.world()

    def _slopes(self, world: World) -> dict[str, Array]:
        """Gradient of the excess with respect to every logit."""
        slopes = terms.gradient(self.statement.excess, world)
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
            result[name] = slope * (1 - tanh**2) * (1.0 if self.signed else 0.5)
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


def simplify(statement: Statement, world: World) -> World | None:
    """Make a violating world small: round to the coarsest fractions, then thin the supports out.

    Parameters
    ----------
    statement
        What it violates.
    world
        One world.

    Returns
    -------
    World or None
        A world of the same structure that keeps a fair share of the violation; None if no rounding
        keeps it a violation.
    """
    kept = [a for a in (INDEPENDENT, DETERMINISTIC_CURATION, ADDITIVE_CURATION) if a.holds(world)[0]]
    start = float(-statement.slack(world)[0])

    def score(candidate: World) -> float:
        if not statement.admits(candidate)[0] or not all(a.holds(candidate)[0] for a in kept):
            return -np.inf
        return float(-statement.slack(candidate)[0])

    floor = GIVE_UP * start
    rounded = [_rounded(world, d) for d in DENOMINATORS]
    scores = [score(r) for r in rounded]
    good = [i for i, value in enumerate(scores) if value >= floor]
    if not good:
        good = [int(np.argmax(scores))]
        if scores[good[0]] <= 1e3 * TOLERANCE:
            return None
    current, value = rounded[good[0]], scores[good[0]]
    floor = min(floor, GIVE_UP * value)
    while True:
        trials = [(score(t), t) for t in _thinner(current)]
        trials = [(v, t) for v, t in trials if v >= floor]
        if not trials:
            return current
        value, current = max(trials, key=lambda pair: pair[0])


def _rounded(world: World, denominator: int) -> World:
    """The world with all rows rounded to multiples of 1/denominator (largest remainders)."""
    tables = {name: _round_rows(table, denominator) for name, table in world.tables().items()}
    for name in ("loss", "anchor_loss"):
        if (table := getattr(world, name)) is not None:
            tables[name] = np.round(table * denominator) / denominator
    return _replaced(world, tables)


def _replaced(world: World, tables: Mapping[str, Array]) -> World:
    """The world with some tables exchanged."""
    return replace(world, **dict[str, Any](tables))


def _round_rows(table: Array, denominator: int) -> Array:
    """Rows that sum to one in multiples of 1/denominator."""
    scaled = table * denominator
    units = np.floor(scaled + 1e-9)
    missing = np.round(denominator - units.sum(axis=-1, keepdims=True))
    rank = np.argsort(np.argsort(-(scaled - units), axis=-1, kind="stable"), axis=-1, kind="stable")
    return (units + (rank < missing)) / denominator


def _thinner(world: World) -> Iterator[World]:
    """Worlds with one row of one table on fewer symbols: a point mass in place of a spread row."""
    independent = INDEPENDENT.holds(world)[0]
    additive_noise = ADDITIVE_CURATION.holds(world)[0]
    for name, table in world.tables().items():
        if name == "curation" and additive_noise:
            continue
        rows = table[0].reshape(-1, table.shape[-1])
        groups = [list(range(len(rows)))] if name == "model_factor" and independent else [[i] for i in range(len(rows))]
        for group in groups:
            support = np.flatnonzero(rows[group[0]])
            for symbol in support if len(support) > 1 else ():
                changed = rows.copy()
                changed[group] = np.eye(rows.shape[1])[symbol]
                yield _replaced(world, {name: changed.reshape(table.shape)})
