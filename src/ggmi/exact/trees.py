"""Sides of inequalities as expression trees: one definition for floats, gradients, certificates and readers.

A tree's leaves are exact numbers and quantities of a world, which a study's arithmetic knows by name.
Inner nodes are sums of any length, products of two, square roots, absolute values, maxima and
quotients. Sums are kept flat, ``H(W) - H(S, W) + H(S)`` rather than a sum of sums. As JSON a tree is
a nested list in prefix form with numbers as fractions in text, which is what certificates store.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import add
from typing import Any, Protocol

OPERATIONS = ("+", "*", "/", "sqrt", "abs", "max")


@dataclass(frozen=True)
class Term:
    """A node of the tree.

    Parameters
    ----------
    op
        ``number``, one of `OPERATIONS`, or what the study's arithmetic knows.
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

    @property
    def is_leaf(self) -> bool:
        """Whether it is a quantity of the world: an operation on names alone."""
        return self.op != "number" and not any(isinstance(a, Term) for a in self.args)

    def leaves(self) -> list[Term]:
        """The tree's distinct leaves other than numbers, in order of appearance."""
        if self.op == "number":
            return []
        return [self] if self.is_leaf else list(dict.fromkeys(leaf for a in self.args for leaf in a.leaves()))

    def as_json(self) -> list[Any] | str:
        """Nested lists, numbers as strings of fractions."""
        if self.op == "number":
            return str(self.args[0])
        return [self.op, *(a.as_json() if isinstance(a, Term) else a for a in self.args)]


def number(value: Fraction | int | str) -> Term:
    """An exact rational number."""
    return Term("number", (Fraction(value),))


def parameter(name: str) -> Term:
    """A parameter of the world."""
    return Term("parameter", (name,))


def logarithm(value: int) -> Term:
    """The natural logarithm of a whole number."""
    return Term("log", (str(value),))


def sqrt(term: Term) -> Term:
    """Square root; of a negative number the root is zero."""
    return Term("sqrt", (term,))


def absolute(term: Term) -> Term:
    """Absolute value."""
    return Term("abs", (term,))


def maximum(one: Term, two: Term) -> Term:
    """The larger of two."""
    return Term("max", (one, two))


class Arithmetic(Protocol):
    """What a tree is evaluated with: numbers, leaves, and the operations that are no operators of Python."""

    def number(self, value: Fraction) -> Any:
        """An exact number."""

    def leaf(self, term: Term) -> Any:
        """Value of a leaf, or of an operation that is not one of `OPERATIONS`."""

    def sqrt(self, value: Any) -> Any:
        """Root of what is not negative, zero of what is."""

    def maximum(self, one: Any, two: Any) -> Any:
        """The larger of two."""


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
    if term.op not in OPERATIONS:
        return arithmetic.leaf(term)
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
