import io
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figures import CONDITION, ESTIMATORS, SUMMARY, drawn_gaps, drawn_terms, gaps, make_world, saved, terms
from matplotlib.figure import Figure
from PIL import Image

from ggmi.errors import UserError
from ggmi.io import block_writer
from ggmi.plotting.example import read_example
from ggmi.plotting.mixtures import (
    AXIS_NAMES,
    CONTOUR_NATS,
    CONTOUR_STEPS,
    ESTIMATOR_NAMES,
    GRID_POINTS,
    ExampleWorld,
    setting_figure,
    world_figure,
)
from ggmi.plotting.style import house_style, save_figure


@pytest.fixture(scope="module", params=[1, 2, 5])
def world(request):
    """One round of a world in 1, 2 or 5 dimensions."""
    return make_example(request.param)


def words(svg):
    """Text of a figure as a person reads it; matplotlib keeps it in comments beside the outlines."""
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    root = ET.fromstring(svg, parser)
    return {node.text.strip() for node in root.iter() if node.tag is ET.Comment}


# Every figure.


def make_example(d):
    worlds, points, anchors, synthetic = make_world(d)
    fits = anchors.mixtures, synthetic.mixtures
    return ExampleWorld(CONDITION, worlds.truth, worlds.generator, *fits, worlds.anchors.reshape(-1, d), points[0])


FIGURES = {
    "figure 2": lambda: world_figure(make_example(2), "Title", "coordinate", 10.0),
    "figure 4": lambda: drawn_gaps(*gaps(estimators=("forward", "reverse"))),
    "terms": lambda: drawn_terms(*terms()),
    "figure 5": lambda: setting_figure(make_example(2), "Title", "coordinate", 10.0),
}


@pytest.fixture(scope="module", params=FIGURES)
def made(request, tmp_path_factory):
    """A figure's name, the figure, the numbers behind it and its folder."""
    figure, numbers = FIGURES[request.param]()
    folder = tmp_path_factory.mktemp("figures") / "made on the way"
    saved(folder, figure, numbers)
    return request.param, figure, numbers, folder


def test_the_same_data_gives_the_same_bytes_whatever_was_drawn_before(made, tmp_path):
    name, _, _, folder = made
    with house_style():
        other = Figure()
        other.subplots().plot([1, 2], label="other")
        other.legend()
    saved(tmp_path, other, pd.DataFrame())
    for kind, content in saved(tmp_path, *FIGURES[name]()).items():
        assert content == (folder / f"figure.{kind}").read_bytes()


def test_a_figure_is_three_files_of_one_name(made):
    assert sorted(path.name for path in made[3].iterdir()) == ["figure.csv", "figure.png", "figure.svg"]


def test_every_axis_says_what_it_shows(made):
    figure = made[1]
    grid = figure.axes[0].get_gridspec()
    panels = np.array(figure.axes).reshape(grid.nrows, grid.ncols)
    # Labels stand below the columns and beside the rows.
    assert all(ax.get_xlabel() for ax in panels[-1])
    assert all(ax.get_ylabel() for ax in panels[:, 0])
    assert all(ax.get_shared_y_axes().joined(ax, row[0]) for row in panels for ax in row)
    assert all(ax.get_title(loc="left") or ax.get_title() for ax in panels.flat)


def test_a_figure_is_as_wide_and_as_fine_as_asked(made):
    _, figure, _, folder = made
    width, height = figure.get_size_inches()
    assert width == 10
    with Image.open(folder / "figure.png") as png:
        assert png.size == (600, int(60 * height))


def test_the_csv_beside_holds_the_numbers(made):
    _, _, numbers, folder = made
    pd.testing.assert_frame_equal(pd.read_csv(folder / "figure.csv"), numbers, check_dtype=False, rtol=1e-9)


def test_an_svg_is_well_formed_and_names_no_other_file(made):
    svg = (made[3] / "figure.svg").read_bytes()
    links = [value for node in ET.fromstring(svg).iter() for key, value in node.attrib.items() if key.endswith("href")]
    assert links
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert b"<dc:date>" not in svg


# Figure 4.


def test_figure_4_has_a_row_an_estimator_and_a_column_a_sweep():
    figure, numbers = drawn_gaps(*gaps())
    assert len(figure.axes) == 12
    assert list(numbers.columns[:1]) == ["value"]
    assert numbers.groupby(["estimator", "axis"], sort=False).size().eq(3).all()
    names = [ax.get_ylabel() for ax in figure.axes[::3]]
    assert names == [f"{ESTIMATOR_NAMES[e]}\nKL gap (nats)" for e in ESTIMATORS]
    assert [ax.get_xlabel() for ax in figure.axes[-3:]] == list(AXIS_NAMES.values())


def test_the_numbers_of_figure_4_are_the_tables():
    table, trends, sweeps = gaps()
    _, numbers = drawn_gaps(table, trends, sweeps)
    for row in numbers.itertuples():
        place = {**dict.fromkeys("KJL", 2), row.axis: row.value}
        same = (table[list("KJL")] == pd.Series(place)).all(axis=1) & (table["estimator"] == row.estimator)
        for column in SUMMARY:
            assert table.loc[same, column].item() == getattr(row, column)


def test_the_lines_of_figure_4_go_through_means_medians_and_intervals():
    table, trends, sweeps = gaps(estimators=("forward",))
    figure, numbers = drawn_gaps(table, trends, sweeps)
    for ax, axis in zip(figure.axes, "KJL", strict=True):
        part = numbers[numbers["axis"] == axis]
        container = ax.containers[0]
        np.testing.assert_allclose(container[0].get_xydata(), part[["value", "mean_nats"]])
        ends = np.array([segment[:, 1] for segment in container[2][0].get_segments()])
        np.testing.assert_allclose(ends, part[["ci_low_nats", "ci_high_nats"]])
        medians = [line.get_xydata() for line in ax.lines if line.get_marker() == "_" and len(line.get_xdata()) == 3]
        assert any(np.allclose(found, part[["value", "median_nats"]]) for found in medians)
        shade = ax.collections[0].get_paths()[0].vertices
        sides = np.concatenate([part["mean_nats"] - part["sd_nats"], part["mean_nats"] + part["sd_nats"]])
        assert np.isin(np.round(sides, 9), np.round(shade[:, 1], 9)).all()


def test_a_panels_title_gives_claim_verdict_and_correlation(tmp_path):
    figure, numbers = drawn_gaps(*gaps(estimators=("reverse",)))
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "published: falls · as published\nρ = +0.25 [-0.50, +0.75]",
        "published: rises · against\nρ = +0.25 [-0.50, +0.75]",
        "published: falls · undecided\nρ = +0.25 [-0.50, +0.75]",
    ]
    assert "KL gap (nats)" in " ".join(words(saved(tmp_path, figure, numbers)["svg"]))


def test_a_sweep_of_one_value_is_drawn_without_a_verdict(tmp_path):
    table, trends, sweeps = gaps(estimators=("forward",), values=(2,))
    figure, numbers = drawn_gaps(table, trends.iloc[:0], sweeps)
    saved(tmp_path, figure, numbers)
    assert len(numbers) == 3
    assert {ax.get_title(loc="left") for ax in figure.axes} == {"published: falls", "published: rises"}


def test_one_estimator_is_drawn_alone(tmp_path):
    figure, numbers = drawn_gaps(*gaps(estimators=("forward",)))
    saved(tmp_path, figure, numbers)
    assert len(figure.axes) == 3
    assert set(numbers["estimator"]) == {"forward"}


def test_rounds_too_few_for_an_interval_are_drawn_without_it(tmp_path):
    table, trends, sweeps = gaps(estimators=("reverse",))
    table[["ci_low_nats", "ci_high_nats", "median_ci_low_nats", "median_ci_high_nats"]] = np.nan
    trends[["spearman", "spearman_ci_low", "spearman_ci_high"]] = np.nan
    figure, numbers = drawn_gaps(table, trends, sweeps)
    files = saved(tmp_path, figure, numbers)
    assert pd.read_csv(io.BytesIO(files["csv"]))["ci_low_nats"].isna().all()
    assert pd.read_csv(io.BytesIO(files["csv"]))["mean_nats"].notna().all()


def test_heavy_tails_get_a_scale_that_shows_them_and_light_ones_keep_theirs():
    for scale, expected in ((1.0, "linear"), (1e6, "symlog")):
        figure, _ = drawn_gaps(*gaps(scale=scale))
        assert {ax.get_yscale() for ax in figure.axes} == {expected}


def test_the_order_of_the_tables_rows_does_not_matter(tmp_path):
    table, trends, sweeps = gaps(estimators=("forward",))
    first = saved(tmp_path, *drawn_gaps(table, trends, sweeps))
    assert saved(tmp_path, *drawn_gaps(table.iloc[::-1], trends.iloc[::-1], sweeps)) == first


# Figures 2 and 5.


def test_figure_2_holds_every_point_and_both_densities(world, tmp_path):
    figure, numbers = world_figure(world, "Title", "coordinate", 8.0)
    saved(tmp_path, figure, numbers)
    for kind, points in (("anchors", world.anchors), ("synthetic", world.synthetic)):
        part = numbers[numbers["kind"] == kind]
        np.testing.assert_array_equal(part["x"], points[:, 0])
        np.testing.assert_array_equal(part["y"], points[:, 1] if points.shape[1] > 1 else np.zeros(len(points)))
        assert part["log_density_nats"].isna().all()
    for letter in "GM":
        part = numbers[numbers["kind"] == f"density under {letter}"]
        assert len(part) == GRID_POINTS**2
        assert np.isfinite(part["log_density_nats"]).all()


def test_the_density_of_figure_2_is_that_of_the_mixture_in_the_plane(world, scipy_mixture):
    _, numbers = world_figure(world, "Title", "coordinate", 8.0)
    d = min(world.truth.dimensions, 2)
    for letter, mixture in (("G", world.truth), ("M", world.generator)):
        part = numbers[numbers["kind"] == f"density under {letter}"].iloc[::997]
        expected = scipy_mixture(
            mixture.means[0][:, :d], mixture.covariances[0][:, :d, :d], part[["x", "y"]].to_numpy()
        )
        np.testing.assert_allclose(part["log_density_nats"], expected, rtol=1e-8)


@pytest.fixture
def scipy_mixture():
    """Log-density of equally weighted Gaussians, by scipy; a line lies in the plane as a thin band."""
    from scipy.special import logsumexp
    from scipy.stats import multivariate_normal

    def evaluate(means, covariances, points):
        if means.shape[1] == 1:
            means = np.column_stack([means, np.zeros(len(means))])
            covariances = np.array([np.diag([c.item(), 1e-3]) for c in covariances])
        parts = [multivariate_normal(m, c).logpdf(points) for m, c in zip(means, covariances, strict=True)]
        return logsumexp(parts, axis=0) - np.log(len(means))

    return evaluate


def test_both_panels_of_figure_2_show_every_point(world):
    figure, _ = world_figure(world, "Title", "coordinate", 8.0)
    (x_low, x_high), (y_low, y_high) = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
    for points in (world.anchors, world.synthetic):
        assert ((x_low <= points[:, 0]) & (points[:, 0] <= x_high)).all()
        if points.shape[1] > 1:
            assert ((y_low <= points[:, 1]) & (points[:, 1] <= y_high)).all()
    assert figure.axes[0].get_title() == f"anchor data on the target $G$ ({len(world.anchors)} points)"
    assert "K=2, J=3, L=1" in figure.get_suptitle()
    assert f"{CONTOUR_NATS} nats a step" in figure.get_suptitle()
    assert CONTOUR_STEPS > 1


def test_figure_5_holds_every_component_of_the_four_mixtures(world, tmp_path):
    figure, numbers = setting_figure(world, "Title", "principal component", 8.0)
    saved(tmp_path, figure, numbers)
    assert [ax.get_xlabel() for ax in figure.axes] == ["principal component 1"] * 4
    kinds = {name: list(part["kind"]) for name, part in numbers.groupby("mixture", sort=False)}
    assert kinds == {
        "G": ["K", "K", "J", "J", "J"],
        "pi_anchor": ["fitted"] * 2,
        "M": ["K", "K", "J", "J", "J", "L"],
        "pi_gen": ["fitted"] * 6,
    }
    for name, mixture in (("G", world.truth), ("M", world.generator), ("pi_gen", world.fit_synthetic)):
        part = numbers[numbers["mixture"] == name]
        np.testing.assert_array_equal(part["x"], mixture.means[0, :, 0])
        np.testing.assert_array_equal(part["xx"], mixture.covariances[0, :, 0, 0])
        if mixture.dimensions > 1:
            np.testing.assert_array_equal(part["y"], mixture.means[0, :, 1])
            np.testing.assert_array_equal(part["xy"], mixture.covariances[0, :, 0, 1])


def test_an_ellipse_of_figure_5_has_its_components_spread_and_tilt(world):
    figure, numbers = setting_figure(world, "Title", "coordinate", 8.0)
    shown = iter([patch for ax in figure.axes for patch in ax.patches])
    for row in numbers.itertuples():
        covariance = np.array([[row.xx, row.xy], [row.xy, row.yy]])
        for sigmas in (2, 1):
            ellipse = next(shown)
            angle = np.radians(ellipse.angle)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            half = np.array([ellipse.width, ellipse.height]) / (2 * sigmas)
            np.testing.assert_allclose(turn @ np.diag(half**2) @ turn.T, covariance, atol=1e-9 * covariance.max())
            np.testing.assert_allclose(ellipse.center, (row.x, row.y))


# The round that is shown.


@pytest.fixture
def artifacts(tmp_path):
    """Archives of three rounds of two conditions, in blocks of two rounds."""
    worlds, points, anchors, synthetic = make_world(2, rounds=3)
    paths = []
    for name, arrays in (
        ("worlds", worlds.arrays()),
        ("synthetic", {"points": points}),
        ("fit_anchors", anchors.arrays()),
        ("fit_synthetic", synthetic.arrays()),
    ):
        paths.append(str(tmp_path / f"{name}.npz"))
        with block_writer(paths[-1]) as writer:
            for first, last in ((0, 2), (2, 3)):
                writer.write(CONDITION.name, first, {k: a[first:last] for k, a in arrays.items()})
    return paths, worlds, points, anchors, synthetic


def test_the_example_is_the_first_round(artifacts):
    paths, worlds, points, anchors, synthetic = artifacts
    found = read_example(paths, CONDITION.name)
    assert found.condition == CONDITION
    np.testing.assert_array_equal(found.anchors, worlds.anchors[0].reshape(-1, 2))
    np.testing.assert_array_equal(found.synthetic, points[0])
    for mixture, expected in (
        (found.truth, worlds.truth),
        (found.generator, worlds.generator),
        (found.fit_anchors, anchors.mixtures),
        (found.fit_synthetic, synthetic.mixtures),
    ):
        for part in ("weights", "means", "covariances"):
            np.testing.assert_array_equal(getattr(mixture, part), getattr(expected, part)[:1])


@pytest.mark.parametrize("which", range(4))
def test_a_damaged_artifact_is_named(artifacts, which):
    paths = artifacts[0]
    os.truncate(paths[which], Path(paths[which]).stat().st_size // 2)
    with pytest.raises(UserError) as caught:
        read_example(paths, CONDITION.name)
    assert str(caught.value).startswith(f"{paths[which]}: is damaged or missing")


def test_a_condition_that_is_not_there_is_told(artifacts):
    with pytest.raises(UserError, match="holds no condition K9_J2_L2"):
        read_example(artifacts[0], "K9_J2_L2")


# On the disk.


class Unwilling(Figure):
    """Half of it is written, then it fails."""

    def savefig(self, file, **_):
        file.write(b"half")
        raise RuntimeError("no more ink")


def test_a_figure_that_fails_leaves_the_old_files_whole(tmp_path):
    figure, numbers = drawn_gaps(*gaps(estimators=("forward",)))
    before = saved(tmp_path, figure, numbers)
    with pytest.raises(RuntimeError, match="no more ink"):
        save_figure(Unwilling(), numbers, str(tmp_path / "figure"), 60)
    assert {path.suffix[1:]: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        save_figure(*drawn_gaps(*gaps(estimators=("forward",))), str(tmp_path / "file" / "figure"), 60)


def test_another_process_draws_the_same_bytes(tmp_path):
    script = (
        "import sys, pandas as pd; from matplotlib.figure import Figure;"
        "from ggmi.plotting.style import house_style, save_figure\n"
        "with house_style():\n"
        "    figure = Figure(); figure.subplots().plot([1, 2, 3], label='a'); figure.legend()\n"
        "save_figure(figure, pd.DataFrame({'x': [1.5]}), sys.argv[1], 60)"
    )
    for name, seed in (("one", "1"), ("two", "2")):
        subprocess.run(
            [sys.executable, "-c", script, tmp_path / name / "figure"],
            env={**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": seed},
            check=True,
            timeout=120,
        )
    for kind in ("svg", "png", "csv"):
        assert (tmp_path / f"one/figure.{kind}").read_bytes() == (tmp_path / f"two/figure.{kind}").read_bytes()
