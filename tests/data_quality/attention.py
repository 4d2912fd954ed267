"""Linear self-attention that predicts a prompt's weights, in blocks and as the recursion that it amounts to.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, section 3.
"""

import numpy as np


def attention(tokens, value, key_query, n):
    """One layer of linear self-attention, ``Z + V Z (Zᵀ W Z) / n``, of a token a column."""
    return tokens + value @ tokens @ (tokens.T @ key_query @ tokens) / n


def think_in_blocks(inputs, targets, v, w, steps):
    """Predict the weights by passes through the whole layer; the last column of each output becomes a token."""
    d, n = inputs.shape
    # V is zero but for the block that reads inputs and writes weights; in W inputs meet weights, and targets meet
    # the constant one with a minus.
    value, key_query = np.zeros((2, 2 * d + 2, 2 * d + 2))
    value[d + 1 : 2 * d + 1, :d] = v
    key_query[:d, d + 1 : 2 * d + 1] = w
    key_query[d, 2 * d + 1] = -1
    # A column an example, then the one that holds w_0 = 0 and one.
    tokens, thoughts = np.zeros((2 * d + 2, n + 1)), []
    tokens[:d, :n], tokens[d, :n], tokens[-1, n] = inputs, targets, 1
    for _ in range(steps):
        last = attention(tokens, value, key_query, n)[:, -1]
        tokens = np.column_stack([tokens, last])
        thoughts.append(last[d + 1 : 2 * d + 1])
    return np.array(thoughts)


def think(moments, weights, v, w, steps):
    """Predict w_1 to w_k by the recursion, ``w_{i+1} = w_i + V S (W w_i - w*)``, with S = X Xᵀ / n."""
    thought, thoughts = np.zeros_like(weights), []
    for _ in range(steps):
        miss = np.einsum("...ij,...j->...i", w, thought) - weights
        thought = thought + np.einsum("...ij,...jk,...k->...i", v, moments, miss)
        thoughts.append(thought)
    return np.stack(thoughts, axis=-2)
