"""Figure 4 with trained linear self-attention: SFT and outcome supervision over B, n and k.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, section 8: post-training prompts come from the shift Δ
alone, test prompts from Σ0 + Δ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from ggmi.data_quality.closed_forms import one_step_error
from ggmi.data_quality.nested import Setting
from ggmi.data_quality.prompts import moments
from ggmi.data_quality.trained.lsa import (
    Blocks,
    Gradients,
    descend,
    outcome_gradients,
    supervised_gradients,
    thoughts,
)
from ggmi.data_quality.trained.plan import (
    TRAINED_COLUMNS,
    Cell,
    Group,
    Plan,
    Progress,
    Training,
    grouped,
    rows_of,
    tested_chains,
)
from ggmi.random import stream

Array = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Prompts and covariances of a model of linear self-attention.

    Parameters
    ----------
    seed, seeds
        The run's seed, and repetitions.
    d
        Coordinates.
    share, rho
        Share of coordinates where pretraining has variance ρ, which are those where the test shifts by one.
    test_prompts
        Test prompts of a repetition, where errors are simulated.
    device
        Where tensors live.
    """

    seed: int
    seeds: int
    d: int
    share: float
    rho: float
    test_prompts: int
    device: str = "cpu"
    _pools: dict[tuple[str, int, int], tuple[Tensor, Tensor]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def shifted(self) -> int:
        """Coordinates that shift, the rank of Δ."""
        return max(1, round(self.share * self.d))

    @property
    def setting(self) -> Setting:
        """Σ0, Σ = Σ0 + Δ, and Δ as the covariance of training prompts."""
        first = np.arange(self.d) < self.shifted
        return Setting(np.where(first, self.rho, 1.0), np.where(first, self.rho + 1.0, 1.0), np.where(first, 1.0, 0.0))

    def prompts(self, use: str, variances: Array, n: int, prompts: int) -> tuple[Tensor, Tensor]:
        """S and w* of every repetition's first prompts; the same numbers serve every covariance.

        Parameters
        ----------
        use
            What they are for; it names the random streams.
        variances
            Of the coordinates on which prompts live, the first s, shape (s,).
        n, prompts
            Length and number.

        Returns
        -------
        tuple of Tensor
            Shapes (repetitions, prompts, s, s) and (repetitions, prompts, d).
        """
        key = (use, n, len(variances))
        if key not in self._pools or self._pools[key][1].shape[1] < prompts:
            drawn, weights = [], []
            for place in range(self.seeds):
                name = ("data_quality", "trained", self.d, use, place)
                drawn.append(moments(stream(self.seed, *name, n), np.ones(len(variances)), n, prompts))
                weights.append(stream(self.seed, *name, "weights").standard_normal((prompts, self.d)))
            self._pools[key] = self.tensor(np.array(drawn)), self.tensor(np.array(weights))
        second, weights_of = self._pools[key]
        roots = self.tensor(np.sqrt(variances))
        return roots[:, None] * second[:, :prompts] * roots, weights_of[:, :prompts]

    def tensor(self, values: Array) -> Tensor:
        """Values in single precision where the models live."""
        return torch.tensor(values, dtype=torch.float32, device=self.device)

    def errors(self, blocks: Blocks, rest: Tensor, variances: Array, n: int, k: int) -> list[float]:
        """Test error of one model of each repetition, a coordinate; after one step exact, after more simulated.

        Parameters
        ----------
        blocks
            One model a repetition.
        rest
            Diagonal of V as pretrained, which columns that are not trained keep, shape (d,).
        variances
            Of the test prompts, shape (d,).
        n
            Their length.
        k
            Steps.
        """
        models, d, s = blocks.v.shape
        v = torch.diag_embed(rest).repeat(models, 1, 1)
        v[:, :, :s] = blocks.v
        if k == 1:
            exact = one_step_error(v.double().cpu().numpy(), np.diag(variances), n) / d
            return [float(x) for x in exact]
        w = torch.eye(d, device=v.device).repeat(models, 1, 1)
        w[:, :s] = blocks.w
        second, weights = self.prompts("test", variances, n, self.test_prompts)
        ends = thoughts(Blocks(v, w), second, weights, k)[0][-1]
        return [float(x) for x in (ends - weights).square().mean(dim=(1, 2)).double().cpu()]


def lsa_table(world: World, plan: Plan, method: str, progress: Progress | None = None) -> pd.DataFrame:
    """Train linear self-attention at every point of the panels.

    Parameters
    ----------
    world
        Prompts.
    plan
        Grids.
    method
        ``SFT`` or ``OS``.
    progress
        Called after every group of trainings.

    Returns
    -------
    DataFrame
        Columns `TRAINED_COLUMNS`.
    """
    groups = grouped(plan.cells())
    most: dict[int, int] = {}
    for group, trainings in groups.items():
        for training in trainings:
            most[training.n_sft] = max(group.prompts, most.get(training.n_sft, 0))
    for n, prompts in most.items():
        world.prompts("training", np.ones(world.shifted), n, prompts)
    rows: list[tuple] = []
    for done, (group, trainings) in enumerate(groups.items(), 1):
        rows += _group_rows(world, method, group, trainings, plan.batch)
        if progress is not None:
            progress("trainings", done, len(groups), {})
    return pd.DataFrame(rows, columns=list(TRAINED_COLUMNS))


def _group_rows(
    world: World, method: str, group: Group, trainings: dict[Training, list[Cell]], batch: int
) -> Iterable[tuple]:
    """Train the models of a group as one tensor, and test each."""
    setting, s = world.setting, world.shifted
    drawn = [world.prompts("training", np.ones(s), t.n_sft, group.prompts) for t in trainings]
    second, weights = torch.cat([x[0] for x in drawn]), torch.cat([x[1] for x in drawn])
    starts = [world.tensor(setting.start(t.n_pre)) for t in trainings if t.n_pre is not None]
    before = Blocks.start(torch.stack(starts).repeat_interleave(world.seeds, 0), s)
    after = before.copy()
    if method == "SFT":
        etas = np.repeat([float(t.eta or 0) for t in trainings], world.seeds)
        shares, adds = map(world.tensor, targets(etas, group.k))
        gradients = partial(_supervised, second, weights, shares, adds)
    else:
        gradients = partial(_outcome, second, weights, group.k)
    descend(after, gradients, prompts=group.prompts, batch=batch, steps=group.steps, rate=group.rate)
    for i, ((_, cells), start) in enumerate(zip(trainings.items(), starts, strict=True)):
        mine = slice(i * world.seeds, (i + 1) * world.seeds)
        trained, plain = (Blocks(blocks.v[mine], blocks.w[mine]) for blocks in (after, before))
        errors = {
            (n, k): (world.errors(trained, start, setting.test, n, k), world.errors(plain, start, setting.test, n, k))
            for n in sorted({cell.n_test for cell in cells})
            for k in tested_chains(group.k)
        }
        yield from rows_of(method, cells, errors)


def targets(etas: Array, k: int) -> tuple[Array, Array]:
    """Shares of w* from which the k + 1 supervised transitions start, and which they add.

    Parameters
    ----------
    etas
        η of each model, shape (models,).
    k
        Steps of the chain.

    Returns
    -------
    tuple of ndarray
        1 - (1-η)^i and η (1-η)^i, i = 0 to k, shape (models, k + 1).
    """
    left = (1 - etas[:, None]) ** np.arange(k + 1)
    return 1 - left, etas[:, None] * left


def _supervised(
    second: Tensor, weights: Tensor, shares: Tensor, adds: Tensor, blocks: Blocks, batch: slice
) -> Gradients:
    return supervised_gradients(blocks, second[:, batch], weights[:, batch], shares, adds)


def _outcome(second: Tensor, weights: Tensor, k: int, blocks: Blocks, batch: slice) -> Gradients:
    return outcome_gradients(blocks, second[:, batch], weights[:, batch], k)
