"""All small worlds there are, to prove that a counterexample has the fewest states.

S_anchor, e_p and e_M are bits, h and g are one-to-one onto {0, 1} (without loss of generality the
identity, by naming the symbols of e_p and e_M), and every row of every table that can be reached is
certain or fair. Symbols of S_gen, W and W' are numbered as they appear, since nothing but added noise
depends on their names. Losses are the worst there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from ggmi.theory.laws import Array
from ggmi.theory.regimes import regimes_of
from ggmi.theory.statement import Statement
from ggmi.theory.world import World

MOST_STATES = 4
# Values that added noise takes, so that shifts by p of either sign are among them.
NOISE = 3
BATCH = 4000
# Regimes that worlds of either class can belong to. Those of added noise count in the wider regimes too, where
# their values, on which losses depend, are named in ways that numbering them as they appear leaves out.
REGIMES_ADDED = ("declared", "without_4.1", "chains_only", "structure")
REGIMES_ANY = ("chains_only", "structure")

# A path through the world: symbols of S_anchor, e_p, e_M, S_gen, W, W' so far, and how often it was halved.
Path = tuple[int, ...]
Paths = tuple[tuple[Path, int], ...]


@dataclass(frozen=True)
class Step:
    """One variable of a path.

    Parameters
    ----------
    parents
        Positions in the path of what its rows are given; -1 stands for M(p).
    symbols
        Number of symbols; None to number them as they appear.
    certain
        Whether rows are certain, never fair.
    added
        Whether the row is that of a noise which is added to M(p).
    """

    parents: tuple[int, ...]
    symbols: int | None
    certain: bool = False
    added: bool = False


STEPS = (Step((), None), Step((0,), 2), Step((0, 1), 2), Step((0, -1), None), Step((3,), None), Step((0,), None))
STEPS_ADDED = (
    STEPS[0],
    replace(STEPS[1], certain=True),
    STEPS[2],
    Step((0,), NOISE, added=True),
    *STEPS[4:],
)


def enumerate_worlds(*, added: bool, most: int = MOST_STATES) -> Iterator[tuple[int, World]]:
    """All worlds of at most so many joint states.

    Parameters
    ----------
    added
        Whether S_gen is M(p) plus noise on 0, 1 and 2 and e_p a function of p; else any curation given
        p and any e_p.
    most
        Joint states at most.

    Yields
    ------
    states : int
        Joint states of the worlds of the batch.
    worlds : World
        A batch, without losses.
    """
    found: dict[int, list[Paths]] = defaultdict(list)
    for paths in _grown((((), 0),), STEPS_ADDED if added else STEPS, most):
        found[len(paths)].append(paths)
        if len(found[len(paths)]) == BATCH:
            yield len(paths), _world(found.pop(len(paths)))
    for states, rest in sorted(found.items()):
        yield states, _world(rest)


def _grown(paths: Paths, steps: Sequence[Step], most: int) -> Iterator[Paths]:
    """All ways to lead some paths through the variables that are left."""
    if not steps:
        yield paths
        return
    step = steps[0]
    keys = [tuple(_output(path) if i < 0 else path[i] for i in step.parents) for path, _ in paths]
    order = list(dict.fromkeys(keys))
    for rows in _row_choices(order, step):
        grown = []
        for key, (path, halved) in zip(keys, paths, strict=True):
            row = rows[key]
            base = _output(path) if step.added else 0
            grown += [((*path, base + x), halved + (len(row) > 1)) for x in row]
        if len(grown) <= most:
            yield from _grown(tuple(grown), steps[1:], most)


def _row_choices(keys: Sequence[tuple[int, ...]], step: Step) -> Iterator[dict[tuple[int, ...], tuple[int, ...]]]:
    """All rows for the conditions that are reached: certain of a symbol, or fair between two."""
    if step.symbols is not None:
        options: list[tuple[int, ...]] = [(x,) for x in range(step.symbols)]
        if not step.certain:
            options += [(x, y) for x in range(step.symbols) for y in range(x + 1, step.symbols)]
        for rows in product(options, repeat=len(keys)):
            yield dict(zip(keys, rows, strict=True))
        return

    def named(index: int, known: int) -> Iterator[list[tuple[int, ...]]]:
        if index == len(keys):
            yield []
            return
        # A symbol that is new takes the next number.
        certain: list[tuple[int, ...]] = [(x,) for x in range(known + 1)]
        for row in certain + [(x, y) for y in range(known + 2) for x in range(min(y, known + 1))]:
            fresh = [x for x in row if x >= known]
            if fresh == list(range(known, known + len(fresh))):
                for rest in named(index + 1, known + len(fresh)):
                    yield [row, *rest]

    for chosen in named(0, 0):
        yield dict(zip(keys, chosen, strict=True))


def _output(path: Path) -> int:
    """M(p) of a path."""
    return path[1] + path[2]


def _world(batch: Sequence[Paths]) -> World:
    """The worlds of some paths; rows that are not reached are certain."""
    sizes = [2, 2, 2, *(1 + max(path[i] for paths in batch for path, _ in paths) for i in (3, 4, 5))]
    s, e, m, y, w, v = sizes
    count = len(batch)
    joint = np.zeros((count, s, e, m, y, w, v))
    for i, paths in enumerate(batch):
        for path, halved in paths:
            joint[(i, *path)] += 0.5**halved
    output = np.broadcast_to(np.arange(e)[:, None] + np.arange(m), (count, e, m))
    outputs = (output[0][..., None] == np.arange(e + m - 1)).astype(float)
    laws = {
        "anchor": joint.sum(axis=(2, 3, 4, 5, 6)),
        "prompt_factor": joint.sum(axis=(3, 4, 5, 6)),
        "model_factor": joint.sum(axis=(4, 5, 6)),
        "curation": np.einsum("zsemy,emk->zsky", joint.sum(axis=(5, 6)), outputs),
        "learner": joint.sum(axis=(1, 2, 3, 6)),
        "anchor_learner": joint.sum(axis=(2, 3, 4, 5)),
    }
    bits = np.broadcast_to(np.arange(2), (count, 2))
    return World(**{n: _conditional(t) for n, t in laws.items()}, h=bits, g=bits, output=output)  # type: ignore[arg-type]


def _conditional(law: Array) -> Array:
    """Rows of a joint law as conditional laws; where nothing is, certain of the first symbol."""
    mass = law.sum(axis=-1, keepdims=True)
    certain = np.eye(law.shape[-1])[0]
    return np.where(mass > 0, law / np.where(mass > 0, mass, 1), certain)


def worst_losses(world: World) -> Iterator[World]:
    """The same worlds with the losses in [0, 1] and in [-1, 1] that make the errors of W and W' largest.

    A mean of R(W) minus the training loss is linear in the losses: the worst is one where the laws of
    the pair of parameter and datum differ with one sign, and zero elsewhere. The mean of a modulus is
    convex, and a sum over parameters: the worst is an extreme point, found for each parameter among all
    losses of zeros and ones. R is taken under the law of S_gen given p, and under that of S_anchor.
    """
    rows = np.array(list(product((0.0, 1.0), repeat=max(world.sizes[n] for n in ("S_anchor", "M", "S_gen")))))
    z = rows.shape[1]
    joint = world.outcome_law("W")
    given_p = _wider(world.example_law("S_gen", "p"), z)
    anchors = _wider(world.example_law("S_anchor", ""), z)
    anchor_joint = np.swapaxes(world.outcome_law("W'"), 1, 2)
    anchor_worst = _worst_modulus(anchor_joint, anchors, rows)
    for law in (given_p, np.broadcast_to(anchors, given_p.shape)):
        weight = np.einsum("zsyw,zsx->zwx", joint, law) - _wider(np.einsum("zsyw->zwy", joint), z)
        for loss in (weight > EDGE, -weight > EDGE, _worst_modulus(joint, law, rows)):
            low = np.asarray(loss, dtype=float)
            yield world.with_losses(low, anchor_worst, Fraction(1, 2))
            yield world.with_losses(2 * low - 1, 2 * anchor_worst - 1, Fraction(1))


# Weights that differ from zero by less are zero.
EDGE = 1e-12


def _worst_modulus(joint: Array, law: Array, rows: Array) -> Array:
    """For each parameter the row of losses with the largest mean of |R - training loss|.

    Parameters
    ----------
    joint
        Law of (p, training datum, parameter), shape (B, p, y, w).
    law
        Law of a fresh datum given p, shape (B, p, z).
    rows
        Candidates, shape (r, z).

    Returns
    -------
    ndarray, shape (B, w, z)
    """
    apart = np.abs(np.einsum("zsx,rx->zsr", law, rows)[:, :, None, :] - rows.T[None, None, : joint.shape[2]])
    return rows[np.einsum("zsyw,zsyr->zwr", joint, apart).argmax(axis=2)]


def _wider(table: Array, size: int) -> Array:
    """A table padded along its last axis."""
    return np.pad(table, ((0, 0), (0, 0), (0, size - table.shape[2])))


def count_violations(statements: Sequence[Statement], *, most: int = MOST_STATES) -> list[dict[str, Any]]:
    """How many of all small worlds violate each statement, by regime and number of joint states.

    Parameters
    ----------
    statements
        Which.
    most
        Joint states at most.

    Returns
    -------
    list of dict
        Keys statement, reading, regime, states, worlds (that the statement speaks of), violated.
    """
    counts: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for added, keys in ((True, REGIMES_ADDED), (False, REGIMES_ANY)):
        for states, world in enumerate_worlds(added=added, most=most):
            member = regimes_of(world)
            with_losses = list(worst_losses(world))
            for statement in statements:
                worlds = with_losses if statement.needs_loss else [world]
                applies = np.any([statement.applies(x) for x in worlds], axis=0)
                slack = np.min([np.where(statement.applies(x), statement.slack(x), np.inf) for x in worlds], axis=0)
                violated = slack < -statement.tolerance
                for key in keys:
                    found = counts[statement.key, key, states]
                    found[0] += int((applies & member[key]).sum())
                    found[1] += int((violated & member[key]).sum())
    order = {s.key: s for s in statements}
    return [
        {
            "statement": order[key].label,
            "reading": order[key].reading,
            "regime": regime,
            "states": states,
            "worlds": worlds,
            "violated": violated,
        }
        for (key, regime, states), (worlds, violated) in sorted(counts.items(), key=lambda item: _place(item[0], order))
    ]


def _place(row: tuple[str, str, int], order: dict[str, Statement]) -> tuple[int, int, int]:
    return list(order).index(row[0]), REGIMES_ADDED.index(row[1]), row[2]
