"""Figures of the Gaussian-mixture study: the setting, one world in the plane, and KL gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Patch
from matplotlib.ticker import MaxNLocator

from ggmi.mixtures.gaussian import Array, Mixtures, log_density
from ggmi.mixtures.worlds import Condition
from ggmi.plotting.style import BLUE, GREEN, INK, KIND_COLOURS, KIND_NAMES, MUTED, VERMILION, house_style
from ggmi.plotting.summaries import summary_legend, summary_line

ESTIMATOR_NAMES = {
    "released_histogram": "released histogram\n(own bin edges)",
    "aligned_histogram": "aligned histogram\n(common bin edges)",
    "forward": "forward\n$D_{KL}(\\pi\\|G)$, exact",
    "reverse": "reverse\n$D_{KL}(G\\|\\pi)$, exact",
}
AXIS_NAMES = {"K": "K, anchored components", "J": "J, unsampled components", "L": "L, irrelevant components"}
PUBLISHED_NAMES = {-1: "falls", 1: "rises"}
# Heavy-tailed gaps need a scale that is linear near zero and logarithmic beyond.
SYMLOG_FROM = 10.0
GRID_POINTS = 120
# Density contours: steps below the peak, in nats.
CONTOUR_STEPS, CONTOUR_NATS = 7, 1.5


@dataclass(frozen=True)
class ExampleWorld:
    """One round in its first two coordinates.

    Parameters
    ----------
    condition
        Numbers of components.
    truth, generator, fit_anchors, fit_synthetic
        Mixtures, one round each.
    anchors, synthetic
        Points, shape (n, d).
    """

    condition: Condition
    truth: Mixtures
    generator: Mixtures
    fit_anchors: Mixtures
    fit_synthetic: Mixtures
    anchors: Array
    synthetic: Array


def kl_gap_figure(
    table: pd.DataFrame,
    trends: pd.DataFrame,
    sweeps: Mapping[str, Sequence[Condition]],
    published: Mapping[str, int],
    title: str,
    width: float,
) -> tuple[Figure, pd.DataFrame]:
    """KL gap along each sweep (columns) by each estimator (rows): figure 4 of the paper, audited.

    Parameters
    ----------
    table
        Rows of ``kl_gap.csv`` of one covariance and anchor variant.
    trends
        Rows of ``trends.csv`` of the same variant.
    sweeps
        Conditions of each sweep, by axis.
    published
        Direction in which the published figure goes, +1 or -1, by axis.
    title
        Headline.
    width
        Width in inches.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
    """
    estimators = list(dict.fromkeys(table["estimator"]))
    rows = table.set_index(["K", "J", "L", "estimator"])
    drawn = []
    with house_style():
        figure = Figure(figsize=(width, 0.35 * width * 0.62 * len(estimators) + 1.2))
        axes = figure.subplots(len(estimators), len(sweeps), squeeze=False, sharey="row")
        for i, estimator in enumerate(estimators):
            of_estimator = table[table["estimator"] == estimator]
            heavy_tailed = (of_estimator["mean_nats"].abs() + of_estimator["sd_nats"]).max() > 10 * SYMLOG_FROM
            for j, (axis, conditions) in enumerate(sweeps.items()):
                ax = axes[i, j]
                found = [rows.loc[(c.K, c.J, c.L, estimator)] for c in conditions]
                part = pd.DataFrame(found).reset_index(drop=True)
                part.insert(0, "value", [getattr(c, axis) for c in conditions])
                ax.axhline(0, color=MUTED, linewidth=0.9)
                summary_line(ax, part.rename(columns=lambda name: name.removesuffix("_nats")), KIND_COLOURS[axis])
                if heavy_tailed:
                    ax.set_yscale("symlog", linthresh=SYMLOG_FROM)
                ax.set_title(_panel_title(trends, estimator, axis, published[axis]), fontsize=8.5, loc="left")
                if i == len(estimators) - 1:
                    ax.set_xlabel(AXIS_NAMES[axis])
                ax.xaxis.set_major_locator(MaxNLocator(integer=True))
                drawn.append(part.assign(axis=axis, estimator=estimator))
            axes[i, 0].set_ylabel(f"{ESTIMATOR_NAMES[estimator]}\nKL gap (nats)")
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")
        summary_legend(figure)
    return figure, pd.concat(drawn, ignore_index=True)


def _panel_title(trends: pd.DataFrame, estimator: str, axis: str, published: int) -> str:
    """What was published, and the verdict on it."""
    row = trends[(trends["estimator"] == estimator) & (trends["axis"] == axis)]
    claim = f"published: {PUBLISHED_NAMES[published]}"
    if row.empty:
        return claim
    found = row.iloc[0]
    correlation = f"ρ = {found['spearman']:+.2f} [{found['spearman_ci_low']:+.2f}, {found['spearman_ci_high']:+.2f}]"
    return f"{claim} · {found['verdict'].replace('_', ' ')}\n{correlation}"


def world_figure(world: ExampleWorld, title: str, coordinate: str, width: float) -> tuple[Figure, pd.DataFrame]:
    """Anchors on the target's density beside synthetic points on the generator's: figure 2.

    Parameters
    ----------
    world
        The round drawn.
    title
        Headline.
    coordinate
        What an axis shows, without its number.
    width
        Width in inches.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        Points, and densities on a grid, in the first two coordinates (the first against zero in
        one dimension).
    """
    panels = [
        ("anchors", world.anchors, world.truth, "anchor data on the target $G$"),
        ("synthetic", world.synthetic, world.generator, "synthetic data on the generator $M$"),
    ]
    low, high = _limits([world.anchors, world.synthetic], [world.truth, world.generator])
    drawn = []
    with house_style():
        figure = Figure(figsize=(width, 0.52 * width))
        axes = figure.subplots(1, 2, sharex=True, sharey=True)
        for ax, (name, points, mixture, label) in zip(axes, panels, strict=True):
            plane = _plane(points)
            grid_x, grid_y, density = _density_grid(mixture, low, high)
            levels = density.max() - CONTOUR_NATS * np.arange(CONTOUR_STEPS, -1, -1.0)
            shades = [str(0.96 - 0.07 * step) for step in range(CONTOUR_STEPS)]
            ax.contourf(grid_x, grid_y, density, levels=levels, colors=shades)
            ax.scatter(*plane.T, s=11, color=BLUE if name == "anchors" else VERMILION, linewidth=0.3, edgecolor="white")
            ax.set(title=f"{label} ({len(plane)} points)", xlabel=f"{coordinate} 1", aspect="equal")
            ax.grid(visible=False)
            drawn.append(pd.DataFrame({"kind": name, "x": plane[:, 0], "y": plane[:, 1], "log_density_nats": np.nan}))
            x, y = np.meshgrid(grid_x, grid_y)
            drawn.append(
                pd.DataFrame(
                    {
                        "kind": f"density under {'G' if name == 'anchors' else 'M'}",
                        "x": x.ravel(),
                        "y": y.ravel(),
                        "log_density_nats": density.ravel(),
                    }
                )
            )
        axes[0].set_ylabel(f"{coordinate} 2")
        headline = f"{title}: one round at {_condition_text(world.condition)}"
        figure.suptitle(f"{headline}; shading falls by {CONTOUR_NATS} nats a step", fontsize=11, x=0.01, ha="left")
    return figure, pd.concat(drawn, ignore_index=True)


def setting_figure(world: ExampleWorld, title: str, coordinate: str, width: float) -> tuple[Figure, pd.DataFrame]:
    """The study's four mixtures as ellipses, from target to students: figure 5.

    Parameters
    ----------
    world
        The round drawn.
    title
        Headline.
    coordinate
        What an axis shows, without its number.
    width
        Width in inches.

    Returns
    -------
    figure : Figure
    numbers : DataFrame
        Centres and covariances of every component drawn.
    """
    c = world.condition
    target = ["K"] * c.K + ["J"] * c.J
    panels = [
        ("G", "target $G$", world.truth, target, None),
        ("pi_anchor", "$\\pi^{anchor}$, fitted to anchors", world.fit_anchors, None, world.anchors),
        ("M", "generator $M$", world.generator, [*target, *["L"] * c.L], None),
        ("pi_gen", "$\\pi^{gen}$, fitted to synthetic data", world.fit_synthetic, None, world.synthetic),
    ]
    low, high = _limits([world.anchors, world.synthetic], [world.truth, world.generator])
    drawn = []
    with house_style():
        figure = Figure(figsize=(width, 0.34 * width))
        axes = figure.subplots(1, 4, sharex=True, sharey=True)
        for ax, (name, label, mixture, kinds, points) in zip(axes, panels, strict=True):
            if points is not None:
                ax.scatter(*_plane(points).T, s=4, color=MUTED, alpha=0.5, linewidth=0)
            means, covariances = _marginal(mixture)
            for i, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
                colour = KIND_COLOURS[kinds[i]] if kinds else GREEN
                _ellipse(ax, mean, covariance, colour)
                spread = {"xx": covariance[0, 0], "xy": covariance[0, 1], "yy": covariance[1, 1]}
                kind = kinds[i] if kinds else "fitted"
                drawn.append({"mixture": name, "kind": kind, "x": mean[0], "y": mean[1], **spread})
            ax.set(
                title=label, xlabel=f"{coordinate} 1", aspect="equal", xlim=(low[0], high[0]), ylim=(low[1], high[1])
            )
        axes[0].set_ylabel(f"{coordinate} 2")
        handles = [Patch(facecolor=KIND_COLOURS[k], alpha=0.6, label=KIND_NAMES[k]) for k in ("K", "J", "L")]
        handles.append(Patch(facecolor=GREEN, alpha=0.6, label="fitted by EM"))
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
        figure.suptitle(f"{title}: the setting, one round at {_condition_text(c)}", fontsize=11, x=0.01, ha="left")
    return figure, pd.DataFrame(drawn)


def _condition_text(condition: Condition) -> str:
    return f"K={condition.K}, J={condition.J}, L={condition.L}"


def _plane(points: Array) -> Array:
    """The first two coordinates; in one dimension the second is zero."""
    return points[:, :2] if points.shape[1] > 1 else np.column_stack([points[:, 0], np.zeros(len(points))])


def _marginal(mixture: Mixtures) -> tuple[Array, Array]:
    """Means (C, 2) and covariances (C, 2, 2) of the first two coordinates of a single mixture."""
    means, covariances = mixture.means[0], mixture.covariances[0]
    if mixture.dimensions > 1:
        return means[:, :2], covariances[:, :2, :2]
    flat = np.tile(np.eye(2) * 1e-3, (len(means), 1, 1))
    flat[:, 0, 0] = covariances[:, 0, 0]
    return _plane(means), flat


def _limits(points: Sequence[Array], mixtures: Sequence[Mixtures]) -> tuple[Array, Array]:
    """Corners of a plane that holds all points and two standard deviations of all components."""
    low, high = [], []
    for cloud in points:
        low.append(_plane(cloud).min(axis=0))
        high.append(_plane(cloud).max(axis=0))
    for mixture in mixtures:
        means, covariances = _marginal(mixture)
        reach = 2 * np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
        low.append((means - reach).min(axis=0))
        high.append((means + reach).max(axis=0))
    return np.min(low, axis=0) - 0.5, np.max(high, axis=0) + 0.5


def _density_grid(mixture: Mixtures, low: Array, high: Array) -> tuple[Array, Array, Array]:
    """Log-density (nats) of the first two coordinates on a grid."""
    means, covariances = _marginal(mixture)
    plane = Mixtures(mixture.weights, means[None], covariances[None])
    x, y = (np.linspace(low[i], high[i], GRID_POINTS) for i in range(2))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(1, -1, 2)
    return x, y, log_density(plane, grid).reshape(GRID_POINTS, GRID_POINTS)


def _ellipse(ax: Axes, mean: Array, covariance: Array, colour: str) -> None:
    """Ellipses of one and two standard deviations."""
    scale, axes = np.linalg.eigh(covariance)
    angle = float(np.degrees(np.arctan2(axes[1, 1], axes[0, 1])))
    for sigmas, alpha in ((2, 0.22), (1, 0.5)):
        width, height = 2 * sigmas * np.sqrt(scale[1]), 2 * sigmas * np.sqrt(scale[0])
        ax.add_patch(Ellipse(tuple(mean), width, height, angle=angle, facecolor=colour, alpha=alpha, edgecolor="none"))
    ax.plot(*mean, marker="+", color=INK, markersize=4, markeredgewidth=0.8)
