"""From fitted mixtures to the study's tables: divergences, KL gaps, trends and verdicts.

Gan & Liu, arXiv 2410.01720, section 4.4, appendix B and figure 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ggmi.mixtures.divergence import kl_divergence
from ggmi.mixtures.gaussian import Array, Mixtures
from ggmi.mixtures.histogram import histogram_divergences
from ggmi.mixtures.worlds import HISTOGRAMS
from ggmi.statistics import Interval, holm, mean_interval, median_interval, trend

# Figure 4 as published: the KL gap falls with K, rises with J, falls with L.
PUBLISHED_DIRECTION = {"K": -1, "J": 1, "L": -1}
# Family-wise error of all verdicts in one table of trends.
ALPHA = 0.05

TREND_COLUMNS = (
    *("covariance", "anchor_components", "estimator", "axis", "conditions", "rounds"),
    *("spearman", "spearman_ci_low", "spearman_ci_high"),
    *("slope_nats", "slope_nats_ci_low", "slope_nats_ci_high", "p_value"),
)
# The null of a histogram is averaged over rounds besides, so a tenth of the resamplings suffices.
NULL_SHARE = 10

Verdict = Literal["as_published", "against", "undecided"]
Generators = Sequence[np.random.Generator]


def divergences(
    estimator: str,
    settings: Mapping[str, Any],
    truth: Mixtures,
    fits: Mapping[str, Mixtures],
    generators: Mapping[str, Generators],
) -> dict[str, NDArray]:
    """Estimate the divergence between each fitted mixture and the truth.

    Parameters
    ----------
    estimator
        ``released_histogram``, ``aligned_histogram``, ``forward`` (D_KL(fit || G)) or ``reverse``
        (D_KL(G || fit)).
    settings
        That estimator's settings: keyword arguments of `histogram_divergences` or `kl_divergence`.
    truth
        The R target mixtures G.
    fits
        Fitted mixtures by name, R each.
    generators
        Random generators by name of fit, under ``truth`` for the truth's own points, and under
        ``null`` for a second sample of the truth.

    Returns
    -------
    dict of str to ndarray, shape (R,)
        ``<fit>_value`` and ``<fit>_error`` (Monte-Carlo standard error), in nats, and
        ``<fit>_points`` (points drawn). Histograms also give the fit ``null``: what they read when
        the truth is compared with itself and the divergence is zero.
    """
    names = list(fits)
    result: dict[str, NDArray] = {}
    if estimator not in HISTOGRAMS:
        for name in names:
            pair = (fits[name], truth) if estimator == "forward" else (truth, fits[name])
            estimate = kl_divergence(*pair, generators[name], **settings)
            result[f"{name}_value"] = estimate.value
            result[f"{name}_error"] = estimate.standard_error
            result[f"{name}_points"] = estimate.points
        return result
    edges: Literal["own", "common"] = "own" if estimator == "released_histogram" else "common"
    few = {**settings, "resamplings": max(2, settings["resamplings"] // NULL_SHARE)}
    parts = [
        (dict(fits), [generators[name] for name in ("truth", *names)], settings),
        ({"null": truth}, [generators["truth"], generators["null"]], few),
    ]
    for mixtures, streams, used in parts:
        found = histogram_divergences(list(mixtures.values()), truth, streams, edges=edges, **used)
        for name, (value, error) in zip(mixtures, found, strict=True):
            result[f"{name}_value"] = value
            result[f"{name}_error"] = error
            result[f"{name}_points"] = np.full(truth.rounds, used["points"] * used["resamplings"])
    return result


def gap_summary(gaps: Array, generator: np.random.Generator) -> dict[str, float]:
    """Summarise the KL gaps of one condition over its rounds.

    Parameters
    ----------
    gaps
        D_KL(pi_anchor, G) - D_KL(pi_gen, G) of each round in nats, shape (rounds,).
    generator
        Source of bootstrap resamples.

    Returns
    -------
    dict
        Mean with BCa bootstrap interval, standard deviation over rounds, median with
        order-statistic interval; all in nats.
    """
    return {key if key == "rounds" else f"{key}_nats": value for key, value in summary(gaps, generator).items()}


def summary(values: Array, generator: np.random.Generator, *, resamples: int = 9999) -> dict[str, float]:
    """Summarise one outcome of one condition over its rounds.

    Parameters
    ----------
    values
        Shape (rounds,).
    generator
        Source of bootstrap resamples.
    resamples
        How many.

    Returns
    -------
    dict
        Mean with BCa bootstrap interval, standard deviation over rounds, median with
        order-statistic interval.
    """
    mean = mean_interval(values, generator, resamples=resamples)
    median = median_interval(values)
    return {
        "rounds": len(values),
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)),
        "median": float(np.median(values)),
        "ci_low": mean.low,
        "ci_high": mean.high,
        "median_ci_low": median.low,
        "median_ci_high": median.high,
    }


def gap_trend(values: Sequence[int], gaps: Array, generator: np.random.Generator) -> dict[str, float]:
    """Measure how the KL gap moves along one sweep.

    Parameters
    ----------
    values
        Sweep values, shape (m,).
    gaps
        KL gap of each round at each value in nats, shape (m, rounds).
    generator
        Source of resamples and permutations.

    Returns
    -------
    dict
        Spearman correlation over all rounds and least-squares slope of the mean gap (nats a
        component), each with a bootstrap interval, and the permutation p-value.
    """
    found = trend_summary(values, gaps, generator)
    return {key.replace("slope", "slope_nats"): value for key, value in found.items()}


def trend_summary(
    values: Sequence[int], outcomes: Array, generator: np.random.Generator, **draws: int
) -> dict[str, float]:
    """Measure how an outcome moves along one sweep.

    Parameters
    ----------
    values
        Sweep values, shape (m,).
    outcomes
        Outcome of each round at each value, shape (m, rounds).
    generator
        Source of resamples and permutations.
    **draws
        Numbers of them, see `ggmi.statistics.trend`.

    Returns
    -------
    dict
        Spearman correlation over all rounds and least-squares slope of the mean outcome (its unit a
        component), each with a bootstrap interval, and the permutation p-value.
    """
    found = trend(values, outcomes, generator, **draws)

    def ends(name: str, interval: Interval) -> dict[str, float]:
        return {f"{name}_ci_low": interval.low, f"{name}_ci_high": interval.high}

    return {
        "spearman": found.spearman,
        **ends("spearman", found.spearman_interval),
        "slope": found.slope,
        **ends("slope", found.slope_interval),
        "p_value": found.p_value,
    }


def verdicts(axes: Sequence[str], spearman: Sequence[float], p_values: Sequence[float]) -> tuple[Array, list[Verdict]]:
    """Judge each trend against the published direction, correcting for all of them at once.

    Parameters
    ----------
    axes
        Swept number of each trend.
    spearman
        Its rank correlation.
    p_values
        Its p-value.

    Returns
    -------
    p_holm : ndarray
        Holm-corrected p-values.
    verdicts : list of str
        ``undecided`` where the corrected p-value exceeds 0.05, else ``as_published`` or
        ``against``.

    Examples
    --------
    >>> verdicts(["K", "J", "L"], [-0.5, -0.4, 0.01], [0.001, 0.001, 0.9])[1]
    ['as_published', 'against', 'undecided']
    """
    corrected, signs = agreement([PUBLISHED_DIRECTION[axis] for axis in axes], spearman, p_values)
    words: dict[int, Verdict] = {1: "as_published", -1: "against", 0: "undecided"}
    return corrected, [words[sign] for sign in signs]


def agreement(
    directions: Sequence[int], spearman: Sequence[float], p_values: Sequence[float]
) -> tuple[Array, list[int]]:
    """Compare trends with claimed directions, correcting for all of them at once.

    Parameters
    ----------
    directions
        Claimed direction of each trend, +1 or -1.
    spearman
        Its rank correlation.
    p_values
        Its p-value.

    Returns
    -------
    p_holm : ndarray
        Holm-corrected p-values.
    signs : list of int
        0 where the corrected p-value exceeds 0.05, else +1 where the trend goes as claimed and -1
        where it goes the other way.

    Examples
    --------
    >>> agreement([1, 1, -1], [0.5, -0.4, 0.01], [0.001, 0.001, 0.9])[1]
    [1, -1, 0]
    """
    corrected = holm(p_values)
    signs = []
    for direction, correlation, p in zip(directions, spearman, corrected, strict=True):
        signs.append(0 if p > ALPHA else 1 if correlation * direction > 0 else -1)
    return corrected, signs


def fit_quality(arrays: Mapping[str, NDArray]) -> dict[str, float]:
    """How EM went over the rounds of one condition.

    Parameters
    ----------
    arrays
        ``iterations``, ``converged``, ``collapsed`` and ``log_likelihood`` of each round.

    Returns
    -------
    dict
        Rounds, share converged, mean iterations, share of rounds with a collapsed component, mean
        number of them, and mean log-likelihood in nats a point.
    """
    return {
        "rounds": len(arrays["converged"]),
        "converged_share": float(arrays["converged"].mean()),
        "mean_iterations": float(arrays["iterations"].mean()),
        "collapsed_share": float((arrays["collapsed"] > 0).mean()),
        "mean_collapsed_components": float(arrays["collapsed"].mean()),
        "mean_log_likelihood_nats_per_point": float(arrays["log_likelihood"].mean()),
    }


def divergence_accuracy(arrays: Mapping[str, NDArray], settings: Mapping[str, float]) -> dict[str, float]:
    """How precise the divergences of one condition are.

    Parameters
    ----------
    arrays
        ``value``, ``error`` (standard error) and ``points`` of each round.
    settings
        The estimator's settings; exact ones state the precision that was wanted.

    Returns
    -------
    dict
        Rounds, median value, largest standard error, share of rounds that reached the wanted
        precision (NaN for histograms, which promise none), median and largest number of points.
    """
    reached = np.nan
    if "relative_error" in settings:
        wanted = np.maximum(settings["relative_error"] * np.abs(arrays["value"]), settings["absolute_error"])
        reached = float((arrays["error"] <= wanted).mean())
    return {
        "rounds": len(arrays["value"]),
        "median_nats": float(np.median(arrays["value"])),
        "largest_error_nats": float(arrays["error"].max()),
        "precision_reached_share": reached,
        "median_points": float(np.median(arrays["points"])),
        "largest_points": int(arrays["points"].max()),
    }
