"""What is timed inside one Python process: `run.py` starts this file once a measurement, so that each gets the number
of threads it is meant to have. Usage: measure.py NAME JSON; the last line printed is the result as JSON.
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
import reference
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, ScalarFormatter
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from ggmi.config import MixtureStudy
from ggmi.mixtures.divergence import kl_divergence
from ggmi.mixtures.em import fit
from ggmi.mixtures.worlds import Condition, random_worlds, synthetic_points
from ggmi.plotting.style import BLUE, GREEN, INK, MUTED, VERMILION, house_style, save_figure
from ggmi.random import round_streams, stream

SEED = 20241001
STUDY = MixtureStudy()
UNSWEPT = {"rounds": 100, "K": 2, "d": 2}
STEPS = {"worlds": BLUE, "fits": GREEN, "forward": VERMILION, "total": INK}
AXIS_TITLES = {"rounds": "rounds", "K": "K, anchored components", "d": "d, dimensions"}


def reference_rounds(values, rounds, part):
    """Time `rounds` rounds of the reference at every sweep point; seconds and KL gaps of each round."""
    reference.kl_gap(2, 2, 2, stream(SEED, "warm-up"), resamplings=2)
    points = []
    for K, J, L in reference.sweep_points(values):
        rng = stream(SEED, "reference", part, len(points))
        seconds, gaps = [], []
        for _ in range(rounds):
            started = time.perf_counter()
            gaps.append(reference.kl_gap(K, J, L, rng))
            seconds.append(time.perf_counter() - started)
        points.append({"K": K, "J": J, "L": L, "seconds": seconds, "gaps": gaps})
    return points


def em_comparison(datasets, repeats):
    """Time batched EM against scikit-learn's, one by one, on the same data sets; settings are both sides' defaults."""
    shapes = [
        ("synthetic", Condition(2, 2, 2)),
        ("synthetic", Condition(15, 2, 2)),
        ("anchors", Condition(15, 2, 2)),
    ]
    rows = []
    for source, condition in shapes:
        streams = {use: round_streams(SEED, condition.name, use, rounds=range(datasets)) for use in ("world", "points")}
        worlds = random_worlds(condition, 2, 50, "psd", streams["world"])
        if source == "synthetic":
            points, components = synthetic_points(worlds.generator, 200, streams["points"]), condition.total
        else:
            points, components = worlds.anchors.reshape(datasets, -1, 2), condition.K
        seconds = {"ggmi": [], "scikit-learn": []}
        for repeat in range(repeats + 1):  # the first warms up
            started = time.perf_counter()
            ours = fit(points, components, round_streams(SEED, "fit", repeat, rounds=range(datasets)))
            halfway = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                theirs = [GaussianMixture(components, random_state=repeat).fit(x) for x in points]
            seconds["ggmi"].append(halfway - started)
            seconds["scikit-learn"].append(time.perf_counter() - halfway)
        likelihood = [model.score(x) for model, x in zip(theirs, points, strict=True)]
        difference = ours.log_likelihood - likelihood
        rows.append(
            {
                "points": points.shape[1],
                "components": components,
                "datasets": datasets,
                "ggmi_seconds": float(np.median(seconds["ggmi"][1:])),
                "sklearn_seconds": float(np.median(seconds["scikit-learn"][1:])),
                "sklearn_log_likelihood": float(np.mean(likelihood)),
                "difference": float(difference.mean()),
                "difference_error": float(difference.std(ddof=1) / np.sqrt(datasets)),
            }
        )
    return rows


def study_seconds(rounds, K, d):
    """Seconds that the library takes for worlds, both fits and both forward divergences of one condition."""
    condition = Condition(K, STUDY.J, STUDY.L)

    def streams(use):
        return round_streams(SEED, condition.name, use, rounds=range(rounds))

    marks = [time.perf_counter()]
    worlds = random_worlds(condition, d, STUDY.anchors_per_component, "psd", streams("world"))
    synthetic = synthetic_points(worlds.generator, STUDY.synthetic_size, streams("synthetic"))
    marks.append(time.perf_counter())
    settings = STUDY.em.model_dump()
    fits = [
        fit(worlds.anchors.reshape(rounds, -1, d), K, streams("fit anchors"), **settings),
        fit(synthetic, condition.total, streams("fit synthetic"), **settings),
    ]
    marks.append(time.perf_counter())
    for index, fitted in enumerate(fits):
        kl_divergence(fitted.mixtures, worlds.truth, streams(f"forward {index}"), **STUDY.forward.model_dump())
    marks.append(time.perf_counter())
    return [*np.diff(marks), marks[-1] - marks[0]]


def growth(axes, rounds_along_d, repeats, stem):
    """Time one condition along rounds, components and dimensions, the faster of some repeats; draw and tabulate it."""
    study_seconds(**UNSWEPT)
    rows = []
    for axis, values in axes.items():
        for value in values:
            numbers = {**UNSWEPT, **({"rounds": rounds_along_d} if axis == "d" else {}), axis: value}
            times = np.min([study_seconds(**numbers) for _ in range(repeats)], axis=0)
            rows.append({"axis": axis, **numbers, **{f"{s}_seconds": t for s, t in zip(STEPS, times, strict=True)}})
        print(f"  growth along {axis} measured", file=sys.stderr, flush=True)
    table = pd.DataFrame(rows)
    save_figure(growth_figure(table), table, stem, dpi=150)
    return rows


def growth_figure(table):
    """Seconds of each step along each axis, double-logarithmic, with the slope of proportional growth."""
    with house_style():
        figure = Figure(figsize=(10, 3.6))
        panels = figure.subplots(1, table["axis"].nunique(), sharey=True)
        for ax, (axis, part) in zip(panels, table.groupby("axis", sort=False), strict=True):
            x = part[axis]
            for step, colour in STEPS.items():
                width = 2 if step == "total" else 1.4
                ax.plot(
                    x, part[f"{step}_seconds"], color=colour, marker="o", markersize=3.5, linewidth=width, label=step
                )
            proportional = part["total_seconds"].iloc[0] * x / x.iloc[0]
            ax.plot(x, proportional, color=MUTED, linestyle=":", label="in proportion")
            ax.set(xscale="log", yscale="log", xlabel=AXIS_TITLES[axis], xticks=list(x))
            ax.xaxis.set_major_formatter(ScalarFormatter())
            ax.xaxis.set_minor_locator(NullLocator())
            others = ", ".join(f"{name} = {part[name].iloc[0]}" for name in UNSWEPT if name != axis)
            ax.set_title(f"{others}, J = L = {STUDY.L}", loc="left")
        panels[0].set_ylabel("time of one condition (seconds)")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


if __name__ == "__main__":
    measurement = {f.__name__: f for f in (reference_rounds, em_comparison, growth)}[sys.argv[1]]
    print(json.dumps(measurement(**json.loads(sys.argv[2]))))
