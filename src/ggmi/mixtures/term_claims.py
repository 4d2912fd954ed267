"""What the paper says of its theory's terms in the mixture study, and whether rounds bear it out.

Gan & Liu, arXiv 2410.01720, section 4.4: figure 4 is explained by four movements of terms of
Theorem 4.10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ggmi.mixtures.gaussian import Array
from ggmi.mixtures.study import agreement, summary, trend_summary
from ggmi.mixtures.worlds import Axis

# Medians and ranks decide; the intervals of this many means and slopes need no more.
RESAMPLES, PERMUTATIONS = 999, 1999

ClaimVerdict = Literal["supported", "contradicted", "undecided"]


@dataclass(frozen=True)
class Claim:
    """A movement of a term that the paper asserts.

    Parameters
    ----------
    text
        The claim in the paper's symbols.
    term
        What is measured: the term or what stands in for it.
    axis
        The number of components that moves it.
    direction
        +1 if it is said to rise, -1 if to fall.
    """

    text: str
    term: str
    axis: Axis
    direction: int


# H(S_gen|W) is undefined here and has two stand-ins.
CLAIMS = (
    Claim("J raises ΔI", "information_gain", "J", 1),
    Claim("K raises H(S_anchor|W)", "anchor_given_student", "K", 1),
    Claim("L raises H(S_gen|W)", "synthetic_given_student", "L", 1),
    Claim("L raises H(S_gen|W)", "student_entropy", "L", 1),
    Claim("L lowers ΔH", "entropy_change", "L", -1),
)
# The sign with which terms enter the right side of Theorem 4.10, which bounds the gain from above.
# Section 4.4 reads movements of the bound as movements of the gain. That does not follow: an upper
# bound that rises allows a larger gain and promises none, one that falls need not be reached. What
# is compared with the gap is that reading.
BOUND_SIGNS = {
    "information_gain": 1,
    "anchor_given_student": -1,
    "entropy_change": 1,
    "synthetic_given_student": 1,
    "student_entropy": 1,
}

_TREND = (
    *("spearman", "spearman_ci_low", "spearman_ci_high"),
    *("slope", "slope_ci_low", "slope_ci_high", "p_value"),
)
TREND_COLUMNS = ("covariance", "term", "unit", "axis", "conditions", "rounds", *_TREND)
CLAIM_COLUMNS = ("claim", "term", "axis", "claimed", "covariance", "conditions", "rounds", *_TREND)


def term_summary(values: Array, errors: Array, generator: np.random.Generator) -> dict[str, float]:
    """Summarise one term of one condition over its rounds.

    Parameters
    ----------
    values, errors
        The term and its Monte-Carlo standard error in each round, shape (rounds,).
    generator
        Source of bootstrap resamples.

    Returns
    -------
    dict
        As `ggmi.mixtures.study.summary`, and ``monte_carlo_error``: the root mean square of the
        rounds' errors.
    """
    found = summary(values, generator, resamples=RESAMPLES)
    return {**found, "monte_carlo_error": float(np.sqrt(np.square(errors).mean()))}


def term_trend(values: Sequence[int], outcomes: Array, generator: np.random.Generator) -> dict[str, float]:
    """Measure how a term moves along one sweep.

    Parameters
    ----------
    values
        Sweep values, shape (m,).
    outcomes
        The term in each round at each value, shape (m, rounds).
    generator
        Source of resamples and permutations.

    Returns
    -------
    dict
        As `ggmi.mixtures.study.trend_summary`.
    """
    return trend_summary(values, outcomes, generator, resamples=RESAMPLES, permutations=PERMUTATIONS)


def claim_verdicts(
    directions: Sequence[int], spearman: Sequence[float], p_values: Sequence[float]
) -> tuple[Array, list[ClaimVerdict]]:
    """Judge every claim of a study, correcting for all of them at once.

    Parameters
    ----------
    directions
        Claimed direction of each trend, +1 or -1.
    spearman
        Its rank correlation.
    p_values
        Its p-value.

    Returns
    -------
    p_holm : ndarray
        Holm-corrected p-values.
    verdicts : list of str
        ``undecided`` where the corrected p-value exceeds 0.05, else ``supported`` or
        ``contradicted``.

    Examples
    --------
    >>> claim_verdicts([1, -1], [0.5, 0.4], [0.001, 0.001])[1]
    ['supported', 'contradicted']
    """
    corrected, signs = agreement(directions, spearman, p_values)
    words: dict[int, ClaimVerdict] = {1: "supported", -1: "contradicted", 0: "undecided"}
    return corrected, [words[sign] for sign in signs]
