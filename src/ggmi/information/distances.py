"""Distances between two sets of embedded records: total variation from below, and mean discrepancy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ggmi.errors import UserError
from ggmi.information.estimate import Array, Estimate, normal_ends, points
from ggmi.information.kernels import tiles, variable
from ggmi.random import stream

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

# Labellings multiplied with a kernel tile at once.
LABELLINGS = 256


def total_variation_bound(
    x: ArrayLike, y: ArrayLike, *, folds: int = 5, classifier: ClassifierMixin | None = None, seed: int = 0
) -> Estimate:
    """Lower bound of the total variation distance by a cross-fitted classifier.

    For any rule g that says x or y, ``P(g = x | x) - P(g = x | y) <= D_TV``, with equality for the best
    rule. Each fold's records are judged by a rule that was fitted to the other folds only, so the
    held-out advantage estimates the left side without the optimism of fitting (lemma 3.1 needs
    ``D_TV(D, D_M)`` and ``D_TV(D_M, D_gen)``).

    Parameters
    ----------
    x, y
        Embedded records, shapes (n, d) and (m, d).
    folds
        Parts of the data held out in turn, each with its share of both sets.
    classifier
        Any unfitted scikit-learn classifier; None takes logistic regression on standardised
        features with both sets weighted equally.
    seed
        Of the folds.

    Returns
    -------
    Estimate
        `value` and the interval are those of the held-out advantage, which is at most D_TV: `ci_low`
        bounds D_TV from below, `ci_high` does not bound it from above. `p_value` is Fisher's exact
        test, one-sided, of the held-out verdicts.

    Raises
    ------
    UserError
        If a set is smaller than the number of folds, dimensions differ, or values are not finite.

    Examples
    --------
    >>> from ggmi.random import stream
    >>> draw = stream(0, "doc").normal
    >>> bound = total_variation_bound(draw(size=(200, 2)), draw(2.0, size=(200, 2)))
    >>> 0.6 < bound.ci_low < bound.value < 1, bound.p_value < 1e-6
    (True, True)
    """
    from sklearn.base import clone
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if folds < 2:
        raise UserError(f"folds: {folds} is not allowed; at least 2 are needed")
    first, second = _same_space(x, y, least=folds)
    data = np.concatenate([first, second])
    is_x = np.repeat([True, False], [len(first), len(second)])
    rule = classifier
    if rule is None:
        rule = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    says_x = np.empty(len(data), dtype=bool)
    order = stream(seed, "total variation", "folds").permutation(len(data))
    for fit, held in StratifiedKFold(folds).split(data, is_x[order]):
        rule = clone(rule).fit(data[order[fit]], is_x[order[fit]])
        says_x[order[held]] = rule.predict(data[order[held]])
    n, m = len(first), len(second)
    hits, false_hits = int(says_x[is_x].sum()), int(says_x[~is_x].sum())
    value = hits / n - false_hits / m
    low, high = _newcombe(hits, n, false_hits, m)
    method = f"held-out advantage of a classifier, {folds} folds; a lower bound of the total variation distance"
    return Estimate(value, low, high, _fisher(hits, n, false_hits, m), 0.0, 1.0, n + m, "total variation", method)


def _newcombe(hits: int, n: int, false_hits: int, m: int) -> tuple[float, float]:
    """Interval of a difference of two shares from their Wilson intervals (Newcombe 1998, method 10)."""
    p, q = hits / n, false_hits / m
    (p_low, p_high), (q_low, q_high) = wilson(hits, n), wilson(false_hits, m)
    below, above = np.hypot(p - p_low, q_high - q), np.hypot(p_high - p, q - q_low)
    return float(p - q - below), float(p - q + above)


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share.

    Parameters
    ----------
    successes, n
        Successes among n trials, n at least 1.

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> low, high = wilson(0, 10)
    >>> low, round(high, 4)
    (0.0, 0.2775)
    """
    z2 = special.ndtri(0.975) ** 2
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(float(centre - half), 0.0), min(float(centre + half), 1.0)


def _fisher(hits: int, n: int, false_hits: int, m: int) -> float:
    """Fisher's exact probability of at least so many hits, given all verdicts."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(hits - 1, n + m, hits + false_hits, n))


def mmd(
    x: ArrayLike,
    y: ArrayLike,
    *,
    kernel: str = "gaussian",
    bandwidth: float | str = "median",
    n_permutations: int = 999,
    seed: int = 0,
) -> Estimate:
    """Unbiased squared maximum mean discrepancy between two sets (Gretton et al. 2012).

    ``mean k(x, x') + mean k(y, y') - 2 mean k(x, y)`` without diagonals, the kernel evaluated tile by
    tile. A labelling of the pooled records as x and y is a column u of zeros and ones, and all its
    sums follow from u'K u and u'K 1, so many labellings are one matrix product a tile.

    Parameters
    ----------
    x, y
        Embedded records, shapes (n, d) and (m, d).
    kernel, bandwidth
        As for `ggmi.information.kernels.variable`, over both sets together.
    n_permutations
        Random labellings for the p-value.
    seed
        Of the labellings.

    Returns
    -------
    Estimate
        The null mean is zero; the ceiling is the value if no record of one set resembled any of the
        other (None for the linear kernel). The interval is the normal one from the first-order
        variance, never narrower than the permutation distribution's.

    Raises
    ------
    UserError
        If a set has fewer than two records, dimensions differ, or all records are the same.
    """
    first, second = _same_space(x, y, least=2)
    if n_permutations < 1:
        raise UserError(f"n_permutations: {n_permutations} is not allowed; at least 1 is needed")
    n, m = len(first), len(second)
    pooled = variable(np.concatenate([first, second]), "x and y", kernel=kernel, bandwidth=bandwidth, seed=seed)
    generator = stream(seed, "mmd", "labellings")
    labels = np.zeros((n + m, 1 + n_permutations))
    labels[:n, 0] = 1
    for t in range(1, 1 + n_permutations):
        labels[generator.permutation(n + m)[:n], t] = 1
    inside, with_x, everything = np.zeros(1 + n_permutations), np.zeros(n + m), np.zeros(n + m)
    for rows, columns, (k,) in tiles([pooled]):
        below = columns[0] != rows[0]
        for t in range(0, labels.shape[1], LABELLINGS):
            chosen = slice(t, t + LABELLINGS)
            products = np.einsum("it,it->t", labels[rows, chosen], k @ labels[columns, chosen])
            inside[chosen] += (1 + below) * products
        with_x[rows] += k @ labels[columns, 0]
        everything[rows] += k.sum(axis=1)
        if below:
            with_x[columns] += labels[rows, 0] @ k
            everything[columns] += k.sum(axis=0)
    across = everything @ labels - inside
    outside = everything.sum() - inside - 2 * across
    values = inside / (n * (n - 1)) + outside / (m * (m - 1)) - 2 * across / (n * m)
    value, shuffled = float(values[0]), values[1:]
    # How far each record's own resemblance differs: the first-order part of the variance.
    of_x = with_x[:n] / (n - 1) - (everything - with_x)[:n] / m
    of_y = (everything - with_x)[n:] / (m - 1) - with_x[n:] / n
    first_order = 4 * (of_x.var(ddof=1) / n + of_y.var(ddof=1) / m)
    # Moments about zero: the mean over labellings is zero in theory, and one labelling has no spread.
    error = float(np.sqrt(max(first_order, float(np.square(shuffled).mean()))))
    ceiling = None
    if kernel == "gaussian":
        ceiling = float(inside[0] / (n * (n - 1)) + outside[0] / (m * (m - 1)))
    p_value = (1 + int(np.count_nonzero(shuffled >= value - 1e-12))) / (1 + n_permutations)
    method = f"unbiased squared MMD, kernel {pooled.describe()}; null: {n_permutations:,} random labellings"
    return Estimate(value, *normal_ends(value, error), p_value, 0.0, ceiling, n + m, "", method)


def _same_space(x: ArrayLike, y: ArrayLike, *, least: int) -> tuple[Array, Array]:
    """Check two sets of points of one dimension."""
    first, second = points(x, "x", least=least), points(y, "y", least=least)
    if first.shape[1] != second.shape[1]:
        raise UserError(f"x and y: have {first.shape[1]} and {second.shape[1]} dimensions; they must live in one space")
    return first, second
