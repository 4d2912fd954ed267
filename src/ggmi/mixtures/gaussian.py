"""Batches of Gaussian mixtures as plain arrays: sampling and exact log-densities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError

Array = NDArray[np.float64]

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Mixtures:
    """R Gaussian mixtures of C components each in d dimensions.

    Parameters
    ----------
    weights
        Shape (R, C), rows summing to one.
    means
        Shape (R, C, d).
    covariances
        Shape (R, C, d, d), symmetric positive definite.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> pair = Mixtures(np.full((1, 2), 0.5), np.array([[[0.0], [4.0]]]), np.ones((1, 2, 1, 1)))
    >>> pair.rounds, pair.components, pair.dimensions
    (1, 2, 1)
    """

    weights: Array
    means: Array
    covariances: Array

    ARRAYS: ClassVar[tuple[str, ...]] = ("weights", "means", "covariances")

    def __post_init__(self) -> None:
        if self.means.ndim != 3:
            raise ValueError(f"means must have shape (R, C, d), got {self.means.shape}")
        rounds, components, d = self.means.shape
        if self.weights.shape != (rounds, components):
            raise ValueError(f"weights must have shape {(rounds, components)}, got {self.weights.shape}")
        if self.covariances.shape != (rounds, components, d, d):
            raise ValueError(f"covariances must have shape {(rounds, components, d, d)}, got {self.covariances.shape}")

    @property
    def rounds(self) -> int:
        """Number of mixtures R in the batch."""
        return self.means.shape[0]

    @property
    def components(self) -> int:
        """Number of components C of each mixture."""
        return self.means.shape[1]

    @property
    def dimensions(self) -> int:
        """Dimension d of the space."""
        return self.means.shape[2]

    def __getitem__(self, index: slice | NDArray[np.intp]) -> Mixtures:
        """Return the batch of the mixtures at `index`."""
        return Mixtures(self.weights[index], self.means[index], self.covariances[index])

    @classmethod
    def equal_weights(cls, means: Array, covariances: Array) -> Mixtures:
        """Return mixtures whose components all weigh 1/C.

        Parameters
        ----------
        means
            Shape (R, C, d).
        covariances
            Shape (R, C, d, d).
        """
        weights = np.full(means.shape[:2], 1.0 / means.shape[1])
        return cls(weights, means, covariances)

    def cholesky(self) -> Array:
        """Lower Cholesky factors of the covariances, shape (R, C, d, d).

        Raises
        ------
        UserError
            If a covariance is not positive definite.
        """
        try:
            return np.asarray(np.linalg.cholesky(self.covariances), dtype=float)
        except np.linalg.LinAlgError:
            smallest = np.linalg.eigvalsh(self.covariances)[..., 0]
            r, c = np.unravel_index(int(np.argmin(smallest)), smallest.shape)
            raise UserError(
                f"the covariance of component {c} in round {r} is not positive definite "
                f"(smallest eigenvalue {smallest[r, c]:.3g}); use a larger regularisation"
            ) from None


def sample(mixtures: Mixtures, n: int, generators: Sequence[np.random.Generator]) -> tuple[Array, NDArray[np.int64]]:
    """Draw n points from every mixture.

    Component counts are multinomial, and the points are ordered by component.

    Parameters
    ----------
    mixtures
        The R mixtures.
    n
        Points per mixture.
    generators
        One generator a mixture, so that no mixture's points depend on another's.

    Returns
    -------
    points : ndarray, shape (R, n, d)
    labels : ndarray, shape (R, n)
        The component each point came from.
    """
    rounds, _, d = mixtures.means.shape
    factors = mixtures.cholesky()
    points = np.empty((rounds, n, d))
    labels = np.empty((rounds, n), dtype=np.int64)
    for r, generator in zip(range(rounds), generators, strict=True):
        counts = generator.multinomial(n, mixtures.weights[r])
        noise = generator.standard_normal((n, d))
        labels[r] = np.repeat(np.arange(len(counts)), counts)
        stops = np.cumsum(counts)
        for c in np.flatnonzero(counts):
            part = slice(stops[c] - counts[c], stops[c])
            points[r, part] = mixtures.means[r, c] + noise[part] @ factors[r, c].T
    return points, labels


def component_log_densities(mixtures: Mixtures, points: Array) -> Array:
    """Log of weight times density of every component at every point, in nats.

    Parameters
    ----------
    mixtures
        R mixtures of C components.
    points
        Shape (R, n, d).

    Returns
    -------
    ndarray, shape (R, C, n)
        ``log w_c + log N(x; mean_c, covariance_c)``; -inf where a weight is zero.
    """
    rounds, components, d = mixtures.means.shape
    inverse = np.linalg.inv(mixtures.cholesky())
    # Whitened distances, one coordinate at a time: |L^-1 (x - m)|^2 = sum_j (a_j.x - a_j.m)^2.
    transposed = points.transpose(0, 2, 1)
    result = np.zeros((rounds, components, points.shape[1]))
    for j in range(d):
        rows = inverse[:, :, j]
        offset = np.einsum("rcd,rcd->rc", rows, mixtures.means)
        coordinate = rows @ transposed
        coordinate -= offset[:, :, None]
        np.square(coordinate, out=coordinate)
        result += coordinate
    log_determinant = np.log(np.diagonal(inverse, axis1=2, axis2=3)).sum(-1)
    with np.errstate(divide="ignore"):
        constant = np.log(mixtures.weights) + log_determinant - 0.5 * d * LOG_2PI
    result *= -0.5
    result += constant[:, :, None]
    return result


def log_sum_exp(values: Array) -> Array:
    """``log sum_c exp(values[:, c])`` over axis 1, without overflow.

    Parameters
    ----------
    values
        Shape (R, C, n), finite or -inf, at least one finite value along axis 1.

    Returns
    -------
    ndarray, shape (R, n)
    """
    top = values.max(axis=1)
    shifted = values - top[:, None]
    np.exp(shifted, out=shifted)
    return np.log(shifted.sum(axis=1)) + top


def log_density(mixtures: Mixtures, points: Array) -> Array:
    """Exact log-density of each mixture at its points, in nats.

    Parameters
    ----------
    mixtures
        R mixtures.
    points
        Shape (R, n, d).

    Returns
    -------
    ndarray, shape (R, n)

    Examples
    --------
    >>> import numpy as np
    >>> unit = Mixtures(np.ones((1, 1)), np.zeros((1, 1, 2)), np.eye(2)[None, None])
    >>> round(float(log_density(unit, np.zeros((1, 1, 2)))[0, 0]), 6)  # -log(2 pi)
    -1.837877
    """
    return log_sum_exp(component_log_densities(mixtures, points))
