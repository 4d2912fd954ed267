"""Policy gradients for linear self-attention that thinks aloud: sampled steps and one number as reward (ours).

A step is drawn from a normal law around what the model predicts, w_{i+1} ~ N(w_i + V S (W w_i - w*), σ² I); only the
last thought is rewarded. REINFORCE (Williams 1992) takes from each reward the mean of its group's others, GRPO
(Shao et al. 2024) the group's mean, and divides by the group's standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ggmi.data_quality.trained.lsa import Blocks, Gradients

# Added to a group's standard deviation, which is zero where all rewards are equal.
TINY = 1e-6

Reward = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Chains:
    """Chains sampled of every prompt.

    Parameters
    ----------
    thoughts
        w_0 = 0 to w_k, each of shape (models, prompts, group, d).
    seen
        S (W w_i - w*), i < k, each of shape (models, prompts, group, s).
    noise
        What was drawn at each step, in standard deviations, shaped as thoughts.
    """

    thoughts: list[Tensor]
    seen: list[Tensor]
    noise: list[Tensor]


def sample_chains(blocks: Blocks, moments: Tensor, weights: Tensor, noise: Tensor, sigma: float) -> Chains:
    """Sample chains of steps.

    Parameters
    ----------
    blocks
        The models.
    moments, weights
        S and w* of the prompts, shapes (models, prompts, s, s) and (models, prompts, d).
    noise
        Standard normal numbers, shape (k, models, prompts, group, d).
    sigma
        Standard deviation of a step.
    """
    s, true = moments.shape[-1], weights[:, :, None]
    models, prompts, _ = weights.shape
    at, seen = [torch.zeros_like(noise[0])], []

    def mapped(rows: Tensor, matrix: Tensor) -> Tensor:
        return (rows.reshape(models, -1, rows.shape[-1]) @ matrix.mT).view(models, prompts, -1, matrix.shape[1])

    for drawn in noise:
        seen.append((mapped(at[-1], blocks.w) - true[..., :s]) @ moments)
        at.append(at[-1] + mapped(seen[-1], blocks.v) + sigma * drawn)
    return Chains(at, seen, list(noise))


def error_reward(ends: Tensor, weights: Tensor) -> Tensor:
    """Minus the squared error of the last thought, shape (models, prompts, group)."""
    return -(ends - weights[:, :, None]).square().sum(-1)


def success_reward(share: float) -> Reward:
    """One where the squared error of the last thought is below a share of the squared length of w*, else zero.

    Parameters
    ----------
    share
        That share.
    """

    def reward(ends: Tensor, weights: Tensor) -> Tensor:
        return (-error_reward(ends, weights) < share * weights.square().sum(-1, keepdim=True)).to(ends.dtype)

    return reward


def against_others(rewards: Tensor) -> Tensor:
    """Rewards less the mean of the group's others: REINFORCE with a baseline that does not bias it."""
    group = rewards.shape[-1]
    return (rewards - rewards.mean(-1, keepdim=True)) * (group / (group - 1))


def within_group(rewards: Tensor) -> Tensor:
    """Rewards less the group's mean, over its standard deviation: the advantages of GRPO."""
    centred = rewards - rewards.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True).sqrt() + TINY)


def policy_gradients(blocks: Blocks, moments: Tensor, chains: Chains, advantages: Tensor, sigma: float) -> Gradients:
    """Estimate the gradients of minus the expected reward, in V and in W.

    Parameters
    ----------
    blocks, moments, sigma
        As for `sample_chains`.
    chains
        What was sampled.
    advantages
        Of each chain, shape (models, prompts, group).

    Returns
    -------
    tuple of Tensor
        Means over prompts and group of minus the advantage times the gradient of the chain's log-likelihood.
    """
    models, _, s = blocks.v.shape
    in_v, in_w = torch.zeros_like(blocks.v), torch.zeros_like(blocks.w)

    def rows(x: Tensor) -> Tensor:
        return x.reshape(models, -1, x.shape[-1])

    for thought, saw, drawn in zip(chains.thoughts[:-1], chains.seen, chains.noise, strict=True):
        # The gradient of the log-likelihood in a step's mean is the noise over σ.
        pull = -advantages[..., None] * drawn / (sigma * advantages[0].numel())
        in_v += rows(pull).mT @ rows(saw)
        through = (rows(pull) @ blocks.v).view(*pull.shape[:-1], s) @ moments
        in_w += rows(through).mT @ rows(thought)
    return in_v, in_w
