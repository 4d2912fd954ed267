"""Kernels evaluated tile by tile: Gaussian or linear, between points or between sets of points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ggmi.errors import UserError, did_you_mean
from ggmi.information.estimate import Array, Indices, points
from ggmi.random import stream

KernelName = Literal["gaussian", "linear"]
KERNELS = ("gaussian", "linear")

# The median distance is exact up to this many points; beyond, it is that of so many drawn at random.
MEDIAN_POINTS = 4096
# Share of the largest value within which single precision, as embeddings have it, leaves equal texts.
ROUNDING = 1e-6
# Points on one side of a tile: 512 squared values are 2 MB, near the processor.
TILE = 512


@dataclass(frozen=True)
class Sets:
    """Sets of points, one set an observation: the anchors in a prompt, or the records that answer it.

    Parameters
    ----------
    points
        Distinct points, shape (u, d).
    members
        For each observation the indices of its points, none of them empty.

    Raises
    ------
    UserError
        If a set is empty or names a point that does not exist.
    """

    points: Array
    members: Sequence[Sequence[int] | Indices]

    def __post_init__(self) -> None:
        for i, chosen in enumerate(self.members):
            if len(chosen) == 0:
                raise UserError(f"sets: observation {i} has no points; each needs at least one")
            if min(chosen) < 0 or max(chosen) >= len(self.points):
                raise UserError(f"sets: observation {i} names a point outside 0..{len(self.points) - 1}")

    def __len__(self) -> int:
        """Number of observations."""
        return len(self.members)


@dataclass(frozen=True)
class Variable:
    """One side of a dependence: points with a kernel, and which observation owns which points.

    Parameters
    ----------
    kernel
        ``gaussian``, ``exp(-|x - x'|^2 / (2 s^2))``, or ``linear``, ``x . x'``.
    scaled
        Centred points, for the Gaussian divided by its bandwidth s; shape (u, d).
    bandwidth
        s; None for the linear kernel.
    owners
        For sets: shape (n, u), the weight of each point in each observation's mean. None when
        every observation is one point.
    """

    kernel: KernelName
    scaled: Array
    bandwidth: float | None
    owners: sparse.csr_array | None = None

    def __len__(self) -> int:
        """Number of observations."""
        return len(self.scaled) if self.owners is None else self.owners.shape[0]

    @cached_property
    def _factors(self) -> tuple[Array, Array]:
        """Left and right factor whose product is the kernel's exponent: x.x' - |x|^2/2 - |x'|^2/2."""
        if self.kernel == "linear":
            return self.scaled, self.scaled
        half = 0.5 * np.square(self.scaled).sum(axis=1, keepdims=True)
        one = np.ones_like(half)
        return np.hstack([self.scaled, -half, one]), np.hstack([self.scaled, one, -half])

    def _between(self, rows: Indices, columns: Indices) -> Array:
        """Kernel between points."""
        left, right = self._factors
        values = left[rows] @ right[columns].T
        if self.kernel == "gaussian":
            np.minimum(values, 0.0, out=values)
            np.exp(values, out=values)
        return values

    def _owned(self, chosen: Indices) -> tuple[Indices, sparse.csr_array]:
        """Points of some sets, and their weights in them."""
        assert self.owners is not None
        weights = self.owners[chosen]
        used, inverse = np.unique(weights.indices, return_inverse=True)
        shape = (len(chosen), len(used))
        return used, sparse.csr_array((weights.data, inverse.ravel(), weights.indptr), shape=shape)

    def tile(self, rows: Indices, columns: Indices) -> Array:
        """Kernel values between observations.

        Parameters
        ----------
        rows, columns
            Indices of the observations, shapes (r,) and (c,).

        Returns
        -------
        ndarray, shape (r, c)
        """
        if self.owners is None:
            return self._between(rows, columns)
        row_points, row_weights = owned = self._owned(rows)
        column_points, column_weights = owned if columns is rows else self._owned(columns)
        half = row_weights @ self._between(row_points, column_points)
        return np.ascontiguousarray((column_weights @ half.T).T)

    def square(self, chosen: Indices) -> Array:
        """Kernel values among some observations, evaluated tile by tile: the points of sets may be many.

        Parameters
        ----------
        chosen
            Their indices, shape (m,).

        Returns
        -------
        ndarray, shape (m, m)
        """
        values = np.empty((len(chosen), len(chosen)))
        for rows in blocks(len(chosen), self.side):
            for columns in blocks(len(chosen), self.side):
                values[np.ix_(rows, columns)] = self.tile(chosen[rows], chosen[columns])
        return values

    def diagonal(self) -> Array:
        """Kernel of every observation with itself.

        Returns
        -------
        ndarray, shape (n,)
        """
        if self.owners is not None:
            return np.concatenate([np.diagonal(self.tile(r, r)) for r in blocks(len(self), self.side)])
        return np.ones(len(self)) if self.kernel == "gaussian" else np.square(self.scaled).sum(axis=1)

    @cached_property
    def side(self) -> int:
        """Observations on one side of a tile: sets get smaller tiles, for their points fill memory."""
        if self.owners is None:
            return TILE
        return int(np.clip(4 * TILE * len(self) // self.owners.nnz, 8, TILE))

    def reordered(self, order: Indices) -> Variable:
        """Return the same variable with its observations in another order.

        Parameters
        ----------
        order
            Indices of the observations; may be fewer than all.

        Returns
        -------
        Variable
        """
        if self.owners is None:
            return replace(self, scaled=self.scaled[order])
        return replace(self, owners=self.owners[order])

    def describe(self) -> str:
        """Name the kernel and its bandwidth.

        Returns
        -------
        str
        """
        name = "linear" if self.bandwidth is None else f"Gaussian (bandwidth {self.bandwidth:.4g})"
        return name if self.owners is None else f"mean {name} over sets"


def variable(
    x: ArrayLike | Sets,
    name: str,
    *,
    kernel: str = "gaussian",
    bandwidth: float | str = "median",
    seed: int = 0,
    least: int = 2,
) -> Variable:
    """Prepare observations for kernel evaluation.

    Parameters
    ----------
    x
        Points, shape (n, d), or `Sets`. Two sets A and B are compared by the inner product of
        their mean embeddings, ``mean of k(a, b) over a in A, b in B``.
    name
        What a message calls them.
    kernel
        ``gaussian`` or ``linear``.
    bandwidth
        Of the Gaussian kernel; ``median`` takes the median distance between points that differ,
        exactly up to 4,096 points and over 4,096 drawn at random beyond.
    seed
        Of that draw.
    least
        Fewest observations allowed.

    Returns
    -------
    Variable

    Raises
    ------
    UserError
        If observations are too few, constant or not finite, or the kernel or bandwidth is unknown.

    Examples
    --------
    >>> variable([0.0, 1.0, 3.0], "x").bandwidth
    2.0
    """
    if kernel not in KERNELS:
        raise UserError(f"kernel: '{kernel}' is unknown; {did_you_mean(str(kernel), KERNELS)}")
    owners = None
    if isinstance(x, Sets):
        data = points(x.points, name, least=1)
        if len(x) < least:
            raise UserError(f"{name}: holds {len(x)} observations; at least {least} are needed")
        sizes = np.array([len(m) for m in x.members])
        indices = np.concatenate([np.asarray(m, dtype=np.int64) for m in x.members])
        ends = np.concatenate([[0], np.cumsum(sizes)])
        owners = sparse.csr_array((np.repeat(1.0 / sizes, sizes), indices, ends), shape=(len(x), len(data)))
        owners.sum_duplicates()
        constant = len({frozenset(map(int, m)) for m in x.members}) == 1 or _equal(data)
    else:
        data = points(x, name, least=least)
        constant = _equal(data)
    if constant:
        raise UserError(f"{name}: all observations are the same; they must differ for a dependence or distance")
    data = data - data.mean(axis=0)
    if kernel == "linear":
        return Variable("linear", data, None, owners)
    if bandwidth == "median":
        width = median_distance(data, seed)
    else:
        try:
            width = float(bandwidth)
        except (TypeError, ValueError):
            width = np.nan
        if not 0 < width < np.inf:
            raise UserError(f"bandwidth: '{bandwidth}' is not allowed; use 'median' or a positive number")
    return Variable("gaussian", data / width, width, owners)


def median_distance(data: Array, seed: int = 0) -> float:
    """Median Euclidean distance between points that differ: equal ones say nothing of the scale.

    Parameters
    ----------
    data
        Shape (n, d); at least two points differ.
    seed
        Of the draw of 4,096 points when there are more; where all that are drawn are equal, those
        that differ count once each.

    Returns
    -------
    float
    """
    if len(data) > MEDIAN_POINTS:
        drawn = data[stream(seed, "median bandwidth").choice(len(data), MEDIAN_POINTS, replace=False)]
        data = np.unique(data, axis=0) if _equal(drawn) else drawn
    n = len(data)
    norms = np.square(data).sum(axis=1)
    squared = np.empty(n * (n - 1) // 2)
    filled = 0
    for rows in blocks(n, TILE):
        first = int(rows[0])
        part = norms[rows, None] + norms[None, first:] - 2 * data[rows] @ data[first:].T
        above = part[np.triu_indices(len(rows), 1, n - first)]
        squared[filled : filled + len(above)] = above
        filled += len(above)
    # Equal points come out as rounding noise of their squared length, not as zero; and the same text may
    # have been embedded in two batches.
    squared = squared[squared > 1e-10 * norms.max()]
    middle = (len(squared) - 1) // 2
    both = np.partition(squared, [middle, len(squared) // 2])
    return float(np.sqrt(both[[middle, len(squared) // 2]]).mean())


def _equal(data: Array) -> bool:
    """Whether all points are the same but for the rounding of embeddings."""
    return bool(np.ptp(data, axis=0).max() <= ROUNDING * np.abs(data).max())


def blocks(n: int, side: int) -> Iterator[Indices]:
    """Cut 0..n-1 into runs of at most `side`.

    Parameters
    ----------
    n
        How many.
    side
        Longest run.

    Yields
    ------
    ndarray of int
    """
    for first in range(0, n, side):
        yield np.arange(first, min(first + side, n))


def tiles(variables: Sequence[Variable]) -> Iterator[tuple[Indices, Indices, list[Array]]]:
    """Evaluate kernels over all pairs i <= j, tile by tile, with zeros on the diagonal.

    Parameters
    ----------
    variables
        Variables of equally many observations.

    Yields
    ------
    rows, columns : ndarray of int
        The columns begin where the rows do (a tile on the diagonal, whole and symmetric) or after
        the last row.
    values : list of ndarray, shape (len(rows), len(columns))
        One array a variable; valid until the next tile is asked for.
    """
    n, side = len(variables[0]), min(v.side for v in variables)
    runs = list(blocks(n, side))
    for i, rows in enumerate(runs):
        for columns in runs[i:]:
            values = [v.tile(rows, columns) for v in variables]
            if columns[0] == rows[0]:
                for tile in values:
                    np.fill_diagonal(tile, 0.0)
            yield rows, columns, values
