import numpy as np
import pytest

from ggmi.pipeline.risk_tables import generalization_table
from ggmi.random import stream


def arrays(test, train, seeds=(1, 2, 3)):
    """Losses around a mean, the same questions hard for everyone."""
    random = stream(0, "risks", str(test), str(train))
    hard = stream(0, "hard").normal(size=40)
    found = {"seeds": np.array(seeds), "test_nats": test + hard + random.normal(0, 0.1, (len(seeds), 40))}
    if train is not None:
        found["train_nats"] = train + random.normal(0, 0.1, (len(seeds), 20))
    return found


@pytest.fixture
def table():
    base = {**arrays(9, None, (0,))}
    parts = {"base": [base], "made": [arrays(3, 2)], "none": [{"seeds": np.empty(0)}], "anchors": [arrays(5, 1)]}
    return generalization_table(parts, 3).set_index("condition")


def test_errors_and_gains_are_differences_of_risks_with_intervals(table):
    made, anchors = table.loc["made"], table.loc["anchors"]
    error = made["test_risk_nats"] - made["training_risk_nats"]
    assert made["generalization_error_nats"] == pytest.approx(error)
    gain = anchors["generalization_error_nats"] - made["generalization_error_nats"]
    assert made["gain_nats"] == pytest.approx(gain)
    for name in ("test_risk", "generalization_error", "gain"):
        ends = made[f"{name}_ci_low_nats"], made[f"{name}_ci_high_nats"]
        assert ends[0] < made[f"{name}_nats"] < ends[1]


def test_gains_are_paired_by_test_record(table):
    made = table.loc["made"]
    wide = made["test_risk_ci_high_nats"] - made["test_risk_ci_low_nats"]
    assert made["gain_ci_high_nats"] - made["gain_ci_low_nats"] < wide


def test_the_base_has_a_test_risk_only_and_an_empty_set_nothing(table):
    assert np.isnan(table.loc["base", "generalization_error_nats"])
    assert table.loc["base", "n_seeds"] == 1
    assert (table.loc["none", "n_items"], np.isnan(table.loc["none", "test_risk_nats"])) == (0, True)
