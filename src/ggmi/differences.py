"""Differences of accuracies on the same problems: intervals, tests, and claims that rest on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from ggmi.claims import Claim
from ggmi.statistics import power_of_normal_test

# Difference of accuracies that is small enough to say that two methods about match, and that tests should find.
MARGIN, EFFECT = 0.03, 0.02


@dataclass(frozen=True)
class Difference:
    """A difference of accuracies on the same problems.

    Parameters
    ----------
    estimate
        The mean over problems of the differences of their mean accuracies.
    low, high
        Its 95 % interval by Student's law.
    error
        Its standard error.
    p
        Two-sided p-value of no difference.
    n
        Problems.
    """

    estimate: float
    low: float
    high: float
    error: float
    p: float
    n: int

    def power(self, effect: float) -> float:
        """Power of the two-sided test at 0.05 against a difference of this size."""
        return power_of_normal_test(effect, self.error)

    def equivalent(self, margin: float) -> float:
        """p-value that the difference is at least the margin, in either direction (two one-sided tests)."""
        return self.tail((margin - abs(self.estimate)) / self.error)

    def tail(self, errors: float) -> float:
        """Probability that the estimate exceeds its mean by so many standard errors."""
        return float(stdtr(max(self.n - 1, 1), -errors))


def paired(one: NDArray, other: NDArray) -> Difference:
    """Difference of two runs, problem by problem; repeats of a problem are averaged first.

    The standard error counts two problems more, one for each side (Bonett & Price 2012): where problems at hand do
    not differ, the next one still may, and few problems that agree prove nothing.

    Parameters
    ----------
    one, other
        Right or not, shape (problems, repeats).

    Examples
    --------
    >>> import numpy as np
    >>> found = paired(np.array([[1], [1], [0], [1]]), np.array([[0], [1], [0], [0]]))
    >>> found.estimate, round(found.p, 2), round(found.error, 3)
    (0.5, 0.21, 0.316)
    """
    gaps = one.mean(axis=1) - other.mean(axis=1)
    n, estimate = len(gaps), float(gaps.mean())
    squares = np.square(gaps - estimate).sum() + 2.0
    error = float(np.sqrt(squares / (n + 1) / (n + 2)))
    freedom = max(n - 1, 1)
    reach = float(stdtrit(freedom, 0.975)) * error
    p = float(2 * stdtr(freedom, -abs(estimate) / error))
    return Difference(estimate, estimate - reach, estimate + reach, error, p, n)


def difference_claim(
    gap: Difference, *, claim: str, source: str, variant: str, test: str, supports: bool, note: str = ""
) -> Claim:
    """A claim judged by a difference against zero; arguments are those of `ggmi.claims.Claim`."""
    return Claim(
        claim=claim,
        source=source,
        variant=variant,
        test=f"{test}; paired by problem, two-sided t test",
        supports=supports,
        estimate=gap.estimate,
        ci_low=gap.low,
        ci_high=gap.high,
        p=gap.p,
        n=gap.n,
        power=gap.power(EFFECT),
        note=f"{note} Power against {EFFECT}.".strip(),
    )


def equivalence_claim(gap: Difference, *, claim: str, source: str, variant: str, test: str, note: str = "") -> Claim:
    """A claim that two accuracies about match, within `MARGIN`; arguments are those of `ggmi.claims.Claim`."""
    alike = abs(gap.estimate) < MARGIN
    return Claim(
        claim=claim,
        source=source,
        variant=variant,
        test=f"{test} within ±{MARGIN}, where it is largest; paired by problem, one-sided t tests",
        supports=alike,
        estimate=gap.estimate,
        ci_low=gap.low,
        ci_high=gap.high,
        p=gap.equivalent(MARGIN) if alike else gap.tail((abs(gap.estimate) - MARGIN) / gap.error),
        n=gap.n,
        power=gap.tail(float(stdtrit(max(gap.n - 1, 1), 0.95)) - MARGIN / gap.error),
        note=note,
    )
