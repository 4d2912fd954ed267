"""The exact calculus of search where all problems are alike and steps are independent given a right prefix.

Gan, Liao & Liu, arXiv 2501.15602, Proposition 4.3: step l is right after right steps with probability
``p_l = min(lambda exp(-l), 1)``. Widths are k candidates a layer, or N = k whole answers, so that
step-wise search and best-of-N of one width cost the same. The verifier's reliability epsilon is the
probability that a selection takes a right candidate where there is one: once a layer in step-wise
search, once for best-of-N and for the full tree. A single candidate needs no choice, so that the rows
of width 1 with epsilon = 1 are those of plain sampling.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd

from ggmi.exact.statement import Array

Method = Literal["stepwise", "best_of_n", "full_tree"]
METHODS: tuple[Method, ...] = ("stepwise", "best_of_n", "full_tree")
# What best-of-N is to match.
AGAINST: tuple[Method, ...] = ("stepwise", "full_tree")
EXACT_COLUMNS = ("method", "L", "lambda", "width", "eps", "samples", "step_calls", "accuracy")
CROSSOVER_COLUMNS = ("lambda", "L", "width", "eps_crossover")
MATCHING_COLUMNS = (
    *("lambda", "L", "width", "eps", "against", "n_to_match", "n_reported_best", "n_reported_worst"),
    *("n_of_all_paths", "step_calls", "step_calls_best_of_n"),
)


def step_rates(log_growth: float, length: int) -> Array:
    """Probability of each step to be right after right steps, ``min(lambda exp(-l), 1)``; shape (L,).

    Parameters
    ----------
    log_growth
        Natural logarithm of lambda.
    length
        L.
    """
    return np.exp(np.minimum(log_growth - np.arange(1, length + 1), 0.0))


def log_complement(log_probability: float) -> float:
    """Logarithm of one minus a probability, by its logarithm, without loss near 0 and 1.

    Examples
    --------
    >>> log_complement(-1e-20), log_complement(-60.0)
    (-46.051701859880914, -8.75651076269652e-27)
    """
    if log_probability >= 0:
        return -np.inf
    # Both forms are exact to rounding where they are used (Maechler 2012, log1mexp).
    near_one = log_probability > -np.log(2)
    return float(np.log(-np.expm1(log_probability)) if near_one else np.log1p(-np.exp(log_probability)))


def log_missed(method: Method, rates: Sequence[float] | Array, width: int) -> float:
    """Logarithm of the probability that a search generates no right chain.

    Parameters
    ----------
    method
        ``stepwise``: ``1 - prod_l [1 - (1 - p_l)^k]``, where one candidate of each layer goes on.
        ``best_of_n``: ``(1 - prod_l p_l)^k``. ``full_tree``: all k candidates of every layer go on; from
        the last layer up, ``1 - u_l = (1 - p_l u_(l+1))^k``.
    rates
        Probability of each step to be right after right steps, in (0, 1].
    width
        k.
    """
    logs = np.log(np.asarray(rates, dtype=float))
    if method == "best_of_n":
        return width * log_complement(float(logs.sum()))
    if method == "stepwise":
        return log_complement(sum(log_complement(width * log_complement(float(x))) for x in logs))
    missed = -np.inf
    for x in logs[::-1]:
        # A certain step passes on what is below it, however near to certain that is.
        missed = width * (missed if x == 0 else log_complement(float(x) + log_complement(missed)))
    return missed


def generated(method: Method, rates: Sequence[float] | Array, width: int) -> float:
    """Probability that a search generates a right chain, see `log_missed`.

    Examples
    --------
    >>> rates = [0.5, 0.5]
    >>> [round(generated(method, rates, 2), 6) for method in METHODS]
    [0.5625, 0.4375, 0.609375]
    """
    return -float(np.expm1(log_missed(method, rates, width)))


def accuracy(method: Method, rates: Sequence[float] | Array, width: int, epsilon: float) -> float:
    """Probability that a search ends with a right chain: `generated` times its selections' reliability.

    Parameters
    ----------
    method, rates, width
        As in `generated`.
    epsilon
        Reliability of one selection at this width.

    Examples
    --------
    >>> [round(accuracy(method, [0.5, 0.5], 2, 0.8), 6) for method in METHODS]
    [0.36, 0.35, 0.4875]
    """
    selections = len(rates) if method == "stepwise" else 1
    return epsilon**selections * generated(method, rates, width)


def costs(method: Method, length: int, width: int) -> tuple[int, int]:
    """Whole answers' worth of samples, and steps generated.

    Step-wise search generates k L steps, as many as k whole answers; the tree has k^L paths, which
    share their beginnings and are made of ``k + k^2 + ... + k^L`` steps.

    Examples
    --------
    >>> costs("stepwise", 4, 2), costs("best_of_n", 4, 2), costs("full_tree", 4, 2)
    ((2, 8), (2, 8), (16, 30))
    """
    if method == "full_tree":
        return width**length, sum(width**layer for layer in range(1, length + 1))
    return width, width * length


def crossover(rates: Sequence[float] | Array, width: int) -> float:
    """Reliability at which step-wise search and best-of-N are equally accurate at equal samples.

    ``epsilon^L A = epsilon B`` with A and B what they generate gives ``epsilon = (B / A)^(1 / (L - 1))``. B
    is at most A, since a right answer among k has a right candidate at every layer; so the crossover
    lies in (0, 1]. Above it step-wise search is better, below it best-of-N.

    Parameters
    ----------
    rates
        Probability of each step to be right after right steps, in (0, 1].
    width
        k.

    Returns
    -------
    float
        NaN for chains of one step, where both are the same.

    Examples
    --------
    >>> round(crossover([0.5, 0.5], 2), 6)
    0.777778
    """
    if len(rates) < 2:
        return float("nan")
    quotient = generated("best_of_n", rates, width) / generated("stepwise", rates, width)
    return float(min(quotient, 1.0) ** (1 / (len(rates) - 1)))


def answers_to_match(method: Method, rates: Sequence[float] | Array, width: int, epsilon: float) -> float:
    """Whole answers N with which best-of-N is as accurate as a search, perhaps no whole number.

    ``epsilon [1 - (1 - prod p)^N] = accuracy``. For p -> 0 it is ``epsilon^(L-1) k^L`` against step-wise
    search and ``k^L`` against the full tree.

    Parameters
    ----------
    method, rates, width, epsilon
        As in `accuracy`.

    Returns
    -------
    float

    Examples
    --------
    >>> round(answers_to_match("best_of_n", [0.5, 0.5], 3, 0.8), 9)
    3.0
    >>> round(answers_to_match("stepwise", [0.001, 0.001], 4, 0.9), 2), round(0.9 * 4**2, 2)
    (14.36, 14.4)
    """
    log_rate = float(np.log(np.asarray(rates, dtype=float)).sum())
    if log_rate == 0:
        return 1.0
    kept = epsilon ** (len(rates) - 1) if method == "stepwise" else 1.0
    missed = log_missed(method, rates, width)
    short = missed if kept == 1 else float(np.log1p(kept * np.expm1(missed)))
    return short / log_complement(log_rate)


def exact_table(
    log_growths: Iterable[float], lengths: Iterable[int], widths: Iterable[int], reliabilities: Iterable[float]
) -> pd.DataFrame:
    """The table ``exact.csv``: accuracy of every method on a grid.

    Parameters
    ----------
    log_growths, lengths, widths, reliabilities
        The grid: logarithms of lambda, L, k, epsilon.

    Returns
    -------
    DataFrame
        Columns `EXACT_COLUMNS`. ``samples`` are whole answers, for step-wise search their worth in
        steps; ``step_calls`` are steps generated.
    """
    rows = []
    for method, length, log_growth, width, eps in product(METHODS, lengths, log_growths, widths, reliabilities):
        right = accuracy(method, step_rates(log_growth, length), width, eps)
        rows.append((method, length, np.exp(log_growth), width, eps, *costs(method, length, width), right))
    table = pd.DataFrame(rows, columns=list(EXACT_COLUMNS))
    # The largest trees have more paths than an int64 counts.
    return table.astype({"samples": float, "step_calls": float})


def crossover_table(log_growths: Iterable[float], lengths: Iterable[int], widths: Iterable[int]) -> pd.DataFrame:
    """The table ``crossover.csv``, columns `CROSSOVER_COLUMNS`; width 1 has nothing to choose and is left out."""
    rows = [
        (np.exp(log_growth), length, width, crossover(step_rates(log_growth, length), width))
        for log_growth, length, width in product(log_growths, lengths, widths)
        if width > 1
    ]
    return pd.DataFrame(rows, columns=list(CROSSOVER_COLUMNS))


def matching_table(
    log_growths: Iterable[float], lengths: Iterable[int], widths: Iterable[int], reliabilities: Iterable[float]
) -> pd.DataFrame:
    """The table ``matching.csv``: the N with which best-of-N matches a search, beside the reported orders.

    Parameters
    ----------
    log_growths, lengths, widths, reliabilities
        The grid; width 1 is left out.

    Returns
    -------
    DataFrame
        Columns `MATCHING_COLUMNS`: ``against`` is stepwise or full_tree, ``n_reported_best`` b and
        ``n_reported_worst`` ``b^(L/2)``, ``step_calls`` the steps of the search and
        ``step_calls_best_of_n`` those of best-of-N with the N that matches.
    """
    rows = []
    for log_growth, length, width, eps in product(log_growths, lengths, widths, reliabilities):
        if width == 1:
            continue
        rates = step_rates(log_growth, length)
        for method in AGAINST:
            n = answers_to_match(method, rates, width, eps)
            calls = costs(method, length, width)[1]
            place = (np.exp(log_growth), length, width, eps, method)
            orders = (float(width), width ** (length / 2), float(width**length))
            rows.append((*place, n, *orders, float(calls), n * length))
    return pd.DataFrame(rows, columns=list(MATCHING_COLUMNS))
