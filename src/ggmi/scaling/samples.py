"""Samples of answers in arrays: which problem each belongs to, what it answers, whether it is right, its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
# Samples of a problem, those that give one of its answers, and those of its other answers from the most frequent.
Tally = tuple[int, int, tuple[int, ...]]


@dataclass(frozen=True)
class Groups:
    """Samples of one problem with one answer, all problems' groups in a row.

    Parameters
    ----------
    starts
        Where each problem's groups begin, and the end; shape (problems + 1,).
    count
        Samples of each group.
    credit
        Share of them that are right: 0 or 1 unless the file contradicts itself.
    """

    starts: Integers
    count: Integers
    credit: Array


@dataclass(frozen=True)
class Samples:
    """All samples, those of a problem side by side, in an order that does not depend on that of the rows.

    Parameters
    ----------
    problems
        Names, sorted.
    starts
        Where each problem's samples begin, and the end; shape (problems + 1,).
    correct
        Whether each sample is right, shape (samples,).
    answer
        What each answers, as the index of its group within the problem; -1 where there is no answer,
        None where nothing is known of answers.
    scores
        By name, shape (samples,); NaN where missing.
    tokens
        Of each sample, NaN where unknown; None where nothing is known of tokens.
    """

    problems: tuple[str, ...]
    starts: Integers
    correct: NDArray[np.bool_]
    answer: Integers | None
    scores: Mapping[str, Array]
    tokens: Array | None = None

    @classmethod
    def of(
        cls,
        problem: Sequence[str],
        correct: ArrayLike,
        *,
        answer: Sequence[str | None] | None = None,
        scores: Mapping[str, ArrayLike] | None = None,
        tokens: ArrayLike | None = None,
    ) -> Samples:
        """Arrange samples given one by one.

        Parameters
        ----------
        problem, correct, answer, scores, tokens
            A value a sample each.

        Examples
        --------
        >>> samples = Samples.of(["b", "a", "b"], [1, 0, 0], answer=["7", None, "3"])
        >>> samples.problems, samples.sizes.tolist(), samples.answer.tolist()
        (('a', 'b'), [1, 2], [-1, 0, 1])
        """
        names, code = _codes(problem)
        if answer is None:
            return cls.arranged(names, code, correct, scores=scores, tokens=tokens)
        said, spoken = _codes([text for text in answer if text is not None])
        answers = np.full(len(code), -1)
        answers[[text is not None for text in answer]] = spoken
        return cls.arranged(names, code, correct, said=said, answer=answers, scores=scores, tokens=tokens)

    @classmethod
    def arranged(
        cls,
        names: Sequence[str],
        problem: ArrayLike,
        correct: ArrayLike,
        *,
        said: Sequence[str] = (),
        answer: ArrayLike | None = None,
        scores: Mapping[str, ArrayLike] | None = None,
        tokens: ArrayLike | None = None,
    ) -> Samples:
        """Arrange samples whose problems and answers are coded as indices.

        Parameters
        ----------
        names, said
            Texts of problems and of answers.
        problem, answer
            Their indices, a sample each; -1 is no answer.
        correct, scores, tokens
            A value a sample each.
        """
        rank = np.argsort(np.argsort(np.array(names, dtype=object)))
        code = rank[np.asarray(problem, dtype=np.int64)]
        right = np.asarray(correct, dtype=bool)
        marks = {name: np.asarray(values, dtype=float) for name, values in (scores or {}).items()}
        lengths = None if tokens is None else np.asarray(tokens, dtype=float)
        keys = [*([] if lengths is None else [lengths]), *marks.values(), right]
        spoken = None
        if answer is not None:
            order_of = np.argsort(np.argsort(np.array(said, dtype=object)))
            given = np.asarray(answer, dtype=np.int64)
            spoken = np.where(given < 0, -1, order_of[np.maximum(given, 0)] if len(said) else -1)
            keys.append(spoken)
        order = np.lexsort([*keys, code])
        code = code[order]
        starts = np.searchsorted(code, np.arange(len(names) + 1))
        if spoken is not None:
            spoken = _within(code, starts, spoken[order])
        return cls(
            tuple(sorted(names)),
            starts,
            right[order],
            spoken,
            {name: values[order] for name, values in marks.items()},
            None if lengths is None else lengths[order],
        )

    @property
    def sizes(self) -> Integers:
        """Samples of each problem."""
        return np.diff(self.starts)

    @cached_property
    def problem(self) -> Integers:
        """Index of each sample's problem."""
        return np.repeat(np.arange(len(self.problems)), self.sizes)

    @cached_property
    def right(self) -> Integers:
        """Right samples of each problem."""
        return np.bincount(self.problem, self.correct, len(self.problems)).astype(np.int64)

    @cached_property
    def groups(self) -> Groups:
        """Samples that answer the same; empty where nothing is known of answers."""
        assert self.answer is not None
        spoken = self.answer >= 0
        sizes = np.bincount(self.problem, minlength=len(self.problems)) * 0
        np.maximum.at(sizes, self.problem, self.answer + 1)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        place = starts[self.problem[spoken]] + self.answer[spoken]
        count = np.bincount(place, minlength=starts[-1])
        return Groups(starts, count, np.bincount(place, self.correct[spoken], minlength=starts[-1]) / count)

    @cached_property
    def tallies(self) -> dict[int, dict[Tally, list[tuple[int, float]]]]:
        """Different tallies of a right answer and others, by n, each with the problems and credits that have it."""
        found: dict[int, dict[Tally, list[tuple[int, float]]]] = {}
        ends, counts, shares = self.groups.starts.tolist(), self.groups.count.tolist(), self.groups.credit.tolist()
        for problem, n in enumerate(self.sizes.tolist()):
            count = counts[ends[problem] : ends[problem + 1]]
            for place, share in enumerate(shares[ends[problem] : ends[problem + 1]]):
                if share > 0:
                    others = tuple(sorted(count[:place] + count[place + 1 :], reverse=True))
                    found.setdefault(n, {}).setdefault((n, count[place], others), []).append((problem, share))
        return found

    def of_problems(self, kept: NDArray[np.bool_]) -> Samples:
        """The samples of some problems.

        Parameters
        ----------
        kept
            Whether each problem stays.
        """
        rows = kept[self.problem]
        return replace(
            self,
            problems=tuple(name for name, stays in zip(self.problems, kept, strict=True) if stays),
            starts=np.concatenate([[0], np.cumsum(self.sizes[kept])]),
            correct=self.correct[rows],
            answer=None if self.answer is None else self.answer[rows],
            scores={name: values[rows] for name, values in self.scores.items()},
            tokens=None if self.tokens is None else self.tokens[rows],
        )


def _codes(texts: Sequence[str]) -> tuple[list[str], Integers]:
    """Distinct texts, and which of them each is."""
    known: dict[str, int] = {}
    code = np.array([known.setdefault(text, len(known)) for text in texts], dtype=np.int64)
    return list(known), code


def _within(problem: Integers, starts: Integers, answer: Integers) -> Integers:
    """Number the answers of each problem from 0; samples are sorted by problem, then answer."""
    new = np.ones(len(answer), dtype=bool)
    new[1:] = (problem[1:] != problem[:-1]) | (answer[1:] != answer[:-1])
    running = np.cumsum(new & (answer >= 0))
    before = np.concatenate([[0], running])[starts[problem]] if len(answer) else running
    return np.where(answer < 0, -1, running - before - 1)
