"""Continuous variables: what is true of entropies and false of the differential entropies of section 4.4.

Definition A.1 of Gan & Liu, arXiv 2410.01720, writes both with the same symbol, and section 4.4 argues
with mixtures of normal densities. The examples are uniform laws, whose entropies are known in closed
form: that of U[0, a] is ln a, and that of the sum of two independent ones is 1/2 + ln a, in nats.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pandas as pd

from ggmi.exact.intervals import Interval, logarithm

COLUMNS = ("statement", "example", "left", "right", "left_latex", "right_latex", "excess_nats", "verdict")


@dataclass(frozen=True)
class Value:
    """A number ``rational + twos * ln 2``, exactly."""

    rational: Fraction = Fraction(0)
    twos: int = 0

    @property
    def enclosed(self) -> Interval:
        """An interval that holds it."""
        return Interval.of(self.rational) + Interval.of(Fraction(self.twos)) * logarithm(Fraction(2))

    @property
    def latex(self) -> str:
        """As a formula."""
        parts = [str(self.rational)] if self.rational or not self.twos else []
        parts += [rf"{'' if self.twos == 1 else self.twos} \log 2".strip()] if self.twos else []
        return " + ".join(parts).replace("1/2", r"\frac{1}{2}")


@dataclass(frozen=True)
class ContinuousExample:
    """Sides of a statement for variables with densities.

    Parameters
    ----------
    statement
        The statement's key.
    example
        The variables, for a reader.
    left, right
        The sides, of differential entropies in nats.
    """

    statement: str
    example: str
    left: Value
    right: Value


HALF = Fraction(1, 2)
NOTHING, ONE_HALF, LOG_TWO = Value(), Value(HALF), Value(twos=1)
UNIFORM = "$e_p$ and $e_M$ independent and uniform on $[0, 1]$"
EXAMPLES = (
    ContinuousExample("(20)", "$e_p$ uniform on $[0, 1]$ and $h(x) = 2x$", LOG_TWO, NOTHING),
    ContinuousExample("(26)", f"{UNIFORM}, $h(x) = g(x) = x$", ONE_HALF, NOTHING),
    ContinuousExample("(27).2", f"{UNIFORM}, $h(x) = g(x) = x$", ONE_HALF, NOTHING),
    ContinuousExample("(27).3", f"{UNIFORM}, $h(x) = 2x$ and $g(x) = x$", LOG_TWO, NOTHING),
)


def continuous_table() -> pd.DataFrame:
    """The table ``continuous.csv``: each example's sides, and whether the left exceeds the right for certain.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`.
    """
    rows: list[dict[str, Any]] = []
    for example in EXAMPLES:
        left, right = example.left.enclosed, example.right.enclosed
        excess = left + -right
        rows.append(
            {
                "statement": example.statement,
                "example": example.example,
                "left": float(left.low),
                "right": float(right.low),
                "left_latex": example.left.latex,
                "right_latex": example.right.latex,
                "excess_nats": float(excess.low),
                "verdict": "fails" if excess.low > 0 else "holds",
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))
