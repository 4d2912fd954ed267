"""Make a violating world small: coarse fractions, then small supports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from ggmi.exact.statement import TOLERANCE, Array, Regime, Statement

# A batch of worlds, a dataclass of tables that can be indexed.
W = TypeVar("W", bound=Any)
DENOMINATORS = (1, 2, 3, 4, 6, 8, 12, 24, 120)
# A violation that is looked into; floats alone can feign smaller ones of statements with a root.
VIOLATION = 1e3 * TOLERANCE
# Shares of the violation that a simpler world keeps at least: for the smallest one and for the worst.
SIMPLER = 0.25
WORST = 0.9999


def simplify(
    statement: Statement,
    world: W,
    regime: Regime,
    rounded_tables: Callable[[W, int], Mapping[str, Array]],
    thinner: Callable[[W], Iterator[Mapping[str, Array]]],
    *,
    keep: float = SIMPLER,
) -> W | None:
    """Round to the coarsest fractions that keep the violation, then thin the supports out.

    Parameters
    ----------
    statement
        What it violates.
    world
        One world of the regime.
    regime
        Which the simpler world is to belong to as well.
    rounded_tables
        Tables of the world in multiples of one over a denominator.
    thinner
        Tables of simpler worlds, each with some rows on fewer symbols.
    keep
        Share of the violation that rounding and each thinning must keep.

    Returns
    -------
    World or None
        A world that keeps this share of the violation, or where no rounding does, the rounding that
        keeps most; None if none is a violation.
    """

    def scores(batch: W) -> Array:
        # Cheap tests first: most candidates are no violation.
        values = -statement.slack(batch)
        hits = np.flatnonzero((values > VIOLATION) & statement.applies(batch))
        flags = np.zeros(len(batch), dtype=bool)
        if len(hits):
            flags[hits] = regime.admits(batch[hits])
        return np.where(flags, values, -np.inf)

    floor = keep * float(-statement.slack(world)[0])
    rounded = _exchanged(world, [rounded_tables(world, d) for d in DENOMINATORS])
    values = scores(rounded)
    good = np.flatnonzero(values >= floor)
    first = good[0] if len(good) else np.argmax(values)
    if values[first] <= VIOLATION:
        return None
    current = rounded[first : first + 1]
    floor = min(floor, keep * values[first])
    while changes := list(thinner(current)):
        trials = _exchanged(current, changes)
        values = scores(trials)
        best = int(np.argmax(values))
        if values[best] < floor:
            break
        current = trials[best : best + 1]
    return current


def _exchanged(world: W, changes: Sequence[Mapping[str, Array]]) -> W:
    """A batch of copies of one world, each with some of its tables exchanged."""
    batch = world[np.zeros(len(changes), dtype=np.int64)]
    names = dict.fromkeys(name for change in changes for name in change)
    stacked = {n: np.concatenate([change.get(n, getattr(world, n)) for change in changes]) for n in names}
    return replace(batch, **dict[str, Any](stacked))


def rounded_rows(table: Array, denominator: int) -> Array:
    """Rows that sum to one in multiples of 1/denominator."""
    scaled = table * denominator
    units = np.floor(scaled + 1e-9)
    missing = np.round(denominator - units.sum(axis=-1, keepdims=True))
    rank = np.argsort(np.argsort(-(scaled - units), axis=-1, kind="stable"), axis=-1, kind="stable")
    return (units + (rank < missing)) / denominator


def thinned_rows(table: Array) -> Iterator[Array]:
    """A world's table with some rows on fewer symbols: a point mass in place of a spread row.

    Rows that are equal are thinned together too, since what is independent or tied stays so only
    then. Rows that cannot occur are left as they are.
    """
    rows = table[0].reshape(-1, table.shape[-1])
    for group in _groups(rows):
        support = np.flatnonzero(rows[group[0]])
        for symbol in support if len(support) > 1 else ():
            changed = rows.copy()
            changed[group] = np.eye(rows.shape[1])[symbol]
            yield changed.reshape(table.shape)


def _groups(rows: Array) -> list[list[int]]:
    """Every row alone, and every set of equal rows together."""
    groups = [[i] for i in range(len(rows))]
    _, which = np.unique(rows, axis=0, return_inverse=True)
    for value in range(which.max() + 1):
        group = np.flatnonzero(which == value).tolist()
        if len(group) > 1:
            groups.append(group)
    return groups
