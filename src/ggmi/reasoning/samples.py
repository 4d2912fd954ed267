"""Chains that a reasoner wrote, and what each of their steps says beside what it should."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from transformers import PreTrainedModel

from ggmi.io import atomic
from ggmi.reasoning.prefixes import Prefixes, Reader, Reasoner
from ggmi.reasoning.problems import END, FIRST_VALUE, STEP_TOKENS, Bools, Ints, Problems
from ggmi.search.responses import sample_responses

# Steps beyond those of the problem after which a chain is cut; the end is a step too.
SPARE_STEPS = 2
# Problems whose chains are sampled at the same time.
BLOCK = 1000
ABSENT = -1


@dataclass(frozen=True)
class Samples:
    """One chain for each of some problems of one length.

    Parameters
    ----------
    problems
        The problems.
    tokens
        The chains' tokens, -1 after their ends, shape (problems, tokens).
    """

    problems: Problems
    tokens: Ints

    @cached_property
    def step_ends(self) -> Bools:
        """Whether a token ends a step, shape (problems, tokens)."""
        return self._is_value | (self.tokens == END)

    @cached_property
    def values(self) -> Ints:
        """The value that each step writes, -1 where there is none, shape (problems, L)."""
        return self._by_step(self.tokens - FIRST_VALUE)

    @cached_property
    def texts(self) -> Ints:
        """What each step says as a number, shape (problems, L).

        ``m x + v`` for operand x and value v; m² for a step of any other form; m² + 1 for none.
        """
        m = self.problems.order
        before = np.pad(self.tokens, ((0, 0), (1, 0)), constant_values=ABSENT)[:, :-1]
        two_before = np.pad(self.tokens, ((0, 0), (2, 0)), constant_values=FIRST_VALUE)[:, :-2]
        operand = before - FIRST_VALUE - m
        # As it was taught: an operand, right after a value or the prompt, and then the value.
        taught = (operand >= 0) & (operand < m) & (two_before >= FIRST_VALUE) & (two_before < FIRST_VALUE + m)
        code = np.where(taught, m * operand + self.tokens - FIRST_VALUE, m * m)
        found = self._by_step(code)
        return np.where(found == ABSENT, m * m + 1, found)

    @cached_property
    def right_prefix(self) -> Bools:
        """Whether all steps up to and with step l write the right thought in the form that was taught.

        Shape (problems, L + 1); step 0, the start, is right.
        """
        right = (self.values == self.problems.thoughts()[:, 1:]) & (self.texts < self.problems.order**2)
        return np.pad(np.logical_and.accumulate(right, axis=1), ((0, 0), (1, 0)), constant_values=True)

    @cached_property
    def right_from_last(self) -> Bools:
        """Whether each step's value is right given the one before it, be that right or wrong, shape (problems, L)."""
        p = self.problems
        before = np.concatenate([p.starts[:, None], self.values[:, :-1]], axis=1)
        return (before >= 0) & (self.values == p.table[before, p.operands])

    @property
    def outcome(self) -> Bools:
        """Whether each chain ends with the right result, shape (problems,)."""
        written = self._is_value.sum(axis=1)
        last = np.take_along_axis(self.tokens, (self.tokens >= 0).sum(axis=1)[:, None] - 1, axis=1)[:, 0]
        result = np.where(written > 0, self._last_value, ABSENT)
        return (last == END) & (result == self.problems.thoughts()[:, -1])

    @property
    def prefix_is_right(self) -> Bools:
        """Whether a chain is right up to each token, shape (problems, tokens); the end is right after L values."""
        L, thoughts = self.problems.length, self.problems.thoughts()
        written = self._is_value.cumsum(axis=1)
        wanted = np.take_along_axis(thoughts, np.minimum(written, L), axis=1)
        depth = 1 + np.arange(self.tokens.shape[1])
        value_fits = (written <= L) & (self.tokens - FIRST_VALUE == wanted) & (depth == STEP_TOKENS * written)
        fits = np.where(self._is_value, value_fits, (self.tokens != END) | (depth == STEP_TOKENS * L + 1))
        return np.logical_and.accumulate(fits, axis=1)

    @cached_property
    def _is_value(self) -> Bools:
        return (self.tokens >= FIRST_VALUE) & (self.tokens < FIRST_VALUE + self.problems.order)

    @property
    def _last_value(self) -> Ints:
        place = np.where(self._is_value, np.arange(self.tokens.shape[1]), 0).max(axis=1)
        return np.take_along_axis(self.tokens, place[:, None], axis=1)[:, 0] - FIRST_VALUE

    def _by_step(self, of_token: Ints) -> Ints:
        """What belongs to the value of each step."""
        L = self.problems.length
        found = np.full((len(self.tokens), L), ABSENT)
        row, column = np.nonzero(self._is_value)
        step = self._is_value.cumsum(axis=1)[row, column] - 1
        inside = step < L
        found[row[inside], step[inside]] = of_token[row[inside], column[inside]]
        return found


def sample_chains(
    model: PreTrainedModel, problems: Problems, generator: np.random.Generator, temperature: float = 1.0
) -> Samples:
    """Sample one chain for each problem, a block of problems at a time.

    Parameters
    ----------
    model
        The reasoner.
    problems
        Problems of one length.
    generator
        Source of randomness.
    temperature
        Divides the logits.
    """
    found = []
    for first in range(0, len(problems), BLOCK):
        part = problems.part(slice(first, first + BLOCK))
        prefixes = Prefixes(part, model.config.n_positions)
        policy = Reasoner(Reader(model, prefixes), prefixes, generator, temperature)
        sampled = sample_responses(policy, np.arange(len(part)), 1, limit=part.length + SPARE_STEPS)
        found.append(prefixes.tokens(sampled.nodes[:, 0]))
    return Samples(problems, np.concatenate(found))


def sample_with_hot(
    model: PreTrainedModel, problems: Problems, generator: np.random.Generator, temperature: float
) -> Samples:
    """As `sample_chains`, but of the first half of the problems at a temperature of their own."""
    half = len(problems) // 2
    parts = [
        sample_chains(model, problems.part(slice(None, half)), generator, temperature),
        sample_chains(model, problems.part(slice(half, None)), generator),
    ]
    return Samples(problems, np.concatenate([part.tokens for part in parts]))


def save_samples(path: str | os.PathLike[str], samples: Mapping[int, Samples]) -> None:
    """Write chains by length as one ``.npz``, atomically; their problems are kept elsewhere."""
    arrays: dict[str, Any] = {str(n): s.tokens.astype(np.int16) for n, s in samples.items()}
    with atomic(path) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)


def load_samples(path: str | os.PathLike[str], problems: Mapping[int, Problems]) -> dict[int, Samples]:
    """Read what `save_samples` wrote of these problems."""
    with np.load(path) as arrays:
        return {n: Samples(p, arrays[str(n)].astype(np.int64)) for n, p in problems.items()}
