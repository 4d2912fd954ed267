"""The theory's quantities as leaves of expression trees, and their values in a batch of worlds.

Leaves are entropies, the world's parameters, and *random* quantities that depend on the outcome
(p, S_gen, W), or (p, W') for the student of the anchors: risks of the parameters, their loss on the
training set, total variation distances of laws given p. Means and suprema over outcomes are operations
of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ggmi.exact.trees import Term, fold
from ggmi.theory.laws import NAMES, Array, Laws, canonical, listed

RANDOM = ("tv", "risk", "loss")
PARAMETERS = ("C", "sigma", "1/n", "1/m", "contraction", "anchor contraction", "lambda excess")


def is_random(term: Term) -> bool:
    """Whether a tree's value depends on the outcome."""
    if term.op in ("mean", "sup", "number"):
        return False
    return term.op in RANDOM if term.is_leaf else any(is_random(a) for a in term.args)


def learner_of(term: Term) -> str:
    """Whose parameters a tree's random quantities depend on."""
    return "W'" if any(leaf.args[0] == "W'" for leaf in term.leaves() if leaf.op in ("risk", "loss")) else "W"


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


def mean(term: Term) -> Term:
    """Expectation over outcomes."""
    return Term("mean", (term,))


def supremum(term: Term) -> Term:
    """Largest value over the outcomes that can occur; of what is not random, itself."""
    return Term("sup", (term,)) if is_random(term) else term


class _Batch:
    """Arithmetic of a batch of worlds: arrays of shape (B, p, S_gen, W), of size one where nothing depends on it."""

    def __init__(self, laws: Laws) -> None:
        self.laws = laws
        self.xp = laws.xp

    def number(self, value: Fraction) -> float:
        return float(value)

    def leaf(self, term: Term) -> Array:
        if term.op in ("mean", "sup"):
            return self.over_outcomes(term.op, term.args[0])
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
        value, law = fold(term, self), self.laws.outcome_law(learner_of(term))
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
    learner = learner_of(left - right)
    law = laws.outcome_law(learner)
    one, two = (fold(side, _Batch(laws)) + 0 * law for side in (left, right))
    excess = np.abs(one - two) if relation == "=" else one - two if relation == "<=" else two - one
    place = np.unravel_index(np.argmax(np.where(law > 0, excess, -np.inf)), law.shape)
    return float(one[place]), float(two[place])
