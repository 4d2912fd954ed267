"""Token sequences of a set of records, with what is to be learned of them marked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
# Label of a token that is not learned.
IGNORED = -100


@dataclass(frozen=True, eq=False)
class Examples:
    """Records as a model reads them: a prompt, which is given, and a response, which is learned.

    Parameters
    ----------
    ids
        Ids of the records, n of them.
    tokens
        Token ids of all sequences, one after another.
    starts
        Where each sequence starts in `tokens`, and where the last one ends, shape (n + 1,).
    prompts
        Tokens of each prompt, shape (n,); a prompt has at least one.
    truncated
        Records whose response was cut to fit the context window.
    dropped
        Records left out because they do not fit it.
    end
        What ends a response: the name of the end token, or the text that stands for it.
    """

    ids: tuple[str, ...]
    tokens: Ints
    starts: Ints
    prompts: Ints
    truncated: int = 0
    dropped: int = 0
    end: str = ""

    @classmethod
    def of(
        cls, ids: Sequence[str], prompts: Sequence[Sequence[int]], responses: Sequence[Sequence[int]], **told: int | str
    ) -> Examples:
        """Put sequences together.

        Parameters
        ----------
        ids
            Ids of the records.
        prompts, responses
            Their token ids.
        **told
            `truncated`, `dropped` and `end`.

        Examples
        --------
        >>> examples = Examples.of(["a", "b"], [[1, 2], [1]], [[3], [4, 5]])
        >>> [examples.sequence(1).tolist(), examples.lengths.tolist(), examples.responses.tolist()]
        [[1, 4, 5], [3, 3], [1, 2]]
        """
        whole = [np.array([*p, *r], dtype=np.int64) for p, r in zip(prompts, responses, strict=True)]
        starts = np.cumsum([0, *map(len, whole)], dtype=np.int64)
        tokens = np.concatenate(whole) if whole else np.empty(0, dtype=np.int64)
        lengths = np.array([len(p) for p in prompts], dtype=np.int64)
        return cls(tuple(ids), tokens, starts, lengths, **told)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.ids)

    def sequence(self, index: int) -> Ints:
        """Token ids of one record, prompt and response."""
        return self.tokens[self.starts[index] : self.starts[index + 1]]

    def features(self, indices: Sequence[int] | NDArray | None = None) -> list[dict[str, Ints]]:
        """Records as transformers' collators take them, labels of prompts ignored.

        Parameters
        ----------
        indices
            Which records, in which order; by default all.
        """
        found = []
        for i in range(len(self)) if indices is None else indices:
            ids = self.sequence(i)
            found.append({"input_ids": ids, "labels": np.where(np.arange(len(ids)) < self.prompts[i], IGNORED, ids)})
        return found

    @cached_property
    def lengths(self) -> Ints:
        """Tokens of each record, prompt and response, shape (n,)."""
        return np.diff(self.starts)

    @property
    def responses(self) -> Ints:
        """Tokens of each response with its end, those that are learned, shape (n,)."""
        return self.lengths - self.prompts

    def take(self, indices: Sequence[int] | NDArray) -> Examples:
        """The examples at some places, in that order, such as `ggmi.students.matching` chooses them.

        Counts of truncated and dropped records stay those of the whole set.

        Parameters
        ----------
        indices
            Places from 0; one may come more than once.
        """
        chosen = [int(i) for i in indices]
        whole = [self.sequence(i) for i in chosen]
        return Examples.of(
            [self.ids[i] for i in chosen],
            [s[: self.prompts[i]].tolist() for s, i in zip(whole, chosen, strict=True)],
            [s[self.prompts[i] :].tolist() for s, i in zip(whole, chosen, strict=True)],
            truncated=self.truncated,
            dropped=self.dropped,
            end=self.end,
        )

    def digest(self) -> str:
        """Hash of everything a student can learn from, 64 hexadecimal digits (SHA-256)."""
        digest = hashlib.sha256()
        for part in (self.tokens, self.starts, self.prompts):
            digest.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
        return digest.hexdigest()
