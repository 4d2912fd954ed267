"""What the Hilbert-Schmidt criterion gives when the pairing is shuffled."""

from __future__ import annotations

import numpy as np
from scipy import fft

from ggmi.information.estimate import Array, Indices
from ggmi.information.kernel_sums import KernelSums
from ggmi.information.kernels import TILE, Variable, blocks
from ggmi.random import stream

# Most observations whose kernels are held whole, for independent random orders.
DIRECT = 2000
# Kernel values a variable held at once while shifts are transformed (8 bytes each).
SHIFT_ELEMENTS = 2**22


def shuffled_statistics(
    x: Variable, y: Variable, sums: KernelSums, estimator: str, n_permutations: int, seed: int
) -> tuple[Array, str]:
    """Statistics of shuffled pairings.

    Parameters
    ----------
    x, y
        The variables, n observations each.
    sums
        Their sums.
    estimator
        ``unbiased`` or ``biased``.
    n_permutations
        Fewest shuffles wanted.
    seed
        Of the shuffles.

    Returns
    -------
    values : ndarray
        One statistic a shuffle.
    how : str
        What the shuffles were.
    """
    if n_permutations < len(x) or len(x) > DIRECT:
        values = cyclic_shifts(x, y, sums, estimator, stream(seed, "hsic", "order").permutation(len(x)))
        return values, f"{len(values):,} cyclic shifts of a random order"
    generator = stream(seed, "hsic", "permutations")
    everything = np.arange(len(x))
    k, ell = x.square(everything), y.square(everything)
    np.fill_diagonal(k, 0.0)
    np.fill_diagonal(ell, 0.0)
    (a, b), (own_x, own_y) = sums.row_sums(estimator), sums.diagonals
    values = np.empty(n_permutations)
    for t in range(n_permutations):
        order = generator.permutation(len(x))
        overlap = np.vdot(k, ell[order].take(order, axis=1))
        values[t] = sums.statistic(estimator, float(overlap), float(a @ b[order]), float(own_x @ own_y[order]))
    return values, f"{n_permutations:,} random permutations"


def cyclic_shifts(x: Variable, y: Variable, sums: KernelSums, estimator: str, order: Indices) -> Array:
    """Statistics of x paired with y shifted by 1..n-1 places in a given order.

    The sum ``sum_ij K_ij L_(i+s)(j+s)`` is, along each wrapped diagonal d of both kernels, the
    circular correlation of ``K_i(i+d)`` with ``L_i(i+d)``; all shifts come from one Fourier
    transform a diagonal, ``n^2 log n`` in all. Diagonals d and n - d give the same sums.

    Parameters
    ----------
    x, y
        The variables, n observations each.
    sums
        Their sums.
    estimator
        ``unbiased`` or ``biased``.
    order
        A permutation of 0..n-1.

    Returns
    -------
    ndarray, shape (n - 1,)
    """
    n = len(x)
    x, y = x.reordered(order), y.reordered(order)
    (a, b), (own_x, own_y) = sums.row_sums(estimator), sums.diagonals
    width = int(np.clip(SHIFT_ELEMENTS // n, 16, 256))
    half = n // 2
    spectrum = np.zeros(n // 2 + 1, dtype=complex)
    for first in range(1, half + 1, width):
        diagonals = np.arange(first, min(first + width, half + 1))
        # The diagonal n/2 of an even n meets every pair once, all others twice.
        weights = np.where(2 * diagonals == n, 1.0, 2.0)
        transforms = [fft.rfft(_wrapped_diagonals(v, diagonals), axis=1, overwrite_x=True) for v in (x, y)]
        np.conjugate(transforms[0], out=transforms[0])
        transforms[0] *= transforms[1]
        spectrum += weights @ transforms[0]
    overlap = fft.irfft(spectrum, n)
    aligned, own = (_circular(p[order], q[order]) for p, q in ((a, b), (own_x, own_y)))
    return sums.statistic(estimator, overlap, aligned, own)[1:]


def _wrapped_diagonals(v: Variable, diagonals: Indices) -> Array:
    """Kernel values ``K_i(i+d mod n)`` for consecutive d, shape (len(diagonals), n)."""
    n, count = len(v), len(diagonals)
    found = np.empty((count, n))
    for rows in blocks(n, min(v.side, TILE // 2)):
        columns = np.arange(rows[0] + diagonals[0], rows[-1] + diagonals[-1] + 1) % n
        tile = v.tile(rows, columns)
        by_row, by_column = tile.strides
        # In the tile, row i meets its diagonal d in column i + d: a step down is a step right too.
        band = np.lib.stride_tricks.as_strided(tile, (count, len(rows)), (by_column, by_row + by_column))
        found[:, rows] = band
    return found


def _circular(p: Array, q: Array) -> Array:
    """``sum_i p_i q_(i+s)`` for s = 0..n-1."""
    return fft.irfft(np.conj(fft.rfft(p)) * fft.rfft(q), len(p))
