"""What a solved problem costs, in samples, tokens and money, and where more samples stop paying."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np
import pandas as pd

from ggmi.errors import UserError
from ggmi.scaling.curves import LEVEL, Curve, over_problems, resamples, stacked
from ggmi.scaling.intervals import resampled_sums
from ggmi.scaling.samples import Array, Samples
from ggmi.scaling.settings import Settings


def _tokens(samples: Samples) -> Array | None:
    """Mean tokens of a problem's samples; where a problem has none, the mean of all."""
    if samples.tokens is None or np.isnan(samples.tokens).all():
        return None
    known = ~np.isnan(samples.tokens)
    counts = np.bincount(samples.problem, known, len(samples.problems))
    sums = np.bincount(samples.problem, np.where(known, samples.tokens, 0), len(samples.problems))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nanmean(samples.tokens))


def cost_a_sample(samples: Samples, settings: Settings) -> tuple[Array | None, list[str]]:
    """Price of a sample of each problem, and what is not known of tokens.

    Parameters
    ----------
    samples
        The samples.
    settings
        With the price.

    Returns
    -------
    cost : ndarray, shape (problems,), or None
        None without a price.
    notes : list of str

    Raises
    ------
    UserError
        If the price is one of tokens, and these are not known.
    """
    tokens = _tokens(samples)
    missing = 0 if samples.tokens is None else int(np.isnan(samples.tokens).sum())
    notes = [f"{missing:,} samples lack their tokens; those of their problems stand for them."] if missing else []
    if settings.price is None:
        return None, notes
    if not settings.by_tokens:
        return np.full(len(samples.problems), settings.price), notes
    if tokens is None:
        raise UserError("--price-tokens: no column of tokens is known; name it with --tokens")
    return settings.price * tokens / 1000, notes


def cost_tables(
    samples: Samples, curves: Sequence[Curve], ks: Sequence[int], cost: Array | None, settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cost of a solved problem, and the k beyond which samples do not pay.

    Parameters
    ----------
    samples
        The samples.
    curves
        Of `ggmi.scaling.curves.curves_of`.
    ks
        Numbers of samples.
    cost
        Price of a sample, shape (problems,); None where it is unknown.
    settings
        With the value of a solved problem.

    Returns
    -------
    cost : DataFrame
        Columns method, score, k, and for samples, tokens and price ``…_a_solved``, ``…_ci_low`` and
        ``…_ci_high``; net_value with a value.
    stops : DataFrame
        Columns method, score, k of the largest net value (0 where not even one sample pays) with ends of
        its interval, net_value, and whether it is the last k; empty without price and value.
    """
    counts = np.array(ks, dtype=float)
    units = {"samples": np.ones(len(samples.problems)), "tokens": _tokens(samples), "price": cost}
    rows = [{"method": curve.method, "score": curve.score, "k": k} for curve in curves for k in ks]
    below = stacked(curves)
    for unit, each in units.items():
        if each is None:
            continue
        spent = np.tile(each[:, None] * counts, (1, len(curves)))
        found = over_problems(spent, settings.seed, below)
        for i, row in enumerate(rows):
            ends = {
                f"{unit}_a_solved": found.value[i],
                f"{unit}_ci_low": found.low[i],
                f"{unit}_ci_high": found.high[i],
            }
            row.update({key: value if np.isfinite(value) else nan for key, value in ends.items()})
    if cost is None or settings.value is None:
        return pd.DataFrame(rows), pd.DataFrame()
    stops = []
    for at, curve in enumerate(curves):
        net = settings.value * curve.values - cost[:, None] * counts
        for row, value in zip(rows[at * len(ks) :], net.mean(axis=0), strict=False):
            row["net_value"] = value
        # No sample at all costs nothing and solves nothing.
        means = np.append(0.0, net.mean(axis=0))
        drawn = resampled_sums(np.insert(net, 0, 0.0, axis=1), resamples(settings.seed))
        most = np.append(0, ks)
        low, high = np.quantile(most[drawn.argmax(axis=1)], [LEVEL / 2, 1 - LEVEL / 2], method="nearest")
        chosen = int(means.argmax())
        stops.append(
            {
                "method": curve.method,
                "score": curve.score,
                "k": int(most[chosen]),
                "ci_low": int(low),
                "ci_high": int(high),
                "net_value": means[chosen],
                "last": chosen == len(ks),
            }
        )
    return pd.DataFrame(rows), pd.DataFrame(stops)
