"""The published accuracies of Monte Carlo tree search by width, read again.

Gan, Liao & Liu, arXiv 2501.15602, supplementary experiments: correct answers for k = 1 to 8 candidates.
Only counts are known. All widths answered the same questions, so a test should be paired; which
questions turned is not known, and what can be said is what holds for every pairing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ggmi.statistics import holm, wilson

WIDTH_COLUMNS = (
    *("task", "k", "correct", "questions", "accuracy", "ci_low", "ci_high", "chance", "p_chance"),
    *("gain", "p_unpaired", "p_paired_least", "p_paired_most", "p_unpaired_holm", "p_paired_most_holm", "step"),
)
EXPONENT_COLUMNS = ("task", "exponent", "ci_low", "ci_high", "error", "questions", "odds_exponent", "odds_error")
# Accuracy of guessing, where the answers are few.
CHANCE = {"prontoqa": 0.5}
LEVEL = 0.05


def unpaired_p(one: int, two: int, questions: int) -> float:
    """Two-sided p-value of two shares as if of different questions (pooled z-test).

    Parameters
    ----------
    one, two
        Correct answers.
    questions
        Of each.
    """
    share = (one + two) / (2 * questions)
    error = np.sqrt(2 * share * (1 - share) / questions)
    return float(2 * ndtr(-abs(one - two) / questions / error)) if error > 0 else 1.0


def sign_test(better: int, worse: int) -> float:
    """Exact two-sided p-value that turned questions turned to both sides equally often (McNemar).

    Examples
    --------
    >>> sign_test(5, 0), sign_test(0, 0)
    (0.0625, 1.0)
    """
    # Loaded where it is used: loading it takes as long as many a job that can reach this module.
    from scipy.stats import binom

    turned = better + worse
    return min(1.0, 2 * float(binom.cdf(min(better, worse), turned, 0.5))) if turned else 1.0


def paired_bounds(one: int, two: int, questions: int) -> tuple[float, float]:
    """Least and largest p-value of the paired test over all pairings that the counts allow.

    The fewest questions turn if all that turn turn to one side, ``|two - one|``; the most if as few
    as possible are answered alike, ``min(one + two, 2 questions - one - two)``. The p-value grows with
    the number that turned.

    Parameters
    ----------
    one, two
        Correct answers of the two widths.
    questions
        Of both.

    Examples
    --------
    >>> paired_bounds(0, 5, 5)
    (0.0625, 0.0625)
    """
    gain, most = abs(two - one), min(one + two, 2 * questions - one - two)
    return sign_test(gain, 0), sign_test((most + gain) // 2, (most - gain) // 2)


def width_table(counts: pd.DataFrame) -> pd.DataFrame:
    """The table ``published_width.csv``.

    Parameters
    ----------
    counts
        Columns ``task``, ``k``, ``correct``, ``questions``.

    Returns
    -------
    DataFrame
        Columns `WIDTH_COLUMNS`. Intervals are Wilson's. The gain and its p-values are those of a step
        from the width before; Holm's correction is over all steps of all tasks. ``step`` says whether
        the step is ``told apart`` for every pairing, ``depends on the pairing``, or ``not told apart`` by any.
    """
    from scipy.stats import binom

    rows = []
    for task, part in counts.groupby("task", sort=False):
        before = None
        for row in part.sort_values("k").itertuples():
            n, share = int(row.questions), row.correct / row.questions
            interval, chance = wilson(share, n), CHANCE.get(str(task), np.nan)
            guessed = np.nan
            if np.isfinite(chance):
                tails = binom.cdf(row.correct, n, chance), binom.sf(row.correct - 1, n, chance)
                guessed = min(1.0, 2 * float(min(tails)))
            step = (np.nan,) * 4
            if before is not None:
                least, most = paired_bounds(before, row.correct, n)
                step = ((row.correct - before) / n, unpaired_p(before, row.correct, n), least, most)
            rows.append((task, row.k, row.correct, n, share, interval.low, interval.high, chance, guessed, *step))
            before = row.correct
    table = pd.DataFrame(rows, columns=list(WIDTH_COLUMNS[:13]))
    steps = table["gain"].notna()
    for name in ("p_unpaired", "p_paired_most"):
        table.loc[steps, f"{name}_holm"] = holm(table.loc[steps, name].to_numpy())
    fewest = np.full(len(table), np.nan)
    fewest[steps] = holm(table.loc[steps, "p_paired_least"].to_numpy())
    words = np.where(fewest <= LEVEL, "depends on the pairing", "not told apart")
    table["step"] = np.where(steps, np.where(table["p_paired_most_holm"] <= LEVEL, "told apart", words), "")
    return table[list(WIDTH_COLUMNS)]


def exponents_table(table: pd.DataFrame) -> pd.DataFrame:
    """With which power of k accuracy grows, and its odds.

    Parameters
    ----------
    table
        Of `width_table`.

    Returns
    -------
    DataFrame
        Columns `EXPONENT_COLUMNS`: slopes of log accuracy and of log odds on log k, weighted by their
        binomial precision. Errors are as if widths had answered different questions: those of one set
        share what is hard, which makes slopes more certain than said.
    """
    rows = []
    for task, part in table.groupby("task", sort=False):
        x, share, n = np.log(part["k"]), part["accuracy"], part["questions"]
        slopes = [
            _weighted_slope(x.to_numpy(float), np.log(y).to_numpy(float), weight.to_numpy(float))
            for y, weight in ((share, n * share / (1 - share)), (share / (1 - share), n * share * (1 - share)))
        ]
        (slope, error), (odds, odds_error) = slopes
        rows.append((task, slope, slope - 1.96 * error, slope + 1.96 * error, error, n.iloc[0], odds, odds_error))
    return pd.DataFrame(rows, columns=list(EXPONENT_COLUMNS))


def _weighted_slope(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Slope of least squares with weights that are inverse variances, and its error."""
    centred = x - np.average(x, weights=weight)
    information = float((weight * centred**2).sum())
    return float((weight * centred * y).sum()) / information, information**-0.5
