"""Pretraining, fine-tuning and test error in closed form, for stacks of matrices.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, sections 3 to 5. V is the trained d x d block,
Φ holds S w* and Ω holds w* of every prompt, a prompt a column. Errors are squared and in units of the
weights' variance, which is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from math import comb

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Singular values below this share of the largest count as none.
RELATIVE_CUT = 1e-10


def _transposed(matrix: Array) -> Array:
    return np.swapaxes(matrix, -1, -2)


def _trace(matrix: Array) -> Array:
    return np.trace(matrix, axis1=-2, axis2=-1)


def second_moment(covariance: Array, n: float) -> Array:
    """Return Γ = (1 + 1/n) A + (tr A / n) I, for which E S² = A Γ.

    Parameters
    ----------
    covariance
        A, shape (..., d, d).
    n
        Length of a prompt.
    """
    identity = np.eye(covariance.shape[-1])
    return (1 + 1 / n) * covariance + _trace(covariance)[..., None, None] / n * identity


def pretrained(covariance: Array, n: float) -> Array:
    """Return what pretraining ends at, V = -Γ0⁻¹, which is also the best one-step predictor at a covariance.

    Parameters
    ----------
    covariance
        Σ0, shape (..., d, d).
    n
        Length of a prompt.
    """
    return np.negative(np.linalg.inv(second_moment(covariance, n)), dtype=np.float64)


def step_weight(eta: float, k: int) -> float:
    """Return c_k, the sum of (1 - η)^{2i} over the transitions i = 0 to k.

    Parameters
    ----------
    eta
        Share of what is missing that a step of the targets adds, in (0, 1].
    k
        Steps of the chain.

    Examples
    --------
    >>> step_weight(0.5, 1), step_weight(1.0, 8)
    (1.25, 1.0)
    """
    return float(sum((1 - eta) ** (2 * i) for i in range(k + 1)))


def tuned(phi: Array, omega: Array, eta: float, start: Array) -> Array:
    """Return V* of Theorem 4.1: least squares on the prompts, the start where they say nothing.

    Parameters
    ----------
    phi, omega
        Φ and Ω, shape (..., d, B).
    eta
        As for `step_weight`.
    start
        V before fine-tuning, shape (..., d, d).

    Returns
    -------
    ndarray, shape (..., d, d)
        ``-η Ω Φ⁺ + start (I - Φ Φ⁺)``, by a thin singular value decomposition.
    """
    left, values, right = np.linalg.svd(phi, full_matrices=False)
    kept = values > RELATIVE_CUT * values[..., :1]
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=kept)
    left = left * kept[..., None, :]
    solved = omega @ (_transposed(right) * inverse[..., None, :]) @ _transposed(left)
    return -eta * solved + start - (start @ left) @ _transposed(left)


def tuned_limit(covariance: Array, n: float, eta: float, start: Array) -> Array:
    """Return V∞ of Proposition 4.3, to which V* tends with the number of prompts.

    Parameters
    ----------
    covariance
        A of the fine-tuning prompts, shape (..., d, d); may be singular.
    n
        Their length.
    eta
        As for `step_weight`.
    start
        V before fine-tuning, shape (..., d, d).
    """
    projector = covariance @ np.linalg.pinv(covariance, hermitian=True)
    share = _trace(covariance)[..., None, None] / n
    solved = np.linalg.pinv((1 + 1 / n) * covariance + share * projector, hermitian=True)
    return -eta * solved + start - start @ projector


def descend(phi: Array, omega: Array, eta: float, start: Array, k: int, rate: float, steps: int) -> Array:
    """Fine-tune by gradient descent on V, as in Theorem 4.2.

    Parameters
    ----------
    phi, omega
        Φ and Ω, shape (d, B).
    eta, k
        As for `step_weight`.
    start
        V before fine-tuning, shape (d, d).
    rate
        Step size γ.
    steps
        Steps taken.

    Returns
    -------
    ndarray, shape (steps + 1, d, d)
        V before the first step and after each.
    """
    path = [start]
    weight = step_weight(eta, k) / phi.shape[-1]
    for _ in range(steps):
        path.append(path[-1] - rate * weight * (path[-1] @ phi + eta * omega) @ phi.T)
    return np.array(path)


def contraction(phi: Array, eta: float, k: int, rate: float) -> float:
    """Return α of Theorem 4.2, the factor by which a step of gradient descent shrinks V - V* at least.

    Parameters
    ----------
    phi
        Φ, shape (d, B).
    eta, k
        As for `step_weight`.
    rate
        Step size γ; below `step_limit`, α is below one.
    """
    values = np.linalg.svd(phi, compute_uv=False)
    kept = np.square(values[values > RELATIVE_CUT * values[0]]) * rate * step_weight(eta, k) / phi.shape[-1]
    return float(max(abs(1 - kept[0]), abs(1 - kept[-1])))


def step_limit(phi: Array, eta: float, k: int) -> float:
    """Return the step size below which Theorem 4.2 speaks, 2 B / (c_k λ_max(Φ Φᵀ)).

    Parameters
    ----------
    phi
        Φ, shape (d, B).
    eta, k
        As for `step_weight`.
    """
    return float(2 * phi.shape[-1] / (step_weight(eta, k) * np.linalg.norm(phi, 2) ** 2))


def one_step_error(v: Array, covariance: Array, n: float) -> Array:
    """Return E‖ŵ - w*‖² after one step from w_0 = 0 (Proposition 5.1), over prompts and weights.

    Parameters
    ----------
    v
        V, shape (..., d, d).
    covariance
        Σ of the test prompts, shape (..., d, d).
    n
        Their length; infinity for prompts that show Σ itself.

    Returns
    -------
    ndarray, shape (...)
        ‖I + VΣ‖_F² + (tr VΣ²Vᵀ + tr VΣVᵀ tr Σ) / n. The pretraining loss is this at Σ0.
    """
    moved = v @ covariance
    bias = np.square(np.eye(v.shape[-1]) + moved).sum(axis=(-2, -1))
    spread = np.square(moved).sum(axis=(-2, -1)) + (moved * v).sum(axis=(-2, -1)) * _trace(covariance)
    return bias + spread / n


def chain_error(v: Array, covariance: Array, n: int, k: int) -> float:
    """Return E‖w_k - w*‖² = E‖(I + V S)^k‖_F² over prompts exactly, by Wick's theorem; ours.

    The power is multiplied out, ``sum over a, b of C(k, a) C(k, b) E tr (S Vᵀ)^b (V S)^a``, and each
    expectation is a sum over the (2 (a + b) - 1)!! pairings of the inputs: 105 for k = 2, 10,395 for
    k = 3, so that larger k are simulated.

    Parameters
    ----------
    v
        V, shape (d, d).
    covariance
        Σ, shape (d, d).
    n
        Length of the prompts.
    k
        Steps.
    """
    powers = product(range(k + 1), repeat=2)
    return float(sum(comb(k, a) * comb(k, b) * _expected_trace(_word(v, a, b), covariance, n) for a, b in powers))


def _word(v: Array, a: int, b: int) -> list[Array]:
    """Matrices that stand behind each S in tr (S Vᵀ)^b (V S)^a, cyclically."""
    if not b:
        return [v] * a
    if not a:
        return [v.T] * b
    return [*([v.T] * (b - 1)), v.T @ v, *([v] * (a - 1)), np.eye(len(v))]


def _expected_trace(matrices: list[Array], covariance: Array, n: int) -> float:
    """E tr of S M_1 S M_2 ... S M_p for Wishart S; the trace of the identity for p = 0.

    With S = X Xᵀ / n the j-th S has two ends, 2j on its left and 2j + 1 on its right, that share a column
    of X. Wick's theorem pairs ends, a pair giving Σ; columns are equal along pairs, which leaves n to
    the number of their classes.
    """
    order = len(matrices)
    if not order:
        return float(len(covariance))
    total = 0.0
    for partner, classes in _pairings(order):
        term, seen = float(n) ** (classes - order), set()
        for first in range(1, 2 * order, 2):
            if first in seen:
                continue
            walked, end = np.eye(len(covariance)), first
            while end not in seen:
                # Forwards through the matrix behind a right end, backwards through that before a left end.
                place = end // 2 if end % 2 else (end // 2 - 1) % order
                other = 2 * ((place + 1) % order) if end % 2 else 2 * place + 1
                seen |= {end, other}
                walked = walked @ (matrices[place] if end % 2 else matrices[place].T) @ covariance
                end = partner[other]
            term *= float(np.trace(walked))
        total += term
    return total


@cache
def _pairings(order: int) -> tuple[tuple[tuple[int, ...], int], ...]:
    """All pairings of 2p ends, as the partner of each end, with the number of classes of columns."""
    found = []
    for pairs in _matchings(tuple(range(2 * order))):
        partner = [0] * (2 * order)
        for one, two in pairs:
            partner[one], partner[two] = two, one
        unused, classes = set(range(order)), 0
        while unused:
            classes += 1
            end = 2 * min(unused)
            while end // 2 in unused:
                unused.discard(end // 2)
                # Across the same S, then to the partner.
                end = partner[end ^ 1]
        found.append((tuple(partner), classes))
    return tuple(found)


def _matchings(ends: tuple[int, ...]) -> Iterator[list[tuple[int, int]]]:
    """All ways to pair the ends."""
    if not ends:
        yield []
        return
    first, *rest = ends
    for place, other in enumerate(rest):
        for pairs in _matchings((*rest[:place], *rest[place + 1 :])):
            yield [(first, other), *pairs]
