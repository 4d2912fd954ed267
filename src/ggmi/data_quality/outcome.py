"""Outcome supervision: the loss after k steps, its gradient, its curvature, and its descent.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, section 6: with W = I the model ends k steps at
w_k - w* = -(I + V S)^k w*, and the loss is half the mean square of that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, eigsh

Array = NDArray[np.float64]

# Of the central differences of gradients, relative to the size of V.
DIFFERENCE = 1e-5


@dataclass(frozen=True)
class Outcomes:
    """Prompts of which only the outcome is supervised.

    Parameters
    ----------
    moments
        S of each prompt, shape (B, d, d).
    weights
        w* of each prompt, shape (B, d).
    k
        Steps of the chain.
    """

    moments: Array
    weights: Array
    k: int

    def loss(self, v: Array) -> float:
        """Return the mean over prompts of half the squared error after k steps.

        Parameters
        ----------
        v
            V, shape (d, d).
        """
        return float(np.square(self._powers(v)[-1]).sum() / (2 * len(self.weights)))

    def gradient(self, v: Array) -> Array:
        """Return the loss's gradient in V (Proposition 6.1), shape (d, d).

        The mean over prompts of the sum over j < k of (Mᵀ)^j M^k w wᵀ (Mᵀ)^{k-1-j} Sᵀ, M = I + V S.

        Parameters
        ----------
        v
            V, shape (d, d).
        """
        powers = self._powers(v)
        back, total = powers[-1], np.zeros_like(v)
        for power in powers[-2::-1]:
            # back is (Mᵀ)^j M^k w and power is M^{k-1-j} w.
            total += back.T @ self._applied(power)
            back = back + self._applied(back @ v)
        return total / len(self.weights)

    def curvature(self, v: Array) -> float:
        """Return the largest eigenvalue of the loss's second derivatives in the entries of V.

        Parameters
        ----------
        v
            V, shape (d, d).
        """
        width = DIFFERENCE * np.abs(v).max()

        def product(move: Array) -> Array:
            """The Hessian times a direction, by central differences of the gradient."""
            shift = move.reshape(v.shape) * (width / np.linalg.norm(move))
            change = self.gradient(v + shift) - self.gradient(v - shift)
            return change.ravel() * (np.linalg.norm(move) / (2 * width))

        operator = LinearOperator((v.size, v.size), matvec=product, dtype=float)
        return float(eigsh(operator, k=1, which="LA", v0=np.ones(v.size), tol=1e-4, return_eigenvectors=False)[0])

    def descend(self, v: Array, rate: float, steps: int) -> Array:
        """Take steps of gradient descent and return V after the last.

        Parameters
        ----------
        v
            V before, shape (d, d).
        rate
            Step size.
        steps
            Steps taken.
        """
        for _ in range(steps):
            v = v - rate * self.gradient(v)
        return v

    def minimiser(self, v: Array) -> Array:
        """Return where L-BFGS ends that starts from V.

        Parameters
        ----------
        v
            V before, shape (d, d).
        """

        def told(x: Array) -> tuple[float, Array]:
            block = x.reshape(v.shape)
            return self.loss(block), self.gradient(block).ravel()

        settings = {"maxiter": 500, "maxfun": 2000, "ftol": 1e-15, "gtol": 1e-9}
        return minimize(told, v.ravel(), jac=True, method="L-BFGS-B", options=settings).x.reshape(v.shape)

    def _applied(self, rows: Array) -> Array:
        """S of each prompt applied to its row."""
        return np.einsum("bij,bj->bi", self.moments, rows)

    def _powers(self, v: Array) -> list[Array]:
        """M^j w* for j = 0 to k, a prompt a row."""
        powers = [self.weights]
        for _ in range(self.k):
            powers.append(powers[-1] + self._applied(powers[-1]) @ v.T)
        return powers
