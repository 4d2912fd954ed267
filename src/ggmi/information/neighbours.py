"""Entropy and mutual information of continuous data from nearest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special
from scipy.spatial import cKDTree

from ggmi.errors import UserError
from ggmi.information.estimate import Array, Estimate, Indices, normal_ends, points
from ggmi.random import stream


def differential_entropy(x: ArrayLike, *, neighbours: int = 3) -> Estimate:
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

    Returns
    -------
    Estimate
        In nats. The interval is the normal one from the spread of the n terms. The ceiling is the
        entropy of a Gaussian with the same covariance, the largest of all with it; None where the
        covariance is singular.

    Raises
    ------
    UserError
        If there are at most k records, or one is repeated more than k times.

    Examples
    --------
    >>> round(differential_entropy([[0.0], [1.0], [2.0], [3.0]], neighbours=1).value, 4)
    2.5265
    """
    data = points(x, "x", least=neighbours + 1)
    n, d = data.shape
    radii = _tree(data).query(data, k=neighbours + 1)[0][:, -1]
    if not radii.all():
        raise UserError(
            f"x: observation {np.flatnonzero(radii == 0)[0]} has more than {neighbours} equal ones; "
            "differential entropy needs distinct points, so remove duplicates or raise `neighbours`"
        )
    log_volume = 0.5 * d * np.log(np.pi) - special.gammaln(0.5 * d + 1)
    terms = float(special.digamma(n) - special.digamma(neighbours) + log_volume) + d * np.log(radii)
    value = float(terms.mean())
    sign, log_det = np.linalg.slogdet(np.cov(data, rowvar=False).reshape(d, d)) if n > d else (0, 0)
    ceiling = 0.5 * float(d * np.log(2 * np.pi * np.e) + log_det) if sign > 0 and np.isfinite(log_det) else None
    ends = normal_ends(value, float(terms.std(ddof=1) / np.sqrt(n)))
    return Estimate(value, *ends, None, None, ceiling, n, "nats", f"Kozachenko-Leonenko, {neighbours} neighbours")


def mutual_information(
    x: ArrayLike, y: ArrayLike, *, neighbours: int = 3, n_permutations: int = 199, seed: int = 0
) -> Estimate:
    """Mutual information by Kraskov, Stögbauer and Grassberger (2004), their first estimator, in nats.

    ``psi(k) + psi(n) - mean[psi(n_x + 1) + psi(n_y + 1)]``: n_x and n_y count the points nearer in x and in
    y than the k-th neighbour in the joint space, all with the maximum norm. Each variable is first
    divided by its standard deviation.

    Parameters
    ----------
    x, y
        Paired observations, shapes (n, d) and (n, e).
    neighbours
        k.
    n_permutations
        Shuffles of the pairing for the p-value and the null mean; 0 for neither.
    seed
        Of the shuffles.

    Returns
    -------
    Estimate
        In nats. The interval is the normal one from the spread of the n terms and leaves out the
        bias, which pulls strong dependence in many dimensions down.

    Raises
    ------
    UserError
        If lengths differ, there are at most k observations, or a variable is constant.
    """
    sides = [points(data, name, least=neighbours + 1) for data, name in ((x, "x"), (y, "y"))]
    n = len(sides[0])
    if len(sides[1]) != n:
        raise UserError(f"x and y: hold {n} and {len(sides[1])} observations; they are paired, so as many are needed")
    for i, name in enumerate("xy"):
        spread = sides[i].std(axis=0)
        if not spread.all():
            raise UserError(
                f"{name}: column {np.flatnonzero(spread == 0)[0]} is constant; mutual information needs spread"
            )
        sides[i] = sides[i] / spread
    trees = [_tree(side) for side in sides]
    terms = _ksg_terms(sides[0], sides[1], trees, np.arange(n), neighbours)
    value = float(terms.mean())
    p_value = null_mean = None
    if n_permutations:
        generator = stream(seed, "mutual information", "permutations")
        null = [
            float(_ksg_terms(sides[0], sides[1], trees, generator.permutation(n), neighbours).mean())
            for _ in range(n_permutations)
        ]
        p_value = (1 + sum(v >= value for v in null)) / (1 + n_permutations)
        null_mean = float(np.mean(null))
    ends = normal_ends(value, float(terms.std(ddof=1) / np.sqrt(n)))
    method = f"Kraskov-Stögbauer-Grassberger, {neighbours} neighbours; null: {n_permutations:,} random permutations"
    return Estimate(value, *ends, p_value, null_mean, None, n, "nats", method)


def _ksg_terms(x: Array, y: Array, trees: list[cKDTree], order: Indices, neighbours: int) -> Array:
    """Terms of the first KSG estimator for x paired with y in some order."""
    n = len(x)
    paired = np.hstack([x, y[order]])
    radii = _tree(paired).query(paired, k=neighbours + 1, p=np.inf)[0][:, -1]
    # Strictly nearer points count, and each point finds itself: so the counts are n_x + 1 and n_y + 1.
    inner = np.nextafter(radii, 0)
    counts = [
        np.maximum(tree.query_ball_point(side, inner, p=np.inf, return_length=True), 1)
        for tree, side in zip(trees, (x, y[order]), strict=True)
    ]
    return special.digamma(neighbours) + special.digamma(n) - sum(special.digamma(c) for c in counts)


def _tree(data: Array) -> cKDTree:
    """Tree of points; sliding midpoints are quicker to build and as good for these data."""
    return cKDTree(data, balanced_tree=False, compact_nodes=False)
