"""What samples tell: accuracy by method and number of samples, reliability of scores, cost, claims, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ggmi.claims import Claim, claims_table
from ggmi.errors import UserError
from ggmi.scaling.cost import cost_a_sample, cost_tables
from ggmi.scaling.curves import (
    BEST,
    DRAWN,
    EXACT,
    LEVEL,
    MAJORITY,
    PASS,
    RANDOM,
    Curve,
    curves_of,
    grid,
    over_problems,
    stacked,
)
from ggmi.scaling.samples import Array, Samples
from ggmi.scaling.settings import Settings
from ggmi.scaling.verdict import Advice, advice

# Share of the problems that must have the most samples that are compared.
REACHED = 0.9


@dataclass(frozen=True)
class Scaling:
    """What was found.

    Parameters
    ----------
    curves
        Columns method, score, k, value, ci_low, ci_high, error, how, problems.
    reliability
        Columns score, k, reliability, ci_low, ci_high, threshold, threshold_ci_low, threshold_ci_high,
        one_over_k, gain, gain_ci_low, gain_ci_high.
    cost
        Columns method, score, k, samples_a_solved, tokens_a_solved, price_a_solved and its ends, net_value.
    stops
        The k beyond which more samples do not pay, by method; empty without price and value.
    claims
        Of `ggmi.claims.claims_table`.
    advice
        The verdict.
    problems, samples, most
        Problems and samples that were used, and the most samples a problem that were compared.
    notes
        Sentences on what was left out or is not exact.
    """

    curves: pd.DataFrame
    reliability: pd.DataFrame
    cost: pd.DataFrame
    stops: pd.DataFrame
    claims: pd.DataFrame
    advice: Advice
    problems: int
    samples: int
    most: int
    notes: list[str]


def scaling(samples: Samples, settings: Settings) -> Scaling:
    """Measure what more samples and choices among them are worth.

    All numbers of samples are compared on the same problems, those with enough samples; each problem
    counts the same, however many samples it has.

    Parameters
    ----------
    samples
        The samples.
    settings
        See `Settings`.

    Returns
    -------
    Scaling

    Raises
    ------
    UserError
        If no problem has as many samples as are asked for, or a price of tokens lacks tokens.
    """
    most = _most(samples.sizes) if settings.most is None else settings.most
    kept = samples.sizes >= most
    if not kept.any():
        raise UserError(
            f"--most: no problem has {most:,} samples; at most {int(samples.sizes.max()):,} can be compared"
        )
    notes = [] if kept.all() else [_left_out(samples.sizes, kept, most)]
    used = samples.of_problems(kept)
    ks = grid(most)
    curves, told = curves_of(used, ks, settings.seed)
    notes += told
    cost, said = cost_a_sample(used, settings)
    notes += said
    table = _curve_table(curves, ks, settings.seed)
    claims = _claims(curves, ks, settings)
    priced, stops = cost_tables(used, curves, ks, cost, settings)
    return Scaling(
        table,
        _reliability(curves, ks, settings.seed),
        priced,
        stops,
        claims_table(claims, level=LEVEL),
        _advice(curves, ks, settings),
        len(used.problems),
        len(used.correct),
        most,
        notes,
    )


def _most(sizes: NDArray) -> int:
    """The most samples that nearly all problems have."""
    return int(np.sort(sizes)[len(sizes) - int(np.ceil(REACHED * len(sizes)))])


def _left_out(sizes: NDArray, kept: NDArray, most: int) -> str:
    few = int((~kept).sum())
    return (
        f"{few:,} of {len(sizes):,} problems have fewer than {most:,} samples and are left out, so that every k is "
        f"measured on the same problems; --most {int(sizes.min())} keeps all."
    )


def _curve_table(curves: Sequence[Curve], ks: Sequence[int], seed: int) -> pd.DataFrame:
    found = over_problems(stacked(curves), seed)
    rows = []
    for i, (curve, j) in enumerate((curve, j) for curve in curves for j in range(len(ks))):
        error = sqrt(float(np.square(curve.errors[:, j]).sum())) / len(curve.values)
        rows.append(
            {
                "method": curve.method,
                "score": curve.score,
                "k": ks[j],
                "value": found.value[i],
                "ci_low": max(found.low[i], 0.0),
                "ci_high": min(found.high[i], 1.0),
                "error": error,
                "how": DRAWN if error else EXACT,
                "problems": len(curve.values),
            }
        )
    return pd.DataFrame(rows)


def _reliability(curves: Sequence[Curve], ks: Sequence[int], seed: int) -> pd.DataFrame:
    """How often a score's choice is right where a right sample is there, and what choosing at random attains."""
    passing = curves[0].values
    random = np.repeat(passing[:, :1], len(ks), axis=1)
    rows = []
    for curve in curves:
        if curve.method != BEST:
            continue
        above = np.concatenate([curve.values, random, curve.values - random], axis=1)
        below = np.concatenate([passing, passing, np.ones_like(passing)], axis=1)
        found = over_problems(above, seed, below)
        for j, k in enumerate(ks):
            if k == 1:
                # There is nothing to choose.
                continue
            reliable, chance, gain = j, len(ks) + j, 2 * len(ks) + j
            rows.append(
                {
                    "score": curve.score,
                    "k": k,
                    "reliability": found.value[reliable],
                    "ci_low": found.low[reliable],
                    "ci_high": min(found.high[reliable], 1.0),
                    "threshold": found.value[chance],
                    "threshold_ci_low": found.low[chance],
                    "threshold_ci_high": min(found.high[chance], 1.0),
                    "one_over_k": 1 / k,
                    "gain": found.value[gain],
                    "gain_ci_low": found.low[gain],
                    "gain_ci_high": found.high[gain],
                }
            )
    return pd.DataFrame(rows)


def _claims(curves: Sequence[Curve], ks: Sequence[int], settings: Settings) -> list[Claim]:
    """Differences between methods at the most samples, paired by problem."""
    most = ks[-1]
    if most == 1:
        return []
    one = curves[0].values[:, 0]
    majority = next((curve.values[:, -1] for curve in curves if curve.method == MAJORITY), None)
    pairs: list[tuple[str, str, Array]] = []
    for curve in curves[1:]:
        last, k = curve.values[:, -1], f"{most:,}"
        if curve.method == BEST:
            pairs.append((f"{curve.score} chooses better than chance among {k} samples", curve.score, last - one))
        if curve.method == MAJORITY:
            pairs.append((f"The majority of {k} samples is right more often than one sample", "", last - one))
        elif majority is not None:
            which = "The best" if curve.method == BEST else "The weighted vote"
            text = f"{which} of {k} samples by {curve.score} is right more often than their majority"
            pairs.append((text, curve.score, last - majority))
    chosen, half = _selector(curves), ks.index(max(1, most // 2))
    doubled = chosen.values[:, -1] - chosen.values[:, half]
    text = f"From {ks[half]:,} to {most:,} samples the accuracy of the {chosen.name} rises"
    if chosen.method != RANDOM:
        pairs.append((text, chosen.score, doubled))
    if not pairs:
        return []
    found = over_problems(np.stack([values for _, _, values in pairs], axis=1), settings.seed)
    # Against the least gain that counts, at the first step of Holm's correction.
    reach = -ndtri(LEVEL / (2 * len(pairs)))
    # Problems that do not differ at all tell no error, and so no power.
    power = ndtr(settings.worth / np.where(found.error > 0, found.error, np.nan) - reach)
    return [
        Claim(
            claim=text,
            source="ours",
            variant=score or "answers",
            test="Student's t over problems, paired",
            supports=None if found.value[i] == 0 else bool(found.value[i] > 0),
            estimate=float(found.value[i]),
            ci_low=float(found.low[i]),
            ci_high=float(found.high[i]),
            p=float(found.p[i]),
            n=len(one),
            power=float(power[i]),
            note=f"power against a difference of {settings.worth:g}",
        )
        for i, (text, score, _) in enumerate(pairs)
    ]


def _selector(curves: Sequence[Curve]) -> Curve:
    """The way to choose that is right most often at the most samples; at random where there is no other."""
    ways = [curve for curve in curves if curve.method != PASS]
    if not ways:
        one = np.repeat(curves[0].values[:, :1], curves[0].values.shape[1], axis=1)
        return Curve(RANDOM, "", one, np.zeros_like(one))
    return max(ways, key=lambda curve: float(curve.values[:, -1].mean()))


def _advice(curves: Sequence[Curve], ks: Sequence[int], settings: Settings) -> Advice:
    """The verdict, from three intervals that hold together (Bonferroni)."""
    chosen, half = _selector(curves), ks.index(max(1, ks[-1] // 2))
    gain = chosen.values[:, -1] - chosen.values[:, half]
    gap = curves[0].values[:, -1] - chosen.values[:, -1]
    found = over_problems(np.stack([gain, gap, gap - gain], axis=1), settings.seed, level=1 - LEVEL / 3)
    ends = list(zip(found.value.tolist(), found.low.tolist(), found.high.tolist(), strict=True))
    return advice(ends[0], ends[1], ends[2], ks[half], ks[-1], chosen.name, settings.worth)
