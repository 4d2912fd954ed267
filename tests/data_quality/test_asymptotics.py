"""The proportional limit against simulation, brute-force averages and difference quotients."""

import numpy as np
import pytest

from ggmi.data_quality.asymptotics import Limit, error_limit, first_order, overlap, trace_of
from ggmi.data_quality.closed_forms import tuned
from ggmi.data_quality.curves import Curves
from ggmi.data_quality.limit import against_limit
from ggmi.random import stream

LIMIT = Limit(0.5, 0.1, 0.2, 0.1, 0.6)


@pytest.mark.parametrize("beta", [0.2, 0.5, 0.9])
def test_overlaps_are_those_of_random_projectors(beta):
    d = 400
    block = np.arange(d) < d // 2
    a = np.where(block, *LIMIT.tuning)
    q, w, t12 = overlap(LIMIT, beta)
    found = []
    for place in range(4):
        span = np.linalg.qr(a[:, None] * stream(1, "span", place).standard_normal((d, round(beta * d))))[0]
        p = span @ span.T
        found.append((np.diag(p)[block].mean(), np.diag(p)[~block].mean(), np.square(p[block][:, ~block]).sum() / d))
    np.testing.assert_allclose(np.mean(found, axis=0), [*w, t12], atol=0.01)
    assert LIMIT.shares @ w == pytest.approx(beta)
    assert w[0] == pytest.approx(LIMIT.tuning[0] ** 2 * q / (1 + LIMIT.tuning[0] ** 2 * q))


@pytest.mark.parametrize("n", [333, 1667])
def test_the_corrected_limit_is_the_error_of_the_first_order_form_and_the_printed_one_is_not(n):
    curves = Curves(3, 8, 200, 100, 0.1, 0.2)
    found = against_limit(curves, 0.1, [n], [40, 100, 150, 300])
    wide = found.groupby(["B", "quantity"])["err_over_d"].mean().unstack().loc[[40, 100, 150, 300]]
    ratio = wide.div(wide["V_tilde"], axis=0)
    np.testing.assert_allclose(ratio["F_corrected"], 1, atol=0.04)
    # Beyond d both are one formula.
    assert wide.loc[300, "F_printed"] == wide.loc[300, "F_corrected"]
    assert (ratio.loc[[100, 150], "F_printed"] < 0.93).all()


def test_traces_of_rank_one_projectors_follow_the_corrected_term():
    generator = stream(2, "projector")
    for _ in range(5):
        span = generator.standard_normal((10, 3))
        p = span @ np.linalg.inv(span.T @ span) @ span.T
        block = np.arange(10) < 5
        w = np.array([np.diag(p)[block].mean(), np.diag(p)[~block].mean()])
        t12 = np.square(p[block][:, ~block]).sum() / 10
        g, step, x = (np.where(block, *values) for values in (LIMIT.start, LIMIT.step, (3.0, 0.7)))
        v = np.diag(g) + step[:, None] * p
        exact = np.trace(v @ np.diag(x) @ v.T) / 10
        assert trace_of(LIMIT, w, t12, np.array([3.0, 0.7]), "corrected") == pytest.approx(exact)
        assert trace_of(LIMIT, w, t12, np.array([3.0, 0.7]), "printed") != pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("prompts", [3, 12])
def test_the_first_order_form_is_the_derivative(prompts):
    d, eta = 6, 0.2
    generator = stream(3, "derivative", prompts)
    a, start = generator.uniform(0.2, 1.5, d), -generator.uniform(0.5, 2, d)
    omega, noise = generator.standard_normal((2, d, prompts))
    clean, h = a[:, None] * omega, 1e-5

    def star(size):
        return tuned(clean + size * noise, omega, eta, np.diag(start))

    quotient = (star(h) - star(-h)) / (2 * h)

    def slope(whole):
        return first_order(omega, clean + noise, a, eta, start, whole=whole) - star(0.0)

    assert np.abs(slope(whole=True) - quotient).max() < 1e-6
    missed = np.abs(slope(whole=False) - quotient).max()
    assert missed < 1e-6 if prompts >= d else missed > 0.1


def test_no_prompts_and_endless_prompts():
    mean = float(LIMIT.shares @ LIMIT.test)
    g = LIMIT.start
    pretrained_error = LIMIT.shares @ ((1 + g * LIMIT.test) ** 2 + LIMIT.gamma * mean * LIMIT.test * g**2)
    assert error_limit(LIMIT, 0.0) == pytest.approx(pretrained_error)
    solved = -LIMIT.eta / LIMIT.tuning
    endless = LIMIT.shares @ ((1 + solved * LIMIT.test) ** 2 + LIMIT.gamma * mean * LIMIT.test * solved**2)
    assert error_limit(LIMIT, np.inf) == pytest.approx(endless)
    assert error_limit(LIMIT, 1.0) == np.inf
    far = [error_limit(LIMIT, beta) for beta in (0.999, 1.001, 1.1, 2.0, 50.0)]
    assert far[0] > 100
    assert far[1:] == sorted(far[1:], reverse=True)
