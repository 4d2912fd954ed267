"""Policy gradients beside outcome supervision and SFT on the same prompts, in equal updates; balance and difficulty.

All of it is ours: the paper (Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293) supervises outcomes in place of RL,
and varies neither balance nor difficulty in a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from torch import Tensor

from ggmi.data_quality.nested import Setting
from ggmi.data_quality.trained.lsa import Blocks, Gradients, descend, outcome_gradients, supervised_gradients
from ggmi.data_quality.trained.lsa_study import World, targets
from ggmi.data_quality.trained.plan import METHODS, POLICIES, QUALITY_METHODS
from ggmi.data_quality.trained.policy import (
    Reward,
    against_others,
    error_reward,
    policy_gradients,
    sample_chains,
    success_reward,
    within_group,
)
from ggmi.random import stream

Array = NDArray[np.float64]

REWARD_COLUMNS = ("panel", "method", "n", "B", "k", "seed", "err_over_d", "pretrained_over_d")
QUALITY_COLUMNS = (
    *("family", "value", "method", "n_pre", "difficulty_over_d", "seed", "err_over_d", "pretrained_over_d"),
)
# Advantages of each policy gradient, and whether its reward is a success or minus the error.
ADVANTAGES: dict[str, tuple[Callable[[Tensor], Tensor], bool]] = dict(
    zip(POLICIES, ((against_others, False), (within_group, False), (within_group, True)), strict=True)
)
# Prompt lengths, over d, between which one is sought whose pretraining leaves a given error.
SHORTEST, LONGEST = 1e-3, 1e3


@dataclass(frozen=True)
class Updates:
    """How every method trains.

    Parameters
    ----------
    steps, batch, rate
        Updates, prompts an update, and Adam's step size.
    group, noise
        Chains sampled of a prompt, and the standard deviation of their steps.
    success
        Share of the squared length of w* below which an error is a success.
    eta
        Of the SFT targets.
    """

    steps: int
    batch: int
    rate: float
    group: int
    noise: float
    success: float
    eta: float


def reward_table(
    world: World, updates: Updates, lengths: Sequence[int], prompts: Sequence[int], chains: Sequence[int],
    base: tuple[int, int, int],
) -> pd.DataFrame:  # fmt: skip
    """Train by every method over B, n and k; all three lengths of prompts are tied, and k is that of the test.

    Parameters
    ----------
    world
        Prompts.
    updates
        How.
    lengths, prompts, chains
        Values of n, B and k.
    base
        n, B and k where another varies.

    Returns
    -------
    DataFrame
        Columns `REWARD_COLUMNS`.
    """
    n, b, k = base
    panels = (
        [("B", (n, x, k)) for x in prompts] + [("n", (x, b, k)) for x in lengths] + [("k", (n, b, x)) for x in chains]
    )
    rows: list[tuple] = []
    for at in dict.fromkeys(at for _, at in panels):
        found = list(_trained(world, updates, METHODS, world.setting, world.setting.start(at[0]), at))
        for panel in (name for name, other in panels if other == at):
            rows += [(panel, method, *at, *row) for method, *row in found]
    return pd.DataFrame(rows, columns=list(REWARD_COLUMNS))


def quality_table(
    world: World, updates: Updates, floors: Sequence[float], scales: Sequence[float], alignments: Sequence[float],
    base: tuple[int, int, int],
) -> pd.DataFrame:  # fmt: skip
    """Train after a more or less balanced pretraining, and on data of several difficulties.

    Parameters
    ----------
    world
        Prompts.
    updates
        How.
    floors
        Least variances of pretraining, at one trace.
    scales
        Factors of Δ as training data.
    alignments
        Shares of the data's trace in the shift, at the trace of Δ.
    base
        n, B and k.

    Returns
    -------
    DataFrame
        Columns `QUALITY_COLUMNS`. Families: ``balance`` (the same pretraining length), ``balance, equal error`` (the
        length of pretraining prompts that leaves the largest of the errors that every floor can have),
        ``scale`` and ``alignment``. ``difficulty_over_d`` is ‖I - Γ0⁻¹A‖² / d of the training data A.
    """
    n = base[0]
    rows: list[tuple] = []
    balanced = {floor: balanced_setting(world, floor) for floor in floors}
    equal = equal_lengths(list(balanced.values()), n)
    for lengths, family in (([float(n)] * len(floors), "balance"), (equal, "balance, equal error")):
        for (floor, setting), n_pre in zip(balanced.items(), lengths, strict=True):
            rows += _quality_rows(world, updates, family, floor, setting, n_pre, base)
    plain, trace = world.setting, float(world.setting.tuning.sum())
    for scale in scales:
        rows += _quality_rows(world, updates, "scale", scale, replace(plain, tuning=scale * plain.tuning), n, base)
    for share in alignments:
        spread = np.where(
            plain.tuning > 0, share * trace / world.shifted, (1 - share) * trace / (world.d - world.shifted)
        )
        rows += _quality_rows(world, updates, "alignment", share, replace(plain, tuning=spread), n, base)
    return pd.DataFrame(rows, columns=list(QUALITY_COLUMNS))


def balanced_setting(world: World, floor: float) -> Setting:
    """Return Σ0 with another least variance and the same trace, and Σ = Σ0 + Δ.

    Parameters
    ----------
    world
        The plain setting.
    floor
        Variance of pretraining where the test shifts.
    """
    plain, first = world.setting, world.setting.tuning > 0
    rest = (plain.pretraining.sum() - floor * first.sum()) / (~first).sum()
    pretraining = np.where(first, floor, rest)
    return Setting(pretraining, pretraining + plain.tuning, plain.tuning)


def equal_lengths(settings: Sequence[Setting], n: int) -> list[float]:
    """Lengths of pretraining prompts after which all settings have one error of a single test step.

    Parameters
    ----------
    settings
        Covariances.
    n
        Length of the test prompts.

    Returns
    -------
    list of float
        Γ0 depends on the length smoothly, so it need not be whole. The common error is the largest of the
        least errors that lengths can leave; lengths are those up to the best.
    """

    def error(log_length: float, setting: Setting) -> float:
        return setting.error(setting.start(float(np.exp(log_length))), n)

    bounds = tuple(np.log(np.array([SHORTEST, LONGEST]) * len(settings[0].test)))
    best = [minimize_scalar(error, bounds=bounds, method="bounded", args=(setting,)) for setting in settings]
    wanted = max(float(found.fun) for found in best)
    lengths = []
    for setting, found in zip(settings, best, strict=True):
        gap = error(float(found.x), setting) - wanted
        at = found.x if gap > -1e-9 else brentq(lambda x, s=setting: error(x, s) - wanted, bounds[0], float(found.x))
        lengths.append(float(np.exp(at)))
    return lengths


def _quality_rows(
    world: World,
    updates: Updates,
    family: str,
    value: float,
    setting: Setting,
    n_pre: float,
    base: tuple[int, int, int],
) -> Iterator[tuple]:
    start = setting.start(n_pre)
    difficulty = float(np.square(1 + start * setting.tuning).mean())
    for method, *row in _trained(world, updates, QUALITY_METHODS, setting, start, base):
        yield (family, value, method, n_pre, difficulty, *row)


def _trained(
    world: World,
    updates: Updates,
    methods: Sequence[str],
    setting: Setting,
    start: Array,
    at: tuple[int, int, int],
) -> Iterator[tuple]:
    """Train by each method from one start, and test; rows (method, seed, error after, error before)."""
    n, b, k = at
    live = setting.tuning[: int(np.flatnonzero(setting.tuning)[-1]) + 1]
    second, weights = world.prompts("rewards", live, n, b)
    diagonal = world.tensor(start)
    begun = Blocks.start(diagonal.repeat(world.seeds, 1), len(live))
    before = world.errors(begun, diagonal, setting.test, n, k)
    for method in methods:
        blocks = begun.copy()
        gradients = _gradients(world, updates, method, second, weights, k)
        descend(blocks, gradients, prompts=b, batch=updates.batch, steps=updates.steps, rate=updates.rate)
        after = world.errors(blocks, diagonal, setting.test, n, k)
        for seed, pair in enumerate(zip(after, before, strict=True)):
            yield (method, seed, *pair)


def _gradients(
    world: World, updates: Updates, method: str, second: Tensor, weights: Tensor, k: int
) -> Callable[[Blocks, slice], Gradients]:
    """The gradients of a method on a batch of prompts."""
    if method == "OS":
        return lambda blocks, part: outcome_gradients(blocks, second[:, part], weights[:, part], k)
    if method == "SFT":
        shares, adds = map(world.tensor, targets(np.full(world.seeds, updates.eta), k))
        return lambda blocks, part: supervised_gradients(blocks, second[:, part], weights[:, part], shares, adds)
    advantages, success = ADVANTAGES[method]
    reward: Reward = success_reward(updates.success) if success else error_reward
    # All policies and settings of one k see the same noise.
    seed = int(stream(world.seed, "data_quality", "policy noise", k).integers(2**31))
    generator = torch.Generator(device=weights.device).manual_seed(seed)

    def gradients(blocks: Blocks, part: slice) -> Gradients:
        moments, true = second[:, part], weights[:, part]
        shape = (k, *true.shape[:2], updates.group, world.d)
        noise = torch.randn(shape, generator=generator, device=true.device)
        chains = sample_chains(blocks, moments, true, noise, updates.noise)
        found = advantages(reward(chains.thoughts[-1], true))
        return policy_gradients(blocks, moments, chains, found, updates.noise)

    return gradients
