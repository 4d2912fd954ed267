"""Losses of fine-tuning and of outcome supervision: gradients, curvature, minima."""

import numpy as np
import pytest
from data_quality.attention import think
from scipy.optimize import approx_fprime

from ggmi.data_quality.closed_forms import tuned
from ggmi.data_quality.outcome import Outcomes
from ggmi.data_quality.outcome_study import (
    CURVATURE_COLUMNS,
    OUTCOME_COLUMNS,
    Small,
    curvature_table,
    outcome_table,
)
from ggmi.data_quality.prompts import moments
from ggmi.data_quality.supervision import Supervision
from ggmi.random import stream

D, B, N = 4, 7, 9


def prompts(scale=1.0, many=B):
    generator = stream(1, "training")
    return moments(generator, np.full(D, scale), N, many), generator.standard_normal((many, D))


def numerical(function, x):
    return approx_fprime(x.ravel(), lambda y: function(y.reshape(x.shape)), 1e-7).reshape(x.shape)


@pytest.fixture
def blocks():
    generator = stream(2, "blocks")
    return -0.4 * np.eye(D) + generator.standard_normal((D, D)) / 8, np.eye(D) + generator.standard_normal((D, D)) / 8


def test_gradients_of_fine_tuning_are_difference_quotients(blocks):
    v, w = blocks
    told = Supervision(*prompts(), 0.3, 3)
    in_v, in_w = told.gradient(v, w)
    np.testing.assert_allclose(in_v, numerical(lambda x: told.loss(x, w), v), atol=1e-5)
    np.testing.assert_allclose(in_w, numerical(lambda x: told.loss(v, x), w), atol=1e-5)


def test_teacher_forced_loss_is_that_of_single_steps_of_the_model(blocks):
    v, w = blocks
    s, weights = prompts()
    told, eta = Supervision(s, weights, 0.3, 2), 0.3
    total = 0.0
    for i in range(3):
        before, after = ((1 - (1 - eta) ** j) * weights for j in (i, i + 1))
        # One step of the recursion from what was forced, written out.
        stepped = before + np.einsum("ij,bjk,bk->bi", v, s, before @ w.T - weights)
        total += np.square(stepped - after).sum() / (2 * B)
    assert told.loss(v, w) == pytest.approx(total)


@pytest.mark.parametrize("many", [3, 20])
def test_few_prompts_are_fitted_and_many_leave_a_gradient_in_w(many):
    s, weights = prompts(many=many)
    told = Supervision(s, weights, 0.2, 2)
    v = tuned(told.phi, weights.T, 0.2, -np.eye(D))
    in_v, in_w = told.gradient(v, np.eye(D))
    assert np.abs(in_v).max() < 1e-10
    if many < D:
        assert told.loss(v, np.eye(D)) < 1e-20
        assert np.abs(in_w).max() < 1e-10
    else:
        assert np.abs(in_w).max() > 1e-3
        joint = told.minimiser(v, np.eye(D))
        assert told.loss(*joint) < 0.99 * told.loss(v, np.eye(D))
        assert max(np.abs(g).max() for g in told.gradient(*joint)) < 1e-4


@pytest.mark.parametrize("k", [1, 2, 5])
def test_outcomes_are_those_of_the_model_and_their_gradient_a_difference_quotient(blocks, k):
    v, _ = blocks
    s, weights = prompts()
    outcomes = Outcomes(s, weights, k)
    left = think(s, weights, v, np.eye(D), k)[:, -1] - weights
    assert outcomes.loss(v) == pytest.approx(np.square(left).sum() / (2 * B))
    np.testing.assert_allclose(outcomes.gradient(v), numerical(outcomes.loss, v), atol=1e-5)


@pytest.mark.parametrize("k", [1, 3])
def test_curvature_is_the_largest_eigenvalue_of_all_second_differences(blocks, k):
    v, _ = blocks
    outcomes, h = Outcomes(*prompts(), k), 1e-5
    columns = []
    for place in range(v.size):
        move = np.zeros(v.size)
        move[place] = h
        move = move.reshape(v.shape)
        columns.append(((outcomes.gradient(v + move) - outcomes.gradient(v - move)) / (2 * h)).ravel())
    assert outcomes.curvature(v) == pytest.approx(np.linalg.eigvalsh(np.array(columns))[-1], rel=1e-4)


def test_with_one_step_the_minimum_is_least_squares():
    s, weights = prompts(many=20)
    outcomes = Outcomes(s, weights, 1)
    phi = np.einsum("bij,bj->ib", s, weights)
    expected = tuned(phi, weights.T, 1.0, np.zeros((D, D)))
    np.testing.assert_allclose(outcomes.minimiser(-np.eye(D)), expected, atol=1e-4)
    rate = 1 / outcomes.curvature(expected)
    np.testing.assert_allclose(outcomes.descend(-np.eye(D), rate, 4000), expected, atol=1e-3)


def test_tables_of_outcome_supervision():
    small = Small(3, 6, 4, 2, 0.1)
    bent = curvature_table(small, [30], 10, [1, 2])
    assert tuple(bent) == CURVATURE_COLUMNS
    assert len(bent) == 6 * 2 * 3
    # With one step the loss is quadratic: its curvature is the same everywhere.
    assert bent[bent["k"] == 1].groupby("seed")["curvature"].apply(np.ptp).max() < 1e-3
    ends = bent[bent["place"] == "outcome"].set_index(["k", "seed"])["loss"]
    tuned_losses = bent[bent["place"] == "fine-tuned"].set_index(["k", "seed"])["loss"]
    assert (ends <= tuned_losses * (1 + 1e-9)).all()
    table = outcome_table(small, [8, 30], [3, 12], [1, 2], [5, 50], [0.1, 1.0])
    assert tuple(table) == OUTCOME_COLUMNS
    counts = table.groupby(["varied", "method"]).size()
    assert counts["B", "outcome"] == counts["n", "fine-tuned"] == 6 * 2 * 2
    assert counts["steps", "outcome"] == 6 * 2 * 2
    assert counts["shift", "outcome"] == counts["shift", "pretrained"] == 6 * 2 * 2
    one = table[(table["k"] == 1) & table["varied"].isin(["B", "n"])]
    wide = one.pivot_table(index=["varied", "n", "B", "seed"], columns="method", values="err_over_d")
    # With one step outcome supervision and fine-tuning end alike, where the start is the same.
    np.testing.assert_allclose(wide["outcome"], wide["fine-tuned"], rtol=1e-2)
