"""Linear self-attention that predicts a prompt's weights, in blocks and as the recursion that it amounts to.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, section 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def attention(tokens: Array, value: Array, key_query: Array, n: int) -> Array:
    """Return one layer of linear self-attention, ``Z + V Z (Zᵀ W Z) / n``.

    Parameters
    ----------
    tokens
        Z, a token a column, shape (..., rows, columns).
    value, key_query
        V and W, shape (..., rows, rows).
    n
        Length of the prompt.
    """
    return tokens + value @ tokens @ (np.swapaxes(tokens, -1, -2) @ key_query @ tokens) / n


def value_matrix(v: Array) -> Array:
    """Return V of all blocks: zero but for the block that reads inputs and writes weights.

    Parameters
    ----------
    v
        That block, shape (d, d).
    """
    d = len(v)
    whole = np.zeros((2 * d + 2, 2 * d + 2))
    whole[d + 1 : 2 * d + 1, :d] = v
    return whole


def key_query_matrix(w: Array) -> Array:
    """Return W of all blocks: inputs meet weights, and targets meet the constant one with a minus.

    Parameters
    ----------
    w
        The block that multiplies inputs and weights, shape (d, d).
    """
    d = len(w)
    whole = np.zeros((2 * d + 2, 2 * d + 2))
    whole[:d, d + 1 : 2 * d + 1] = w
    whole[d, 2 * d + 1] = -1
    return whole


def prompt_tokens(inputs: Array, targets: Array) -> Array:
    """Return a prompt as tokens: a column an example, then the column that holds w_0 = 0 and one.

    Parameters
    ----------
    inputs
        An example a column, shape (d, n).
    targets
        Shape (n,).
    """
    d, n = inputs.shape
    tokens = np.zeros((2 * d + 2, n + 1))
    tokens[:d, :n], tokens[d, :n], tokens[-1, n] = inputs, targets, 1
    return tokens


def think_in_blocks(inputs: Array, targets: Array, v: Array, w: Array, steps: int) -> Array:
    """Predict the weights by forward passes through the whole layer.

    After each step the last column of the output is appended as a token.

    Parameters
    ----------
    inputs, targets
        The prompt, as for `prompt_tokens`.
    v, w
        The trained blocks, shape (d, d).
    steps
        Chain-of-thought steps k.

    Returns
    -------
    ndarray, shape (steps, d)
        w_1 to w_k.
    """
    d, n = inputs.shape
    tokens, thoughts = prompt_tokens(inputs, targets), []
    value, key_query = value_matrix(v), key_query_matrix(w)
    for _ in range(steps):
        last = attention(tokens, value, key_query, n)[:, -1]
        tokens = np.column_stack([tokens, last])
        thoughts.append(last[d + 1 : 2 * d + 1])
    return np.array(thoughts)


def think(moments: Array, weights: Array, v: Array, w: Array, steps: int) -> Array:
    """Predict the weights by the recursion, ``w_{i+1} = w_i + V S (W w_i - w*)``.

    Parameters
    ----------
    moments
        S = X Xᵀ / n, shape (..., d, d).
    weights
        True weights w*, shape (..., d).
    v, w
        The trained blocks, shape (..., d, d).
    steps
        Chain-of-thought steps k.

    Returns
    -------
    ndarray, shape (..., steps, d)
        w_1 to w_k.
    """
    thought, thoughts = np.zeros_like(weights), []
    for _ in range(steps):
        miss = np.einsum("...ij,...j->...i", w, thought) - weights
        thought = thought + np.einsum("...ij,...jk,...k->...i", v, moments, miss)
        thoughts.append(thought)
    return np.stack(thoughts, axis=-2)
