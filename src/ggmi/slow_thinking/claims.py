"""What is claimed of slow thinking, judged by the exact theory and by the published points."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ggmi.claims import Claim
from ggmi.slow_thinking.width import unpaired_p
from ggmi.statistics import power_of_normal_test

PAPER = "arXiv 2501.15602"
POINTS = f"{PAPER}, supplementary experiments"
REPORTED = "as reported by others"
# Effects that the power is about.
CORRELATION, SLOPE_A_LEVEL, GAIN, DIFFERENCE = 0.2, 0.05, 0.05, 10.0
# Statements that are claims: what is claimed, and where.
JUDGED = {
    "Theorem 3.3": ("Theorem 3.3: the mean of earlier losses bounds the error of a step from below", "section 3"),
    "chain bound": ("A chain is right with at most the product of its steps' probabilities", REPORTED),
    "Theorem 4.6": ("Theorem 4.6: search of width k ends right with probability ε^L k^L Π p_l at most", REPORTED),
    "gain needs epsilon > 1/k": ("A gain by width needs ε > 1/k", REPORTED),
    "gain needs epsilon > 1/k charitable": ("ε > 1/k is enough for a gain by width", "ours"),
    "order at worst, step-wise": ("At worst N = b^(L/2) answers match step-wise search", REPORTED),
    "order at worst, full tree": ("At worst N = b^(L/2) answers match the full tree", REPORTED),
    "cost at worst": ("At worst best-of-N matches the full tree at less cost", REPORTED),
    "framework independence": ("At equal samples the framework does not matter", REPORTED),
}


def theory_claims(verdicts: pd.DataFrame, matching: pd.DataFrame, exact: pd.DataFrame) -> list[Claim]:
    """Claims that exact worlds decide.

    Parameters
    ----------
    verdicts, matching, exact
        The tables of that name.

    Returns
    -------
    list of Claim
        Each statement where it is proven and where it fails, and in the independent and equal steps of
        Proposition 4.3 how far orders and frameworks are off.
    """
    claims: list[Claim] = []
    for (label, reading), rows in verdicts.groupby(["statement", "reading"], sort=False):
        key = f"{label} charitable" if reading == "charitable" else str(label)
        if key in JUDGED:
            text, source = JUDGED[key]
            claims += _stated(text, source, rows)
    steps = matching[(matching["against"] == "stepwise") & (matching["eps"] == 1)]
    tree = matching[(matching["against"] == "full_tree") & (matching["eps"] == 1)]
    gaps = exact.pivot_table(index=["L", "lambda", "width", "eps"], columns="method", values="accuracy")
    gap = (gaps["stepwise"] - gaps["best_of_n"]).max() if len(gaps) else np.nan
    loss = (gaps["best_of_n"] - gaps["stepwise"]).max() if len(gaps) else np.nan
    grid = "Proposition 4.3 on the grid of exact.csv"
    claims += [
        _counted(
            "At worst N = b^(L/2) answers match step-wise search",
            grid,
            (steps["n_to_match"] / steps["n_reported_worst"]).max(),
            1.0,
            "Largest N that matches, over the reported order; epsilon = 1.",
        ),
        _counted(
            "At worst best-of-N matches the full tree at less cost",
            grid,
            (tree["step_calls_best_of_n"] / tree["step_calls"]).max(),
            1.0,
            "Largest cost of best-of-N in steps over that of the tree, at equal accuracy; epsilon = 1.",
        ),
        _counted(
            "At equal samples the framework does not matter",
            grid,
            gap,
            0.0,
            f"Largest accuracy that step-wise search is ahead of best-of-N; behind it is by up to {loss:.3f}.",
        ),
    ]
    return claims


def _stated(text: str, source: str, rows: pd.DataFrame) -> Iterator[Claim]:
    """A claim that is a statement of the catalogue: where it is proven, and where a chain refutes it."""
    fails, proven = rows[rows["verdict"] == "fails"], rows[rows["verdict"] == "holds"]
    if len(proven):
        everywhere = "any chain" if fails.empty else f"regimes: {', '.join(proven['regime'])}"
        worlds = int(proven["worlds_admitted"].max())
        note = f"Proven, and checked in {worlds:,} random chains."
        yield Claim(claim=text, source=_source(source), variant=everywhere, test="proof", supports=True, note=note)
    if len(fails):
        # Regimes come from the strictest to the widest, apart from "rising", which is on its own.
        yield Claim(
            claim=text,
            source=_source(source),
            variant=f"regimes: {', '.join(fails['regime'])}",
            test="certified counterexample",
            supports=False,
            estimate=float(fails["worst_violation_nats"].max()),
            note="Worst certified violation.",
        )


def _counted(text: str, variant: str, value: float, allowed: float, note: str) -> Claim:
    return Claim(
        claim=text,
        source=_source(REPORTED),
        variant=variant,
        test="exact calculation",
        supports=bool(value <= allowed + 1e-9),
        estimate=float(value),
        note=note,
    )


def _source(where: str) -> str:
    return where if where == "ours" else f"{PAPER}, {where}"


def published_claims(
    totals: pd.DataFrame, fits: pd.DataFrame, width: pd.DataFrame, exponents: pd.DataFrame
) -> list[Claim]:
    """Claims that the published points are said to show.

    Parameters
    ----------
    totals, fits, width, exponents
        The tables ``published_*.csv``.
    """
    return [*_information_claims(totals), *_level_claims(totals, fits), *_width_claims(width, exponents)]


def _information_claims(totals: pd.DataFrame) -> Iterator[Claim]:
    for row in totals.to_dict("records"):
        n, error = int(row["n"]), (int(row["n"]) - 3) ** -0.5
        power = power_of_normal_test(float(np.arctanh(CORRELATION)), error)
        low, high = np.tanh(np.arctanh(row["spearman_per_token"]) + np.array([-1.96, 1.96]) * error)
        yield Claim(
            claim="Information per token falls with length",
            source=f"{PAPER}, figure 2",
            variant=row["panel"],
            test="Spearman, permutation",
            supports=bool(row["spearman_per_token"] < 0),
            estimate=row["spearman_per_token"],
            ci_low=float(low),
            ci_high=float(high),
            p=row["p_per_token"],
            n=n,
            power=power,
            note=f"Power against a correlation of {CORRELATION}.",
        )
        yield _total_claim(
            row["panel"],
            (row["spearman_total"], row["spearman_total_ci_low"], row["spearman_total_ci_high"]),
            "Spearman, permutation of totals",
            row["p_total"],
            n,
            power,
        )
        ends = row["delta_aicc_ci_low"], row["delta_aicc_ci_high"]
        yield _form_claim(
            row["panel"],
            (row["delta_aicc"], *ends),
            "bootstrap of the difference of AICc",
            row["p_delta"],
            n,
            (ends[1] - ends[0]) / 3.92,
        )
    levels = totals[totals["panel"].str.startswith("MATH-500")]
    if len(levels) > 1:
        yield from _pooled_claims(levels)


def _pooled_claims(levels: pd.DataFrame) -> Iterator[Claim]:
    """The same of all levels together, whose questions are different ones."""
    n, weights = int(levels["n"].sum()), levels["n"] - 3
    error = float(weights.sum()) ** -0.5
    pooled = float(np.average(np.arctanh(levels["spearman_total"]), weights=weights))
    ends = [float(np.tanh(pooled + side * 1.96 * error)) for side in (0, -1, 1)]
    yield _total_claim(
        "MATH-500, all levels",
        (ends[0], ends[1], ends[2]),
        "Spearman within levels, pooled by Fisher's z",
        float(2 * ndtr(-abs(pooled) / error)),
        n,
        power_of_normal_test(float(np.arctanh(CORRELATION)), error),
    )
    spread = float(np.sqrt(np.square((levels["delta_aicc_ci_high"] - levels["delta_aicc_ci_low"]) / 3.92).sum()))
    total = float(levels["delta_aicc"].sum())
    yield _form_claim(
        "MATH-500, all levels",
        (total, total - 1.96 * spread, total + 1.96 * spread),
        "sum of the levels' differences of AICc, normal",
        float(2 * ndtr(-abs(total) / spread)),
        n,
        spread,
    )


def _total_claim(
    variant: str, estimate: tuple[float, float, float], test: str, p: float, n: int, power: float
) -> Claim:
    return Claim(
        claim="Total information falls with length, as it would if longer answers lost more",
        source="ours",
        variant=variant,
        test=test,
        supports=bool(estimate[0] < 0),
        estimate=estimate[0],
        ci_low=estimate[1],
        ci_high=estimate[2],
        p=p,
        n=n,
        power=power,
        note=(
            f"Power against a correlation of {CORRELATION}. A total that does not depend on length makes information "
            "per token fall as 1/L."
        ),
    )


def _form_claim(variant: str, estimate: tuple[float, float, float], test: str, p: float, n: int, error: float) -> Claim:
    return Claim(
        claim="It falls as a log L + b, as fitted by the authors, rather than as c/L",
        source=POINTS,
        variant=variant,
        test=test,
        supports=bool(estimate[0] < 0),
        estimate=estimate[0],
        ci_low=estimate[1],
        ci_high=estimate[2],
        p=p,
        n=n,
        power=power_of_normal_test(DIFFERENCE, error),
        note=f"AICc of the logarithm less that of c/L. Power against a difference of {DIFFERENCE:.0f}.",
    )


def _level_claims(totals: pd.DataFrame, fits: pd.DataFrame) -> Iterator[Claim]:
    """Whether decay grows with the level: in nats, and as the exponent of a power law."""
    slopes = totals[totals["panel"].str.startswith("MATH-500")]
    if len(slopes) < 2:
        return
    exponents = fits[(fits["form"] == "power") & fits["panel"].str.startswith("MATH-500")]
    readings = (
        (
            "slope on log L",
            -slopes["log_slope"],
            slopes["log_slope_ci_high"] - slopes["log_slope_ci_low"],
            SLOPE_A_LEVEL,
        ),
        ("exponent of a power law", exponents["b"], exponents["b_ci_high"] - exponents["b_ci_low"], SLOPE_A_LEVEL),
    )
    for name, values, spread, effect in readings:
        levels = slopes["panel"].str.extract(r"(\d+)$")[0].astype(float).to_numpy()
        estimate, error = _trend(levels, values.to_numpy(float), spread.to_numpy(float) / 3.92)
        yield Claim(
            claim="Information per token falls faster for harder problems",
            source=POINTS,
            variant=f"MATH-500, {name}",
            test="weighted trend of the decay over levels",
            supports=bool(estimate > 0),
            estimate=estimate,
            ci_low=estimate - 1.96 * error,
            ci_high=estimate + 1.96 * error,
            p=float(2 * ndtr(-abs(estimate) / error)),
            n=int(slopes["n"].sum()),
            power=power_of_normal_test(effect, error),
            note=f"Change of the decay a level. Power against {effect} a level.",
        )


def _trend(x: np.ndarray, y: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """Slope of independent estimates, weighted by their precision, and its error."""
    weight = 1 / np.square(errors)
    centred = x - np.average(x, weights=weight)
    information = float(np.sum(weight * np.square(centred)))
    return float(np.sum(weight * centred * y)) / information, information**-0.5


def _width_claims(width: pd.DataFrame, exponents: pd.DataFrame) -> Iterator[Claim]:
    for task, part in width.groupby("task", sort=False):
        first, last = part.iloc[0], part.iloc[-1]
        n = int(first["questions"])
        variances = [row["accuracy"] * (1 - row["accuracy"]) / n for row in (first, last)]
        gain, error = last["accuracy"] - first["accuracy"], float(np.sqrt(sum(variances)))
        yield Claim(
            claim="Accuracy rises with the width k",
            source=POINTS,
            n=n,
            variant=f"{task}, k = {first['k']} to {last['k']}",
            test="two shares, unpaired",
            supports=bool(gain > 0),
            estimate=float(gain),
            ci_low=float(gain - 1.96 * error),
            ci_high=float(gain + 1.96 * error),
            p=unpaired_p(int(first["correct"]), int(last["correct"]), n),
            power=power_of_normal_test(GAIN, error),
            note=f"Only counts are known, so the test cannot be paired. Power against {100 * GAIN:.0f} points.",
        )
        steps = part[part["gain"].notna()]
        worst = steps.loc[steps["p_unpaired"].idxmax()]
        told = list(steps.loc[steps["step"] == "told apart", "k"])
        yield Claim(
            claim="Every further candidate adds accuracy",
            source=POINTS,
            n=n,
            variant=f"{task}, step to k = {worst['k']}",
            test="two shares, unpaired, the least certain step",
            supports=bool(worst["gain"] > 0),
            estimate=float(worst["gain"]),
            p=float(worst["p_unpaired"]),
            power=power_of_normal_test(GAIN, float(np.sqrt(2 * variances[1]))),
            note=f"Told apart for every pairing of questions: the steps to k = {', '.join(map(str, told)) or 'none'}.",
        )
        if np.isfinite(first["chance"]):
            yield Claim(
                claim="One sample is better than chance",
                source="ours",
                n=n,
                variant=f"{task}, k = {first['k']}",
                test="exact binomial",
                supports=bool(first["accuracy"] > first["chance"]),
                estimate=float(first["accuracy"] - first["chance"]),
                ci_low=float(first["ci_low"] - first["chance"]),
                ci_high=float(first["ci_high"] - first["chance"]),
                p=float(first["p_chance"]),
                power=power_of_normal_test(GAIN, float(np.sqrt(variances[0]))),
                note=f"Accuracy less that of guessing. Power against {100 * GAIN:.0f} points.",
            )
    for row in exponents.to_dict("records"):
        yield Claim(
            claim="Accuracy grows as the bound of Theorem 4.6 does, as k^L with L of 1 or more",
            source="ours",
            variant=row["task"],
            test="exponent of k against 1",
            supports=bool(row["exponent"] >= 1),
            estimate=row["exponent"],
            ci_low=row["ci_low"],
            ci_high=row["ci_high"],
            p=float(2 * ndtr(-abs(row["exponent"] - 1) / row["error"])),
            n=int(row["questions"]),
            power=power_of_normal_test(0.5, row["error"]),
            note="The theorem is an upper bound and does not promise it. Power against an exponent that is 0.5 off.",
        )
    if len(exponents) > 1:
        slow, fast = exponents.sort_values("odds_exponent").iloc[[0, -1]].to_dict("records")
        difference = fast["odds_exponent"] - slow["odds_exponent"]
        error = float(np.hypot(fast["odds_error"], slow["odds_error"]))
        yield Claim(
            claim="Accuracy rises faster where the verifier is better",
            source=POINTS,
            variant=f"{fast['task']} against {slow['task']}",
            test="none: no verifier's reliability was published",
            supports=None,
            estimate=difference,
            ci_low=difference - 1.96 * error,
            ci_high=difference + 1.96 * error,
            n=int(fast["questions"] + slow["questions"]),
            note=(
                "Difference of the slopes of log odds on log k. The tasks differ in policy, length of chains and "
                "chance level as well, so the points cannot say what the verifier does."
            ),
        )
