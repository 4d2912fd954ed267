"""Entropy of continuous data from nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special
from scipy.spatial import cKDTree

from ggmi.errors import UserError
from ggmi.information.estimate import (
    Array,
    Estimate,
    Indices,
    check_count,
    group_codes,
    left_out_error,
    normal_ends,
    points,
)


def differential_entropy(x: ArrayLike, *, neighbours: int = 3, groups: Sequence[str] | None = None) -> Estimate:
    """Differential entropy by Kozachenko and Leonenko (1987), in nats.

    ``psi(n) - psi(k) + ln V_d + (d / n) sum_i ln r_i`` with r_i the Euclidean distance to the k-th
    neighbour and V_d the volume of the unit ball. The bias grows with the dimension: for raw
    embeddings compare values of equal n and d, do not read them as absolute.

    Parameters
    ----------
    x
        Shape (n, d).
    neighbours
        k.
    groups
        A label for each record, the same for those that depend on each other, such as those of one
        prompt; None if all are independent.

    Returns
    -------
    Estimate
        In nats. The interval is the normal one from the spread of the n terms; with groups the
        jackknife's, which leaves out a group with its points as neighbours, or None where one group
        leaves at most k records. It is that of the estimator's spread, without its bias: that of the dimension,
        and downwards where records of one group are each other's neighbours. There is no ceiling: a
        Gaussian of the same covariance has the largest entropy of all laws, but the estimate may
        exceed it.

    Raises
    ------
    UserError
        If there are at most k records, one is repeated more than k times, or labels are not n.

    Examples
    --------
    >>> round(differential_entropy([[0.0], [1.0], [2.0], [3.0]], neighbours=1).value, 4)
    2.5265
    """
    check_count(neighbours, "neighbours", least=1)
    data = points(x, "x", least=neighbours + 1)
    n, d = data.shape
    codes = group_codes(groups, n, "groups")
    sizes = np.bincount(codes)
    # Without a group as many neighbours may be gone.
    seen = min(neighbours + (int(sizes.max()) if len(sizes) < n else 0), n - 1)
    distances, places = _tree(data).query(data, k=seen + 1)
    radii = distances[:, neighbours]
    _refuse_repeats(radii, "x", neighbours, "differential entropy")
    # With an equal point at distance zero a record need not come first among its own neighbours.
    own = np.argsort(places != np.arange(n)[:, None], axis=1, kind="stable")
    places = np.take_along_axis(places, own, axis=1)
    log_volume = 0.5 * d * np.log(np.pi) - special.gammaln(0.5 * d + 1)

    def entropy(mean_log: Array | float, count: Array | int) -> Array:
        return special.digamma(count) - special.digamma(neighbours) + log_volume + d * mean_log

    value = float(entropy(float(np.log(radii).mean()), n))
    method = f"Kozachenko-Leonenko, {neighbours} neighbours"
    ends: tuple[float | None, float | None] = (None, None)
    if len(sizes) == n:
        ends = normal_ends(value, float(d * np.log(radii).std(ddof=1) / np.sqrt(n)))
    elif n - sizes.max() > neighbours:
        sums = _without_each_group(distances, codes[places], codes, neighbours)
        left_out = entropy(sums / (n - sizes), n - sizes)
        ends = normal_ends(value, left_out_error(value, n, left_out, sizes))
        method += f"; interval: spread over {len(sizes):,} groups of records, without the bias"
    return Estimate(value, *ends, None, None, None, n, "nats", method)


def _without_each_group(distances: Array, around: Indices, codes: Indices, neighbours: int) -> Array:
    """Sum of the logarithms of the k-th neighbour's distance over the records left without each group.

    Parameters
    ----------
    distances
        Of each record to its nearest, itself first, shape (n, s + 1); s holds k without any one group.
    around
        Group of each of these, shape (n, s + 1).
    codes
        Group of each record, shape (n,).
    neighbours
        k.
    """
    logs = np.log(distances[:, neighbours])
    sums = logs.sum() - np.bincount(codes, logs)
    distances, around = distances[:, 1:], around[:, 1:]
    for j in range(neighbours):
        gone = around[:, j]
        # A neighbour is lost with its group, once; records of that group are lost themselves.
        changed = np.flatnonzero((around[:, :j] != gone[:, None]).all(axis=1) & (gone != codes))
        left = around[changed] != gone[changed, None]
        place = np.argmax(np.cumsum(left, axis=1) == neighbours, axis=1)
        sums += np.bincount(gone[changed], np.log(distances[changed, place]) - logs[changed], minlength=len(sums))
    return sums


def _refuse_repeats(radii: Array, name: str, neighbours: int, what: str) -> None:
    """Refuse points with more than k equal ones, for which the k-th neighbour is no distance away."""
    if not radii.all():
        raise UserError(
            f"{name}: observation {np.flatnonzero(radii == 0)[0]} has more than {neighbours} equal ones; "
            f"{what} needs distinct points, so remove duplicates or raise `neighbours`"
        )


def _tree(data: Array) -> cKDTree:
    """Tree of points; sliding midpoints are quicker to build and as good for these data."""
    return cKDTree(data, balanced_tree=False, compact_nodes=False)
