"""What estimates are worth for choosing among many sets: correlations without length, predictions of unseen sets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ggmi.random import stream
from ggmi.statistics import TAILS, holm

Array = NDArray[np.float64]

# Share of the sets in which an estimator may have no value.
MISSING = 0.1
RESAMPLES, PERMUTATIONS = 1999, 9999
# Sets below which no estimator is said to predict anything.
MANY = 20
FOLDS, REPEATS = 10, 10
# Rows of the table that combine estimators.
RIDGE, SINGLE = "all of them (ridge)", "the best one of each fold (monotone)"
# Penalties that ridge chooses from, in units of a standardised column's sum of squares.
PENALTIES = np.geomspace(1e-2, 1e4, 13)


def estimators_worth(values: pd.DataFrame, outcome: ArrayLike, length: ArrayLike, seed: int) -> pd.DataFrame:
    """How each estimator goes with an outcome, and what it adds to the length in predicting it.

    Ranks stand for all values. ``partial`` correlates what a quadratic in the ranks of length leaves of both
    sides. ``skill`` is the share of squared error that an estimate takes away from a prediction by length
    alone (a quadratic, least squares), in sets that the prediction was not fitted on; its intervals are of
    each estimator by itself. ``concordance`` is the share of pairs of sets that the estimator orders as the
    outcome does, ties half, read in the direction of ``raw``: half of one and Kendall's tau-a. A coin has 1/2;
    since the direction is seen, what tells nothing has somewhat more.

    Parameters
    ----------
    values
        A row a set, a column an estimator. Estimators that have one value only, or none in more than a tenth of the
        sets, are left out, and then sets without a value of the others.
    outcome
        Of each set, shape (n,).
    length
        Of each set, shape (n,), or several such columns, (n, c): what is known of a set without an estimate.
    seed
        Of resamples, permutations and folds.

    Returns
    -------
    DataFrame
        A row an estimator, then `RIDGE` and `SINGLE`, which have a skill only. Columns ``estimator``; ``raw``,
        ``partial``, ``skill`` and ``concordance``, each with ``_ci_low`` and ``_ci_high`` (95 % bootstrap intervals
        over sets), the correlations with ``_p`` (permutations; of residuals as Freedman and Lane do) and
        ``_p_holm`` over the estimators; ``n``.
    """
    from scipy.stats import rankdata

    usable = values.loc[:, values.isna().mean() <= MISSING]
    kept = usable.notna().all(axis=1).to_numpy()
    usable = usable.loc[kept, usable[kept].nunique() > 1]
    n = len(usable)
    y = _centred(rankdata(np.asarray(outcome)[kept]))
    z = _quadratic(rankdata(np.column_stack([length])[kept], axis=0))
    columns = {str(name): _centred(rankdata(usable[name])) for name in usable}
    drawn = stream(seed, "prediction", "resamples").integers(n, size=(RESAMPLES, n))
    counts = np.array([np.bincount(sets, minlength=n) for sets in drawn], dtype=float)
    folds = [stream(seed, "prediction", "folds", r).permutation(n) % FOLDS for r in range(REPEATS)]
    base = _errors(y, folds, partial(_from_columns, z, y, _least_squares))
    rows = []
    for name, x in columns.items():
        found = {"raw": _tested(x, y, None, drawn, seed, name), "partial": _tested(x, y, z, drawn, seed, name)}
        row = {f"{kind}{end}": value for kind, row in found.items() for end, value in row.items()}
        both = np.column_stack([z, x])
        errors = _errors(y, folds, partial(_from_columns, both, y, _least_squares))
        ordered = _concordance(x * np.sign(row["raw"]), y, counts)
        rows.append({"estimator": name, **row, **_skill(errors, base, drawn), **ordered, "n": n})
    table = pd.DataFrame(rows)
    for kind in ("raw", "partial"):
        table[f"{kind}_p_holm"] = holm(table[f"{kind}_p"])
    matrix = np.column_stack(list(columns.values()))
    whole = np.column_stack([z, matrix])
    combined = {
        RIDGE: _errors(y, folds, partial(_from_columns, whole, y, _ridge)),
        SINGLE: _errors(y, folds, partial(_from_columns, matrix, y, _monotone)),
    }
    further = [{"estimator": name, **_skill(errors, base, drawn), "n": n} for name, errors in combined.items()]
    return pd.concat([table, pd.DataFrame(further)], ignore_index=True)


def _centred(ranks: Array) -> Array:
    """Ranks as numbers from -1/2 to 1/2."""
    return (ranks - ranks.mean(axis=0)) / len(ranks)


def _quadratic(ranks: Array) -> Array:
    """Constant, ranks and their squares: of (n, c) ranks shape (n, 1 + 2c)."""
    centred = _centred(ranks)
    return np.column_stack([np.ones(len(ranks)), centred, centred**2])


def _tested(x: Array, y: Array, z: Array | None, drawn: NDArray, seed: int, name: str) -> dict[str, float]:
    """A correlation of ranks, without what a design explains of both; its interval and p-value."""
    if z is not None:
        x, y = (side - z @ np.linalg.lstsq(z, side, rcond=None)[0] for side in (x, y))
    value = _correlation(x, y)
    resampled = np.array([_correlation(x[rows], y[rows]) for rows in drawn])
    low, high = np.nanquantile(resampled, TAILS)
    generator = stream(seed, "prediction", "permutations", name)
    shuffled = generator.permuted(np.tile(y, (PERMUTATIONS, 1)), axis=1)
    if z is not None:  # what is permuted is the residual; the design is taken out of it again
        shuffled = shuffled - (shuffled @ np.linalg.pinv(z).T) @ z.T
    norms = np.sqrt((shuffled**2).sum(1)) * np.sqrt(x @ x)
    extreme = np.abs(shuffled @ x) >= abs(value) * norms * (1 - 1e-12)
    return {
        "": value,
        "_ci_low": float(low),
        "_ci_high": float(high),
        "_p": float((1 + extreme.sum()) / (1 + PERMUTATIONS)),
    }


def _correlation(x: Array, y: Array) -> float:
    """Pearson's correlation; NaN where a side is constant."""
    a, b = x - x.mean(), y - y.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else float("nan")


def _concordance(x: Array, y: Array, counts: Array) -> dict[str, float]:
    """Share of pairs of sets in the same order, ties half; its interval from how often resamples hold each set."""
    same = (1 + np.sign(x[:, None] - x) * np.sign(y[:, None] - y)) / 2
    # A set that a resample holds twice makes no pair with itself.
    np.fill_diagonal(same, 0)
    held = np.vstack([np.ones(len(x)), counts])
    value, *resampled = ((held @ same) * held).sum(1) / (held.sum(1) ** 2 - (held**2).sum(1))
    low, high = np.quantile(resampled, TAILS)
    return {"concordance": float(value), "concordance_ci_low": float(low), "concordance_ci_high": float(high)}


# From columns and outcomes of sets, and columns of further sets, to outcomes of these.
Fit = Callable[[Array, Array, Array], Array]
Predict = Callable[[NDArray, NDArray], Array]


def _errors(y: Array, folds: list[NDArray], predict: Predict) -> Array:
    """Squared errors of predictions of each set by those of other folds, mean over repeats, shape (n,)."""
    errors = np.zeros(len(y))
    for fold in folds:
        for k in range(FOLDS):
            train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            errors[test] += (y[test] - predict(train, test)) ** 2 / len(folds)
    return errors


def _from_columns(x: Array, y: Array, fit: Fit, train: NDArray, test: NDArray) -> Array:
    """Predictions of some sets by what others' columns tell."""
    return fit(x[train], y[train], x[test])


def _skill(errors: Array, base: Array, drawn: NDArray) -> dict[str, float]:
    """Share of the baseline's squared error that is taken away, with its interval over sets."""
    resampled = 1 - errors[drawn].mean(1) / base[drawn].mean(1)
    low, high = np.quantile(resampled, TAILS)
    return {"skill": float(1 - errors.mean() / base.mean()), "skill_ci_low": float(low), "skill_ci_high": float(high)}


def _least_squares(x: Array, y: Array, new: Array) -> Array:
    return np.asarray(new @ np.linalg.lstsq(x, y, rcond=None)[0])


def _ridge(x: Array, y: Array, new: Array) -> Array:
    """Ridge regression whose penalty is chosen by leaving one out."""
    from sklearn.linear_model import RidgeCV

    scale = x.std(0)
    scale[scale == 0] = 1
    fitted = RidgeCV(PENALTIES).fit(x / scale, y)
    return np.asarray(fitted.predict(new / scale))


def _monotone(x: Array, y: Array, new: Array) -> Array:
    """The column that goes best with the outcome, by a monotone curve."""
    from sklearn.isotonic import IsotonicRegression

    values = [_correlation(column, y) for column in x.T]
    best = int(np.nanargmax(np.abs(values)))
    fitted = IsotonicRegression(increasing=values[best] > 0, out_of_bounds="clip").fit(x[:, best], y)
    return np.asarray(fitted.predict(new[:, best]))
