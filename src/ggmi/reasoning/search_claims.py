"""Claims on search: what a wider search, a better verifier and another framework bring on the same problems."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from ggmi.claims import Claim
from ggmi.differences import EFFECT, difference_claim, equivalence_claim, paired
from ggmi.reasoning.chain_claims import PAPER
from ggmi.reasoning.reliability import WHOLE
from ggmi.reasoning.searching import Outcome, Run
from ggmi.reasoning.verifiers import VERIFIERS

# Verifiers of whole answers; the paper's experiments are reported to use an outcome model.
MODELS = {
    "orm": ("an outcome model", f"{PAPER}, experiments, as reported"),
    "prm": ("the tree's process model", "ours, with one verifier for both"),
}
ANSWERS = {"value": "answers of many values", "true_false": "true or false"}


def search_claims(
    name: str, outcomes: Mapping[Run, Outcome], reliability: pd.DataFrame, matched: pd.DataFrame
) -> list[Claim]:
    """Judge what the paper says of search on one reasoner's problems.

    Parameters
    ----------
    name
        The reasoner's.
    outcomes
        Of `ggmi.reasoning.searching.search_all`.
    reliability
        Of `ggmi.reasoning.reliability.reliability_table`.
    matched
        Of `ggmi.reasoning.search_tables.matched_table`.
    """
    widths = sorted({run.width for run in outcomes})
    numbers = sorted({float(run.verifier) for run in outcomes if _is_number(run.verifier)})
    claims = [_rises(name, outcomes, method, kind, widths) for method in ("stepwise", "tree") for kind in ANSWERS]
    imperfect = [e for e in numbers if e < 1]
    if imperfect and len(widths) > 1:
        claims.append(_reported_threshold(name, outcomes, reliability, imperfect[0], widths))
        claims.append(_exact_threshold(name, outcomes, reliability, numbers, widths))
    claims += [
        _matches(name, outcomes, matched, reliability, verifier, unit, kind)
        for verifier in VERIFIERS
        for unit in ("N_res", "N_call")
        for kind in ANSWERS
    ]
    claims.append(_consistency(name, outcomes, widths))
    claims.append(_framework(name, outcomes, widths))
    if len(numbers) > 1:
        claims.append(_crossover(name, outcomes, numbers, widths))
    return claims


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _rises(name: str, outcomes: Mapping[Run, Outcome], method: str, kind: str, widths: list[int]) -> Claim:
    gap = paired(*(getattr(outcomes[Run(method, "prm", k)], kind) for k in (widths[-1], widths[0])))
    by_width = ", ".join(f"{getattr(outcomes[Run(method, 'prm', k)], kind).mean():.3f}" for k in widths)
    return difference_claim(
        gap,
        claim="Accuracy rises with the width k",
        source=f"{PAPER}, Theorem 4.6 and experiments",
        variant=f"{name}, {'step-wise' if method == 'stepwise' else method} search by the PRM, {ANSWERS[kind]}",
        test=f"accuracy at k = {widths[-1]} less accuracy at k = {widths[0]}",
        supports=gap.estimate > 0,
        note=f"Accuracy at k = {', '.join(map(str, widths))}: {by_width}.",
    )


def _reported_threshold(
    name: str, outcomes: Mapping[Run, Outcome], reliability: pd.DataFrame, e: float, widths: list[int]
) -> Claim:
    k = widths[-1]
    gap = paired(*(outcomes[Run("stepwise", f"{e:g}", width)].value for width in (k, widths[0])))
    steps = reliability[(reliability["step"] > 0) & (reliability["width"] == k)]
    low, high = steps["threshold"].min(), steps["threshold"].max()
    return difference_claim(
        gap,
        claim=r"A wider search helps where $\varepsilon$ is above $1/k$",
        source=f"{PAPER}, Theorem 4.6, as reported",
        variant=f"{name}, verifier of set reliability {e:g}, step-wise search, k = {k}",
        test=f"accuracy at k = {k} less accuracy at k = {widths[0]}, where ε = {e:g} > 1/k = {1 / k:.3f}",
        supports=gap.estimate > 0,
        note=f"The exact threshold $p / (1 - (1 - p)^k)$ is {low:.2f} to {high:.2f} over steps.",
    )


def _exact_threshold(
    name: str, outcomes: Mapping[Run, Outcome], reliability: pd.DataFrame, numbers: list[float], widths: list[int]
) -> Claim:
    agree, cells = 0, 0
    for e in numbers:
        for k in widths[1:]:
            steps = reliability[(reliability["verifier"] == "prm") & (reliability["step"] > 0)]
            steps = steps[steps["width"] == k]
            sure = steps["all_right"] / steps["any_right"]
            reached = (sure + (1 - sure) * e) * steps["any_right"]
            if not ((reached > steps["p"]).all() or (reached < steps["p"]).all()):
                continue  # a gain at some steps and a loss at others
            gap = paired(*(outcomes[Run("stepwise", f"{e:g}", width)].chain for width in (k, widths[0])))
            if gap.p > 0.05:
                continue  # not told apart from no gain
            cells += 1
            agree += (gap.estimate > 0) == bool((reached > steps["p"]).all())
    return Claim(
        claim=r"A wider search helps if and only if $\varepsilon$ is above $p / (1 - (1 - p)^k)$",
        source="ours",
        variant=f"{name}, verifiers of set reliability, step-wise search",
        test="share of reliabilities and widths whose gain or loss has the predicted sign; binomial test against 1/2",
        supports=agree / cells > 0.5 if cells else None,
        estimate=agree / cells if cells else np.nan,
        p=float(binomtest(agree, cells).pvalue) if cells else 1.0,
        n=cells,
        power=float(2.0 ** (1 - cells) <= 0.05) if cells else 0.0,
        note="Where the condition is the same at all steps and the gain is told apart from none. "
        "Power against agreement everywhere.",
    )


def _matches(
    name: str,
    outcomes: Mapping[Run, Outcome],
    matched: pd.DataFrame,
    reliability: pd.DataFrame,
    verifier: str,
    unit: str,
    kind: str,
) -> Claim:
    against = f"best_of_n/{verifier}"
    rows = matched[(matched["matched"] == unit) & (matched["kind"] == kind) & (matched["against"] == against)]
    row = rows.loc[rows["difference"].abs().idxmax()]
    gap = paired(
        *(
            getattr(outcomes[run], kind)
            for run in (Run("best_of_n", verifier, int(row["n"])), Run("tree", "prm", int(row["width"])))
        )
    )
    whole = reliability[(reliability["verifier"] == verifier) & (reliability["step"] == WHOLE)]
    model, source = MODELS[verifier]
    return equivalence_claim(
        gap,
        claim=f"Best-of-N by {model} about matches tree search at equal {unit.replace('_', ' ')}",
        source=source,
        variant=f"{name}, {ANSWERS[kind]}, tree of width {int(row['width'])}",
        test="difference of accuracies",
        note=f"N = {int(row['n'])} whole answers beside the {row['wanted']:.1f} that the cost is worth; "
        f"the {verifier.upper()}'s AUC on whole answers is {whole['auc'].iloc[0]:.2f}. "
        "Power to see that equal methods match.",
    )


def _consistency(name: str, outcomes: Mapping[Run, Outcome], widths: list[int]) -> Claim:
    n = widths[-1]
    runs = [Run("self_consistency", "", width) for width in (n, widths[0])]
    gap, many = (paired(*(getattr(outcomes[run], kind) for run in runs)) for kind in ("true_false", "value"))
    return difference_claim(
        gap,
        claim="Self-consistency does not help on binary answers",
        source=f"{PAPER}, experiments, as reported",
        variant=f"{name}, true or false, N = {n}",
        test=f"accuracy of the majority of {n} less accuracy of one",
        supports=gap.estimate <= 0,
        note=f"On answers of many values the same votes gain {many.estimate:+.3f}.",
    )


def _framework(name: str, outcomes: Mapping[Run, Outcome], widths: list[int]) -> Claim:
    gaps = {k: paired(*(outcomes[Run(m, "prm", k)].value for m in ("stepwise", "best_of_n"))) for k in widths[1:]}
    k, gap = max(gaps.items(), key=lambda item: abs(item[1].estimate))
    perfect = [r for r in outcomes if r.method == "best_of_n" and r.verifier == "1" and r.width == k]
    better = "".join(
        f" A perfect verifier in place of the PRM moves best-of-N by "
        f"{paired(outcomes[r].value, outcomes[Run('best_of_n', 'prm', k)].value).estimate:+.3f}."
        for r in perfect
    )
    return equivalence_claim(
        gap,
        claim="What matters is width and verifier, not the framework",
        source=f"{PAPER}, conclusion",
        variant=f"{name}, step-wise search against best-of-N, both by the PRM, k = N = {k}",
        test="difference of accuracies at equal samples",
        note=f"Largest of {len(gaps)} widths.{better}",
    )


def _crossover(name: str, outcomes: Mapping[Run, Outcome], numbers: list[float], widths: list[int]) -> Claim:
    k = widths[len(widths) // 2]
    gaps = [paired(*(outcomes[Run(m, f"{e:g}", k)].chain for m in ("stepwise", "best_of_n"))) for e in numbers]
    low, high = gaps[0], gaps[-1]
    values = [gap.estimate for gap in gaps]
    turn = next((i for i in range(len(values) - 1) if values[i] < 0 <= values[i + 1]), None)
    crossing = np.nan
    if turn is not None:
        crossing = float(np.interp(0.0, values[turn : turn + 2], numbers[turn : turn + 2]))
    return Claim(
        claim="At equal samples, step-wise search beats best-of-N where the verifier is reliable, and only there",
        source="ours",
        variant=f"{name}, verifiers of set reliability, k = N = {k}",
        test="differences at the least and the largest reliability have opposite signs; the larger of two p-values",
        supports=low.estimate < 0 < high.estimate,
        estimate=crossing,
        p=max(low.p, high.p),
        n=low.n,
        power=min(low.power(EFFECT), high.power(EFFECT)),
        note="The estimate is the reliability at which the two are equal, between the measured ones by a line. "
        + ", ".join(f"ε = {e:g}: {value:+.3f}" for e, value in zip(numbers, values, strict=True))
        + ".",
    )
