"""Make a world of the theory small: how its tables are rounded and thinned out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ggmi.exact import simplify as generic
from ggmi.exact.simplify import SIMPLER, rounded_rows, thinned_rows
from ggmi.exact.statement import EXACT, Array, Regime
from ggmi.theory.learners import layered_loss, unlayered_loss
from ggmi.theory.regimes import NOISE
from ggmi.theory.statement import Statement
from ggmi.theory.world import World


def simplify(statement: Statement, world: World, regime: Regime, *, keep: float = SIMPLER) -> World | None:
    """Round and thin out one world of a regime, see `ggmi.exact.simplify.simplify`."""
    return generic.simplify(statement, world, regime, _rounded_tables, _thinner, keep=keep)


def joint_states(world: World) -> int:
    """Joint states of positive probability of the first world of a batch."""
    return int(np.count_nonzero(world[:1].joint()[0]))


def _rounded_tables(world: World, denominator: int) -> dict[str, Array]:
    tables = {name: rounded_rows(table, denominator) for name, table in world.tables().items()}
    for name, contraction in (("loss", world.contraction), ("anchor_loss", world.anchor_contraction)):
        if (table := getattr(world, name)) is not None:
            # What is rounded is the loss behind the layers, so that they stay layers.
            below = np.round(unlayered_loss(table, contraction) * denominator) / denominator
            tables[name] = layered_loss(below, contraction)
    return tables


def _thinner(world: World) -> Iterator[dict[str, Array]]:
    """Tables with some rows on fewer symbols."""
    noisy = NOISE.missed_by(world)[0] < EXACT
    for name, table in world.tables().items():
        if name == "curation" and noisy:
            yield from _less_noise(world)
        for thinned in thinned_rows(table):
            yield {name: thinned}


def _less_noise(world: World) -> Iterator[dict[str, Array]]:
    """Every curation without noise, S_gen = M(p) or that plus a constant."""
    k, y = world.curation.shape[-2:]
    if ((world.curation == 0) | (world.curation == 1)).all():
        return
    for shift in range(y - k + 1):
        yield {"curation": np.broadcast_to(np.eye(k, y, shift), world.curation.shape).copy()}
