"""Make a violating world small: coarse fractions, then small supports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ggmi.theory.learners import layered_loss, unlayered_loss
from ggmi.theory.statement import ADDITIVE_CURATION, DETERMINISTIC_CURATION, INDEPENDENT, TOLERANCE, Statement
from ggmi.theory.world import Array, World

DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 48, 120)
# A violation that is looked into; floats alone can feign smaller ones of statements with a root.
VIOLATION = 1e3 * TOLERANCE
# Shares of the violation that a simpler world keeps at least: for the smallest one and for the worst.
SIMPLER = 0.25
WORST = 0.9999


def simplify(statement: Statement, world: World, *, keep: float = SIMPLER) -> World | None:
    """Round to the coarsest fractions that keep the violation, then thin the supports out.

    Parameters
    ----------
    statement
        What it violates.
    world
        One world.
    keep
        Share of the violation that rounding and each thinning must keep.

    Returns
    -------
    World or None
        A world of the same structure that keeps this share of the violation, or where no rounding
        does, the rounding that keeps most; None if none is a violation.
    """
    kept = [a for a in (INDEPENDENT, DETERMINISTIC_CURATION, ADDITIVE_CURATION) if a.holds(world)[0]]

    def scores(batch: World) -> Array:
        flags = statement.admits(batch)
        for assumption in kept:
            flags &= assumption.holds(batch)
        return np.where(flags, -statement.slack(batch), -np.inf)

    floor = keep * float(-statement.slack(world)[0])
    rounded = _exchanged(world, [_rounded_tables(world, d) for d in DENOMINATORS])
    values = scores(rounded)
    good = np.flatnonzero(values >= floor)
    first = good[0] if len(good) else np.argmax(values)
    if values[first] <= VIOLATION:
        return None
    current = rounded[first : first + 1]
    floor = min(floor, keep * values[first])
    while changes := list(_thinner(current)):
        trials = _exchanged(current, changes)
        values = scores(trials)
        best = int(np.argmax(values))
        if values[best] < floor:
            break
        current = trials[best : best + 1]
    return current


def joint_states(world: World) -> int:
    """Joint states of positive probability of the first world of a batch."""
    return int(np.count_nonzero(world.joint()[0]))


def rounded(world: World, denominator: int) -> World:
    """The world with all rows rounded to multiples of 1/denominator (largest remainders)."""
    return replace(world, **dict[str, Any](_rounded_tables(world, denominator)))


def _rounded_tables(world: World, denominator: int) -> dict[str, Array]:
    tables = {name: _round_rows(table, denominator) for name, table in world.tables().items()}
    for name in ("loss", "anchor_loss"):
        if (table := getattr(world, name)) is not None:
            # What is rounded is the loss behind the layers, so that they stay layers.
            below = np.round(unlayered_loss(table, world.contraction) * denominator) / denominator
            tables[name] = layered_loss(below, world.contraction)
    return tables


def _exchanged(world: World, changes: Sequence[Mapping[str, Array]]) -> World:
    """A batch of copies of one world, each with some of its tables exchanged."""
    batch = world[np.zeros(len(changes), dtype=np.int64)]
    names = dict.fromkeys(name for change in changes for name in change)
    stacked = {n: np.concatenate([change.get(n, getattr(world, n)) for change in changes]) for n in names}
    return replace(batch, **dict[str, Any](stacked))


def _round_rows(table: Array, denominator: int) -> Array:
    """Rows that sum to one in multiples of 1/denominator."""
    scaled = table * denominator
    units = np.floor(scaled + 1e-9)
    missing = np.round(denominator - units.sum(axis=-1, keepdims=True))
    rank = np.argsort(np.argsort(-(scaled - units), axis=-1, kind="stable"), axis=-1, kind="stable")
    return (units + (rank < missing)) / denominator


def _thinner(world: World) -> Iterator[dict[str, Array]]:
    """Tables with one row on fewer symbols: a point mass in place of a spread row."""
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
                yield {name: changed.reshape(table.shape)}
