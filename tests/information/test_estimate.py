import numpy as np
import pytest

from ggmi.errors import UserError
from ggmi.information.estimate import Estimate, group_codes, nearest_id, normal_ends, points, unique_ids


def test_a_row_has_the_documented_columns_in_order_and_none_where_a_field_does_not_apply():
    row = Estimate(1.5, n=3, unit="nats", method="plug-in").row()
    assert list(row) == ["value", "ci_low", "ci_high", "p_value", "null_mean", "ceiling", "n", "unit", "method"]
    assert row["value"] == 1.5
    assert row["ci_low"] is row["p_value"] is row["ceiling"] is None


def test_normal_ends_hold_the_middle_95_percent():
    low, high = normal_ends(1.0, 2.0)
    assert (low, high) == pytest.approx((1 - 3.919928, 1 + 3.919928), abs=1e-6)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "x: holds 0 observations; at least 2 are needed"),
        ([[1.0]], "x: holds 1 observations"),
        ([[1.0], [np.nan]], "x: observation 1 holds NaN or infinity"),
        ([[np.inf], [1.0]], "x: observation 0 holds NaN or infinity"),
        ([["a"], ["b"]], "x: must be numbers"),
        ([[1.0, 2.0], [1.0]], "x: must be numbers of one shape"),
        (np.zeros((2, 2, 2)), r"x: has shape \(2, 2, 2\)"),
    ],
)
def test_points_refuse_what_cannot_be_estimated_from(values, message):
    with pytest.raises(UserError, match=message):
        points(values, "x")


def test_ids_that_come_twice_are_named_with_both_places():
    with pytest.raises(UserError, match="anchors: id 'b' comes twice, at 1 and 3"):
        unique_ids(["a", "b", "c", "b"], "anchors")


def test_groups_are_numbered_and_must_be_complete():
    assert group_codes(["q", "p", "q"], 3, "groups").tolist() == [1, 0, 1]
    assert group_codes(None, 2, "groups").tolist() == [0, 1]
    with pytest.raises(UserError, match="groups: 1 labels for 2 observations"):
        group_codes(["q"], 2, "groups")


def test_the_nearest_id_is_named_but_a_long_list_is_not_spelt_out():
    assert nearest_id("prompt_1x", [f"prompt_{i}" for i in range(50)]).startswith("did you mean 'prompt_1")
    assert nearest_id("zzz", [f"prompt_{i}" for i in range(50)]) == "none of the 50 known ids is like it"
    assert nearest_id("zzz", ["a", "b"]) == "allowed: a, b"
