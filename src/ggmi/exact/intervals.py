"""Intervals with rational ends, and logarithms within them.

A float64 evaluation can be trusted to some digits; an interval does not ask for trust. Probabilities
are fractions, each logarithm lies between two rational numbers that are computed with integers only,
and every operation rounds outwards. An interval above zero proves a sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError

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


def exact_fraction(value: float) -> Fraction:
    """The fraction of a small denominator that a float stands for.

    Raises
    ------
    UserError
        If there is none.
    """
    fraction = Fraction(float(value)).limit_denominator(MAX_DENOMINATOR)
    if abs(float(fraction) - value) > 1e-12:
        raise UserError(f"{value!r} is no fraction with a denominator up to {MAX_DENOMINATOR}; round the world first")
    return fraction


def exact_rows(name: str, table: NDArray[np.float64]) -> Rows:
    """Non-zero entries of every row as fractions.

    Raises
    ------
    UserError
        If an entry is no such fraction, or a row does not sum to one.
    """
    rows: Rows = {}
    for i, row in enumerate(np.atleast_2d(table)):
        rows[i] = {j: exact_fraction(x) for j, x in enumerate(row) if x > 0}
        if sum(rows[i].values()) != 1:
            raise UserError(f"{name} of the world: row {i} sums to {sum(rows[i].values())} in fractions, not to one")
    return rows
