"""Closed forms against minimisation, simulation and second implementations."""

import numpy as np
import pytest
from scipy.optimize import minimize

from ggmi.data_quality.closed_forms import (
    chain_error,
    contraction,
    descend,
    one_step_error,
    pretrained,
    second_moment,
    step_limit,
    step_weight,
    tuned,
    tuned_limit,
)
from ggmi.data_quality.prompts import moments
from ggmi.random import stream

D, N = 4, 6


@pytest.fixture
def covariance():
    root = stream(1, "closed").standard_normal((D, D))
    return root @ root.T / D + 0.1 * np.eye(D)


@pytest.fixture
def v():
    return -0.3 * np.eye(D) + 0.05 * stream(2, "closed").standard_normal((D, D))


def drawn(covariance, prompts, name, n=N):
    """Second moments of prompts of any covariance, a second way."""
    inputs = np.linalg.cholesky(covariance) @ stream(3, name).standard_normal((prompts, D, n))
    return inputs @ np.swapaxes(inputs, 1, 2) / n


def test_second_moment_is_that_of_drawn_prompts(covariance):
    s = drawn(covariance, 200_000, "moment")
    found = (s @ s).mean(axis=0)
    np.testing.assert_allclose(found, covariance @ second_moment(covariance, N), atol=0.02 * np.abs(found).max())


def test_pretraining_ends_where_its_loss_is_least(covariance):
    def loss(x):
        return float(one_step_error(x.reshape(D, D), covariance, N))

    found = minimize(loss, np.zeros(D * D), options={"gtol": 1e-9}).x.reshape(D, D)
    np.testing.assert_allclose(found, pretrained(covariance, N), atol=1e-5)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_chain_error_is_that_of_drawn_prompts(covariance, v, k):
    left = np.linalg.matrix_power(np.eye(D) + v @ drawn(covariance, 200_000, "chain"), k)
    errors = np.square(left).sum(axis=(1, 2))
    assert abs(errors.mean() - chain_error(v, covariance, N, k)) < 4 * errors.std() / np.sqrt(len(errors))


def test_chain_error_of_one_step_is_proposition_5_1(covariance, v):
    assert chain_error(v, covariance, N, 1) == pytest.approx(float(one_step_error(v, covariance, N)), rel=1e-12)


def test_chain_error_of_one_coordinate_has_the_moments_of_chi_square():
    # S is chi-square over n: E S^p = (n + 2) (n + 4) ... / n^(p - 1).
    power = {p: np.prod([(N + 2 * i) / N for i in range(p)]) for p in range(7)}
    for k in (2, 3):
        binomials = [1, 2 * k]
        while len(binomials) < 2 * k + 1:
            p = len(binomials)
            binomials.append(binomials[-1] * (2 * k - p + 1) / p)
        expected = sum(b * (-0.4) ** p * power[p] for p, b in enumerate(binomials))
        assert chain_error(np.array([[-0.4]]), np.array([[1.0]]), N, k) == pytest.approx(expected, rel=1e-12)


def test_long_prompts_leave_the_power_alone(covariance, v):
    expected = np.square(np.linalg.matrix_power(np.eye(D) + v @ covariance, 2)).sum()
    assert chain_error(v, covariance, 10**9, 2) == pytest.approx(expected, rel=1e-6)
    assert float(one_step_error(v, covariance, np.inf)) == pytest.approx(
        np.square(np.eye(D) + v @ covariance).sum(), rel=1e-12
    )


@pytest.mark.parametrize("prompts", [1, 3, D, 9])
def test_tuning_is_ridge_regression_to_zero_from_the_start(prompts, v):
    generator = stream(4, "tuned", prompts)
    phi, omega = generator.standard_normal((2, D, prompts))
    ridge = 1e-7
    # min |V Φ + η Ω|² + ridge |V - start|²
    expected = (ridge * v - 0.2 * omega @ phi.T) @ np.linalg.inv(phi @ phi.T + ridge * np.eye(D))
    np.testing.assert_allclose(tuned(phi, omega, 0.2, v), expected, atol=1e-4)


def test_tuning_works_on_stacks_and_without_rank(v):
    generator = stream(5, "stacks")
    phi, omega = generator.standard_normal((2, 3, D, 2))
    phi = np.concatenate([phi, phi[..., :1]], axis=-1)
    omega = np.concatenate([omega, omega[..., :1]], axis=-1)
    together = tuned(phi, omega, 0.5, v)
    for found, p, o in zip(together, phi, omega, strict=True):
        expected = -0.5 * o @ np.linalg.pinv(p) + v @ (np.eye(D) - p @ np.linalg.pinv(p))
        np.testing.assert_allclose(found, expected, atol=1e-10)


def test_gradient_descent_halts_at_the_closed_form_within_its_bound(v):
    phi, omega = stream(6, "descent").standard_normal((2, D, 3))
    star, k = tuned(phi, omega, 0.3, v), 4
    for share in (0.2, 0.6, 0.95):
        rate = share * step_limit(phi, 0.3, k)
        alpha = contraction(phi, 0.3, k, rate)
        assert alpha < 1
        apart = np.linalg.norm(descend(phi, omega, 0.3, v, k, rate, 60) - star, axis=(1, 2))
        assert (apart <= alpha ** np.arange(61) * apart[0] * (1 + 1e-9)).all()
    # Above the limit it flies apart.
    assert contraction(phi, 0.3, k, 1.01 * step_limit(phi, 0.3, k)) > 1
    far = descend(phi, omega, 0.3, v, k, 1.2 * step_limit(phi, 0.3, k), 60)
    assert np.linalg.norm(far[-1] - star) > np.linalg.norm(v - star)


def test_longer_chains_only_scale_the_loss():
    assert step_weight(1.0, 8) == 1
    assert step_weight(0.2, 1) == pytest.approx(1 + 0.64)
    assert step_weight(0.2, 500) == pytest.approx(1 / (1 - 0.64))


def test_endless_data_tend_to_their_limit(v):
    scale = np.array([0.0, 0.3, 1.0, 2.0])
    s = moments(stream(7, "endless"), scale, N, 100_000)
    weights = stream(8, "endless").standard_normal((100_000, D))
    phi = np.einsum("bij,bj->ib", s, weights)
    found = tuned(phi, weights.T, 0.4, v)
    np.testing.assert_allclose(found, tuned_limit(np.diag(scale), N, 0.4, v), atol=0.03)
