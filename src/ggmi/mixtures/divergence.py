"""Kullback-Leibler divergence between Gaussian mixtures, by Monte Carlo from exact densities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ggmi.mixtures.gaussian import Array, Mixtures, component_log_densities, log_sum_exp
from ggmi.mixtures.lattice import REPLICATES, lattice_normals, lattice_shifts

# Density values (8 bytes each) evaluated at once: a block stays within a second-level cache.
BLOCK_ELEMENTS = 65_536
# Points a component and replicate in the first pass; the number drawn doubles from pass to pass.
FIRST_POINTS = 32
# Drawing stops at this share of the wanted error: of several looks at a noisy error the smallest
# counts, which makes the true one up to 1.2 times as large.
STOP_SHARE = 0.8


@dataclass(frozen=True)
class Divergence:
    """Estimates of D(p_r || q_r) for R pairs.

    Parameters
    ----------
    value
        The estimate in nats, shape (R,).
    standard_error
        Its Monte-Carlo standard error in nats, shape (R,).
    points
        Points drawn for it, shape (R,).
    """

    value: Array
    standard_error: Array
    points: NDArray[np.int64]


def gaussian_kl(p: Mixtures, q: Mixtures) -> Array:
    """Closed-form KL divergence between every component of p and every component of q.

    Parameters
    ----------
    p, q
        R mixtures of C and of B components in the same space.

    Returns
    -------
    ndarray, shape (R, C, B)
        ``D(N_c || N_b) = (tr(S_b^-1 S_c) + (m_b - m_c)' S_b^-1 (m_b - m_c) - d
        + log det S_b - log det S_c) / 2``, in nats.

    Examples
    --------
    >>> import numpy as np
    >>> wide = Mixtures(np.ones((1, 1)), np.zeros((1, 1, 1)), np.full((1, 1, 1, 1), 4.0))
    >>> unit = Mixtures(np.ones((1, 1)), np.ones((1, 1, 1)), np.ones((1, 1, 1, 1)))
    >>> round(float(gaussian_kl(wide, unit)[0, 0, 0]), 6)  # (4 + 1 - 1 - log 4) / 2
    1.306853
    """
    d = p.dimensions
    factor_p, factor_q = p.cholesky(), q.cholesky()
    inverse_q = np.linalg.inv(factor_q)
    trace = np.empty((p.rounds, p.components, q.components))
    for b in range(q.components):
        trace[:, :, b] = np.square(inverse_q[:, b, None] @ factor_p).sum(axis=(2, 3))
    shift = q.means[:, None] - p.means[:, :, None]
    distance = np.square(np.einsum("rbij,rcbj->rcbi", inverse_q, shift)).sum(axis=3)
    half_log_det = [np.log(np.diagonal(f, axis1=2, axis2=3)).sum(-1) for f in (factor_p, factor_q)]
    return 0.5 * (trace + distance - d) + half_log_det[1][:, None, :] - half_log_det[0][:, :, None]


def kl_divergence(
    p: Mixtures,
    q: Mixtures,
    generators: Sequence[np.random.Generator],
    *,
    relative_error: float = 0.01,
    absolute_error: float = 0.02,
    max_points: int = 1_000_000,
) -> Divergence:
    """Estimate D(p||q) = E_p[log p - log q] for R pairs of mixtures to a stated precision.

    Points lie on sixteen independently shifted lattices, placed on every component c of p in turn
    (stratified over p's weights). The log ratio there is compared with the one between c itself
    and the single component of q that serves it best, whose mean is known in closed form, so only
    the difference is left to chance::

        D(p||q) = sum_c w_c { KL(N_c||N_b) + log(w_c / v_b)
                              + E_c[log p - log w_c N_c] - E_c[log q - log v_b N_b] }

    where b minimises ``KL(N_c||N_b) - log v_b``. Drawing doubles until the standard error is at
    most ``max(relative_error * |value|, absolute_error)`` or `max_points` is reached; what was
    reached is returned, not assumed.

    Parameters
    ----------
    p, q
        R mixtures in the same space.
    generators
        One generator a pair.
    relative_error
        Wanted standard error as a share of the value.
    absolute_error
        Wanted standard error in nats; the looser of the two counts.
    max_points
        Points drawn a pair at most.

    Returns
    -------
    Divergence

    Notes
    -----
    The control variate is exact for single Gaussians: their divergence comes back without error.

    Examples
    --------
    >>> import numpy as np
    >>> from ggmi.random import stream
    >>> unit = Mixtures(np.ones((1, 1)), np.zeros((1, 1, 1)), np.ones((1, 1, 1, 1)))
    >>> moved = Mixtures(np.ones((1, 1)), np.full((1, 1, 1), 3.0), np.ones((1, 1, 1, 1)))
    >>> round(float(kl_divergence(unit, moved, [stream(0, "doc")]).value[0]), 6)  # 3^2 / 2
    4.5
    """
    with np.errstate(divide="ignore"):
        log_w, log_v = np.log(p.weights), np.log(q.weights)
    pairwise = gaussian_kl(p, q) - log_v[:, None, :]
    partner = pairwise.argmin(axis=2)
    known = np.where(p.weights > 0, log_w, 0.0) + pairwise.min(axis=2)
    closed_form = (p.weights * known).sum(axis=1)
    factors = p.cholesky()

    rounds, components, d = p.means.shape
    value = np.empty(rounds)
    error = np.empty(rounds)
    points = np.empty(rounds, dtype=np.int64)
    for r, generator in zip(range(rounds), generators, strict=True):
        pair = p[r : r + 1], q[r : r + 1]
        shifts = lattice_shifts(generator, d)
        sums = np.zeros(REPLICATES)
        drawn = 0
        while True:
            stop = 2 * drawn or FIRST_POINTS
            sums += _leakage(*pair, factors[r], partner[r], shifts, drawn, stop)
            drawn = stop
            replicates = closed_form[r] + sums / drawn
            value[r] = replicates.mean()
            error[r] = replicates.std(ddof=1) / np.sqrt(REPLICATES)
            points[r] = drawn * REPLICATES * components
            wanted = max(relative_error * abs(value[r]), absolute_error)
            if error[r] <= STOP_SHARE * wanted or 2 * points[r] > max_points:
                break
    return Divergence(value, error, points)


def _leakage(
    p: Mixtures,
    q: Mixtures,
    factors: Array,
    partner: NDArray[np.intp],
    shifts: Array,
    start: int,
    stop: int,
) -> Array:
    """Sums over points `start` to `stop` of the log ratio beyond the closed form, by replicate.

    ``sum_c w_c ([log p - log w_c N_c] - [log q - log v_b N_b])`` at points of each component c.
    """
    components, d = p.means.shape[1:]
    step = max(1, BLOCK_ELEMENTS // (REPLICATES * components * max(components, q.components)))
    own = np.arange(components)
    total = np.zeros(REPLICATES)
    for first in range(start, stop, step):
        noise = lattice_normals(shifts, first, min(first + step, stop))[..., :d]
        size = noise.shape[1]
        flat = noise.reshape(-1, d)
        points = (p.means[0][:, None] + flat @ factors.transpose(0, 2, 1)).reshape(1, -1, d)
        under_p = component_log_densities(p, points)
        under_q = component_log_densities(q, points)
        ratio = (log_sum_exp(under_p) - log_sum_exp(under_q)).reshape(components, -1)
        ratio -= under_p.reshape(components, components, -1)[own, own]
        ratio += under_q.reshape(q.components, components, -1)[partner, own]
        ratio[p.weights[0] == 0] = 0.0
        total += (p.weights[0] @ ratio).reshape(REPLICATES, size).sum(axis=1)
    return total
