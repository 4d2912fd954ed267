"""Sides of inequalities as expression trees: one definition for floats, gradients, certificates and readers.

A tree's leaves are exact numbers, entropies, total variation distances, risks and the world's
parameters; its inner nodes are sums of any length, products of two, square roots, absolute values,
and in quantities that are only shown, quotients. Sums are kept flat, ``H(W) - H(S, W) + H(S)``
rather than a sum of sums. As JSON a tree is a nested list in prefix form with numbers as fractions
in text, which is what certificates store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from ggmi.errors import UserError
from ggmi.theory.world import NAMES, Array, World, canonical

LEAVES = ("H", "tv", "risk", "training", "parameter")
PARAMETERS = ("C", "sigma", "1/n", "contraction")


@dataclass(frozen=True)
class Term:
    """A node of the tree.

    Parameters
    ----------
    op
        ``number``, a leaf of `LEAVES`, or ``+``, ``*``, ``/``, ``sqrt``, ``abs``.
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

    def as_json(self) -> list[Any] | str:
        """Nested lists, numbers as strings of fractions."""
        if self.op == "number":
            return str(self.args[0])
        return [self.op, *(a.as_json() if isinstance(a, Term) else a for a in self.args)]


def number(value: Fraction | int | str) -> Term:
    """An exact rational number."""
    return Term("number", (Fraction(value),))


def parameter(name: str) -> Term:
    """A parameter of the world: C, sigma, 1/n or contraction (eta^L)."""
    return Term("parameter", (name,))


def entropy(*names: str) -> Term:
    """Joint entropy of variables, in nats."""
    # One order of names, so that equal entropies are one leaf.
    return Term("H", tuple(sorted({canonical(n) for n in names}, key=NAMES.index)))


def conditional(a: str | Sequence[str], given: str | Sequence[str]) -> Term:
    """Conditional entropy, in nats."""
    one, two = _listed(a), _listed(given)
    return entropy(*one, *two) - entropy(*two)


def information(a: str | Sequence[str], b: str | Sequence[str], given: str | Sequence[str] = ()) -> Term:
    """Mutual information, perhaps conditional, in nats."""
    one, two, three = _listed(a), _listed(b), _listed(given)
    result = entropy(*one, *three) + entropy(*two, *three) - entropy(*one, *two, *three)
    return result - entropy(*three) if three else result


def variation(a: str, b: str) -> Term:
    """Total variation distance of two variables' laws on the data values."""
    return Term("tv", (canonical(a), canonical(b)))


def risk(data: str, learner: str = "W") -> Term:
    """Expected loss of the parameters on data drawn independently of them: a population risk."""
    return Term("risk", (canonical(data), canonical(learner)))


def training_risk(data: str, learner: str = "W") -> Term:
    """Expected loss of the parameters on the data they were trained on."""
    return Term("training", (canonical(data), canonical(learner)))


def sqrt(term: Term) -> Term:
    """Square root; of a negative number the root is zero."""
    return Term("sqrt", (term,))


def absolute(term: Term) -> Term:
    """Absolute value."""
    return Term("abs", (term,))


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


def evaluate(term: Term, world: World) -> Array:
    """Value in every world of the batch, shape (B,); a quotient with nothing below is infinite or NaN."""

    def root(value: Array) -> Array:
        return np.sqrt(np.maximum(value, 0.0))

    with np.errstate(divide="ignore", invalid="ignore"):
        value = fold(term, lambda leaf: leaf_value(leaf, world), float, root)
    return np.broadcast_to(np.asarray(value, dtype=float), (len(world),))


def fold(term: Term, leaf: Callable[[Term], Any], exact: Callable[[Fraction], Any], root: Callable[[Any], Any]) -> Any:
    """Evaluate a tree in any arithmetic.

    Parameters
    ----------
    term
        The tree.
    leaf
        Value of a leaf.
    exact
        Value of a rational number.
    root
        Square root, zero for negative operands.

    Returns
    -------
    Any
        Whatever `leaf` returns, combined by ``+``, ``*``, ``/``, `abs` and `root`.
    """
    if term.op == "number":
        return exact(term.args[0])
    if term.op in LEAVES:
        return leaf(term)
    operands = [fold(a, leaf, exact, root) for a in term.args]
    if term.op == "+":
        return reduce(add, operands)
    if term.op == "*":
        return operands[0] * operands[1]
    if term.op == "/":
        return operands[0] / operands[1]
    if term.op == "abs":
        return abs(operands[0])
    return root(operands[0])


def leaf_value(leaf: Term, world: World) -> Array:
    """Value of a leaf in every world, shape (B,)."""
    if leaf.op == "H":
        return world.entropy(leaf.args)
    if leaf.op == "parameter":
        return np.full(len(world), float(parameters(world)[leaf.args[0]]))
    if leaf.op == "tv":
        return world.total_variation(*leaf.args)
    data, learner = leaf.args
    table = loss_table(world, learner)
    size = table.shape[2]
    if leaf.op == "risk":
        law = np.einsum("zw,zx->zwx", world.marginal([learner]), world.data_law(data, size))
    else:
        law = world.marginal([learner, data])
        law = np.pad(law, ((0, 0), (0, 0), (0, size - law.shape[2])))
    return np.einsum("zwx,zwx->z", law, table)


def loss_table(world: World, learner: str) -> Array:
    """The loss of W or of W', shape (B, w, z).

    Raises
    ------
    UserError
        If the world has none.
    """
    table = world.loss if learner == "W" else world.anchor_loss
    if table is None:
        raise UserError(f"the world has no loss table for {learner}; build it with loss= and anchor_loss=")
    return table


def parameters(world: World) -> Mapping[str, Fraction]:
    """The world's parameters by the names statements use."""
    return dict(zip(PARAMETERS, (world.bound, world.sigma, Fraction(1, world.samples), world.contraction), strict=True))


def gradient(term: Term, world: World) -> dict[Term, Array]:
    """Derivative of a tree without quotients with respect to each of its leaves, shape (B,) each.

    Reverse accumulation over the tree: a node hands its derivative to its operands.
    """
    values: dict[int, Array] = {}

    def forward(node: Term) -> Array:
        if node.op == "number":
            value = np.full(len(world), float(node.args[0]))
        elif node.op in LEAVES:
            value = leaf_value(node, world)
        else:
            operands = [forward(a) for a in node.args]
            if node.op == "+":
                value = reduce(add, operands)
            elif node.op == "*":
                value = operands[0] * operands[1]
            else:
                value = np.abs(operands[0]) if node.op == "abs" else np.sqrt(np.maximum(operands[0], 0.0))
        values[id(node)] = value
        return value

    result: dict[Term, Array] = {}

    def backward(node: Term, slope: Array) -> None:
        if node.op in LEAVES:
            result[node] = result.get(node, 0.0) + slope
        elif node.op == "+":
            for operand in node.args:
                backward(operand, slope)
        elif node.op == "*":
            one, two = node.args
            backward(one, slope * values[id(two)])
            backward(two, slope * values[id(one)])
        elif node.op == "abs":
            backward(node.args[0], slope * np.sign(values[id(node.args[0])]))
        elif node.op == "sqrt":
            # The slope of the root at zero is infinite; a tiny floor keeps the ascent finite.
            backward(node.args[0], slope * 0.5 / np.maximum(values[id(node)], 1e-6))

    forward(term)
    backward(term, np.ones(len(world)))
    return result


def _listed(names: str | Sequence[str]) -> list[str]:
    """One name or several, as a list."""
    return [names] if isinstance(names, str) else list(names)
