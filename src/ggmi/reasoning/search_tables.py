"""Accuracy and cost of every search, differences paired by problem, and what the exact formula predicts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ggmi.differences import paired
from ggmi.reasoning.reliability import WHOLE
from ggmi.reasoning.searching import Outcome, Run
from ggmi.statistics import share_interval

KINDS = ("value", "true_false")
COSTS = ("responses", "calls", "tokens", "scores")


def searches_table(outcomes: Mapping[Run, Outcome], reliability: pd.DataFrame) -> pd.DataFrame:
    """One row a run and kind of answer.

    Parameters
    ----------
    outcomes
        Of `ggmi.reasoning.searching.search_all`.
    reliability
        Of `ggmi.reasoning.reliability.reliability_table`, on other problems.

    Returns
    -------
    DataFrame
        ``method, verifier, width, kind, problems, repeats, accuracy`` with its interval (Wilson's, repeats of a
        problem a cluster), ``chain_accuracy`` (all steps right), ``predicted`` and ``predicted_alike`` for it, and
        mean costs a problem. ``predicted`` multiplies, over steps, the measured reliability and the measured share
        of sets with a right candidate; ``predicted_alike`` takes ``1 - (1 - p)^k`` of the mean p for the latter,
        as if all problems were alike.
    """
    rows = []
    for run, outcome in outcomes.items():
        measured, alike = _predicted(run, reliability)
        for kind in KINDS:
            right = getattr(outcome, kind)
            interval = share_interval(right.sum(axis=1), np.full(len(right), right.shape[1]))
            rows.append(
                {
                    "method": run.method,
                    "verifier": run.verifier or "none",
                    "width": run.width,
                    "kind": kind,
                    "problems": right.shape[0],
                    "repeats": right.shape[1],
                    "accuracy": float(right.mean()),
                    "accuracy_ci_low": interval.low,
                    "accuracy_ci_high": interval.high,
                    "chain_accuracy": float(outcome.chain.mean()),
                    "predicted": measured,
                    "predicted_alike": alike,
                    **{cost: float(getattr(outcome, cost).mean()) for cost in COSTS},
                }
            )
    return pd.DataFrame(rows)


def together(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Tables of several reasoners as one, with the reasoner in the first column."""
    return pd.concat([part.assign(reasoner=name)[["reasoner", *part]] for name, part in parts.items()])


def _predicted(run: Run, reliability: pd.DataFrame) -> tuple[float, float]:
    """Accuracy of chains by the formulas for step-wise search and best-of-N, on measured quantities."""
    if run.method not in ("stepwise", "best_of_n"):
        return np.nan, np.nan
    trained = run.verifier in ("orm", "prm")
    whole = run.method == "best_of_n"
    verifier = run.verifier if trained else "prm"
    part = reliability[(reliability["verifier"] == verifier) & (reliability["width"] == run.width)]
    part = part[part["step"] == WHOLE] if whole else part[part["step"] > WHOLE]
    if trained:
        chosen = part["reliability"]
    else:
        # Where all candidates are right, a verifier of set reliability cannot err.
        sure = part["all_right"] / part["any_right"]
        chosen = sure + (1 - sure) * float(run.verifier)
    alike = 1 - (1 - part["p"]) ** run.width
    return float((chosen * part["any_right"]).prod()), float((chosen * alike).prod())


def matched_table(outcomes: Mapping[Run, Outcome]) -> pd.DataFrame:
    """Best-of-N and step-wise search against tree search at equal cost.

    ``N_res``: as many whole answers as the tree search completed on average. ``N_call``: as many calls of a step.
    ``tokens``: as many tokens. ``calls as answers``: as many whole answers as it made calls, as reported of the
    paper. N is the nearest width that was searched; where more than the largest is wanted, the row is left out.

    Parameters
    ----------
    outcomes
        Of `ggmi.reasoning.searching.search_all`.

    Returns
    -------
    DataFrame
        ``kind, width`` (of the tree search), ``against, matched, cost`` (of the tree search in that unit), ``n`` (the
        width of the other), ``difference`` of accuracies (other less tree) with interval and ``p``.
    """
    one = outcomes[Run("best_of_n", "orm", 1)]
    per_answer = {"N_res": 1.0, "N_call": float(one.calls.mean()), "tokens": float(one.tokens.mean())}
    spent = {"N_res": "responses", "N_call": "calls", "tokens": "tokens", "calls as answers": "calls"}
    widths = sorted({run.width for run in outcomes})
    rows = []
    for run, tree in outcomes.items():
        if run.method != "tree":
            continue
        for unit, name in spent.items():
            cost = float(getattr(tree, name).mean())
            wanted = max(cost / per_answer.get(unit, 1.0), 1.0)
            for other in ("best_of_n/orm", "best_of_n/prm", "stepwise/prm"):
                if wanted > widths[-1] or (other == "stepwise/prm" and unit in ("N_res", "calls as answers")):
                    continue
                # The width on the grid whose cost is nearest on a logarithmic scale.
                n = min(widths, key=lambda w: abs(np.log(w / wanted)))
                for kind in KINDS:
                    gap = paired(getattr(outcomes[Run.parse(f"{other}/{n}")], kind), getattr(tree, kind))
                    rows.append(
                        {
                            **{"kind": kind, "width": run.width, "against": other, "matched": unit, "cost": cost},
                            **{"wanted": wanted, "n": n, "difference": gap.estimate},
                            **{"difference_ci_low": gap.low, "difference_ci_high": gap.high, "p": gap.p},
                        }
                    )
    return pd.DataFrame(rows)
