"""Prompts: drawn example by example, and exactly in O(d) where only S w of a prompt is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ggmi.random import stream

Array = NDArray[np.float64]


def moments(generator: np.random.Generator, scale: Array, n: int, prompts: int) -> Array:
    """Draw second moments S = X Xᵀ / n of prompts with independent coordinates.

    Parameters
    ----------
    generator
        Source of the inputs.
    scale
        Variances of the coordinates, shape (d,).
    n
        Length of a prompt.
    prompts
        How many.

    Returns
    -------
    ndarray, shape (prompts, d, d)
    """
    roots = np.sqrt(scale)[:, None]
    drawn = np.empty((prompts, len(scale), len(scale)))
    for place in range(prompts):
        inputs = roots * generator.standard_normal((len(scale), n))
        drawn[place] = inputs @ inputs.T / n
    return drawn


@dataclass(frozen=True)
class Draws:
    """Random numbers of some prompts, common to all covariances; a prompt's do not depend on how many follow.

    Parameters
    ----------
    weights
        w*, a prompt a row, shape (B, d).
    directions
        Standard normal, shape (B, d).
    chi_square
        Of n degrees of freedom, shape (B,).
    n
        Length of the prompts.
    """

    weights: Array
    directions: Array
    chi_square: Array
    n: int

    @classmethod
    def draw(cls, seed: int, name: Sequence[str | int], d: int, n: int, prompts: int) -> Draws:
        """Draw from named streams; weights and directions are the same at every length n.

        Parameters
        ----------
        seed
            The run's seed.
        name
            What the streams are for.
        d
            Coordinates.
        n
            Length of the prompts.
        prompts
            How many.
        """
        weights = stream(seed, *name, "weights").standard_normal((prompts, d))
        directions = stream(seed, *name, "directions").standard_normal((prompts, d))
        return cls(weights, directions, stream(seed, *name, "lengths", n).chisquare(n, prompts), n)

    def products(self, scale: Array) -> Array:
        r"""Return S w of every prompt, in law exactly that of S = X Xᵀ / n, without drawing X.

        With a = A^{1/2} w and q = |a|², the inputs' parts along a have squares that sum to a chi-square
        c of n degrees of freedom, and their parts across it add up to a normal vector of c times its
        covariance: S w = A^{1/2} (c a + sqrt(c q) (I - a aᵀ/q) g) / n.

        Parameters
        ----------
        scale
            Variances of the coordinates, the diagonal of A, shape (d,).

        Returns
        -------
        ndarray, shape (d, B)
            Φ, a prompt a column.
        """
        roots = np.sqrt(scale)
        along = self.weights * roots
        q = np.einsum("bd,bd->b", along, along)
        across = self.directions - along * (np.einsum("bd,bd->b", along, self.directions) / q)[:, None]
        c = self.chi_square[:, None]
        return (roots * (c * along + np.sqrt(c * q[:, None]) * across) / self.n).T
