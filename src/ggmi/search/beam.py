"""Beam search over steps; with one beam kept, the stepwise selection of the paper's Theorem 4.6."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ggmi.search.policy import NO_ANSWER, Cost, Found, Ints, Policy, Verifier, ranked, repeats


@dataclass(frozen=True)
class Layer:
    """A layer of a beam search: what was there to choose from, and what was kept.

    Parameters
    ----------
    number
        l, from 1.
    rows
        Which rows were still going, shape (g,).
    before
        Their beams before the layer, shape (g, keep); -1 for none.
    candidates
        What was chosen from, shape (g, candidates); -1 for none.
    kept
        The beams after it, best first, shape (g, keep); -1 for none.
    """

    number: int
    rows: Ints
    before: Ints
    candidates: Ints
    kept: Ints


def beam_search(
    policy: Policy,
    verifier: Verifier,
    roots: Ints,
    width: int,
    generator: np.random.Generator,
    *,
    keep: int = 1,
    limit: int,
    watch: Callable[[Layer], None] | None = None,
) -> Found:
    """Draw `width` steps a layer from the kept beams, score them, keep the best.

    A beam that has ended stays among the candidates and costs nothing more. Equal candidates count once.

    Parameters
    ----------
    policy, verifier
        Who writes and who scores.
    roots
        The questions, shape (rows,).
    width
        k, steps drawn a layer, shared evenly by the beams that are going; the first beams take what is over.
    generator
        Decides between equal scores.
    keep
        Beams kept.
    limit
        Most layers.
    watch
        Called with each layer.
    """
    rows = len(roots)
    beams = np.full((rows, keep), -1)
    beams[:, 0] = roots
    cost = Cost(*(np.zeros(rows, dtype=np.int64) for _ in range(4)))
    for number in range(1, limit + 1):
        going = np.flatnonzero(_going(policy, beams).any(axis=1))
        if not len(going):
            break
        here = beams[going]
        open_beams = _going(policy, here)
        candidates = np.full((len(going), keep + width), -1)
        candidates[:, :keep] = np.where(open_beams, -1, here)
        # The i-th of k draws goes on from the open beam of rank i modulo their number.
        order = np.argsort(~open_beams, axis=1, kind="stable")
        turn = np.arange(width)[None] % open_beams.sum(axis=1)[:, None]
        sources = np.take_along_axis(here, np.take_along_axis(order, turn, axis=1), axis=1)
        steps = policy.extend(sources.ravel())
        candidates[:, keep:] = steps.nodes.reshape(sources.shape)
        cost.calls[going] += width
        cost.tokens[going] += steps.tokens.reshape(sources.shape).sum(axis=1)
        cost.responses[going] += policy.ended(steps.nodes).reshape(sources.shape).sum(axis=1)
        cost.scores[going] += (candidates >= 0).sum(axis=1)
        scores = np.where(candidates >= 0, verifier.score(candidates), -np.inf)
        scores = np.where(repeats(candidates), -np.inf, scores)
        order = ranked(scores, generator)[:, :keep]
        chosen = np.take_along_axis(candidates, order, axis=1)
        beams[going] = np.where(np.isneginf(np.take_along_axis(scores, order, axis=1)), -1, chosen)
        if watch is not None:
            watch(Layer(number, going, here, candidates, beams[going]))
    # Beams are in the order of their last scores: the first that has ended is the best complete answer.
    complete = (beams >= 0) & ~_going(policy, beams)
    chosen = np.take_along_axis(beams, complete.argmax(axis=1)[:, None], axis=1)[:, 0]
    return Found(chosen, np.where(complete.any(axis=1), policy.answers(chosen), NO_ANSWER), cost)


def _going(policy: Policy, beams: Ints) -> np.ndarray:
    """Which beams are there and can go on."""
    going = beams >= 0
    going[going] = ~policy.ended(beams[going])
    return going
