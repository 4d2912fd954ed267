"""Linear self-attention, many models at once: gradients of both losses by hand, descent, test error.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, sections 3, 4 and 6. Where prompts live on the first s
coordinates, only the first s columns of V and rows of W are ever trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Gradients = tuple[Tensor, Tensor]


@dataclass
class Blocks:
    """The trained blocks of several models.

    Parameters
    ----------
    v
        The first s columns of V, shape (models, d, s).
    w
        The first s rows of W, shape (models, s, d).
    """

    v: Tensor
    w: Tensor

    @classmethod
    def start(cls, diagonals: Tensor, s: int) -> Blocks:
        """Models as pretraining leaves them: V diagonal, W the identity.

        Parameters
        ----------
        diagonals
            Of V, shape (models, d).
        s
            Coordinates on which prompts live.
        """
        models, d = diagonals.shape
        return cls(
            torch.diag_embed(diagonals)[:, :, :s].contiguous(),
            torch.eye(d, device=diagonals.device)[:s].repeat(models, 1, 1),
        )

    def copy(self) -> Blocks:
        """The same weights in tensors of their own."""
        return Blocks(self.v.clone(), self.w.clone())


def thoughts(blocks: Blocks, moments: Tensor, weights: Tensor, k: int) -> tuple[list[Tensor], list[Tensor]]:
    """Think k steps: w_{i+1} = w_i + V S (W w_i - w*).

    Parameters
    ----------
    blocks
        The models.
    moments
        S on the first s coordinates, shape (models, prompts, s, s).
    weights
        w*, shape (models, prompts, d).
    k
        Steps.

    Returns
    -------
    thoughts : list of Tensor
        w_0 = 0 to w_k, each of shape (models, prompts, d).
    seen : list of Tensor
        S (W w_i - w*), i < k, each of shape (models, prompts, s).
    """
    s = moments.shape[-1]
    at, seen = [torch.zeros_like(weights)], []
    for _ in range(k):
        seen.append(applied(moments, at[-1] @ blocks.w.mT - weights[..., :s]))
        at.append(at[-1] + seen[-1] @ blocks.v.mT)
    return at, seen


def applied(moments: Tensor, rows: Tensor) -> Tensor:
    """S of each prompt times its row, shape (models, prompts, s)."""
    return (moments @ rows[..., None]).squeeze(-1)


def supervised_gradients(blocks: Blocks, moments: Tensor, weights: Tensor, shares: Tensor, adds: Tensor) -> Gradients:
    """Return the gradients of the supervised loss, summed over transitions and averaged over prompts.

    A transition starts at w_i = share_i w* and shall add_i w*: its residual is share_i a - b - add_i w* with
    a = V S W w* and b = V S w*, so that all transitions cost what two do.

    Parameters
    ----------
    blocks, moments, weights
        As for `thoughts`.
    shares, adds
        1 - (1-η)^i and η (1-η)^i of each transition, shape (models, transitions).

    Returns
    -------
    tuple of Tensor
        Of half the squared residuals, in V and in W, as shaped as these.
    """
    s, prompts = moments.shape[-1], weights.shape[1]
    first, second = applied(moments, weights @ blocks.w.mT), applied(moments, weights[..., :s])
    a, b = first @ blocks.v.mT, second @ blocks.v.mT

    def total(x: Tensor, y: Tensor) -> Tensor:
        return (x * y).sum(1)[:, None, None]

    one = torch.ones_like(shares)
    by_a = total(shares, shares) * a - total(shares, one) * b - total(shares, adds) * weights
    by_b = total(one, one) * b + total(adds, one) * weights - total(shares, one) * a
    in_v = by_a.mT @ first + by_b.mT @ second
    in_w = applied(moments, by_a @ blocks.v).mT @ weights
    return in_v / prompts, in_w / prompts


def outcome_gradients(blocks: Blocks, moments: Tensor, weights: Tensor, k: int) -> Gradients:
    """Return the gradients of half the mean squared error after k steps.

    Parameters
    ----------
    blocks, moments, weights, k
        As for `thoughts`.
    """
    at, seen = thoughts(blocks, moments, weights, k)
    back = (at[-1] - weights) / weights.shape[1]
    in_v, in_w = torch.zeros_like(blocks.v), torch.zeros_like(blocks.w)
    for thought, saw in zip(at[-2::-1], seen[::-1], strict=True):
        in_v += back.mT @ saw
        through = applied(moments, back @ blocks.v)
        in_w += through.mT @ thought
        back = back + through @ blocks.w
    return in_v, in_w


def descend(
    blocks: Blocks,
    gradients: Callable[[Blocks, slice], Gradients],
    *,
    prompts: int,
    batch: int,
    steps: int,
    rate: float,
) -> None:
    """Train by Adam, in place; batches are taken in turn, since prompts have no order.

    Parameters
    ----------
    blocks
        The models.
    gradients
        The gradients on a batch of prompts.
    prompts
        Training prompts of each model.
    batch
        Prompts a step, at most; the last batch of an epoch is smaller.
    steps
        Steps.
    rate
        Adam's step size.
    """
    parameters = [blocks.v.requires_grad_(), blocks.w.requires_grad_()]
    optimiser = torch.optim.Adam(parameters, lr=rate)
    starts = range(0, prompts, batch)
    with torch.no_grad():
        for step in range(steps):
            first = starts[step % len(starts)]
            blocks.v.grad, blocks.w.grad = gradients(blocks, slice(first, min(first + batch, prompts)))
            optimiser.step()
    for parameter in parameters:
        parameter.requires_grad_(False).grad = None
