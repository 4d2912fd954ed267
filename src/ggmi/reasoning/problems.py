"""Problems whose right thoughts are known: products of operands in a finite group, some operands irrelevant.

The right thoughts are ``t_l = t_{l-1} ∘ x_l`` from a given start. Each operand stands beside an irrelevant
one, in random order; the two are of different kinds of token, so that it can be told which one counts.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError
from ggmi.io import atomic

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Tokens in the order of their ids: the end of a chain, the end of the operands; then, one for each element
# of the group, the values of steps, the operands that count, and those that do not.
END, EQUALS, FIRST_VALUE = 0, 1, 2
# Tokens of a step as it was taught: the operand, and the value.
STEP_TOKENS = 2


def group_table(group: str) -> Ints:
    """Multiplication table of a finite group.

    Parameters
    ----------
    group
        ``cyclic_<m>``, addition modulo m (commutative), or ``symmetric_<n>``, the permutations of n things,
        where ``a ∘ b`` applies b first (not commutative from n = 3 on).

    Returns
    -------
    ndarray, shape (m, m)
        The number of ``a ∘ b`` in row a, column b.

    Raises
    ------
    UserError
        If there is no such group here.

    Examples
    --------
    >>> group_table("cyclic_3").tolist()
    [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    >>> table = group_table("symmetric_3")
    >>> len(table), bool((table == table.T).all())
    (6, False)
    """
    family, _, size = group.partition("_")
    if family == "cyclic" and size.isdigit() and 2 <= int(size) <= 24:
        numbers = np.arange(int(size))
        return np.add.outer(numbers, numbers) % int(size)
    if family == "symmetric" and size in ("2", "3", "4"):
        permutations = list(itertools.permutations(range(int(size))))
        number = {p: i for i, p in enumerate(permutations)}
        return np.array([[number[tuple(a[i] for i in b)] for b in permutations] for a in permutations])
    raise UserError(f"group: {group!r} is not allowed; allowed: cyclic_2 to cyclic_24, symmetric_2 to symmetric_4")


@dataclass(frozen=True)
class Problems:
    """Problems of one group and one length.

    Parameters
    ----------
    table
        The group's multiplication table, shape (m, m).
    operands
        Those that count, x_1 to x_L, shape (problems, L).
    irrelevant
        The one beside each, shape (problems, L).
    irrelevant_first
        Whether it stands before the one that counts, shape (problems, L).
    starts
        t_0, shape (problems,).
    claims
        The value that the true-or-false form of a problem claims to be the result, shape (problems,); half
        of the claims are true.
    """

    table: Ints
    operands: Ints
    irrelevant: Ints
    irrelevant_first: Bools
    starts: Ints
    claims: Ints

    @classmethod
    def draw(cls, table: Ints, length: int, count: int, generator: np.random.Generator) -> Problems:
        """Draw problems, every part uniform and independent but for the claims, half of which are true.

        Parameters
        ----------
        table
            The group's multiplication table.
        length
            L, the steps.
        count
            How many.
        generator
            Source of randomness.
        """
        m = len(table)
        operands = generator.integers(m, size=(count, length))
        irrelevant = generator.integers(m, size=(count, length))
        first = generator.random((count, length)) < 0.5
        starts = generator.integers(m, size=count)
        results = _thoughts(table, starts, operands)[:, -1]
        others = (results + generator.integers(1, m, size=count)) % m
        claims = np.where(generator.random(count) < 0.5, results, others)
        return cls(table, operands, irrelevant, first, starts, claims)

    def __len__(self) -> int:
        return len(self.operands)

    @property
    def length(self) -> int:
        """L, the steps of each problem."""
        return self.operands.shape[1]

    @property
    def order(self) -> int:
        """m, the elements of the group."""
        return len(self.table)

    @property
    def vocabulary(self) -> int:
        """Tokens there are."""
        return FIRST_VALUE + 3 * self.order

    def thoughts(self) -> Ints:
        """The right thoughts t_0 to t_L, shape (problems, L + 1)."""
        return _thoughts(self.table, self.starts, self.operands)

    def part(self, which: slice | NDArray) -> Problems:
        """Some of the problems."""
        rest = [getattr(self, field.name)[which] for field in fields(self)[1:]]
        return Problems(self.table, *rest)

    def prompts(self) -> Ints:
        """Token ids that a reasoner is given, shape (problems, 2 L + 2): operands in pairs, their end, the start."""
        m = self.order
        counts, other = FIRST_VALUE + m + self.operands, FIRST_VALUE + 2 * m + self.irrelevant
        pairs = np.where(
            self.irrelevant_first[..., None], np.stack([other, counts], -1), np.stack([counts, other], -1)
        ).reshape(len(self), -1)
        end = np.full((len(self), 1), EQUALS)
        return np.concatenate([pairs, end, FIRST_VALUE + self.starts[:, None]], axis=1)

    def chains(self) -> Ints:
        """Token ids of the right chains after the prompts, shape (problems, 2 L + 1): operand, value, …, end."""
        steps = np.stack([FIRST_VALUE + self.order + self.operands, FIRST_VALUE + self.thoughts()[:, 1:]], -1)
        return np.concatenate([steps.reshape(len(self), -1), np.full((len(self), 1), END)], axis=1)


def save_problems(path: str | os.PathLike[str], problems: Mapping[int, Problems]) -> None:
    """Write problems by length as one ``.npz``, atomically.

    Parameters
    ----------
    path
        The file to make.
    problems
        Problems of each length.
    """
    arrays = {f"{n}/{field.name}": getattr(p, field.name) for n, p in problems.items() for field in fields(Problems)}
    with atomic(path) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)


def load_problems(path: str | os.PathLike[str]) -> dict[int, Problems]:
    """Read what `save_problems` wrote."""
    with np.load(path) as arrays:
        lengths = dict.fromkeys(int(key.split("/")[0]) for key in arrays)
        return {n: Problems(**{field.name: arrays[f"{n}/{field.name}"] for field in fields(Problems)}) for n in lengths}


def positions_needed(longest: int) -> int:
    """Positions of problems of at most so many steps, and of a step too many.

    Two tokens an operand, the end of the operands and the start; two tokens a step, one step too many, and
    the end of the chain: ``2 L + 2 + 2 (L + 1)``, of which the last is written and never read.
    """
    return 4 * longest + 4


def positions(length: int, all_positions: int) -> Ints:
    """Positions of the tokens of a prompt, and of all that may come after it.

    Operand l is at the same place in short and long problems, and so is step l.

    Parameters
    ----------
    length
        L of the problems.
    all_positions
        Positions that the reasoner has (`positions_needed`).
    """
    return np.concatenate([np.arange(2 * length + 1), np.arange(all_positions // 2 - 1, all_positions)])


def _thoughts(table: Ints, starts: Ints, operands: Ints) -> Ints:
    found = [starts]
    for column in operands.T:
        found.append(table[found[-1], column])
    return np.stack(found, axis=1)
