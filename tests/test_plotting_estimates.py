import numpy as np
import pandas as pd
import pytest
from matplotlib.markers import CARETDOWN, CARETUP

from ggmi.plotting.estimates import PANELS, estimates_figure


def truths(small_values, truth=(1.0, 2.0, 3.0)):
    """Three conditions of a large generator that reads the truth, and of one whose sets are too small."""
    rows = [
        {
            **{"generator": generator, "condition": f"{i}-ins", "curation": "c", "quantity": "q", "truth": x},
            **{"estimator": estimator, "value": value, "ci_low": value - 0.5, "ci_high": value + 0.5},
            **{"records": 7 if small else 400, "too_small": small},
        }
        for estimator, _, _ in PANELS
        for generator, small, values in (("large", False, truth), ("small", True, small_values))
        for i, (x, value) in enumerate(zip(truth, values, strict=True))
    ]
    return pd.DataFrame(rows)


def lines(axis, marker):
    return [line for line in axis.lines if line.get_marker() == marker]


def test_sets_of_a_few_records_set_no_axis_and_are_hollow_or_carets_at_the_edge():
    figure, numbers = estimates_figure(truths([80.0, 2.0, -30.0]), 10.0)
    assert len(numbers) == 6 * len(PANELS)
    for axis in figure.axes:
        low, high = axis.get_ylim()
        # The large generator's intervals, 0.5 to 3.5, with a little room.
        assert 0 < low < 0.5
        assert 3.5 < high < 4
        assert [line.get_ydata()[0] for line in lines(axis, CARETUP)] == [high]
        assert [line.get_ydata()[0] for line in lines(axis, CARETDOWN)] == [low]
        hollow = [line for line in lines(axis, "s") if line.get_markerfacecolor() == "none"]
        assert [line.get_ydata()[0] for line in hollow] == [2.0]
        assert len([line for line in lines(axis, "o") if line.get_markerfacecolor() != "none"]) == 3
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["large", "small (too few records)", "exact"]


def test_equality_is_a_straight_line_through_the_exact_values():
    figure, _ = estimates_figure(truths([1.0, 2.0, 3.0]), 10.0)
    for axis, (_, _, one_unit) in zip(figure.axes, PANELS, strict=True):
        dashed = [line for line in axis.lines if line.get_linestyle() == "--"]
        assert len(dashed) == one_unit
        for line in dashed:
            np.testing.assert_array_equal(*line.get_data())


def test_without_large_sets_the_small_ones_set_the_axes_and_nothing_at_all_is_said():
    table = truths([10.0, 20.0, 30.0])
    figure, _ = estimates_figure(table[table["too_small"]], 10.0)
    assert figure.axes[0].get_ylim()[1] == pytest.approx(30.5, abs=3)
    empty, _ = estimates_figure(table.assign(value=np.nan), 10.0)
    assert [text.get_text() for axis in empty.axes for text in axis.texts] == ["no estimate"] * len(PANELS)
