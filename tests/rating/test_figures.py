import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ggmi.plotting.rating import loss_figure, rating_figure
from ggmi.plotting.style import save_figure
from ggmi.random import stream
from ggmi.rating.table import rating_table, seed_means


@pytest.fixture(scope="module")
def table(simulated):
    return rating_table(simulated, 0, real="real data", resamples=50)


@pytest.fixture(scope="module")
def losses():
    generator = stream(3, "losses")
    rows = [
        (condition, seed, split, epoch, 2 + 3 * np.exp(-epoch / 4) + 0.1 * generator.normal())
        for condition in [f"{k}-ins" for k in range(8)]
        for seed in range(3)
        for split in ("training", "test")
        for epoch in range(11)
    ]
    rows.append(("base", 0, "test", 0, 5.0))
    return pd.DataFrame(rows, columns=["condition", "seed", "split", "epoch", "loss_nats"])


def words(path):
    """Text of a figure; matplotlib keeps it in comments beside the outlines."""
    root = ET.fromstring(path.read_bytes(), ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
    return {node.text.strip() for node in root.iter() if node.tag is ET.Comment}


def test_conditions_are_rows_from_the_top_with_mean_and_interval(simulated, table):
    figure, _ = rating_figure(table, seed_means(simulated), "base", "real data", "Title", 7.0)
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == table["condition"].to_list()
    assert ax.yaxis_inverted()
    bars = next(c for c in ax.containers if hasattr(c, "has_xerr"))
    np.testing.assert_allclose(bars.lines[0].get_xdata().astype(float), table["mean"])
    segments = np.array(bars.lines[2][0].get_segments())
    np.testing.assert_allclose(segments[:, :, 0], table[["ci_low", "ci_high"]])
    lines = {line.get_label(): line.get_xdata()[0] for line in ax.get_lines() if "mean of" in str(line.get_label())}
    means = table.set_index("condition")["mean"]
    assert lines == {"mean of base": means["base"], "mean of real data": means["real data"]}


def test_every_student_is_a_dot_in_the_row_of_its_condition(simulated, table):
    students = seed_means(simulated)
    figure, numbers = rating_figure(table, students, "base", "real data", "Title", 7.0)
    dots = np.asarray(figure.axes[0].collections[0].get_offsets())
    row_of = {name: row for row, name in enumerate(table["condition"])}
    np.testing.assert_allclose(dots[:, 0], students["mean"])
    assert [round(y) for y in dots[:, 1]] == [row_of[name] for name in students["condition"]]
    assert (numbers["kind"] == "student").sum() == len(students)
    pd.testing.assert_series_equal(numbers[numbers["kind"] == "condition"]["mean"], table["mean"])


def test_the_figure_names_its_scale_and_says_the_gains(simulated, table, tmp_path):
    figure, numbers = rating_figure(table, seed_means(simulated), "base", "real data", "What is worth it", 7.0)
    save_figure(figure, numbers, str(tmp_path / "table1"), 100)
    found = words(tmp_path / "table1.svg")
    assert {"What is worth it", "mean rating (judge's scale from 1 to 10)", "one student (seed)"} <= found
    row = table.set_index("condition").loc["real data"]
    chance = "p < 0.001" if row["p_holm"] < 0.001 else f"p = {row['p_holm']:.2g}"
    assert any(f"{row['difference_to_base']:+.2f}, {chance}" in text for text in found)


def test_a_condition_without_ratings_and_one_without_real_data_are_drawn(tmp_path):
    rows = [("base", 0, item, 3.0 + item % 2) for item in range(6)] + [("mute", 0, item, None) for item in range(6)]
    ratings = pd.DataFrame(rows, columns=["condition", "seed", "item", "rating"])
    ratings["rating"] = ratings["rating"].astype(float)
    table = rating_table(ratings, 0)
    figure, numbers = rating_figure(table, seed_means(ratings), "base", None, "Title", 7.0)
    save_figure(figure, numbers, str(tmp_path / "figure"), 60)
    assert "no ratings" in words(tmp_path / "figure.svg")


def test_losses_are_means_with_the_spread_of_seeds(losses):
    figure, numbers = loss_figure(losses, "Title", 8.0)
    some = losses[(losses["condition"] == "3-ins") & (losses["split"] == "test") & (losses["epoch"] == 7)]["loss_nats"]
    chosen = (numbers["condition"] == "3-ins") & (numbers["split"] == "test") & (numbers["epoch"] == 7)
    row = numbers[chosen].iloc[0]
    assert (row["mean_nats"], row["n_seeds"]) == (pytest.approx(some.mean()), 3)
    assert (row["least_nats"], row["most_nats"]) == (some.min(), some.max())
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["on training records", "on test records"]
    assert figure.axes[0].get_ylabel() == "loss (nats a token)"
    assert all(ax.get_xlabel() == "epoch" for ax in figure.axes)
    assert [len(ax.get_lines()) for ax in figure.axes] == [8, 9]


def test_no_two_conditions_look_alike(losses):
    figure, _ = loss_figure(losses, "Title", 8.0)
    handles = figure.legends[0].get_lines()
    assert len({(line.get_color(), str(line.get_linestyle()), str(line._dash_pattern)) for line in handles}) == 9


def test_the_same_numbers_give_the_same_bytes(simulated, table, losses, tmp_path):
    for name, draw in {
        "table1": lambda: rating_figure(table, seed_means(simulated), "base", "real data", "Title", 7.0),
        "loss": lambda: loss_figure(losses, "Title", 8.0),
    }.items():
        for folder in ("one", "two"):
            save_figure(*draw(), str(tmp_path / folder / name), 60)
        for kind in ("svg", "png", "csv"):
            one, two = ((tmp_path / folder / f"{name}.{kind}").read_bytes() for folder in ("one", "two"))
            assert one == two
        with Image.open(tmp_path / "one" / f"{name}.png") as picture:
            assert len(picture.convert("L").getcolors(256)) > 10
