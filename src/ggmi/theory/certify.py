"""Proof of a violation's sign: exact rational probabilities and logarithms enclosed in intervals.

A float64 evaluation can be trusted to some digits; a certificate does not ask for trust. The
probabilities are fractions, each logarithm lies between two rational numbers that are computed with
integers only, and every operation rounds outwards. If the interval of left minus right lies above
zero, the statement is false in that world.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import isqrt
from typing import Any

import numpy as np

from ggmi.errors import UserError
from ggmi.theory import terms
from ggmi.theory.statement import Statement
from ggmi.theory.terms import Term
from ggmi.theory.world import NAMES, Array, World

# Intervals have ends that are multiples of 2**-BITS.
BITS = 200
ONE = 1 << BITS
DIGITS = 20
# Denominators up to this are recovered from floats.
MAX_DENOMINATOR = 10_000

Rows = dict[int, dict[int, Fraction]]


@dataclass(frozen=True)
class Interval:
    """A closed interval with rational ends that is known to hold a real number."""

    low: Fraction
    high: Fraction

    @classmethod
    def of(cls, value: Fraction) -> Interval:
        """Enclose an exact number."""
        return cls(value, value)

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __mul__(self, other: Interval) -> Interval:
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(_down(min(corners)), _up(max(corners)))

    def __truediv__(self, other: Interval) -> Interval:
        if other.low <= 0 <= other.high:
            raise ZeroDivisionError("the divisor may be zero")
        corners = [a / b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(_down(min(corners)), _up(max(corners)))

    def __abs__(self) -> Interval:
        if self.low >= 0:
            return self
        if self.high <= 0:
            return -self
        return Interval(Fraction(0), max(-self.low, self.high))

    def sqrt(self) -> Interval:
        """Enclose the root of what is not negative; negative numbers count as zero."""
        low, high = max(self.low, Fraction(0)), max(self.high, Fraction(0))
        # isqrt rounds down; the next integer is an upper bound unless the root was exact.
        below = isqrt(low.numerator * ONE * ONE // low.denominator)
        above = isqrt(-(-high.numerator * ONE * ONE // high.denominator))
        return Interval(Fraction(below, ONE), Fraction(above + (high > 0), ONE))

    def as_json(self) -> dict[str, str]:
        """Ends as decimals, rounded outwards."""
        return {"low": _decimal(self.low, up=False), "high": _decimal(self.high, up=True)}


def _down(value: Fraction) -> Fraction:
    return Fraction(value.numerator * ONE // value.denominator, ONE)


def _up(value: Fraction) -> Fraction:
    return Fraction(-(-value.numerator * ONE // value.denominator), ONE)


def _decimal(value: Fraction, *, up: bool) -> str:
    """A decimal of `DIGITS` places that is not above (below, if `up`) the value."""
    scaled = value.numerator * 10**DIGITS
    units = -(-scaled // value.denominator) if up else scaled // value.denominator
    sign, digits = ("-" if units < 0 else ""), str(abs(units)).rjust(DIGITS + 1, "0")
    return f"{sign}{digits[:-DIGITS]}.{digits[-DIGITS:]}"


@lru_cache(maxsize=4096)
def logarithm(value: Fraction) -> Interval:
    """Enclose a natural logarithm.

    ``ln x = k ln 2 + 2 artanh(t)`` with ``x = m 2^k``, ``t = (m - 1) / (m + 1)`` and m between 2/3
    and 4/3, so that ``|t| <= 1/5`` and the series of artanh gains more than four bits a term.

    Parameters
    ----------
    value
        A positive rational.

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If the value is not positive.

    Examples
    --------
    >>> from math import log
    >>> enclosed = logarithm(Fraction(3))
    >>> enclosed.low < enclosed.high, abs(float(enclosed.low) - log(3)) < 1e-15
    (True, True)
    """
    if value <= 0:
        raise ValueError(f"the logarithm of {value} is not defined")
    k = value.numerator.bit_length() - value.denominator.bit_length()
    m = value / Fraction(2) ** k
    if m > Fraction(4, 3):
        m, k = m / 2, k + 1
    elif m < Fraction(2, 3):
        m, k = m * 2, k - 1
    t = (m - 1) / (m + 1)
    result = _artanh(abs(t))
    result = result if t >= 0 else -result
    two_artanh = Interval(2 * result.low, 2 * result.high)
    if k == 0:
        return two_artanh
    ln2 = _artanh(Fraction(1, 3))
    return two_artanh + Interval.of(Fraction(2 * k)) * ln2


def _artanh(t: Fraction) -> Interval:
    """Enclose ``artanh t = sum t^(2i+1) / (2i+1)`` for 0 <= t <= 1/3, in fixed-point integers."""
    low = t.numerator * ONE // t.denominator
    high = -(-t.numerator * ONE // t.denominator)
    square_low, square_high = low * low // ONE, -(-high * high // ONE)
    total_low = total_high = 0
    power_low, power_high, odd = low, high, 1
    while power_high // odd > 0:
        total_low += power_low // odd
        total_high += -(-power_high // odd)
        power_low = power_low * square_low // ONE
        power_high = -(-power_high * square_high // ONE)
        odd += 2
        if power_high <= 1:
            break
    # What is left is a geometric tail: below power / odd / (1 - t^2) <= 9/8 power.
    return Interval(Fraction(total_low, ONE), Fraction(total_high + 2 * power_high + 1, ONE))


class ExactWorld:
    """One world with fractions for probabilities, and its joint law as a dictionary.

    Parameters
    ----------
    world
        A batch of exactly one world whose probabilities are fractions of small denominators.

    Raises
    ------
    UserError
        If a probability is no fraction with a denominator up to `MAX_DENOMINATOR`, or training sets
        have several examples.
    """

    def __init__(self, world: World) -> None:
        if len(world) != 1:
            raise UserError(f"a certificate is about one world, got a batch of {len(world)}")
        if world.samples != 1:
            raise UserError(f"a certificate is about training sets of one example, got {world.samples}")
        self.parameters = dict(terms.parameters(world))
        self.h = [int(x) for x in world.h[0]]
        self.g = [int(x) for x in world.g[0]]
        self.output = [[int(x) for x in row] for row in world.output[0]]
        self.tables = {name: _exact_rows(name, table[0]) for name, table in world.tables().items()}
        self.losses = {
            learner: None if table is None else [[_exact(x) for x in row] for row in table[0]]
            for learner, table in (("W", world.loss), ("W'", world.anchor_loss))
        }
        self.joint = dict(self._states())
        self._laws: dict[tuple[str, ...], dict[tuple[int, ...], Fraction]] = {}

    def _states(self) -> Iterator[tuple[tuple[int, ...], Fraction]]:
        """Every joint state of positive probability, in the order of `NAMES`."""
        t = self.tables
        for s, p_s in t["anchor"][0].items():
            for (e, p_e), (v, p_v) in product(t["prompt_factor"][s].items(), t["anchor_learner"][s].items()):
                for m, p_m in t["model_factor"][e].items():
                    k = self.output[e][m]
                    for y, p_y in t["curation"][k].items():
                        for w, p_w in t["learner"][y].items():
                            state = (s, e, self.h[e], m, self.g[m], k, y, w, v)
                            yield state, p_s * p_e * p_v * p_m * p_y * p_w

    def law(self, names: tuple[str, ...]) -> dict[tuple[int, ...], Fraction]:
        """Exact marginal law of some variables."""
        if names not in self._laws:
            places = [NAMES.index(n) for n in names]
            result: dict[tuple[int, ...], Fraction] = {}
            for state, p in self.joint.items():
                key = tuple(state[i] for i in places)
                result[key] = result.get(key, Fraction(0)) + p
            self._laws[names] = result
        return self._laws[names]

    def leaf(self, term: Term) -> Interval:
        """Enclose a leaf's value."""
        if term.op == "parameter":
            return Interval.of(self.parameters[term.args[0]])
        if term.op == "H":
            total = Interval.of(Fraction(0))
            for p in self.law(term.args).values():
                total = total + Interval.of(-p) * logarithm(p)
            return total
        if term.op == "tv":
            one, two = (self.law((n,)) for n in term.args)
            keys = dict.fromkeys([*one, *two])
            zero = Fraction(0)
            return Interval.of(sum((abs(one.get(k, zero) - two.get(k, zero)) for k in keys), zero) / 2)
        data, learner = term.args
        loss = self.losses[learner]
        if loss is None:
            raise UserError(f"the world has no loss table for {learner}")
        if term.op == "training":
            pairs = {(w, x): p for (w, x), p in self.law((learner, data)).items()}
        else:
            laws = self.law((learner,)).items(), self.law((data,)).items()
            pairs = {(w, x): p * q for ((w,), p), ((x,), q) in product(*laws)}
        return Interval.of(sum((p * loss[w][x] for (w, x), p in pairs.items()), Fraction(0)))

    def enclose(self, term: Term) -> Interval:
        """Enclose a tree's value."""
        return terms.fold(term, self.leaf, Interval.of, Interval.sqrt)


def certificate(statement: Statement, world: World) -> dict[str, Any]:
    """Certify that a statement fails, or does not, in a world.

    Parameters
    ----------
    statement
        The statement.
    world
        A batch of one world with fractions of small denominators.

    Returns
    -------
    dict
        What `recheck.py` reads; JSON can hold it. Its ``verdict`` is ``violated`` only if the
        interval of the violation lies above zero and the world meets the statement's assumptions.
    """
    exact = ExactWorld(world)
    excess = exact.enclose(statement.excess)
    admitted = bool(statement.admits(world)[0])
    return {
        "statement": statement.key,
        "reference": statement.reference,
        "formula": statement.formula,
        "published form": statement.published_form,
        "assumptions": [a.text for a in statement.assumptions],
        "assumptions met": admitted,
        "units": "entropies in nats, risks in units of the loss",
        "verdict": "violated" if excess.low > 0 and admitted else "not violated",
        "relation": statement.relation,
        "left": _side(statement.left, exact),
        "right": _side(statement.right, exact),
        "violation": _side(statement.excess, exact),
        "terms": _named(statement, exact),
        "parameters": {name: str(value) for name, value in exact.parameters.items()},
        "tables": _tables(exact),
        "joint": {
            "variables": list(NAMES),
            "states": [[*state, str(p)] for state, p in exact.joint.items()],
        },
    }


def _side(term: Term, exact: ExactWorld) -> dict[str, Any]:
    return {"interval": exact.enclose(term).as_json(), "tree": term.as_json()}


def _named(statement: Statement, exact: ExactWorld) -> dict[str, Any]:
    """The statement's named terms, without quotients that are not defined here."""
    result = {}
    for name, term in statement.terms.items():
        with suppress(ZeroDivisionError):
            result[name] = exact.enclose(term).as_json()
    return result


def _tables(exact: ExactWorld) -> dict[str, Any]:
    """The world's tables for a reader: rows that can occur, entries that are not zero."""
    occurring = {name: {state[i] for state in exact.joint} for i, name in enumerate(NAMES)}

    def rows(name: str, parent: str) -> dict[str, dict[str, str]]:
        table = exact.tables[name]
        return {str(x): {str(y): str(p) for y, p in table[x].items()} for x in sorted(occurring[parent])}

    result: dict[str, Any] = {
        "S_anchor": {str(x): str(p) for x, p in exact.tables["anchor"][0].items()},
        "e_p | S_anchor": rows("prompt_factor", "S_anchor"),
        "e_M | e_p": rows("model_factor", "e_p"),
        "h": {str(e): exact.h[e] for e in sorted(occurring["e_p"])},
        "g": {str(m): exact.g[m] for m in sorted(occurring["e_M"])},
        "M | e_p, e_M": {
            str(e): {str(m): exact.output[e][m] for m in sorted(occurring["e_M"])} for e in sorted(occurring["e_p"])
        },
        "S_gen | M": rows("curation", "M"),
        "W | S_gen": rows("learner", "S_gen"),
        "W' | S_anchor": rows("anchor_learner", "S_anchor"),
    }
    for learner, table in exact.losses.items():
        if table is not None:
            result[f"loss of {learner}"] = {str(w): [str(x) for x in table[w]] for w in sorted(occurring[learner])}
    return result


def _exact(value: float) -> Fraction:
    fraction = Fraction(float(value)).limit_denominator(MAX_DENOMINATOR)
    if abs(float(fraction) - value) > 1e-12:
        raise UserError(f"{value!r} is no fraction with a denominator up to {MAX_DENOMINATOR}; round the world first")
    return fraction


def _exact_rows(name: str, table: Array) -> Rows:
    """Non-zero entries of every row as fractions."""
    rows: Rows = {}
    for i, row in enumerate(np.atleast_2d(table)):
        rows[i] = {j: _exact(x) for j, x in enumerate(row) if x > 0}
        if sum(rows[i].values()) != 1:
            raise UserError(f"{name} of the world: row {i} sums to {sum(rows[i].values())} in fractions, not to one")
    return rows
