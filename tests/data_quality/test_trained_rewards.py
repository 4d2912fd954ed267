"""Policy gradients against expected rewards and a known optimum; balance; verdicts on curves made up."""

import numpy as np
import pandas as pd
import pytest
import torch

from ggmi.claims import claims_table
from ggmi.data_quality.closed_forms import one_step_error
from ggmi.data_quality.trained.claims import SHAPES, dips, panel_claim, panel_claims
from ggmi.data_quality.trained.lsa import Blocks, descend
from ggmi.data_quality.trained.lsa_study import World
from ggmi.data_quality.trained.plan import METHODS, QUALITY_METHODS, TRAINED_COLUMNS
from ggmi.data_quality.trained.policy import (
    against_others,
    error_reward,
    policy_gradients,
    sample_chains,
    success_reward,
    within_group,
)
from ggmi.data_quality.trained.reward_claims import quality_claims, reward_claims
from ggmi.data_quality.trained.rewards import Updates, balanced_setting, equal_lengths, quality_table, reward_table

SIGMA = 0.4


def test_the_policy_gradient_of_two_steps_is_that_of_the_expected_reward():
    generator = torch.Generator().manual_seed(7)
    copies, group, d = 60, 4000, 2
    v = torch.tensor([[-0.6, 0.1], [0.2, -0.4]])
    w = torch.tensor([[1.1, 0.2], [-0.1, 0.9]])
    second, true = torch.tensor([[1.2, 0.3], [0.3, 0.8]]), torch.tensor([0.7, -1.1])
    blocks = Blocks(v.repeat(copies, 1, 1), w.repeat(copies, 1, 1))
    moments, weights = second.repeat(copies, 1, 1, 1), true.repeat(copies, 1, 1)
    noise = torch.randn((2, copies, 1, group, d), generator=generator)
    chains = sample_chains(blocks, moments, weights, noise, SIGMA)
    advantages = against_others(error_reward(chains.thoughts[-1], weights))
    found = policy_gradients(blocks, moments, chains, advantages, SIGMA)
    # With M = I + V S W: w_2 - w* = -M V S w* - V S w* - w* + noise of covariance σ² (M Mᵀ + I).
    tracked = [v.clone().requires_grad_(), w.clone().requires_grad_()]
    step = tracked[0] @ second
    moved = torch.eye(d) + step @ tracked[1]
    mean = -(moved + torch.eye(d)) @ step @ true - true
    expected = mean.square().sum() + SIGMA**2 * (moved.square().sum() + d)
    wanted = torch.autograd.grad(expected, tracked)
    for estimate, exact in zip(found, wanted, strict=True):
        error = estimate.std(0) / copies**0.5
        assert (estimate.mean(0) - exact).abs().max() < 5 * error.max()
        assert error.max() < 0.1 * exact.abs().max()


@pytest.mark.parametrize("advantages", [against_others, within_group])
def test_both_reach_the_optimum_of_a_bandit_with_a_normal_policy(advantages):
    # One coordinate, S = 2: the mean of the only step is -2 V w*, and its error is least at V = -1/2.
    generator = torch.Generator().manual_seed(9)
    moments, weights = torch.full((3, 8, 1, 1), 2.0), torch.randn((3, 8, 1), generator=generator)
    blocks = Blocks(torch.zeros(3, 1, 1), torch.ones(3, 1, 1))

    def gradients(now, part):
        noise = torch.randn((1, 3, 8, 16, 1), generator=generator)
        chains = sample_chains(now, moments[:, part], weights[:, part], noise, SIGMA)
        found = advantages(error_reward(chains.thoughts[-1], weights[:, part]))
        return policy_gradients(now, moments[:, part], chains, found, SIGMA)

    descend(blocks, gradients, prompts=8, batch=8, steps=400, rate=0.01)
    assert (blocks.v + 0.5).abs().max() < 0.05


def test_rewards_and_advantages_by_hand():
    ends, weights = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]]), torch.tensor([[[1.0, 1.0]]])
    assert error_reward(ends, weights).tolist() == [[[-1.0, -2.0]]]
    assert success_reward(0.75)(ends, weights).tolist() == [[[1.0, 0.0]]]
    assert against_others(torch.tensor([[[1.0, 0.0, 2.0]]])).tolist() == [[[0.0, -1.5, 1.5]]]
    torch.testing.assert_close(within_group(torch.tensor([[[1.0, 3.0]]])), torch.tensor([[[-1.0, 1.0]]]))
    # Where no chain succeeds, or all do, nothing is learnt.
    assert within_group(torch.ones(1, 1, 4)).tolist() == [[[0.0] * 4]]


def test_pretraining_lengths_leave_one_error_and_floors_one_trace():
    world = World(3, 5, 10, 0.2, 0.1, 8)
    settings = [balanced_setting(world, floor) for floor in (0.01, 0.1, 1.0)]
    assert np.allclose([s.pretraining.sum() for s in settings], 8.2)
    lengths = equal_lengths(settings, 20)
    errors = [
        float(one_step_error(np.diag(s.start(n)), np.diag(s.test), 20)) / 10
        for s, n in zip(settings, lengths, strict=True)
    ]
    assert np.ptp(errors) < 1e-6 * errors[0]
    shorter = [s.error(s.start(0.9 * n), 20) for s, n in zip(settings, lengths, strict=True)]
    assert all(x > errors[0] for x in shorter)


UPDATES = Updates(steps=4, batch=4, rate=0.01, group=4, noise=0.3, success=0.5, eta=1.0)


def test_tables_have_a_row_a_method_and_repetition_and_claims_read_them():
    world = World(3, 5, 5, 0.2, 0.1, 8)
    rewards = reward_table(world, UPDATES, [4, 8], [2, 4], [1, 2], (4, 4, 2))
    assert len(rewards) == 5 * len(METHODS) * 6
    # One setting in three panels is trained once.
    shared = rewards[(rewards["n"] == 4) & (rewards["B"] == 4) & (rewards["k"] == 2)]
    assert (shared.groupby(["method", "seed"])["err_over_d"].nunique() == 1).all()
    quality = quality_table(world, UPDATES, [0.1, 1.0], [0.5, 1.0], [0.5, 1.0], (4, 4, 2))
    assert len(quality) == 5 * len(QUALITY_METHODS) * 8
    assert set(quality.loc[quality["family"] == "balance", "n_pre"]) == {4}
    table = claims_table([*reward_claims(rewards, (4, 4, 2)), *quality_claims(quality)])
    assert len(table) == 3 * 4 + 4 + 3 + 3 * 4


def made_up(shapes):
    """A table of one setting a panel whose errors follow given shapes, with little noise."""
    generator, rows = np.random.default_rng(3), []
    for (panel, method), curve in shapes.items():
        for x, height in zip((1, 2, 3, 4), curve, strict=True):
            at = {"n_pre": 50, "n_sft": 50, "n_test": 50, "B": 80, "k": 3, "k_test": 1, "steps": 9, "rate": 0.001}
            at |= {"n_pre": x, "n_sft": x, "n_test": x} if panel == "n" else {panel: x}
            at |= {"method": method, "panel": panel, "varied": "tied", "schedule": "both", "eta": 0.2}
            for seed in range(8):
                noisy = height * np.exp(0.01 * generator.standard_normal())
                rows.append({**at, "seed": seed, "err_over_d": noisy, "pretrained_over_d": 2.0})
    return pd.DataFrame(rows, columns=list(TRAINED_COLUMNS))


def test_panels_get_the_verdicts_of_their_shapes():
    dip, fall, rise, flat = (4, 2, 1, 3), (4, 3, 2, 1), (1, 2, 3, 4), (2, 2, 2, 2)
    as_claimed = dict(zip(SHAPES, (dip, dip, flat, fall, fall, rise), strict=True))
    turned = dict(zip(SHAPES, (fall, rise, rise, rise, rise, fall), strict=True))
    for shapes, verdict in ((as_claimed, "supported"), (turned, "contradicted")):
        table = claims_table(panel_claims("lsa", made_up(shapes)))
        for panel, method in SHAPES:
            judged = table[
                (table["claim"] == panel_claim("lsa", panel, method)) & table["variant"].str.contains("1 test")
            ]
            assert set(judged["verdict"]) == {verdict}, (panel, method)
            assert judged["source"].str.contains("figure 4").all()


def test_noise_without_shape_is_no_dip():
    generator = np.random.default_rng(4)
    ps = [dips(pd.DataFrame(generator.standard_normal((8, 6))))["p"] for _ in range(200)]
    assert np.mean(np.array(ps) <= 0.05) <= 0.08
