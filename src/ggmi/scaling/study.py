"""What samples tell: accuracy by method and number of samples, reliability of scores, cost, claims, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ggmi.claims import Claim, claims_table
from ggmi.errors import UserError
from ggmi.random import stream
from ggmi.scaling.expectations import best_of, pass_at
from ggmi.scaling.intervals import Ratios, ratios, resampled_sums
from ggmi.scaling.samples import Array, Samples
from ggmi.scaling.verdict import Advice, advice
from ggmi.scaling.voting import WORK, majority_at, majority_work, weighted_votes, weights_of

# Share of the problems that must have the most samples that are compared.
REACHED = 0.9
LEVEL = 0.05
EXACT, DRAWN = "exact", "Monte Carlo"
PASS, MAJORITY, BEST, WEIGHTED, RANDOM = "pass", "majority", "best of k", "weighted vote", "random choice"


@dataclass(frozen=True)
class Settings:
    """What a person sets.

    Parameters
    ----------
    most
        Most samples a problem that are compared; None takes what nearly all problems have.
    price
        Of a sample, or of 1,000 tokens; None where cost is counted in samples and tokens only.
    by_tokens
        Whether the price is of 1,000 tokens.
    value
        Of a solved problem, in the price's unit; None where it is unknown.
    worth
        The least gain in accuracy that counts, a share.
    seed
        Of resamples and draws.
    """

    most: int | None = None
    price: float | None = None
    by_tokens: bool = False
    value: float | None = None
    worth: float = 0.01
    seed: int = 0


@dataclass(frozen=True)
class Curve:
    """One method's probability of a right answer, by problem and number of samples.

    Parameters
    ----------
    method, score
        Which; no score where none chooses.
    values
        Shape (problems, ks).
    errors
        Standard errors of drawn subsets, of the same shape; zeros where nothing was drawn.
    """

    method: str
    score: str
    values: Array
    errors: Array

    @property
    def name(self) -> str:
        """The method in words."""
        words = {BEST: f"best of k by {self.score}", WEIGHTED: f"vote weighted by {self.score}"}
        return words.get(self.method, {PASS: "pass@k", MAJORITY: "majority of k"}.get(self.method, self.method))


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
    curves, told = _curves(used, ks, settings.seed)
    notes += told
    cost, said = _cost_a_sample(used, settings)
    notes += said
    table = _curve_table(curves, ks, settings.seed)
    claims = _claims(curves, ks, settings)
    priced, stops = _cost_tables(used, curves, ks, cost, settings)
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


def grid(most: int) -> list[int]:
    """Numbers of samples that are looked at: doublings, the most and its half.

    Examples
    --------
    >>> grid(20)
    [1, 2, 4, 8, 10, 16, 20]
    """
    return sorted({2**i for i in range(most.bit_length())} | {most, max(1, most // 2)})


def _most(sizes: NDArray) -> int:
    """The most samples that nearly all problems have."""
    return int(np.sort(sizes)[len(sizes) - int(np.ceil(REACHED * len(sizes)))])


def _left_out(sizes: NDArray, kept: NDArray, most: int) -> str:
    few = int((~kept).sum())
    return (
        f"{few:,} of {len(sizes):,} problems have fewer than {most:,} samples and are left out, so that every k is "
        f"measured on the same problems; --most {int(sizes.min())} keeps all."
    )


def _curves(samples: Samples, ks: Sequence[int], seed: int) -> tuple[list[Curve], list[str]]:
    """Every method's values, and what is not exact."""

    def exact(method: str, score: str, values: Array) -> Curve:
        return Curve(method, score, values, np.zeros_like(values))

    curves = [exact(PASS, "", np.stack([pass_at(samples, k) for k in ks], axis=1))]
    notes: list[str] = []
    choices = [exact(BEST, score, best_of(samples, score, ks)) for score in samples.scores]
    if samples.answer is None:
        return curves + choices, [*notes, "Nothing is known of the samples' answers, so there are no votes."]
    majority = {k: majority_at(samples, k) if majority_work(samples, k) <= WORK or k == 1 else None for k in ks}
    drawn = [k for k in ks if majority[k] is None]
    values: dict[tuple[str, int], Array] = {}
    errors: dict[tuple[str, int], Array] = {}
    if samples.scores or drawn:
        values, errors = weighted_votes(samples, ks, majority, seed)
    votes = np.stack([values["", k] if (found := majority[k]) is None else found for k in ks], axis=1)
    shaken = np.stack([errors["", k] if k in drawn else np.zeros(len(votes)) for k in ks], axis=1)
    curves.append(Curve(MAJORITY, "", votes, shaken))
    for score in samples.scores:
        parts = [np.stack([table[score, k] for k in ks], axis=1) for table in (values, errors)]
        choices.append(Curve(WEIGHTED, score, *parts))
        if weights_of(samples, score)[1] != "score":
            notes.append(f"{score} is negative somewhere; a vote weighs exp({score}) instead.")
    if drawn:
        notes.append(f"The majority of {', '.join(map(str, drawn))} samples takes too long exactly and is drawn.")
    return curves + choices, notes


def _stacked(curves: Sequence[Curve]) -> Array:
    return np.concatenate([curve.values for curve in curves], axis=1)


def _over_problems(above: Array, seed: int, below: Array | None = None, level: float = 1 - LEVEL) -> Ratios:
    """Means, or ratios of means, with intervals; everything shares one set of resampled problems."""
    return ratios(above, np.ones_like(above) if below is None else below, _resamples(seed), level=level)


def _resamples(seed: int) -> np.random.Generator:
    return stream(seed, "scaling", "problems")


def _curve_table(curves: Sequence[Curve], ks: Sequence[int], seed: int) -> pd.DataFrame:
    found = _over_problems(_stacked(curves), seed)
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
        found = _over_problems(above, seed, below)
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


def _tokens(samples: Samples) -> Array | None:
    """Mean tokens of a problem's samples; where a problem has none, the mean of all."""
    if samples.tokens is None or np.isnan(samples.tokens).all():
        return None
    known = ~np.isnan(samples.tokens)
    counts = np.bincount(samples.problem, known, len(samples.problems))
    sums = np.bincount(samples.problem, np.where(known, samples.tokens, 0), len(samples.problems))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nanmean(samples.tokens))


def _cost_a_sample(samples: Samples, settings: Settings) -> tuple[Array | None, list[str]]:
    """Price of a sample of each problem, and what is not known of tokens."""
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


def _cost_tables(
    samples: Samples, curves: Sequence[Curve], ks: Sequence[int], cost: Array | None, settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cost of a solved problem, and the k beyond which samples do not pay."""
    counts = np.array(ks, dtype=float)
    units = {"samples": np.ones(len(samples.problems)), "tokens": _tokens(samples), "price": cost}
    rows = [{"method": curve.method, "score": curve.score, "k": k} for curve in curves for k in ks]
    below = _stacked(curves)
    for unit, each in units.items():
        if each is None:
            continue
        spent = np.tile(each[:, None] * counts, (1, len(curves)))
        found = _over_problems(spent, settings.seed, below)
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
        best = resampled_sums(net, _resamples(settings.seed)).argmax(axis=1)
        low, high = np.quantile(counts[best], [LEVEL / 2, 1 - LEVEL / 2], method="nearest")
        chosen = int(net.mean(axis=0).argmax())
        stops.append(
            {
                "method": curve.method,
                "score": curve.score,
                "k": ks[chosen],
                "ci_low": int(low),
                "ci_high": int(high),
                "net_value": net.mean(axis=0)[chosen],
                "last": chosen == len(ks) - 1,
            }
        )
    return pd.DataFrame(rows), pd.DataFrame(stops)


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
    text = f"Doubling {ks[half]:,} samples raises the accuracy of the {chosen.name}"
    if chosen.method != RANDOM:
        pairs.append((text, chosen.score, doubled))
    if not pairs:
        return []
    found = _over_problems(np.stack([values for _, _, values in pairs], axis=1), settings.seed)
    # Against the least gain that counts, at the first step of Holm's correction.
    reach = -ndtri(LEVEL / (2 * len(pairs)))
    with np.errstate(divide="ignore"):
        power = ndtr(settings.worth / found.error - reach)
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
    found = _over_problems(np.stack([gain, gap, gap - gain], axis=1), settings.seed, level=1 - LEVEL / 3)
    ends = list(zip(found.value.tolist(), found.low.tolist(), found.high.tolist(), strict=True))
    return advice(ends[0], ends[1], ends[2], ks[half], ks[-1], chosen.name, settings.worth)
