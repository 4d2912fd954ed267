"""Verdicts of a linear rule on records it has not seen, for many labellings of the records at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from ggmi.information.estimate import Array, Indices

# Random cuts into folds. Verdicts are averaged over them: the luck of one cut is a quarter of the variance.
CUTS = 4
# Added to the eigenvalues of a correlation matrix, for features that do not vary or are copies of others.
RIDGE = 1e-6


def verdicts(data: Array, labels: Array, codes: Indices, folds: int, generator: np.random.Generator) -> Array:
    """How a rule fitted to other records judges each record.

    Labels are regressed on standardised features with a ridge (the linear discriminant of a shrunk
    covariance), so the rules of all labellings are one linear system. Features are standardised, and
    the ridge is chosen after Ledoit and Wolf (2004), by the training part without its labels; folds
    know no labels either. Verdicts are thus the same function of each labelling, and shuffled
    labellings show what no difference gives. The threshold is midway between the projected means.

    Parameters
    ----------
    data
        Records, shape (n, d).
    labels
        1 for x and 0 for y, a column a labelling, shape (n, t).
    codes
        Group of each record, from 0 without gaps; a group is held out whole.
    folds
        Parts held out in turn, of about equally many records.
    generator
        Of the cuts into folds.

    Returns
    -------
    ndarray, shape (n, t)
        Share of `CUTS` cuts in which the record is called x.
    """
    says_x = np.zeros(labels.shape, dtype=np.float32)
    for _ in range(CUTS):
        fold = _folds(codes, folds, generator)
        for part in range(folds):
            held = fold == part
            if held.any() and not held.all():
                says_x[held] += _judged(data[~held], labels[~held], data[held])
    return says_x.astype(float) / CUTS


def _folds(codes: Indices, folds: int, generator: np.random.Generator) -> Indices:
    """Fold of each record: groups in a random order, cut where equal shares of the records end."""
    sizes = np.bincount(codes)
    order = generator.permutation(len(sizes))
    middles = np.empty(len(sizes))
    middles[order] = np.cumsum(sizes[order]) - sizes[order] / 2
    return np.floor(folds * middles / len(codes)).astype(np.intp)[codes]


def _judged(data: Array, labels: Array, held: Array) -> Array:
    """Whether rules that are fitted to records call others x."""
    centre, spread = data.mean(axis=0), data.std(axis=0)
    spread[spread == 0] = 1.0
    z = (data - centre) / spread
    second = z.T @ z / len(z)
    share = shrinkage(z, second)
    ridge = share * np.trace(second) / len(second) + RIDGE
    of_x = labels.sum(axis=0)
    # Features sum to zero, so where a set is absent both means are zero and nothing is called x.
    sums = z.T @ labels
    mean_x, mean_y = sums / np.maximum(of_x, 1), -sums / np.maximum(len(z) - of_x, 1)
    weights = linalg.solve((1 - share) * second + ridge * np.eye(len(second)), mean_x - mean_y, assume_a="pos")
    midway = np.einsum("ft,ft->t", (mean_x + mean_y) / 2, weights)
    return (held - centre) / spread @ weights > midway


def shrinkage(z: Array, second: Array) -> float:
    """Ledoit and Wolf's (2004) share for centred observations z, shape (n, d), of second moments z'z / n.

    scikit-learn's `ledoit_wolf_shrinkage`, which would form these products anew: half as long again as a whole rule.
    """
    n, d = z.shape
    squares = float(np.vdot(second, second))
    away = squares - float(np.trace(second)) ** 2 / d
    noise = (float(np.square(np.square(z).sum(axis=1)).sum()) / n - squares) / n
    return min(noise / away, 1.0) if away > 0 else 0.0


@dataclass(frozen=True)
class Advantage:
    """How much more often x than y is called x, for each labelling.

    Parameters
    ----------
    value
        The advantage, shape (t,).
    studentised
        The advantage over its standard error if the sets had one law, shape (t,); 0 where all verdicts
        are the same.
    """

    value: Array
    studentised: Array


def advantage(says_x: Array, labels: Array, codes: Indices) -> Advantage:
    """Advantages of verdicts, and how large they are for records in groups.

    Parameters
    ----------
    says_x
        Of `verdicts`, shape (n, t).
    labels, codes
        As for `verdicts`.

    Returns
    -------
    Advantage
    """
    n, of_x = len(labels), labels.sum(axis=0)
    # Random signs of groups may leave a set empty.
    of_x = np.clip(of_x, 1, n - 1)
    signed = labels / of_x - (1 - labels) / (n - of_x)
    value = np.einsum("it,it->t", signed, says_x)
    signed *= says_x - says_x.mean(axis=0)
    order = np.argsort(codes, kind="stable")
    by_group = np.add.reduceat(signed[order], np.flatnonzero(np.diff(codes[order], prepend=-1)), axis=0)
    groups = len(by_group)
    error = np.sqrt(np.square(by_group).sum(axis=0) * groups / (groups - 1))
    return Advantage(value, np.divide(value, error, out=np.zeros_like(value), where=error > 0))
