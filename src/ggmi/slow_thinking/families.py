"""Chains drawn at random or by logits, built to belong to a regime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from ggmi.exact.ascent import Logits
from ggmi.exact.statement import Array, Statement
from ggmi.random import stream
from ggmi.slow_thinking.chains import STEPS, Chains
from ggmi.slow_thinking.regimes import LOSSLESS, ONE_HARD, RECOVERED, REGIMES

SYMBOLS = 3
# How steps are: free; right for certain but for the first; telling their thoughts.
Kind = Literal["free", "one hard", "lossless"]
# Spread of random logits: laws near the uniform one, laws at random, laws near certainty.
SCALES = (0.5, 1.5, 4.0)
# Two thoughts and two steps share a value.
SHARED = ((0, 0, 1), (0, 1, 1))


def kind_of(statement: Statement) -> Kind:
    """The kind of steps that a statement speaks of."""
    if LOSSLESS in statement.needs:
        return "lossless"
    return "one hard" if ONE_HARD in statement.needs else "free"


def values(worlds: int, statement: Statement | None = None) -> dict[str, Any]:
    """Values of thoughts and steps: every other world's are shared, unless the statement needs one each."""
    own = statement is not None and RECOVERED in statement.needs
    result = {}
    for name, shared in zip(("thought_values", "step_values"), SHARED, strict=True):
        rows = np.tile(np.arange(SYMBOLS), (worlds, 1))
        if not own:
            rows[1::2] = shared
        result[name] = rows
    return result


def random_logits(generator: np.random.Generator, worlds: int, scale: float) -> Logits:
    """Logits of all tables, and of what ties them in a regime."""
    m, n = SYMBOLS, SYMBOLS
    shapes: dict[str, tuple[int, ...]] = {
        "first": (m,),
        "thoughts": (STEPS - 1, m, m),
        "steps": (STEPS, 2, m, n),
        "selection": (2,),
        "rate": (STEPS,),
        "copied": (STEPS - 1,),
        "noise": (STEPS - 1, n, n),
    }
    return {name: scale * generator.standard_normal((worlds, *shape)) for name, shape in shapes.items()}


def tables_of(logits: Mapping[str, Any], right: Array, regime: str, kind: Kind, xp: Any = np) -> dict[str, Any]:
    """Probability tables of chains in a regime.

    Parameters
    ----------
    logits
        Of `random_logits`.
    right
        Which steps are right for which thoughts, shape (B, m, n).
    regime
        The regime's key. Losses that do not fall come about by thoughts of one law and steps that
        are those before with more noise.
    kind
        How steps are.
    xp
        numpy, or a module that differentiates.

    Returns
    -------
    dict
        Arguments of `ggmi.slow_thinking.chains.Chains`.
    """
    first, thoughts = _softmax(logits["first"], xp), _softmax(logits["thoughts"], xp)
    steps, spread = _softmax(logits["steps"], xp), xp.ones((SYMBOLS, 1))
    hit, miss = (_shares(steps * mask, xp) for mask in (right[:, None, None], 1 - right[:, None, None]))
    if regime in ("alike", "independent"):
        thoughts = thoughts[:, :, :1] * spread
        steps = steps[:, :, :1] * np.ones((2, 1, 1))
    if regime == "alike":
        rate = 1 / (1 + xp.exp(-logits["rate"]))[:, :, None, None, None]
        steps = rate * hit[:, :, :1] + (1 - rate) * miss[:, :, :1]
        steps = steps * np.ones((2, 1, 1))
    if regime == "rising":
        copied = 1 / (1 + xp.exp(-logits["copied"]))[:, :, None, None]
        thoughts = copied * np.eye(SYMBOLS) + (1 - copied) * (first[:, None, None, :] * spread)
        noise = _softmax(logits["noise"] + 3 * np.eye(SYMBOLS), xp)
        layers = [steps[:, 0, 0]]
        for i in range(STEPS - 1):
            layers.append(xp.einsum("ztr,zrs->zts", layers[-1], noise[:, i]))
        steps = xp.stack(layers, axis=1)[:, :, None] * np.ones((2, 1, 1))
    if kind == "one hard":
        steps = xp.concatenate([steps[:, :1], hit[:, 1:]], axis=1)
    if kind == "lossless":
        steps = np.broadcast_to(np.eye(SYMBOLS), steps.shape)
    return {"first": first, "thoughts": thoughts, "steps": steps, "selection": _softmax(logits["selection"], xp)}


def _softmax(logits: Any, xp: Any) -> Any:
    weights = xp.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def _shares(weights: Any, xp: Any) -> Any:
    """Rows that sum to one; a row without any weight stays empty."""
    total = weights.sum(axis=-1, keepdims=True)
    return weights / xp.where(total > 0, total, 1.0)


def draw(statement: Statement, regime: str, seed: int, worlds: int) -> Chains:
    """Random chains that a statement may speak of, built for a regime.

    Parameters
    ----------
    statement
        Decides about values and the kind of steps.
    regime
        Its key in `REGIMES`.
    seed
        The run's seed.
    worlds
        How many.

    Returns
    -------
    Chains
        A batch; whether each belongs to the regime is still to be asked.
    """
    assert regime in REGIMES
    generator = stream(seed, "slow thinking", "chains", statement.key, regime)
    given = values(worlds, statement)
    right = (given["thought_values"][:, :, None] == given["step_values"][:, None, :]).astype(float)
    scales = np.resize(SCALES, worlds)
    logits = random_logits(generator, worlds, 1.0)
    logits = {name: x * scales.reshape(-1, *[1] * (x.ndim - 1)) for name, x in logits.items()}
    return Chains(**tables_of(logits, right, regime, kind_of(statement)), **given)
