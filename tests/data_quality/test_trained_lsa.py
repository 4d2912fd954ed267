"""Trained linear self-attention against gradients of one model, closed forms, and its own parts."""

import numpy as np
import pandas as pd
import pytest
import torch
from data_quality.attention import think

from ggmi.data_quality.outcome import Outcomes
from ggmi.data_quality.supervision import Supervision
from ggmi.data_quality.trained.lsa import Blocks, descend, outcome_gradients, supervised_gradients, thoughts
from ggmi.data_quality.trained.lsa_study import World, lsa_table, targets
from ggmi.data_quality.trained.plan import TRAINED_COLUMNS, Plan, grouped

D, S, PROMPTS = 5, 3, 7


@pytest.fixture(scope="module")
def drawn():
    """Two models in double precision whose prompts live on three of five coordinates."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn((2, PROMPTS, S, 6), generator=generator, dtype=torch.float64)
    weights = torch.randn((2, PROMPTS, D), generator=generator, dtype=torch.float64)
    v = torch.randn((2, D, S), generator=generator, dtype=torch.float64) * 0.3
    w = torch.randn((2, S, D), generator=generator, dtype=torch.float64)
    return Blocks(v, w), inputs @ inputs.mT / 6, weights


def whole(blocks, moments, model):
    """V, W and S of one model with all their rows and columns."""
    v, w, second = np.zeros((D, D)), np.eye(D), np.zeros((PROMPTS, D, D))
    v[:, :S], w[:S], second[:, :S, :S] = blocks.v[model], blocks.w[model], moments[model]
    return v, w, second


def test_gradients_of_sft_are_those_of_one_model_with_its_own_eta(drawn):
    blocks, moments, weights = drawn
    etas = np.array([0.2, 1.0])
    shares, adds = (torch.tensor(x) for x in targets(etas, 3))
    in_v, in_w = supervised_gradients(blocks, moments, weights, shares, adds)
    for model, eta in enumerate(etas):
        v, w, second = whole(blocks, moments, model)
        wanted_v, wanted_w = Supervision(second, weights[model].numpy(), eta, 3).gradient(v, w)
        np.testing.assert_allclose(in_v[model], wanted_v[:, :S], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(in_w[model], wanted_w[:S], rtol=1e-10, atol=1e-12)


def test_gradients_of_outcomes_are_those_of_proposition_6_1_and_of_autograd(drawn):
    blocks, moments, weights = drawn
    plain = Blocks(blocks.v, torch.eye(D, dtype=torch.float64)[:S].repeat(2, 1, 1))
    in_v, _ = outcome_gradients(plain, moments, weights, 3)
    for model in range(2):
        v, _, second = whole(plain, moments, model)
        wanted = Outcomes(second, weights[model].numpy(), 3).gradient(v)
        np.testing.assert_allclose(in_v[model], wanted[:, :S], rtol=1e-10, atol=1e-12)
    tracked = Blocks(blocks.v.clone().requires_grad_(), blocks.w.clone().requires_grad_())
    ends = thoughts(tracked, moments, weights, 3)[0][-1]
    loss = (ends - weights).square().sum() / (2 * PROMPTS)
    wanted_v, wanted_w = torch.autograd.grad(loss, [tracked.v, tracked.w])
    in_v, in_w = outcome_gradients(blocks, moments, weights, 3)
    torch.testing.assert_close(in_v, wanted_v)
    torch.testing.assert_close(in_w, wanted_w)


def test_thoughts_are_those_of_the_recursion(drawn):
    blocks, moments, weights = drawn
    found = thoughts(blocks, moments, weights, 3)[0]
    for model in range(2):
        v, w, second = whole(blocks, moments, model)
        wanted = think(second, weights[model].numpy(), v, w, 3)
        np.testing.assert_allclose(torch.stack(found[1:], -2)[model], wanted, rtol=1e-10, atol=1e-12)


def test_training_ends_near_the_joint_minimum_and_models_do_not_touch(drawn):
    _, moments, weights = drawn
    begun = Blocks.start(torch.full((2, D), -0.5, dtype=torch.float64), S)
    begun = Blocks(begun.v, begun.w.double())
    shares, adds = (torch.tensor(x) for x in targets(np.array([0.5, 0.5]), 2))

    def trained(models):
        blocks = Blocks(begun.v[models].clone(), begun.w[models].clone())
        descend(
            blocks,
            lambda b, part: supervised_gradients(
                b, moments[models][:, part], weights[models][:, part], shares[models], adds[models]
            ),
            prompts=PROMPTS,
            batch=PROMPTS,
            steps=1500,
            rate=0.01,
        )
        return blocks

    together, alone = trained(slice(0, 2)), trained(slice(1, 2))
    torch.testing.assert_close(together.v[1:], alone.v)
    v, w, second = whole(begun, moments, 0)
    loss = Supervision(second, weights[0].numpy(), 0.5, 2)
    ended = whole(together, moments, 0)
    best = loss.loss(*loss.minimiser(v, w))
    assert loss.loss(ended[0], ended[1]) < best + 0.02 * (loss.loss(v, w) - best)


def test_one_step_error_is_what_a_simulation_finds():
    world = World(3, 2, 6, 0.3, 0.1, 4000)
    diagonal = world.tensor(world.setting.start(10))
    blocks = Blocks.start(diagonal.repeat(2, 1), world.shifted)
    exact = world.errors(blocks, diagonal, world.setting.test, 10, 1)
    second, weights = world.prompts("test", world.setting.test, 10, 4000)
    all_of_it = Blocks.start(diagonal.repeat(2, 1), 6)
    ends = thoughts(all_of_it, second, weights, 1)[0][-1]
    simulated = (ends - weights).square().mean(dim=(1, 2))
    np.testing.assert_allclose(simulated, exact, rtol=0.1)


PLAN = Plan([2, 4, 8], [4, 8], [1, 2], 4, [8], 2, [0.5], 3, 4, [1e-3])


def test_the_plan_trains_each_model_once_and_counts_epochs():
    cells = list(PLAN.cells())
    # Two schedules of three sizes, two chains, four ways to vary two lengths.
    assert len(cells) == 2 * 3 + 2 + 4 * 2
    assert {c.group.steps for c in cells if c.schedule == "epochs" and c.group.prompts == 8} == {6}
    assert {c.group.steps for c in cells if c.schedule == "steps"} == {3}
    groups = grouped(cells)
    assert sum(len(trainings) for trainings in groups.values()) == len({(c.group, c.training) for c in cells})
    assert {c.training.n_pre for c in Plan(*list(vars(PLAN).values())[:-1], one_pretraining=True).cells()} == {None}


@pytest.mark.parametrize("method", ["SFT", "OS"])
def test_another_number_of_prompts_changes_no_other_row(method):
    settings = {**vars(PLAN), "outcome_epochs": 3}
    world = World(3, 5, 6, 0.3, 0.1, 8)
    first = lsa_table(world, Plan.of(settings, method), method)
    assert tuple(first) == TRAINED_COLUMNS
    assert len(first) == 5 * sum(1 if c.group.k == 1 else 2 for c in Plan.of(settings, method).cells())
    more = lsa_table(World(3, 5, 6, 0.3, 0.1, 8), Plan.of({**settings, "prompts": [2, 3, 4, 8]}, method), method)
    same = more[more["B"] != 3].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, first)
    untrained = first[first["panel"] == "B"].groupby(["seed", "k_test"])["pretrained_over_d"].nunique()
    assert (untrained == 1).all()
