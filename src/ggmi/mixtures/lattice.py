"""Standard normal points on randomly shifted lattices: even, unbiased, with an error from their spread."""

from __future__ import annotations

import numpy as np

from ggmi.mixtures.gaussian import Array

# Independent shifts of the lattice; their spread gives the standard error.
REPLICATES = 16


def lattice_shifts(generator: np.random.Generator, d: int, *shape: int) -> Array:
    """Draw the shifts of lattices.

    Parameters
    ----------
    generator
        Source of randomness.
    d
        Dimension of the points wanted.
    *shape
        Numbers of lattices, none for one set of replicates.

    Returns
    -------
    ndarray, shape (*shape, 16, 1, d or d + 1)
        Uniform on [0, 1); an odd dimension is filled up, since normals come in pairs.
    """
    return generator.random((*shape, REPLICATES, 1, d + d % 2))


def lattice_normals(shifts: Array, start: int, stop: int) -> Array:
    """Points `start` to `stop` of randomly shifted Kronecker sequences, made normal.

    The steps are powers of the root of x^(d+1) = x + 1, which fill the unit cube evenly; pairs of
    coordinates become normals by Box and Muller's transform.

    Parameters
    ----------
    shifts
        One shift a lattice, shape (..., 1, d), d even.
    start, stop
        Indices of the points.

    Returns
    -------
    ndarray, shape (..., stop - start, d)
    """
    d = shifts.shape[-1]
    root = 2.0
    for _ in range(64):
        root = (1 + root) ** (1 / (d + 1))
    steps = root ** -np.arange(1.0, d + 1)
    uniform = (np.arange(start + 1, stop + 1)[:, None] * steps + shifts) % 1.0
    radius = np.sqrt(-2 * np.log1p(-uniform[..., 0::2]))
    angle = 2 * np.pi * uniform[..., 1::2]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
