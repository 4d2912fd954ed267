"""Finite worlds of slow thinking: a chain of hidden thoughts, and of the steps that state them.

    t_1 -> t_2 -> t_3        each thought depends on the one before
     |      |      |
    r_1    r_2    r_3        each step on its thought, and on whether the step before was right

A step is right where its value is its thought's (Gan, Liao & Liu, arXiv 2501.15602, call a step
tau-correct where the values of step and ideal step are close; here the values are whole numbers).
Values that are one-to-one make "right" the recovery of the thought, the event that Fano's inequality
is about. The thoughts are the problem: candidates for a step are drawn independently given them and
given that the steps before are right. A verifier that must choose between candidates chooses a right
one, where there is one, with probability epsilon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import reduce
from math import isqrt
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError
from ggmi.exact.statement import Array
from ggmi.exact.trees import Term, fold

# Steps of every chain: the fewest with which "earlier losses" have a mean that is not one loss.
STEPS = 3
PLACES = tuple(str(i + 1) for i in range(STEPS))
VARIABLES = tuple(f"{kind}{place}" for place in PLACES for kind in "tr")
LETTERS = dict(zip(VARIABLES, "abcdef", strict=True))
# Ways to search: one sample, candidates at every layer, at the first alone, so many whole answers, all paths of a tree.
WAYS = ("chain", "stepwise", "first layer", "N = k", "N = k^(L/2)", "N = k^L", "N of the tree's calls", "tree")


def answers_of(way: str, width: int) -> int:
    """Whole answers that best-of-N draws.

    Parameters
    ----------
    way
        One of `WAYS` that begins with N.
    width
        The width k of the search that it is compared with.

    Returns
    -------
    int
        ``k``, ``k^(L/2)`` rounded up, ``k^L``, or as many answers as the ``k + k^2 + ... + k^L`` steps of
        the full tree make, rounded down.
    """
    paths = width**STEPS
    root = isqrt(paths)
    calls = sum(width ** (i + 1) for i in range(STEPS)) // STEPS
    return {
        "N = k": width,
        "N = k^(L/2)": root + (root * root < paths),
        "N = k^L": paths,
        "N of the tree's calls": calls,
    }[way]


def probability_found(way: str, rates: Sequence[Any], width: int) -> Any:
    """Probability that a right chain is among what a search generates, by its rates.

    Parameters
    ----------
    way
        One of `WAYS`.
    rates
        Probability of each step to be right after right steps: numbers, fractions or arrays.
    width
        Candidates a layer, or what N is derived from.

    Returns
    -------
    As the rates.
    """
    if way == "stepwise":
        return reduce(mul, (1 - (1 - p) ** width for p in rates))
    if way == "chain":
        return reduce(mul, rates)
    if way == "first layer":
        return 1 - (1 - rates[0]) ** width
    if way == "tree":
        # From the leaves: a node succeeds if a child is right and succeeds.
        return reduce(lambda below, p: 1 - (1 - p * below) ** width, reversed(rates), 1)
    return 1 - (1 - reduce(mul, rates)) ** answers_of(way, width)


class ChainLaws:
    """What statements ask of a batch of chains, in numpy or in a module that differentiates."""

    xp: Any = np
    first: Array
    thoughts: Array
    steps: Array
    selection: Array
    right: Array
    width: int
    growth: Fraction
    _joint: list[Any]

    def __len__(self) -> int:
        return len(self.right)

    @property
    def joint(self) -> Any:
        """Joint law of t_1, r_1, t_2, r_2, t_3, r_3, shape (B, m, n, m, n, m, n)."""
        if not self._joint:
            law = self.xp.einsum("za,zab->zab", self.first, self.steps[:, 0, 0])
            hit, letters = self.right[..., None, None], "ab"
            for i in range(1, STEPS):
                after = hit * self.steps[:, i, 0][:, None, None] + (1 - hit) * self.steps[:, i, 1][:, None, None]
                new = "abcdef"[2 * i : 2 * i + 2]
                old = letters[-2:]
                spec = f"z{letters},z{old[0]}{new[0]},z{old}{new}->z{letters}{new}"
                law = self.xp.einsum(spec, law, self.thoughts[:, i - 1], after)
                letters += new
            self._joint.append(law)
        return self._joint[0]

    def entropy(self, names: Sequence[str]) -> Any:
        """Joint entropy in nats, shape (B,)."""
        law = self.xp.einsum(f"zabcdef->z{''.join(LETTERS[n] for n in names)}", self.joint)
        flat = law.reshape(len(self), -1)
        return -(flat * self.xp.log(self.xp.where(flat > 0, flat, 1.0))).sum(axis=-1)

    def all_right(self, places: Sequence[str]) -> Any:
        """Probability that the steps at some places are all right, shape (B,)."""
        kept = [f"z{LETTERS['t' + x]}{LETTERS['r' + x]}" for x in places]
        return self.xp.einsum(f"zabcdef,{','.join(kept)}->z", self.joint, *(self.right for _ in places))

    def mean_error(self, places: Sequence[str]) -> Any:
        """Mean probability of a wrong step, shape (B,)."""
        return 1 - sum(self.all_right([x]) for x in places) / len(places)

    def rates(self) -> list[Any]:
        """Probability of each step to be right given its thought, after right steps; shape (B, m) each."""
        return [(self.steps[:, i, 0] * self.right).sum(axis=-1) for i in range(STEPS)]

    def mean_rates(self) -> list[Any]:
        """Probability of each step to be right after right steps, shape (B,) each; 0 where there are none."""
        prefixes = [self.xp.ones(len(self)), *(self.all_right(PLACES[: i + 1]) for i in range(STEPS))]
        return [prefixes[i + 1] / self.xp.where(prefixes[i] > 0, prefixes[i], 1.0) for i in range(STEPS)]

    def found(self, way: str) -> Any:
        """Probability that a search generates a right chain, mean over the thoughts; shape (B,)."""
        one, two, three = self.rates()
        law = self.xp.einsum("za,zac,zce->zace", self.first, self.thoughts[:, 0], self.thoughts[:, 1])
        rates = [one[:, :, None, None], two[:, None, :, None], three[:, None, None, :]]
        return (law * probability_found(way, rates, self.width)).sum(axis=(1, 2, 3))

    def decoding_error(self, place: str) -> Any:
        """Probability that the best guess of a thought from its step is wrong, shape (B,)."""
        law = self.xp.einsum(f"zabcdef->z{LETTERS['t' + place]}{LETTERS['r' + place]}", self.joint)
        return 1 - law.max(axis=1).sum(axis=-1)

    def value(self, term: Term) -> Array:
        """A tree's value in every world, shape (B,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return fold(term, _Batch(self)) + np.zeros(len(self))


class _Batch:
    """Arithmetic of a batch of chains: arrays of shape (B,)."""

    def __init__(self, laws: ChainLaws) -> None:
        self.laws = laws
        self.xp = laws.xp

    def number(self, value: Fraction) -> float:
        return float(value)

    def sqrt(self, value: Any) -> Any:
        return self.xp.sqrt(self.xp.maximum(value, 0.0))

    def maximum(self, one: Any, two: Any) -> Any:
        return self.xp.maximum(one, two)

    def leaf(self, term: Term) -> Any:
        laws, args = self.laws, term.args
        if term.op == "Hb":
            wrong = laws.mean_error(args)
            return -sum(p * self.xp.log(self.xp.where(p > 0, p, 1.0)) for p in (wrong, 1 - wrong))
        if term.op == "rule":
            return probability_found(args[0], laws.mean_rates(), laws.width)
        if term.op == "parameter":
            return laws.selection[:, 1] if args[0] == "epsilon" else float(laws.width)
        if term.op == "log":
            return np.log(float(logarithm_of(args[0], laws.right.shape[1], laws.growth)))
        known: dict[str, Any] = {"H": laws.entropy, "right": laws.all_right, "error": laws.mean_error}
        known |= {"found": lambda x: laws.found(*x), "decoded": lambda x: laws.decoding_error(*x)}
        return known[term.op](args)


def logarithm_of(name: str, thoughts: int, growth: Fraction) -> Fraction:
    """What a leaf ``log`` is the logarithm of: the number of thoughts, that less one, lambda, or a number.

    Parameters
    ----------
    name
        The leaf's argument: ``T``, ``T - 1``, ``lambda`` or a number.
    thoughts
        Number of thoughts.
    growth
        lambda.
    """
    named = {"T": Fraction(thoughts), "T - 1": Fraction(thoughts - 1), "lambda": growth}
    return named.get(name) or Fraction(name)


@dataclass(frozen=True)
class Chains(ChainLaws):
    """B chains of `STEPS` steps with m thoughts and n steps to choose from.

    Parameters
    ----------
    first
        Law of t_1, shape (B, m).
    thoughts
        P(t_(l+1) | t_l), shape (B, STEPS - 1, m, m).
    steps
        P(r_l | whether the step before was wrong, t_l), shape (B, STEPS, 2, m, n). Before the first
        step nothing is wrong.
    selection
        Law of the verifier's choice where a right candidate is there: wrong, right; shape (B, 2).
    thought_values, step_values
        The values of thoughts and of steps, shapes (B, m) and (B, n).
    width
        Candidates k of a layer.
    growth
        lambda of Proposition 4.3.

    Raises
    ------
    UserError
        If shapes do not chain, or a row is no law.
    """

    first: Array
    thoughts: Array
    steps: Array
    selection: Array
    thought_values: NDArray[np.int64]
    step_values: NDArray[np.int64]
    width: int = 2
    growth: Fraction = Fraction(16)
    right: Array = field(init=False, repr=False)
    _joint: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        worlds, m = self.first.shape
        n = self.step_values.shape[1]
        wanted = {
            "thoughts": (worlds, STEPS - 1, m, m),
            "steps": (worlds, STEPS, 2, m, n),
            "selection": (worlds, 2),
            "thought_values": (worlds, m),
            "step_values": (worlds, n),
        }
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise UserError(f"{name} of the chains must have shape {shape}, got {getattr(self, name).shape}")
        for name, table in self.tables().items():
            if table.min() < 0 or np.abs(table.sum(axis=-1) - 1).max() > 1e-9:
                raise UserError(f"{name} of the chains: a row is no probability law")
        right = self.thought_values[:, :, None] == self.step_values[:, None, :]
        object.__setattr__(self, "right", right.astype(float))

    def tables(self) -> dict[str, Array]:
        """The probability tables by the names of the constructor."""
        return {name: getattr(self, name) for name in ("first", "thoughts", "steps", "selection")}

    def __getitem__(self, index: Any) -> Chains:
        """Return the batch of the worlds at `index`."""
        names = (*self.tables(), "thought_values", "step_values")
        return replace(self, **{name: getattr(self, name)[index] for name in names})


def chain(
    first: Sequence[float],
    thoughts: Sequence[Sequence[Sequence[float]]],
    steps: Sequence[Sequence[Sequence[float]]],
    *,
    after_wrong: Sequence[Sequence[Sequence[float]]] | None = None,
    epsilon: float = 1.0,
    thought_values: Sequence[int] | None = None,
    step_values: Sequence[int] | None = None,
    width: int = 2,
    growth: Fraction = Fraction(16),
) -> Chains:
    """Make one chain from tables without a batch axis.

    Parameters
    ----------
    first, thoughts, width, growth
        As in `Chains`.
    steps, after_wrong
        P(r_l | t_l) after a right step, and after a wrong one; the same where none is given; shape
        (STEPS, m, n).
    epsilon
        Probability that the verifier chooses a right candidate where there is one.
    thought_values, step_values
        The symbols themselves where none are given.

    Returns
    -------
    Chains
        A batch of one.
    """
    channel = np.asarray(steps, dtype=float)
    both = np.stack([channel, channel if after_wrong is None else np.asarray(after_wrong, dtype=float)], axis=1)
    m, n = channel.shape[1:]
    values = [
        np.array([range(size) if given is None else given], dtype=np.int64)
        for given, size in ((thought_values, m), (step_values, n))
    ]
    return Chains(
        np.asarray(first, dtype=float)[None],
        np.asarray(thoughts, dtype=float)[None],
        both[None],
        np.array([[1 - epsilon, epsilon]]),
        values[0],
        values[1],
        width=width,
        growth=growth,
    )
