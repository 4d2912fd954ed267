"""The proportional limit: F of Theorem B.1 as printed and as corrected, and what it describes.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, appendix B. Two blocks of coordinates, shares μ1 and
μ2; Σ0 = (ρ, 1), Σ = (ρ + 1, 1), A = (η (ρ + 1), r). F is the limit of the test error, a coordinate, of Ṽ,
a form of V* of first order in the noise E of Φ = A Ω + E, whose columns have covariance γ diag(s).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import brentq

Array = NDArray[np.float64]

VERSIONS = ("printed", "corrected")


@dataclass(frozen=True)
class Limit:
    """Parameters of the proportional limit, and the constants of Theorem B.1 that they give.

    Parameters
    ----------
    mu
        Share μ1 of the first block.
    rho, eta, r
        As in the covariances.
    gamma
        d / n.
    """

    mu: float
    rho: float
    eta: float
    r: float
    gamma: float

    @property
    def shares(self) -> Array:
        """μ1 and μ2."""
        return np.array([self.mu, 1 - self.mu])

    @property
    def tuning(self) -> Array:
        """The variances a of A."""
        return np.array([self.eta * (self.rho + 1), self.r])

    @property
    def test(self) -> Array:
        """The variances S of Σ."""
        return np.array([self.rho + 1, 1.0])

    @property
    def start(self) -> Array:
        """The diagonal g of -Γ0⁻¹."""
        kappa = self.gamma * float(self.shares @ [self.rho, 1.0])
        return -1 / (np.array([self.rho, 1.0]) + kappa)

    @property
    def step(self) -> Array:
        """The diagonal δ of -η A⁻¹ + Γ0⁻¹, by which fine-tuning moves what it sees."""
        return -self.start - self.eta / self.tuning

    @property
    def noise(self) -> Array:
        """The variances s; γ s are those of E."""
        return float(self.shares @ self.tuning) * self.tuning


def overlap(limit: Limit, beta: float) -> tuple[float, Array, float]:
    """Return q, w and T12: how the span of the prompts lies to the blocks.

    Parameters
    ----------
    limit
        The parameters.
    beta
        B / d.

    Returns
    -------
    q : float
        Root of β = Σ μ_k a_k² q / (1 + a_k² q); infinite for β of one or more.
    w : ndarray, shape (2,)
        Mean diagonal of the projector on the span, by block.
    t12 : float
        Squares of its off-diagonal block, a coordinate.
    """
    if beta >= 1:
        return np.inf, np.ones(2), 0.0
    squares = np.square(limit.tuning)
    # The last of β is lost to rounding where q is large, so the root is sought for its logarithm.
    q = 0.0
    if beta > 0:
        ends = np.log(beta / (1 - beta) / squares[[squares.argmax(), squares.argmin()]])
        if ends[1] - ends[0] < 1e-12:
            q = float(np.exp(ends[0]))
        else:
            q = float(
                np.exp(brentq(lambda x: limit.shares @ _saturated(squares * np.exp(x)) - beta, *ends, xtol=1e-13))
            )
    w = _saturated(squares * q)
    v = w * (1 - w)
    both = float(limit.shares @ v)
    return q, w, float(np.prod(limit.shares * v) / both) if both > 0 else 0.0


def _saturated(x: Array) -> Array:
    return x / (1 + x)


def error_limit(limit: Limit, beta: float, version: str = "corrected") -> float:
    """Return F, the limit of the test error of Ṽ a coordinate (Theorem B.1).

    Parameters
    ----------
    limit
        The parameters.
    beta
        B / d; at one F is infinite.
    version
        ``printed`` has -T12 (δ1 - δ2)(δ1 s1 - δ2 s2) in T_var, and S in place of s in T_varS;
        ``corrected`` (ours) has +T12 (δ2² - δ1²)(s1 - s2).
    """
    if beta == 1:
        return np.inf
    q, w, t12 = overlap(limit, beta)
    mu, a, s, test, g = limit.shares, limit.tuning, limit.noise, limit.test, limit.start
    moved = 1 + g * test
    bias = mu @ (np.square(moved) * (1 - w) + np.square(moved + limit.step * test) * w)
    bias += t12 * (limit.step[1] ** 2 - limit.step[0] ** 2) * (test[0] ** 2 - test[1] ** 2)
    inverse = [mu @ (x * w**2 / a**2) * q / (mu @ (w**2 / a**2)) if 0 < beta < 1 else 0.0 for x in (test**2, test)]
    if beta > 1:
        inverse = [mu @ (x / a**2) / (beta - 1) for x in (test**2, test)]
    spread = [trace_of(limit, w, t12, weights, version) for weights in (s, test)]
    mean = mu @ test
    noisy = limit.gamma * inverse[0] * spread[0] + limit.gamma**2 * mean * inverse[1] * spread[0]
    return float(bias + limit.gamma * mean * spread[1] + noisy)


def trace_of(limit: Limit, w: Array, t12: float, weights: Array, version: str) -> float:
    """Return T_var or T_varS: tr V̄ diag(x) V̄ᵀ a coordinate, for V̄ = G + δ P with a projector P.

    Parameters
    ----------
    limit
        The parameters.
    w, t12
        Of the projector, as `overlap` says.
    weights
        x by block: s for T_var, S for T_varS.
    version
        As for `error_limit`.
    """
    g, step = limit.start, limit.step
    plain = limit.shares @ (weights * (np.square(g) * (1 - w) + np.square(g + step) * w))
    if version == "printed":
        return float(plain - t12 * (step[0] - step[1]) * (step[0] * weights[0] - step[1] * weights[1]))
    return float(plain + t12 * (step[1] ** 2 - step[0] ** 2) * (weights[0] - weights[1]))


def first_order(omega: Array, phi: Array, tuning: Array, eta: float, start: Array, *, whole: bool = False) -> Array:
    """Return Ṽ, the form of V* of first order in the noise of Φ that F describes.

    With Φ0 = A Ω, its projector P, E = Φ - Φ0 and V̄ = G + δ P: Ṽ = V̄ - V̄ E Φ0⁺. A first-order term
    δ (Φ0⁺)ᵀ Eᵀ (I - P) is not in it, since F has none; it is zero once B reaches d.

    Parameters
    ----------
    omega, phi
        Ω and Φ, shape (d, B).
    tuning
        Diagonal of A, positive; shape (d,).
    eta
        As in the targets.
    start
        Diagonal G of -Γ0⁻¹, shape (d,).
    whole
        Whether the missing term is added: then it is all that is of first order.
    """
    d, b = phi.shape
    noise = phi - tuning[:, None] * omega
    if b >= d:
        diagonal = -eta / tuning
        inverse = np.linalg.solve(omega @ omega.T, omega).T / tuning
        return np.diag(diagonal) - (diagonal[:, None] * noise) @ inverse
    step = (-start - eta / tuning)[:, None]
    q, triangle = np.linalg.qr(tuning[:, None] * omega)
    moved = start[:, None] * noise + step * (q @ (q.T @ noise))
    v = np.diag(start) + (step * q - solve_triangular(triangle, moved.T, trans="T").T) @ q.T
    if whole:
        across = noise - q @ (q.T @ noise)
        v += step * (q @ solve_triangular(triangle, across.T, trans="T"))
    return v
