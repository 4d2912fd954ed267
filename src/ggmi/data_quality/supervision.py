"""The loss of supervised fine-tuning in both trained blocks, its gradient, and its joint minimiser.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, section 4: targets w_i = (1 - (1-η)^i) w*, teacher
forced, i = 0 to k.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Supervision:
    """Prompts with the targets of every step.

    Parameters
    ----------
    moments
        S of each prompt, shape (B, d, d).
    weights
        w* of each prompt, shape (B, d).
    eta
        Share of what is missing that a step adds.
    k
        Steps of the chain; k + 1 transitions are supervised.
    """

    moments: Array
    weights: Array
    eta: float
    k: int

    @property
    def phi(self) -> Array:
        """Φ, shape (d, B)."""
        return np.einsum("bij,bj->ib", self.moments, self.weights)

    def loss(self, v: Array, w: Array) -> float:
        """Return the sum over transitions of half the mean squared residual.

        Parameters
        ----------
        v, w
            The trained blocks, shape (d, d).
        """
        return float(sum(np.square(self._residual(v, w, i)).sum() for i in range(self.k + 1)) / (2 * len(self.weights)))

    def gradient(self, v: Array, w: Array) -> tuple[Array, Array]:
        """Return the loss's gradients in V and in W, each of shape (d, d).

        Parameters
        ----------
        v, w
            The trained blocks, shape (d, d).
        """
        in_v, in_w = np.zeros_like(v), np.zeros_like(w)
        for i in range(self.k + 1):
            miss, residual = self._miss(w, i), self._residual(v, w, i)
            in_v += np.einsum("bi,bjk,bk->ij", residual, self.moments, miss, optimize=True)
            in_w += self._done(i) * np.einsum("bij,bj->bi", self.moments, residual @ v).T @ self.weights
        return in_v / len(self.weights), in_w / len(self.weights)

    def minimiser(self, v: Array, w: Array) -> tuple[Array, Array]:
        """Return where L-BFGS ends that starts from given blocks.

        Parameters
        ----------
        v, w
            The trained blocks, shape (d, d).
        """
        shape = (2, *v.shape)

        def told(x: Array) -> tuple[float, Array]:
            blocks = x.reshape(shape)
            return self.loss(*blocks), np.concatenate([g.ravel() for g in self.gradient(*blocks)])

        settings = {"maxiter": 1000, "maxfun": 4000, "ftol": 1e-15, "gtol": 1e-10}
        found = minimize(told, np.stack([v, w]).ravel(), jac=True, method="L-BFGS-B", options=settings)
        first, second = found.x.reshape(shape)
        return first, second

    def _done(self, i: int) -> float:
        """Share of the way that the i-th thought has come."""
        return 1 - (1 - self.eta) ** i

    def _miss(self, w: Array, i: int) -> Array:
        """W w_i - w*, shape (B, d)."""
        return self._done(i) * self.weights @ w.T - self.weights

    def _residual(self, v: Array, w: Array, i: int) -> Array:
        """What the i-th transition falls short of its target, shape (B, d)."""
        step = np.einsum("bij,bj->bi", self.moments, self._miss(w, i)) @ v.T
        return step - self.eta * (1 - self.eta) ** i * self.weights
