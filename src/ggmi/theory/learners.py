"""Learners as channels from training data to parameters: deterministic, ERM, Gibbs, any stochastic matrix."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError

Array = NDArray[np.float64]
# Training sets that are enumerated at most.
MAX_SETS = 10_000_000


def deterministic(choices: NDArray[np.int64], size: int) -> Array:
    """The channel of a map: row x has its one at ``choices[..., x]``.

    Parameters
    ----------
    choices
        Indices below `size`, shape (..., inputs).
    size
        Number of outputs.

    Returns
    -------
    ndarray, shape (..., inputs, size)

    Examples
    --------
    >>> import numpy as np
    >>> deterministic(np.array([1, 0]), 2)
    array([[0., 1.],
           [1., 0.]])
    """
    if choices.size and (choices.min() < 0 or choices.max() >= size):
        raise UserError(f"a deterministic channel names output {choices.max()}, but outputs are 0 to {size - 1}")
    return (choices[..., None] == np.arange(size)).astype(float)


def dataset_loss(loss: Array, samples: int) -> Array:
    """Mean loss of every hypothesis on every training set of n examples.

    Training sets are numbered with the first example as the most significant digit. Averaged over
    a training set that is independent of the hypothesis this table gives the population risk,
    averaged over the joint law of both it gives the training risk.

    Parameters
    ----------
    loss
        Loss of each hypothesis at each example, shape (..., w, z).
    samples
        Number n of examples.

    Returns
    -------
    ndarray, shape (..., w, z**n)

    Raises
    ------
    UserError
        If there are too many training sets to enumerate.

    Examples
    --------
    >>> import numpy as np
    >>> dataset_loss(np.array([[0.0, 1.0]]), 2)
    array([[0. , 0.5, 0.5, 1. ]])
    """
    z = loss.shape[-1]
    if samples < 1:
        raise UserError(f"a training set needs at least one example, got {samples}")
    if z**samples > MAX_SETS:
        raise UserError(f"there are {z**samples} training sets of {samples} examples, more than {MAX_SETS}")
    digits = np.indices((z,) * samples).reshape(samples, -1)
    return loss[..., digits].mean(axis=-2)


def erm(loss: Array) -> Array:
    """Empirical risk minimisation: the hypothesis of least loss, the first among equals.

    Parameters
    ----------
    loss
        Loss of each hypothesis on each training set, shape (..., w, sets).

    Returns
    -------
    ndarray, shape (..., sets, w)
    """
    # Losses that differ by rounding only are equal.
    return deterministic(np.round(loss, 12).argmin(axis=-2), loss.shape[-2])


def gibbs(loss: Array, inverse_temperature: Array | float) -> Array:
    """The Gibbs learner: hypotheses weighted by ``exp(-inverse_temperature * loss)``, uniform prior.

    Parameters
    ----------
    loss
        Loss of each hypothesis on each training set, shape (..., w, sets).
    inverse_temperature
        Non-negative; broadcast against the leading axes of `loss`.

    Returns
    -------
    ndarray, shape (..., sets, w)
    """
    beta = np.asarray(inverse_temperature, dtype=float)[..., None, None]
    weights = np.exp(-beta * (loss - loss.min(axis=-2, keepdims=True)))
    return np.swapaxes(weights / weights.sum(axis=-2, keepdims=True), -1, -2)


def layered_loss(loss: Array, contraction: Fraction) -> Array:
    """Loss that sees its data through noisy hidden layers.

    A layer keeps its input with probability eta and replaces it by a uniform draw otherwise; its
    Dobrushin coefficient, which bounds how much mutual information it lets through, is eta. L such
    layers in a row are one layer that keeps with probability eta^L.

    Parameters
    ----------
    loss
        Loss on the last layer's values, shape (..., w, z).
    contraction
        The product eta^L of the layers' coefficients, in [0, 1].

    Returns
    -------
    ndarray, shape (..., w, z)
        Expected loss given the data.
    """
    if not 0 <= contraction <= 1:
        raise UserError(f"the contraction factor is {contraction}; allowed: between 0 and 1")
    keep = float(contraction)
    return keep * loss + (1 - keep) * loss.mean(axis=-1, keepdims=True)


def unlayered_loss(loss: Array, contraction: Fraction) -> Array:
    """Loss on the last layer's values, given `layered_loss` of it.

    Layers that let nothing through have no inverse; for these the loss itself is returned.

    Examples
    --------
    >>> import numpy as np
    >>> half = Fraction(1, 2)
    >>> unlayered_loss(layered_loss(np.array([[0.0, 1.0]]), half), half)
    array([[0., 1.]])
    """
    keep = float(contraction)
    mean = loss.mean(axis=-1, keepdims=True)
    return mean + (loss - mean) / keep if keep else loss
