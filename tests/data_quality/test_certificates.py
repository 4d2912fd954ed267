"""Exact instances against floating point, and the recheck that needs nothing but Python."""

import json
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from project import ROOT

from ggmi.data_quality.asymptotics import Limit, error_limit
from ggmi.data_quality.certificates import CERTIFICATES, result
from ggmi.data_quality.closed_forms import contraction, one_step_error, step_limit, tuned
from ggmi.data_quality.supervision import Supervision

RECHECK = ROOT / "src/ggmi/data_quality/recheck.py"


def rechecked(path):
    command = [sys.executable, "-I", RECHECK, path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("slug", CERTIFICATES)
def test_every_certificate_rechecks_and_a_changed_one_does_not(slug, tmp_path):
    stored = CERTIFICATES[slug].as_json()
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(stored))
    assert rechecked(path).returncode == 0
    name = next(iter(stored["results"]))
    stored["results"][name] = str(Fraction(stored["results"][name]) + Fraction(1, 10**9))
    path.write_text(json.dumps(stored))
    done = rechecked(path)
    assert done.returncode == 1
    assert "do not follow" in done.stderr


@pytest.mark.parametrize("slug", ["theorem-4.1-many-prompts", "theorem-4.1-few-prompts"])
def test_joint_minima_in_floating_point(slug):
    given = CERTIFICATES[slug].inputs
    x = np.array(given["inputs"], dtype=float)
    weights = np.array(given["weights"], dtype=float)
    told = Supervision(np.swapaxes(x, 1, 2) @ x / x.shape[1], weights, 0.5, 2)
    v = tuned(told.phi, weights.T, 0.5, -np.eye(2))
    in_w = told.gradient(v, np.eye(2))[1]
    assert np.square(in_w).sum() == pytest.approx(float(result(slug, "square of the gradient in W")), abs=1e-18)
    assert told.loss(v, np.eye(2)) == pytest.approx(float(result(slug, "loss at (V*, I)")), abs=1e-15)
    after = float(result(slug, "loss after a step in W"))
    assert told.loss(v, np.eye(2) - 0.1 * in_w) == pytest.approx(after, abs=1e-15)
    assert result(slug, "square of the gradient in V") == 0
    if "many" in slug:
        assert result(slug, "loss after a step in W") < result(slug, "loss at (V*, I)")


@pytest.mark.parametrize("slug", ["remark-4.1-near-the-limit", "remark-4.1-far-from-the-limit"])
def test_rates_in_floating_point(slug):
    given = CERTIFICATES[slug].inputs
    phi, rate = np.diag(np.array(given["phi"], dtype=float)), float(Fraction(given["rate"]))
    for k in (0, 1):
        assert float(result(slug, f"factor a step, k = {k}")) == pytest.approx(contraction(phi, 0.5, k, rate))
        assert float(result(slug, f"step over its limit, k = {k}")) == pytest.approx(rate / step_limit(phi, 0.5, k))
        assert result(slug, f"step over its limit, k = {k}") < 1


def test_proposition_5_1_and_f_in_floating_point():
    v, sigma = np.array([[-1 / 2, 1 / 3], [0, -1]]), np.array([[2, 1 / 2], [1 / 2, 1]])
    assert float(result("proposition-5.1", "expectation")) == pytest.approx(float(one_step_error(v, sigma, 3)))
    limit = Limit(0.5, 0.1, 0.2, 0.1, 0.6)
    assert float(result("F-at-endless-data", "F")) == pytest.approx(error_limit(limit, np.inf))


def test_what_the_instances_are_said_to_show():
    assert result("theorem-B.1-projector", "corrected") == result("theorem-B.1-projector", "trace")
    assert result("theorem-B.1-projector", "printed") != result("theorem-B.1-projector", "trace")
    missed, left = (
        result("equation-B.3-first-order", f"square of what {name}")
        for name in ("printed (B.3) misses", "is missed with the term")
    )
    assert left < Fraction(1, 10**10) < missed
