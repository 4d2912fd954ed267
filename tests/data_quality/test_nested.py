"""The error at every number of prompts from one decomposition, against V* by singular values."""

import numpy as np
import pytest

from ggmi.data_quality.closed_forms import one_step_error, pretrained, tuned, tuned_limit
from ggmi.data_quality.nested import Setting, Tunings
from ggmi.data_quality.prompts import Draws

D, M = 12, 5
FIRST = np.arange(D) < M
SETTINGS = {
    "full rank": Setting(np.where(FIRST, 0.1, 1.0), np.where(FIRST, 1.1, 1.0), np.where(FIRST, 1.1, 0.5)),
    "half rank": Setting(np.where(FIRST, 0.1, 1.0), np.where(FIRST, 1.1, 1.0), np.where(FIRST, 1.1, 0.0)),
    "three groups": Setting(np.where(FIRST, 0.1, 1.0), np.where(FIRST, 1.1, np.arange(D) / D), np.linspace(0.2, 2, D)),
}
PROMPTS = [0, 1, 3, 4, 5, 6, 9, 11, 12, 13, 20, 60]


@pytest.fixture(params=SETTINGS, name="case")
def drawn(request):
    setting = SETTINGS[request.param]
    draws = Draws.draw(1, (request.param,), D, 15, max(PROMPTS))
    return setting, draws.products(setting.tuning), draws.weights.T


def test_traces_and_predictors_are_those_of_singular_values(case):
    setting, phi, omega = case
    tunings = Tunings(setting, phi, omega, PROMPTS)
    n_pre, n_test = 7, 11
    start = np.diag(setting.start(n_pre))
    expected = [tuned(phi[:, :b], omega[:, :b], 1.0, start) if b else start for b in PROMPTS]
    np.testing.assert_allclose(tunings.predictors(PROMPTS, n_pre), expected, rtol=1e-7, atol=1e-7)
    errors = [one_step_error(v, np.diag(setting.test), n_test) / D for v in expected]
    np.testing.assert_allclose(tunings.traces().error(setting, n_pre, n_test), errors, rtol=1e-8)


def test_other_numbers_of_prompts_change_nothing(case):
    setting, phi, omega = case
    alone = Tunings(setting, phi, omega, [9]).traces().error(setting, 7, 11)
    among = Tunings(setting, phi, omega, PROMPTS).traces().error(setting, 7, 11)
    np.testing.assert_allclose(alone[0], among[PROMPTS.index(9)], rtol=1e-9)


@pytest.mark.parametrize("name", SETTINGS)
def test_diagonals_are_those_of_matrices(name):
    setting = SETTINGS[name]
    pretraining, test, tuning = map(np.diag, (setting.pretraining, setting.test, setting.tuning))
    np.testing.assert_allclose(np.diag(setting.start(9)), pretrained(pretraining, 9))
    np.testing.assert_allclose(np.diag(setting.best(9)), pretrained(test, 9))
    limit = tuned_limit(tuning, 8, 1.0, pretrained(pretraining, 9))
    np.testing.assert_allclose(np.diag(setting.limit(9, 8)), limit, atol=1e-12)
    v = setting.limit(9, 8)
    assert setting.error(v, 6) == pytest.approx(float(one_step_error(np.diag(v), test, 6)) / D)


def test_eta_has_no_say_at_a_given_ratio(case):
    setting, _, _ = case
    draws = Draws.draw(2, ("eta",), D, 15, 8)
    start = np.diag(setting.start(9))
    half = tuned(draws.products(0.5 * setting.tuning), draws.weights.T, 0.5, start)
    np.testing.assert_allclose(half, tuned(draws.products(setting.tuning), draws.weights.T, 1.0, start), atol=1e-8)
