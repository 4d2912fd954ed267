"""Which set to take, by what estimates were worth where outcomes are known; the file of that evidence is read here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ggmi.information.duplicates import exact_key
from ggmi.information.pairing import BY_NUMBER
from ggmi.io import read_csv
from ggmi.pipeline.comparing import LEVEL, is_known
from ggmi.pipeline.estimators import ESTIMATORS
from ggmi.project import PROJECT
from ggmi.text.samples import Sample

Row = Mapping[str, Any]
# Kinds of `ggmi.pipeline.naming` that are a matter of style, or easily mended: they keep no set from being taken.
MENDABLE = ("one_word", "markup", "labels")
# Share of the smaller set's instructions that another one must have, too, for both to answer the same.
SHARED = 0.5
# Rows of `ggmi.pipeline.prediction.estimators_worth`, of several outcomes.
EVIDENCE = PROJECT / "workflow" / "data" / "estimators_worth.csv"


class Outcome(NamedTuple):
    """What estimates were set beside.

    Parameters
    ----------
    sign
        1 where more of it is better, -1 where less is.
    compared
        What it was measured of.
    better
        What the better one of two did.
    """

    sign: int
    compared: str
    better: str


OUTCOMES = {
    "length-controlled win rate": Outcome(1, "real models", "had the higher length-controlled win rate"),
    "win rate": Outcome(1, "real models", "had the higher win rate"),
    "held-out loss of students": Outcome(-1, "training sets", "gave its students the lower loss on records like T"),
}
# What a set is chosen for: T was there what it is here, records like those that matter. Judges rated answers to
# questions that T does not hold, and the farther from T the higher.
GOAL = "held-out loss of students"


@cache
def evidence(path: Path = EVIDENCE) -> pd.DataFrame:
    """What each estimator was worth for choosing, best first.

    Parameters
    ----------
    path
        Of the file.

    Returns
    -------
    DataFrame
        A row an outcome and estimator, with the columns of `EVIDENCE`; ``of_worth``: whether the partial correlation
        is told from zero after Holm's correction, or the interval of the skill lies above zero; ``direction``: 1 where
        more of the estimator is better, -1 where less is; ``decides``: whether it is of worth for `GOAL`, orders
        more than half of the pairs beyond its interval, and does so in the same direction without length. Rows of
        worth come first, by the lower end of the concordance's interval.
    """
    table = read_csv(path)
    table = table[table["estimator"].isin(ESTIMATORS) & table["outcome"].isin(OUTCOMES)]
    worth = (table["partial_p_holm"] < LEVEL) | (table["skill_ci_low"] > 0)
    signs = table["outcome"].map({name: outcome.sign for name, outcome in OUTCOMES.items()})
    direction = signs.where(table["raw"] > 0, -signs)
    sure = (table["concordance_ci_low"] > 0.5) & (table["raw"] * table["partial"] > 0)
    decides = worth & sure & (table["outcome"] == GOAL)
    table = table.assign(of_worth=worth, direction=direction, decides=decides)
    return table.sort_values(["of_worth", "concordance_ci_low"], ascending=False, kind="stable", ignore_index=True)


def ranked(estimators: Sequence[str], table: pd.DataFrame) -> tuple[list[str], list[str], list[str]]:
    """Estimators by what they were worth.

    Parameters
    ----------
    estimators
        Their names.
    table
        Of `evidence`.

    Returns
    -------
    of_worth, unknown, worthless : list of str
        Those of worth in some outcome, best first; those that were set beside none; those of no worth in any.
    """
    first = [name for name in dict.fromkeys(table.loc[table["of_worth"], "estimator"]) if name in estimators]
    known = set(table["estimator"])
    unknown = [name for name in estimators if name not in known]
    return first, unknown, [name for name in estimators if name in known and name not in first]


def prompts_of(sample: Sample) -> set[bytes]:
    """What the records of a set are asked, without case and spaces; empty where that is unknown.

    Parameters
    ----------
    sample
        The set.
    """
    return {exact_key(f"{one.instruction}\n{one.context}") for one in sample.records if one.instruction}


def recommended(
    tables: Mapping[str, Sequence[Row]],
    named: Mapping[str, Sequence[Row]],
    comparisons: Sequence[Row],
    prompts_of_set: Callable[[str], Set[bytes]],
    table: pd.DataFrame,
) -> dict[str, Any]:
    """Recommend a set, or say why none.

    Sets that are named for more than what is `MENDABLE` are not recommended. Of several others that one is whose value
    is better, beyond the others' intervals, by the estimator of most worth that all of them have with an interval;
    unless it repeats itself more than another one, which the sets of the evidence did not. These all answered the same
    instructions: of sets that do not, what their estimates say of that is unknown, and nothing is chosen by it.

    Parameters
    ----------
    tables
        Rows of `ggmi.pipeline.comparing.with_holm` by set.
    named
        Of `ggmi.pipeline.naming.named_sets`, by set.
    comparisons
        Of `ggmi.pipeline.comparing.compared`.
    prompts_of_set
        Given a set's name, what its records are asked, empty where unknown; called where sets are chosen between.
    table
        Of `evidence`.

    Returns
    -------
    dict
        ``verdict``: ``take``, ``undecided``, or ``none`` where every set is named; ``set`` (None unless taken);
        ``contenders``: what was to choose from, or is left undecided, best first; ``not_recommended``; ``estimator``,
        ``outcome`` and ``direction`` by which it was chosen, with ``odds``, ``odds_ci_low``, ``odds_ci_high``, the
        share of pairs in which the one with the better value had the better outcome, and ``odds_n``, how many were
        compared, None where nothing had to be chosen, or no estimator could; ``reason`` why it is undecided, empty
        where it is not: ``prompts``, ``estimator`` (none has an interval for each), ``interval``, ``repeats``.
    """
    free = [name for name in tables if all(row["kind"] in MENDABLE for row in named[name])]
    found: dict[str, Any] = {
        "verdict": "take" if len(free) == 1 else "undecided" if free else "none",
        "set": free[0] if len(free) == 1 else None,
        "contenders": free,
        "not_recommended": [name for name in tables if name not in free],
        "reason": "",
    }
    chosen = dict.fromkeys(("estimator", "outcome", "direction", "odds", "odds_ci_low", "odds_ci_high", "odds_n"))
    if len(free) < 2:
        return found | chosen
    asked = [prompts_of_set(name) for name in free]
    if any(len(one & other) < max(1, SHARED * min(len(one), len(other))) for one, other in combinations(asked, 2)):
        return found | chosen | {"reason": "prompts"}
    for proof in table[table["decides"]].to_dict("records"):
        estimator, direction = proof["estimator"], proof["direction"]
        values = {name: one for name in free for one in tables[name] if one["estimator"] == estimator}
        if len(values) == len(free) and all(
            is_known(one) and BY_NUMBER not in one["method"] for one in values.values()
        ):
            order = sorted(free, key=lambda name: -direction * values[name]["value"])
            worst, best = ("ci_low", "ci_high") if direction > 0 else ("ci_high", "ci_low")
            limit = direction * values[order[0]][worst]
            rivals = [name for name in order[1:] if direction * values[name][best] >= limit]
            repeats = not rivals and any(
                row["question"] == "more redundant"
                and row["verdict"] == order[0]
                and {row["first"], row["second"]} <= {*free}
                for row in comparisons
            )
            reason = "interval" if rivals else "repeats" if repeats else ""
            rivals = order[1:] if repeats else rivals
            odds = {f"odds{end}": proof[f"concordance{end}"] for end in ("", "_ci_low", "_ci_high")}
            return {
                **found,
                "verdict": "undecided" if rivals else "take",
                "reason": reason,
                "set": None if rivals else order[0],
                "contenders": [order[0], *rivals] if rivals else order,
                "estimator": estimator,
                "outcome": proof["outcome"],
                "direction": direction,
                **odds,
                "odds_n": proof["n"],
            }
    return found | chosen | {"reason": "estimator"}
