"""The test error of V* at every number of prompts at once, from one decomposition.

With Φ = Q R (thin, triangular) and T = Ω R⁻¹, the first B columns of all three belong to the first B
prompts, so that while these are independent V* = -η T Qᵀ - Γ0⁻¹ (I - Q Qᵀ) with B columns of T and Q:
every prompt adds a matrix of rank one. Traces are then sums over leading blocks of Gram matrices, and
one decomposition of 4/3 d³ operations gives the error at every B up to the rank. Beyond it, the d x d
system is solved for each B asked for.

What pretraining and test contribute stays open: Γ0⁻¹ is constant on groups of coordinates, V* is
linear in these constants, and the error a quadratic form in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """Covariances that are all diagonal, in one basis; each shape (d,).

    Parameters
    ----------
    pretraining
        Σ0.
    test
        Σ = Σ0 + Δ.
    tuning
        A / η: V* depends on A and η through it alone, once draws of A are scaled by 1/η.
    """

    pretraining: Array
    test: Array
    tuning: Array

    @property
    def groups(self) -> NDArray[np.intp]:
        """Number of each coordinate's group, on which Σ0 and Σ are constant; shape (d,)."""
        return np.unique(np.stack([self.pretraining, self.test]), axis=1, return_inverse=True)[1].ravel()

    @property
    def support(self) -> NDArray[np.bool_]:
        """Coordinates that tuning prompts have; shape (d,)."""
        return self.tuning > 0

    def start(self, n: float) -> Array:
        """Diagonal of the pretrained V = -Γ0⁻¹, shape (d,)."""
        return -1 / ((1 + 1 / n) * self.pretraining + self.pretraining.sum() / n)

    def limit(self, n_pre: float, n_sft: float) -> Array:
        """Diagonal of V∞ (Proposition 4.3), shape (d,)."""
        there = self.support
        solved = (1 + 1 / n_sft) * self.tuning + self.tuning.sum() / n_sft
        return np.where(there, -1 / np.where(there, solved, 1.0), self.start(n_pre))

    def best(self, n: float) -> Array:
        """Diagonal of the best one-step predictor of test prompts, shape (d,)."""
        return -1 / ((1 + 1 / n) * self.test + self.test.sum() / n)

    def error(self, diagonal: Array, n: float) -> float:
        """Test error of a diagonal V by Proposition 5.1, a coordinate."""
        moved = diagonal * self.test
        spread = np.square(moved).sum() + (moved * diagonal).sum() * self.test.sum()
        return float((np.square(1 + moved).sum() + spread / n) / len(diagonal))


@dataclass(frozen=True)
class Traces:
    """Traces that the test error is made of, a row a number of prompts.

    With V = X + sum over groups of g_group Y_group, where g is Γ0⁻¹ with a minus: ``linear`` has
    tr X Σ and tr Y Σ; for each of D = Σ² and Σ, ``free``, ``mixed`` and ``square`` have tr X D Xᵀ,
    tr X D Yᵀ and tr Y D Yᵀ, the last two by group.

    Parameters
    ----------
    linear
        Shape (B, 1 + groups).
    free
        Shape (2, B).
    mixed, square
        Shape (2, B, groups).
    """

    linear: Array
    free: Array
    mixed: Array
    square: Array

    def error(self, setting: Setting, n_pre: float, n_test: float) -> Array:
        """Test error by Proposition 5.1 a coordinate, shape (B,).

        Parameters
        ----------
        setting
            The covariances.
        n_pre, n_test
            Lengths of pretraining and test prompts.
        """
        groups = setting.groups
        g = np.array([setting.start(n_pre)[groups == k][0] for k in range(groups.max() + 1)])
        squared, spread = self.free + self.mixed @ (2 * g) + self.square @ np.square(g)
        moved = self.linear[:, 0] + self.linear[:, 1:] @ g
        d, total = len(groups), setting.test.sum()
        return (d + 2 * moved + squared + (squared + spread * total) / n_test) / d


class Tunings:
    """Fine-tuning on the first B prompts, for several B.

    Parameters
    ----------
    setting
        The covariances.
    phi, omega
        Φ and Ω of prompts of covariance A / η, shape (d, most prompts).
    prompts
        Numbers of prompts B, zero allowed; kept in ascending order.
    """

    def __init__(self, setting: Setting, phi: Array, omega: Array, prompts: Sequence[int]) -> None:
        self.setting, self.prompts = setting, sorted(prompts)
        self._phi, self._omega = phi, omega
        rank = int(setting.support.sum())
        self._few, self._many = [[b for b in self.prompts if (b > rank) == beyond] for beyond in (False, True)]

    @cached_property
    def _factors(self) -> tuple[Array, Array]:
        """Q, with rows of zeros where tuning prompts have none, and T = Ω R⁻¹."""
        most, there = max(self._few, default=0), self.setting.support
        q = np.zeros((len(there), most))
        q[there], triangle = np.linalg.qr(self._phi[there, :most])
        return q, solve_triangular(triangle, self._omega[:, :most].T, trans="T", check_finite=False).T

    @cached_property
    def _solved(self) -> dict[int, Array]:
        """Ω Φ⁺ by B beyond the rank, by normal equations."""
        phi = self._phi[self.setting.support]
        normal, right, before = np.zeros((len(phi), len(phi))), np.zeros((len(phi), len(self._omega))), 0
        found = {}
        for b in self._many:
            further = phi[:, before:b]
            normal += further @ further.T
            right += further @ self._omega[:, before:b].T
            before = b
            found[b] = cho_solve(cho_factor(normal, lower=True, check_finite=False), right, check_finite=False).T
        return found

    def traces(self) -> Traces:
        """Reduce the predictors to traces, a row a number of prompts."""
        parts = [self._traces_within_rank()] if self._few else []
        parts += [self._traces_beyond_rank(self._solved[b]) for b in self._many]
        return Traces(
            np.concatenate([p.linear for p in parts]),
            *(np.concatenate([getattr(p, name) for p in parts], axis=1) for name in ("free", "mixed", "square")),
        )

    def predictors(self, prompts: Sequence[int], n_pre: float) -> Array:
        """Return V* itself.

        Parameters
        ----------
        prompts
            Some of the numbers of prompts.
        n_pre
            Length of pretraining prompts.

        Returns
        -------
        ndarray, shape (numbers of prompts, d, d)
        """
        there, start = self.setting.support, self.setting.start(n_pre)
        q, t = self._factors
        found = np.zeros((len(prompts), len(start), len(start)))
        for v, b in zip(found, prompts, strict=True):
            if b in self._solved:
                v[:] = np.diag(np.where(there, 0.0, start))
                v[:, there] -= self._solved[b]
            else:
                v[:] = np.diag(start) - (t[:, :b] + start[:, None] * q[:, :b]) @ q[:, :b].T
        return found

    def _traces_within_rank(self) -> Traces:
        """Traces for numbers of prompts up to the rank, from one decomposition of the largest."""
        setting, (q, t) = self.setting, self._factors
        groups = setting.groups
        kinds = range(groups.max() + 1)
        # Each group's part of Qᵀ Q and Qᵀ T.
        own = [q[groups == k].T @ q[groups == k] for k in kinds]
        cross = [q[groups == k].T @ t[groups == k] for k in kinds]
        gram = t.T @ t
        levels = np.array([setting.test[groups == k][0] for k in kinds])
        sizes = np.bincount(groups)

        def upto(matrix: Array) -> Array:
            """Sums over leading blocks, for the numbers of prompts asked for."""
            rows = np.tril(matrix + matrix.T).sum(axis=1) - np.diag(matrix)
            return np.concatenate([[0.0], np.cumsum(rows)])[self._few]

        def traced(matrix: Array) -> Array:
            """Traces of leading blocks."""
            return np.concatenate([[0.0], np.cumsum(np.diag(matrix))])[self._few]

        linear = [-sum(levels[k] * traced(cross[k]) for k in kinds)]
        linear += [levels[k] * (sizes[k] - traced(own[k])) for k in kinds]
        free, mixed, square = [], [], []
        for weights in (np.square(levels), levels):
            weighted = np.sum([weights[k] * own[k] for k in kinds], axis=0)
            free.append(upto(gram * weighted))
            mixed.append([upto(weighted * cross[k].T) - weights[k] * traced(cross[k]) for k in kinds])
            square.append([weights[k] * (sizes[k] - 2 * traced(own[k])) + upto(weighted * own[k]) for k in kinds])
        return Traces(
            np.stack(linear, axis=1), np.stack(free), *(np.moveaxis(np.array(x), 1, 2) for x in (mixed, square))
        )

    def _traces_beyond_rank(self, solved: Array) -> Traces:
        """Traces for more prompts than the rank: the start remains only where tuning prompts have nothing."""
        groups, there, test = self.setting.groups, self.setting.support, self.setting.test
        kinds = range(groups.max() + 1)
        linear = [-(np.diagonal(solved[there]) * test[there]).sum()]
        linear += [test[(groups == k) & ~there].sum() for k in kinds]
        columns = np.square(solved).sum(axis=0)
        free = [(columns * weights[there]).sum() for weights in (np.square(test), test)]
        left = [[[w[(groups == k) & ~there].sum() for k in kinds]] for w in (np.square(test), test)]
        return Traces(np.array([linear]), np.array(free)[:, None], np.zeros((2, 1, len(kinds))), np.array(left))
