"""Proof of a violation's sign: exact rational probabilities and logarithms enclosed in intervals.

A float64 evaluation can be trusted to some digits; a certificate does not ask for trust. The
probabilities are fractions, each logarithm lies between two rational numbers that are computed with
integers only, and every operation rounds outwards. If the interval of left minus right lies above
zero, the statement is false in that world.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce
from itertools import product
from math import isqrt
from operator import add
from typing import Any

import numpy as np

from ggmi.errors import UserError
from ggmi.formulas import plain
from ggmi.theory import terms
from ggmi.theory.regimes import Regime
from ggmi.theory.statement import Statement
from ggmi.theory.terms import Term
from ggmi.theory.world import NAMES, TRAINED_ON, Array, World, example_values

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

    It is the arithmetic in which trees are evaluated to intervals.

    Parameters
    ----------
    world
        A batch of exactly one world whose probabilities are fractions of small denominators.

    Raises
    ------
    UserError
        If a probability is no fraction with a denominator up to `MAX_DENOMINATOR`.
    """

    def __init__(self, world: World) -> None:
        if len(world) != 1:
            raise UserError(f"a certificate is about one world, got a batch of {len(world)}")
        self.world = world
        self.parameters = dict(world.parameters)
        self.h = [int(x) for x in world.h[0]]
        self.g = [int(x) for x in world.g[0]]
        self.output = [[int(x) for x in row] for row in world.output[0]]
        # Tables of one row a condition; the model factor and the curation have one such table an anchor, or one.
        self.tables = {
            name: [_exact_rows(name, part) for part in (table[0] if table[0].ndim == 3 else table[:1])]
            for name, table in world.tables().items()
        }
        self.losses = {
            learner: None if table is None else [[_exact(x) for x in row] for row in table[0]]
            for learner, table in (("W", world.loss), ("W'", world.anchor_loss))
        }
        self.joint = dict(self._states())
        self._laws: dict[tuple[str, ...], dict[tuple[int, ...], Fraction]] = {}
        self._outcome: dict[str, int] = {}

    def rows(self, name: str, anchor: int) -> Rows:
        """A table's rows for an anchor."""
        parts = self.tables[name]
        return parts[anchor if len(parts) > 1 else 0]

    def _states(self) -> Iterator[tuple[tuple[int, ...], Fraction]]:
        """Every joint state of positive probability, in the order of `NAMES`."""
        for s, p_s in self.rows("anchor", 0)[0].items():
            firsts = product(self.rows("prompt_factor", 0)[s].items(), self.rows("anchor_learner", 0)[s].items())
            for (e, p_e), (v, p_v) in firsts:
                for m, p_m in self.rows("model_factor", s)[e].items():
                    k = self.output[e][m]
                    for y, p_y in self.rows("curation", s)[k].items():
                        for w, p_w in self.rows("learner", 0)[y].items():
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

    def example_law(self, name: str, given: str) -> dict[int, Fraction]:
        """Exact law of one example of S_anchor, M or S_gen; of the outcome's p where it is given."""
        if given:
            here = self._outcome["S_anchor"]
            sets = {x: p for (s, x), p in self.law(("S_anchor", name)).items() if s == here}
        else:
            sets = {x: p for (x,), p in self.law((name,)).items()}
        total, result = sum(sets.values()), dict[int, Fraction]()
        for x, p in sets.items():
            for digit in self.digits(name, x):
                result[digit] = result.get(digit, Fraction(0)) + p / total / self.world.examples(name)
        return result

    def digits(self, name: str, symbol: int) -> list[int]:
        """The examples that a symbol of S_anchor, M or S_gen stands for."""
        n = self.world.examples(name)
        side = example_values(self.world.sizes[name], n)
        return [symbol // side**i % side for i in reversed(range(n))]

    def number(self, value: Fraction) -> Interval:
        """Enclose an exact number."""
        return Interval.of(value)

    def sqrt(self, value: Interval) -> Interval:
        """Enclose a root."""
        return value.sqrt()

    def maximum(self, one: Interval, two: Interval) -> Interval:
        """Enclose the larger of two."""
        return Interval(max(one.low, two.low), max(one.high, two.high))

    def over_outcomes(self, op: str, term: Term) -> Interval:
        """Enclose the mean or the supremum of a random tree."""
        names = ("S_anchor", "S_gen", "W") if term.learner == "W" else ("S_anchor", "W'")
        values = []
        for outcome, p in self.law(names).items():
            self._outcome = dict(zip(names, outcome, strict=True))
            value = self.enclose(term)
            values.append(Interval.of(p) * value if op == "mean" else value)
        return reduce(add if op == "mean" else self.maximum, values)

    def leaf(self, term: Term) -> Interval:
        """Enclose a leaf's value."""
        if term.op == "parameter":
            return Interval.of(self.parameters[term.args[0]])
        if term.op == "log":
            return logarithm(Fraction(term.args[0]))
        if term.op == "H":
            total = Interval.of(Fraction(0))
            for p in self.law(term.args).values():
                total = total + Interval.of(-p) * logarithm(p)
            return total
        return Interval.of(self._tv(*term.args) if term.op == "tv" else self._loss(*term.args))

    def _tv(self, one: str, two: str, given: str) -> Fraction:
        laws = [self.example_law(name, "" if name == "S_anchor" else given) for name in (one, two)]
        keys, zero = {*laws[0], *laws[1]}, Fraction(0)
        return sum((abs(laws[0].get(x, zero) - laws[1].get(x, zero)) for x in keys), zero) / 2

    def _loss(self, learner: str, data: str = "", given: str = "") -> Fraction:
        """The risk of the outcome's parameter on a variable's law, or without one its loss on the training set."""
        if (table := self.losses[learner]) is None:
            raise UserError(f"the world has no loss table for {learner}")
        row, source = table[self._outcome[learner]], TRAINED_ON[learner]
        if data:
            return sum((p * row[x] for x, p in self.example_law(data, given).items()), Fraction(0))
        digits = self.digits(source, self._outcome[source])
        return sum((row[x] for x in digits), Fraction(0)) / len(digits)

    def enclose(self, term: Term) -> Interval:
        """Enclose a tree's value."""
        result: Interval = terms.fold(term, self)
        return result


def certificate(statement: Statement, regime: Regime, world: World) -> dict[str, Any]:
    """Certify that a statement fails, or does not, in a world of a regime.

    Parameters
    ----------
    statement
        The statement.
    regime
        Whose assumptions the world meets.
    world
        A batch of one world with fractions of small denominators.

    Returns
    -------
    dict
        What `recheck.py` reads; JSON can hold it. Its ``verdict`` is ``violated`` only if the
        interval of the violation lies above zero, the statement speaks of the world and the world
        belongs to the regime.
    """
    exact = ExactWorld(world)
    excess = exact.enclose(statement.excess)
    admitted = bool(statement.applies(world)[0] and regime.admits(world)[0])
    return {
        "statement": statement.key,
        "reference": statement.reference,
        "reading": statement.reading,
        "regime": regime.key,
        "formula": plain(statement.latex),
        "needs": [a.key for a in statement.needs],
        "assumptions": [a.key for a in regime.assumptions],
        "assumptions met": admitted,
        "units": "entropies in nats, risks in units of the loss",
        "verdict": "violated" if excess.low > 0 and admitted else "not violated",
        "relation": statement.relation,
        "left": _side(statement.left, exact),
        "right": _side(statement.right, exact),
        "violation": _side(statement.excess, exact),
        "terms": _named(statement.terms, exact),
        "parameters": {name: str(value) for name, value in exact.parameters.items()},
        "data values": {
            name: example_values(world.sizes[name], world.examples(name)) for name in ("S_anchor", "M", "S_gen")
        },
        "tables": _tables(exact),
        "joint": {
            "variables": list(NAMES),
            "states": [[*state, str(p)] for state, p in exact.joint.items()],
        },
    }


def _side(term: Term, exact: ExactWorld) -> dict[str, Any]:
    """A side's tree, and its value unless that differs from outcome to outcome."""
    enclosed = {} if term.random else {"interval": exact.enclose(term).as_json()}
    return {**enclosed, "tree": term.as_json()}


def _named(named: Mapping[str, Term], exact: ExactWorld) -> dict[str, Any]:
    """Named terms, without quotients that are not defined here."""
    result = {}
    for name, term in named.items():
        with suppress(ZeroDivisionError):
            result[name] = exact.enclose(term).as_json()
    return result


def _tables(exact: ExactWorld) -> dict[str, Any]:
    """The world's tables for a reader: rows that can occur, entries that are not zero."""
    occurring = {name: {state[i] for state in exact.joint} for i, name in enumerate(NAMES)}

    def rows(name: str, parent: str, anchor: int = 0, values: set[int] | None = None) -> dict[str, dict[str, str]]:
        table = exact.rows(name, anchor)
        shown = sorted(occurring[parent] if values is None else values)
        return {str(x): {str(y): str(p) for y, p in table[x].items()} for x in shown}

    def rows_given_anchor(name: str, parent: str, label: str, target: str) -> tuple[str, Any]:
        """A table that may depend on the anchor, as one of fewer conditions where it does not."""
        if len(exact.tables[name]) == 1:
            return f"{target} | {label}", rows(name, parent)
        place = NAMES.index(parent)
        seen: dict[int, set[int]] = {}
        for state in exact.joint:
            seen.setdefault(state[0], set()).add(state[place])
        by_anchor = {str(s): rows(name, parent, s, values) for s, values in sorted(seen.items())}
        merged: dict[str, dict[str, str]] = {}
        for table in by_anchor.values():
            merged |= table
        if all(merged[x] == row for table in by_anchor.values() for x, row in table.items()):
            return f"{target} | {label}", {x: merged[x] for x in sorted(merged, key=int)}
        return f"{target} | S_anchor, {label}", by_anchor

    model, curation = (
        rows_given_anchor("model_factor", "e_p", "e_p", "e_M"),
        rows_given_anchor("curation", "M", "M", "S_gen"),
    )
    pairs: dict[str, dict[str, int]] = {}
    for e, m in sorted({(state[1], state[3]) for state in exact.joint}):
        pairs.setdefault(str(e), {})[str(m)] = exact.output[e][m]
    result: dict[str, Any] = {
        "S_anchor": {str(x): str(p) for x, p in exact.rows("anchor", 0)[0].items()},
        "e_p | S_anchor": rows("prompt_factor", "S_anchor"),
        model[0]: model[1],
        "h": {str(e): exact.h[e] for e in sorted(occurring["e_p"])},
        "g": {str(m): exact.g[m] for m in sorted(occurring["e_M"])},
        "M | e_p, e_M": pairs,
        curation[0]: curation[1],
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
