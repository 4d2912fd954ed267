"""Sides of inequalities as expression trees: one definition for floats, gradients, certificates and readers.

A tree's leaves are exact numbers, entropies, the world's parameters, and *random* quantities that
depend on the outcome (p, S_gen, W), or (p, W') for the student of the anchors: risks of the
parameters, their loss on the training set, total variation distances of laws given p. Inner nodes are
sums of any length, products of two, square roots, absolute values, maxima, means and suprema over
outcomes, and in quantities that are only shown, quotients. Sums are kept flat, ``H(W) - H(S, W) +
H(S)`` rather than a sum of sums. As JSON a tree is a nested list in prefix form with numbers as
fractions in text, which is what certificates store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import add
from typing import Any, Protocol

import numpy as np

from ggmi.theory.world import NAMES, Array, Laws, canonical, listed

LEAVES = ("H", "tv", "risk", "loss", "parameter", "log")
RANDOM = ("tv", "risk", "loss")
PARAMETERS = ("C", "sigma", "1/n", "1/m", "contraction", "anchor contraction", "lambda excess")


@dataclass(frozen=True)
class Term:
    """A node of the tree.

    Parameters
    ----------
    op
        ``number``, a leaf of `LEAVES`, or ``+``, ``*``, ``/``, ``sqrt``, ``abs``, ``max``, ``mean``, ``sup``.
    args
        The number, the leaf's names, or the node's operands.
    """

    op: str
    args: tuple[Any, ...]

    def __add__(self, other: Term) -> Term:
        return Term("+", tuple(part for side in (self, other) for part in (side.args if side.op == "+" else (side,))))

    def __sub__(self, other: Term) -> Term:
        return self + -other

    def __neg__(self) -> Term:
        return number(-1) * self

    def __mul__(self, other: Term) -> Term:
        if self.op == "number" and other.op == "+":
            return Term("+", tuple(self * part for part in other.args))
        if self.op == "number" and other.op == "*" and other.args[0].op == "number":
            factor = self.args[0] * other.args[0].args[0]
            return other.args[1] if factor == 1 else Term("*", (number(factor), other.args[1]))
        return Term("*", (self, other))

    def __truediv__(self, other: Term) -> Term:
        return Term("/", (self, other))

    def leaves(self) -> list[Term]:
        """The tree's distinct leaves other than numbers, in order of appearance."""
        if self.op in LEAVES:
            return [self]
        if self.op == "number":
            return []
        return list(dict.fromkeys(leaf for a in self.args for leaf in a.leaves()))

    @property
    def random(self) -> bool:
        """Whether the value depends on the outcome."""
        if self.op in ("mean", "sup", "number"):
            return False
        return self.op in RANDOM if self.op in LEAVES else any(a.random for a in self.args)

    @property
    def learner(self) -> str:
        """Whose parameters the tree's random quantities depend on."""
        return "W'" if any(leaf.args[0] == "W'" for leaf in self.leaves() if leaf.op in ("risk", "loss")) else "W"

    def as_json(self) -> list[Any] | str:
        """Nested lists, numbers as strings of fractions."""
        if self.op == "number":
            return str(self.args[0])
        return [self.op, *(a.as_json() if isinstance(a, Term) else a for a in self.args)]


def number(value: Fraction | int | str) -> Term:
    """An exact rational number."""
    return Term("number", (Fraction(value),))


def parameter(name: str) -> Term:
    """A parameter of the world, one of `PARAMETERS`."""
    return Term("parameter", (name,))


def logarithm(value: int) -> Term:
    """The natural logarithm of a whole number."""
    return Term("log", (str(value),))


def entropy(*names: str) -> Term:
    """Joint entropy of variables, in nats."""
    # One order of names, so that equal entropies are one leaf.
    return Term("H", tuple(sorted({canonical(n) for n in names}, key=NAMES.index)))


def conditional(a: str | Sequence[str], given: str | Sequence[str]) -> Term:
    """Conditional entropy, in nats."""
    one, two = listed(a), listed(given)
    return entropy(*one, *two) - entropy(*two)


def information(a: str | Sequence[str], b: str | Sequence[str], given: str | Sequence[str] = ()) -> Term:
    """Mutual information, perhaps conditional, in nats."""
    one, two, three = listed(a), listed(b), listed(given)
    result = entropy(*one, *three) + entropy(*two, *three) - entropy(*one, *two, *three)
    return result - entropy(*three) if three else result


def variation(a: str, b: str, given: str = "p") -> Term:
    """Total variation distance of two laws of one example, of M(p) and S_gen given p unless `given` is empty."""
    return Term("tv", (canonical(a), canonical(b), given))


def risk(data: str, learner: str = "W", given: str = "p") -> Term:
    """Mean loss of the parameters on a fresh example; of M(p) and S_gen given p unless `given` is empty."""
    data = canonical(data)
    return Term("risk", (canonical(learner), data, "" if data == "S_anchor" else given))


def training_loss(learner: str = "W") -> Term:
    """Mean loss of the parameters on the examples that they were trained on."""
    return Term("loss", (canonical(learner),))


def sqrt(term: Term) -> Term:
    """Square root; of a negative number the root is zero."""
    return Term("sqrt", (term,))


def absolute(term: Term) -> Term:
    """Absolute value."""
    return Term("abs", (term,))


def maximum(one: Term, two: Term) -> Term:
    """The larger of two."""
    return Term("max", (one, two))


def mean(term: Term) -> Term:
    """Expectation over outcomes."""
    return Term("mean", (term,))


def supremum(term: Term) -> Term:
    """Largest value over the outcomes that can occur; of what is not random, itself."""
    return Term("sup", (term,)) if term.random else term


def coefficients(term: Term) -> dict[Term, Fraction]:
    """Factor of every leaf in a sum of leaves and multiples of leaves.

    Examples
    --------
    >>> coefficients(entropy("W") - entropy("M") + entropy("W"))[entropy("W")]
    Fraction(2, 1)
    """
    result: dict[Term, Fraction] = {}
    for part in term.args if term.op == "+" else (term,):
        factor, leaf = (part.args[0].args[0], part.args[1]) if part.op == "*" else (Fraction(1), part)
        result[leaf] = result.get(leaf, Fraction(0)) + factor
    return result


class Arithmetic(Protocol):
    """What a tree is evaluated with: numbers, leaves, and the operations that are no operators of Python."""

    def number(self, value: Fraction) -> Any:
        """An exact number."""

    def leaf(self, term: Term) -> Any:
        """A leaf's value."""

    def sqrt(self, value: Any) -> Any:
        """Root of what is not negative, zero of what is."""

    def maximum(self, one: Any, two: Any) -> Any:
        """The larger of two."""

    def over_outcomes(self, op: str, term: Term) -> Any:
        """Mean or supremum of a random tree."""


def fold(term: Term, arithmetic: Arithmetic) -> Any:
    """Evaluate a tree in any arithmetic.

    Parameters
    ----------
    term
        The tree.
    arithmetic
        Its numbers must add and multiply, and negate and divide where the tree asks for it.

    Returns
    -------
    Whatever the arithmetic's numbers are.
    """
    if term.op == "number":
        return arithmetic.number(term.args[0])
    if term.op in LEAVES:
        return arithmetic.leaf(term)
    if term.op in ("mean", "sup"):
        return arithmetic.over_outcomes(term.op, term.args[0])
    operands = [fold(a, arithmetic) for a in term.args]
    if term.op == "+":
        return reduce(add, operands)
    if term.op == "*":
        return operands[0] * operands[1]
    if term.op == "/":
        return operands[0] / operands[1]
    if term.op == "max":
        return arithmetic.maximum(*operands)
    return abs(operands[0]) if term.op == "abs" else arithmetic.sqrt(operands[0])


class _Batch:
    """Arithmetic of a batch of worlds: arrays of shape (B, p, S_gen, W), of size one where nothing depends on it."""

    def __init__(self, laws: Laws) -> None:
        self.laws = laws
        self.xp = laws.xp

    def number(self, value: Fraction) -> float:
        return float(value)

    def leaf(self, term: Term) -> Array:
        if term.op == "H":
            return self.laws.entropy(term.args).reshape(-1, 1, 1, 1)
        if term.op == "parameter":
            return np.full((len(self.laws), 1, 1, 1), float(self.laws.parameters[term.args[0]]))
        if term.op == "log":
            return np.full((len(self.laws), 1, 1, 1), np.log(float(term.args[0])))
        if term.op == "tv":
            return self.laws.variation(*term.args)
        if term.op == "loss":
            return self.laws.training_loss(*term.args)
        learner, data, given = term.args
        return self.laws.risk(data, learner, given)

    def sqrt(self, value: Array) -> Array:
        return self.xp.sqrt(self.xp.maximum(value, self.laws.root_floor))

    def maximum(self, one: Array, two: Array) -> Array:
        return self.xp.maximum(one, two)

    def over_outcomes(self, op: str, term: Term) -> Array:
        value, law = fold(term, self), self.laws.outcome_law(term.learner)
        axes = (1, 2, 3)
        if op == "mean":
            return (value * law).sum(axis=axes).reshape(-1, 1, 1, 1)
        return self.xp.where(law > 0, value + 0 * law, -np.inf).max(axis=axes).reshape(-1, 1, 1, 1)


def evaluate(term: Term, laws: Laws) -> Array:
    """Value of a tree in every world of a batch.

    Parameters
    ----------
    term
        A tree that is not random; one that is takes its mean or supremum first.
    laws
        The worlds.

    Returns
    -------
    ndarray, shape (B,)
        A quotient with nothing below is infinite or NaN.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = fold(term, _Batch(laws))
    return (value + np.zeros((len(laws), 1, 1, 1))).reshape(-1)


def sides_at_worst(left: Term, right: Term, relation: str, laws: Laws) -> tuple[float, float]:
    """Both sides in one world, at the outcome where the statement fits worst.

    Parameters
    ----------
    left, right
        The sides.
    relation
        ``<=``, ``>=`` or ``=``.
    laws
        A batch of one.

    Returns
    -------
    tuple of float
    """
    learner = (left - right).learner
    law = laws.outcome_law(learner)
    one, two = (fold(side, _Batch(laws)) + 0 * law for side in (left, right))
    excess = np.abs(one - two) if relation == "=" else one - two if relation == "<=" else two - one
    place = np.unravel_index(np.argmax(np.where(law > 0, excess, -np.inf)), law.shape)
    return float(one[place]), float(two[place])
