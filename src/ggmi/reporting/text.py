"""Numbers, lists and untrusted text as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence

# Below it an end is zero but for rounding in sums.
ROUNDING = 1e-12
MINUS, NOTHING = "\N{MINUS SIGN}", "\N{EN DASH}"
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def count_word(n: int) -> str:
    """A count as a word up to twelve, as digits beyond.

    Examples
    --------
    >>> count_word(3), count_word(40)
    ('three', '40')
    """
    return _WORDS[n] if 0 <= n < len(_WORDS) else f"{n:,}"


def plural(n: int, noun: str) -> str:
    """A count with its noun.

    Examples
    --------
    >>> plural(1, "set"), plural(30, "set")
    ('one set', '30 sets')
    """
    return f"{count_word(n)} {noun}{'s' * (n != 1)}"


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Join phrases as in a sentence.

    Examples
    --------
    >>> listed(["K", "J", "L"])
    'K, J and L'
    """
    *first, end = parts or [NOTHING]
    return f"{', '.join(first)} {last} {end}" if first else end


def capital(text: str) -> str:
    """The text with its first letter large and the others as they are."""
    return text[:1].upper() + text[1:]


def fixed(value: float, decimals: int, *, sign: bool = False) -> str:
    """A number with so many decimals, or two significant digits where those would hide it.

    Parameters
    ----------
    value
        The number; a dash stands for NaN.
    decimals
        Digits after the point.
    sign
        Whether positive numbers carry a plus.

    Examples
    --------
    >>> fixed(-1234.567, 1), fixed(0.00394, 2), fixed(float("nan"), 2)
    ('−1,234.6', '0.0039', '–')
    """
    if math.isnan(value):
        return NOTHING
    prefix = MINUS if value < 0 else "+" if sign and value > 0 else ""
    size = abs(value)
    if math.isinf(size):
        return prefix + "∞"
    if 0 < size < 1e-6 or size >= 1e12:
        return prefix + f"{size:.1e}"
    if 0 < size < 10.0**-decimals and decimals > 0:
        decimals = max(decimals, 1 - math.floor(math.log10(size)))
    return prefix + f"{size:,.{decimals}f}"


def estimate(value: float, low: float, high: float, decimals: int | None = None) -> str:
    """A value with its interval, in digits that the interval's width supports.

    Parameters
    ----------
    value, low, high
        The estimate and the ends of its interval; without an interval (NaN) that is said.
    decimals
        Digits after the point, where the width shall not decide.

    Examples
    --------
    >>> estimate(1.70507, 0.81235, 2.58278), estimate(-25.35, -43.6, -17.4)
    ('+1.7 [+0.8, +2.6]', '−25 [−44, −17]')
    >>> estimate(1.70507, float("nan"), float("nan"))
    '+1.71 (no interval)'
    """
    width = high - low
    if math.isnan(value):
        return "no value"
    if not math.isfinite(width):
        return f"{fixed(value, 2, sign=True)} (no interval)"
    if decimals is None:
        decimals = 2 if width == 0 else min(max(1 - math.floor(math.log10(width)), 0), 6)
    # An end must not look like zero: on which side of it the interval lies is what matters.
    while decimals < 6 and any(abs(end) > ROUNDING and round(end, decimals) == 0 for end in (low, high)):
        decimals += 1

    ends = [round(x, decimals) for x in (value, low, high)]
    shown = [f"{MINUS if x < 0 else '+' if x > 0 else ''}{abs(x):,.{decimals}f}" for x in ends]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def per_hundred(probability: float) -> str:
    """A probability as so many in a hundred; never none or all, since draws cannot show that.

    Examples
    --------
    >>> per_hundred(0.934), per_hundred(1.0), per_hundred(0.001)
    ('93 in 100', 'over 99 in 100', 'under 1 in 100')
    """
    number = round(100 * probability)
    return "under 1 in 100" if number < 1 else "over 99 in 100" if number > 99 else f"{number} in 100"
