"""Figure 3 with a small GPT: pretraining once a repetition, then SFT and outcome supervision over B, n and k.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, section 8. What is not stated there is ours: sizes,
targets and step sizes, and that a pretraining step draws its prompts' length, since one model serves all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from ggmi.data_quality.trained.gpt import GptSize, Weights, example_tokens, fresh, read, think, thought_tokens
from ggmi.data_quality.trained.lsa_study import World
from ggmi.data_quality.trained.plan import (
    TRAINED_COLUMNS,
    Group,
    Plan,
    Progress,
    Training,
    grouped,
    rows_of,
    tested_chains,
)
from ggmi.errors import UserError
from ggmi.random import stream

# Steps over which the step size of pretraining rises, and the share of it that is left at the end.
WARM_UP, LEFT = 50, 0.02


@dataclass(frozen=True)
class Pretraining:
    """How a GPT is pretrained.

    Parameters
    ----------
    lengths
        One is drawn for each step.
    chain, eta
        Steps of the chain, and the share that each adds.
    steps, batch, rate
        Steps, prompts a step, and the largest step size of Adam, which falls by a cosine.
    """

    lengths: Sequence[int]
    chain: int
    eta: float
    steps: int
    batch: int
    rate: float


@dataclass(frozen=True)
class Prompts:
    """Prompts of several models.

    Parameters
    ----------
    inputs, targets, weights
        x, y and w*, shapes (models, prompts, n, d), (models, prompts, n) and (models, prompts, d).
    """

    inputs: Tensor
    targets: Tensor
    weights: Tensor

    def __getitem__(self, batch: slice) -> Prompts:
        return Prompts(self.inputs[:, batch], self.targets[:, batch], self.weights[:, batch])


@dataclass(frozen=True)
class GptWorld:
    """GPTs and the prompts that they see.

    Parameters
    ----------
    world
        Covariances, repetitions and device.
    size
        How large a model is.
    """

    world: World
    size: GptSize
    _pools: dict[tuple[str, int], Prompts] = field(default_factory=dict, compare=False, repr=False)

    def prompts(self, use: str, variances: NDArray[np.float64], n: int, prompts: int) -> Prompts:
        """The first prompts of every repetition.

        Parameters
        ----------
        use
            What they are for; it names the random streams.
        variances
            Of the coordinates, shape (d,).
        n, prompts
            Length and number.
        """
        key = (use, n)
        if key not in self._pools or self._pools[key].weights.shape[1] < prompts:
            self._pools[key] = self.drawn((use,), variances, n, prompts)
        return self._pools[key][:prompts]

    def drawn(self, use: Sequence[str | int], variances: NDArray[np.float64], n: int, prompts: int) -> Prompts:
        """Draw prompts of every repetition; parameters as of `prompts`."""
        world, shape = self.world, (prompts, n, self.size.d)
        names = [("data_quality", "gpt", *use, place) for place in range(world.seeds)]
        inputs = world.tensor(np.array([stream(world.seed, *name, n).standard_normal(shape) for name in names]))
        weights = [stream(world.seed, *name, "weights").standard_normal((prompts, self.size.d)) for name in names]
        inputs, true = inputs * world.tensor(np.sqrt(variances)), world.tensor(np.array(weights))
        return Prompts(inputs, torch.einsum("mpnd,mpd->mpn", inputs, true), true)


def supervised_loss(size: GptSize, weights: Weights, prompts: Prompts, k: int, eta: float) -> Tensor:
    """Return the mean squared error of k teacher-forced steps, a coordinate, summed over models.

    Parameters
    ----------
    size, weights
        The models.
    prompts
        Their prompts.
    k
        Steps.
    eta
        Share of what is missing that a step of the targets adds.
    """
    shares = torch.tensor([1 - (1 - eta) ** i for i in range(k + 1)], device=prompts.weights.device)
    path = shares[:, None] * prompts.weights[:, :, None]
    tokens = torch.cat([example_tokens(prompts.inputs, prompts.targets), thought_tokens(path[:, :, :-1])], dim=2)
    return (read(size, weights, tokens, k).predictions - path[:, :, 1:]).square().mean(dim=(1, 2, 3)).sum()


def outcome_loss(size: GptSize, weights: Weights, prompts: Prompts, k: int) -> Tensor:
    """Return the mean squared error after k steps of the models' own, a coordinate, summed over models.

    Parameters
    ----------
    size, weights, prompts, k
        As for `supervised_loss`.
    """
    ends = think(size, weights, prompts.inputs, prompts.targets, k)
    return (ends - prompts.weights).square().mean(dim=(1, 2)).sum()


def descend(
    weights: Weights,
    loss: Callable[[Weights, int], Tensor],
    steps: int,
    rate: Callable[[int], float],
    progress: Progress | None = None,
) -> list[float]:
    """Train by Adam, in place; models do not touch each other, since losses are summed.

    Parameters
    ----------
    weights
        The models.
    loss
        The loss of a step, by its number.
    steps
        Steps.
    rate
        Step size of each step.
    progress
        Called after every step.

    Returns
    -------
    list of float
        The loss at each step, summed over models.

    Raises
    ------
    UserError
        If the last loss is not a number.
    """
    parameters = [value.requires_grad_() for value in weights.values()]
    optimiser = torch.optim.Adam(parameters, lr=rate(0))
    losses = []
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate(step)
        optimiser.zero_grad()
        found = loss(weights, step)
        found.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(found.detach())
        if progress is not None:
            progress("pretraining", step + 1, steps, {})
    for value in parameters:
        value.requires_grad_(False).grad = None
    found_losses = torch.stack(losses).double().cpu().tolist()
    if not math.isfinite(found_losses[-1]):
        raise UserError(
            f"data_quality.trained.gpt: a loss is {found_losses[-1]} after {steps} steps at {rate(0):g}; "
            "use a smaller rate or pretraining_rate"
        )
    return found_losses


def pretrain(gpts: GptWorld, plan: Pretraining, progress: Progress | None = None) -> tuple[Weights, pd.DataFrame]:
    """Pretrain a model of every repetition on fresh prompts.

    Parameters
    ----------
    gpts
        Models and prompts.
    plan
        How.
    progress
        As for `descend`.

    Returns
    -------
    weights : dict of str to Tensor
    curve : DataFrame
        Columns ``step`` and ``loss_over_d``, the mean over models.
    """
    world = gpts.world
    weights = {name: x.to(world.device) for name, x in fresh(gpts.size, world.seed, range(world.seeds)).items()}

    def loss(weights: Weights, step: int) -> Tensor:
        n = int(stream(world.seed, "data_quality", "gpt", "length", step).choice(plan.lengths))
        prompts = gpts.drawn(("pretraining", step), world.setting.pretraining, n, plan.batch)
        return supervised_loss(gpts.size, weights, prompts, plan.chain, plan.eta)

    def rate(step: int) -> float:
        falling = 0.5 * (1 + math.cos(math.pi * step / plan.steps))
        return plan.rate * min((step + 1) / WARM_UP, max(LEFT, falling))

    losses = descend(weights, loss, plan.steps, rate, progress)
    steps = np.arange(1, plan.steps + 1)
    return weights, pd.DataFrame({"step": steps, "loss_over_d": np.array(losses) / world.seeds})


def errors(gpts: GptWorld, weights: Weights, n: int, k: int, tests: int) -> list[float]:
    """Test error of one model of each repetition after k steps, a coordinate.

    Parameters
    ----------
    gpts, weights
        The models.
    n
        Length of the test prompts, which come from Σ.
    k
        Steps.
    tests
        Test prompts.
    """
    prompts = gpts.prompts("test", gpts.world.setting.test, n, tests)
    with torch.no_grad():
        ends = think(gpts.size, weights, prompts.inputs, prompts.targets, k)
    return [float(x) for x in (ends - prompts.weights).square().mean(dim=(1, 2)).double().cpu()]


def gpt_table(
    gpts: GptWorld,
    pretrained: Weights,
    plan: Plan,
    method: str,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Post-train the pretrained models at every point of the panels.

    Parameters
    ----------
    gpts
        Models and prompts.
    pretrained
        Weights of a model of each repetition.
    plan
        Grids, with one pretraining.
    method
        ``SFT`` or ``OS``.
    progress
        Called after every group of trainings.

    Returns
    -------
    DataFrame
        Columns `TRAINED_COLUMNS`; ``n_pre`` is empty.
    """
    groups = grouped(plan.cells())
    before: dict[tuple[int, int], list[float]] = {}
    tests = gpts.world.test_prompts
    rows: list[tuple] = []
    for done, (group, trainings) in enumerate(groups.items(), 1):
        for training, cells in trainings.items():
            trained = _post_train(gpts, pretrained, training, group, plan.batch)
            found = {}
            for at in {(cell.n_test, k) for cell in cells for k in tested_chains(group.k)}:
                if at not in before:
                    before[at] = errors(gpts, pretrained, *at, tests)
                found[at] = errors(gpts, trained, *at, tests), before[at]
            rows += rows_of(method, cells, found)
        if progress is not None:
            progress("trainings", done, len(groups), {})
    return pd.DataFrame(rows, columns=list(TRAINED_COLUMNS))


def _post_train(gpts: GptWorld, pretrained: Weights, training: Training, group: Group, batch: int) -> Weights:
    """Train a copy of the models on prompts of the shift; batches are taken in turn."""
    weights = {name: value.clone() for name, value in pretrained.items()}
    prompts = gpts.prompts("training", gpts.world.setting.tuning, training.n_sft, group.prompts)
    starts = range(0, group.prompts, batch)

    def loss(weights: Weights, step: int) -> Tensor:
        first = starts[step % len(starts)]
        part = prompts[first : first + batch]
        if training.eta is None:
            return outcome_loss(gpts.size, weights, part, group.k)
        return supervised_loss(gpts.size, weights, part, group.k, training.eta)

    descend(weights, loss, group.steps, lambda _: group.rate)
    return weights
