"""What a search needs: a policy that writes steps, a verifier that scores them, and a count of the cost.

A search sees no text. A policy knows each text written so far by a number, its node; equal texts have equal
nodes. All searches of a table of rows go on at the same time, so that a policy is asked for the steps of all
problems and beams at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# The answer of a text that gives none.
NO_ANSWER = -1


@dataclass(frozen=True)
class Steps:
    """Sampled steps.

    Parameters
    ----------
    nodes
        The text after each step, shape (n,).
    tokens
        Tokens of each step, shape (n,).
    log_probs
        Mean log-probability of its tokens, nats, shape (n,); NaN where it is not known.
    """

    nodes: Ints
    tokens: Ints
    log_probs: Floats


class Policy(Protocol):
    """Writes steps."""

    def extend(self, nodes: Ints) -> Steps:
        """Sample one next step after each text.

        Parameters
        ----------
        nodes
            Shape (n,); a text that is there several times gets as many independent steps.
        """

    def ended(self, nodes: Ints) -> Bools:
        """Whether each text is complete, or can go no further."""

    def answers(self, nodes: Ints) -> Ints:
        """The answer that each text gives, as a number; `NO_ANSWER` where it gives none."""


class Verifier(Protocol):
    """Scores texts."""

    def score(self, nodes: Ints) -> Floats:
        """Score candidates, higher for better; NaN for one that has no score.

        Parameters
        ----------
        nodes
            Shape (rows, candidates); a row is chosen from together.
        """


@dataclass(frozen=True)
class Cost:
    """What each row's search has cost.

    Parameters
    ----------
    responses
        Complete answers written.
    calls
        Steps sampled: calls of the policy.
    tokens
        Tokens written, those of rejected steps included.
    scores
        Texts scored by the verifier.
    """

    responses: Ints
    calls: Ints
    tokens: Ints
    scores: Ints


@dataclass(frozen=True)
class Found:
    """What a search has chosen.

    Parameters
    ----------
    nodes
        The chosen text of each row, shape (rows,).
    answers
        Its answer; `NO_ANSWER` where it gives none.
    cost
        What the search has cost.
    """

    nodes: Ints
    answers: Ints
    cost: Cost


def best(scores: Floats, generator: np.random.Generator) -> Ints:
    """The best candidate of each row; equals share by chance, and a missing score counts below every other.

    Parameters
    ----------
    scores
        Shape (rows, candidates); minus infinity for what cannot be chosen, NaN where there is no score.
    generator
        Decides between equals.

    Returns
    -------
    ndarray, shape (rows,)
        Places of the best.
    """
    return ranked(scores, generator)[:, 0]


def ranked(scores: Floats, generator: np.random.Generator) -> Ints:
    """Places of candidates from the best to the worst, equals in random order; see `best`."""
    # Below every score, and above what cannot be chosen.
    known = np.where(np.isnan(scores), -np.finfo(float).max, scores)
    return np.lexsort((generator.random(scores.shape), -known), axis=-1)


def repeats(nodes: Ints) -> Bools:
    """Whether a node stands further left in its row, shape as `nodes`, (rows, candidates)."""
    order = nodes.argsort(axis=1, kind="stable")
    inside = np.take_along_axis(nodes, order, axis=1)
    again = np.zeros(nodes.shape, dtype=bool)
    again[:, 1:] = inside[:, 1:] == inside[:, :-1]
    found = np.empty_like(again)
    np.put_along_axis(found, order, again, axis=1)
    return found
