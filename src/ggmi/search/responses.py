"""Whole answers, and how one of them is chosen: by votes, by scores, or by both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ggmi.search.policy import NO_ANSWER, Bools, Floats, Ints, Policy, best


@dataclass(frozen=True)
class Responses:
    """Sampled answers to each row's question.

    Parameters
    ----------
    nodes, answers
        The texts and what they answer, shape (rows, N).
    steps, tokens
        Steps and tokens of each, shape (rows, N).
    """

    nodes: Ints
    answers: Ints
    steps: Ints
    tokens: Ints


def sample_responses(policy: Policy, roots: Ints, count: int, *, limit: int) -> Responses:
    """Sample whole answers, all of them together, step by step.

    Parameters
    ----------
    policy
        Who writes.
    roots
        The questions, shape (rows,).
    count
        N, answers a row.
    limit
        Most steps; a text that has not ended by then gives no answer.
    """
    nodes = np.repeat(roots, count)
    steps, tokens = np.zeros_like(nodes), np.zeros_like(nodes)
    ended = policy.ended(nodes)
    for _ in range(limit):
        going = np.flatnonzero(~ended)
        if not len(going):
            break
        step = policy.extend(nodes[going])
        nodes[going] = step.nodes
        tokens[going] += step.tokens
        steps[going] += 1
        ended[going] = policy.ended(step.nodes)
    answers = np.where(ended, policy.answers(nodes), NO_ANSWER)
    shape = (len(roots), count)
    return Responses(nodes.reshape(shape), answers.reshape(shape), steps.reshape(shape), tokens.reshape(shape))


def choose_best(scores: Floats, answers: Ints, generator: np.random.Generator) -> Ints:
    """Choose the best-scored response; one without an answer only where there is no other.

    Parameters
    ----------
    scores, answers
        Shape (rows, N).
    generator
        Decides between equals.

    Returns
    -------
    ndarray, shape (rows,)
        Places of the chosen.
    """
    return best(np.where(answers == NO_ANSWER, -np.inf, scores), generator)


def choose_by_votes(answers: Ints, generator: np.random.Generator, weights: Floats | None = None) -> Ints:
    """Choose a response whose answer has most weight behind it.

    Parameters
    ----------
    answers
        Shape (rows, N); a response without an answer has no vote.
    generator
        Decides between answers of equal weight.
    weights
        Of each vote, at least 0; None counts votes (self-consistency). A missing one (NaN) weighs nothing.

    Returns
    -------
    ndarray, shape (rows,)
        Place of the first response with the chosen answer.
    """
    given = answers != NO_ANSWER
    weight = np.where(given, 1.0 if weights is None else np.nan_to_num(weights, nan=0.0), 0.0)
    order = np.where(given, answers, answers.max(initial=0) + 1).argsort(axis=1, kind="stable")
    inside = np.take_along_axis(answers, order, axis=1)
    sums = np.take_along_axis(weight, order, axis=1).cumsum(axis=1)
    last = np.ones(answers.shape, dtype=bool)
    last[:, :-1] = inside[:, 1:] != inside[:, :-1]
    # What was summed up before an answer's first vote, carried along its votes.
    before = np.where(last, sums, 0.0)
    before = np.maximum.accumulate(np.pad(before, ((0, 0), (1, 0)))[:, :-1], axis=1)
    totals = np.where(last & (inside != NO_ANSWER), np.round(sums - before, 12), -np.inf)
    winner = np.take_along_axis(inside, best(totals, generator)[:, None], axis=1)
    return (answers == winner).argmax(axis=1)


def min_max_weights(scores: Floats, given: Bools | None = None) -> Floats:
    """Scores of each row moved to 0 … 1, as the published weighted vote has them: the lowest has no vote.

    Parameters
    ----------
    scores
        Shape (rows, N).
    given
        Which of them count; by default those that are not NaN.

    Returns
    -------
    ndarray, shape (rows, N)
        All 1 where all scores of a row are equal; NaN where there is no score.

    Examples
    --------
    >>> import numpy as np
    >>> min_max_weights(np.array([[1.0, 2.0, 3.0], [2.0, 2.0, np.nan]])).tolist()
    [[0.0, 0.5, 1.0], [1.0, 1.0, nan]]
    """
    known = ~np.isnan(scores) if given is None else given & ~np.isnan(scores)
    low = np.where(known, scores, np.inf).min(axis=1, keepdims=True)
    high = np.where(known, scores, -np.inf).max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        moved = np.where(high > low, (scores - low) / np.where(high > low, high - low, 1.0), 1.0)
    return np.where(known, moved, np.nan)
