"""What holds for rewards that is claimed of outcomes, and what balance and difficulty do: claims of ours."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ggmi.claims import Claim
from ggmi.data_quality.evidence import PAPER, side_of_zero
from ggmi.data_quality.trained.claims import FACTOR_NOTE
from ggmi.data_quality.trained.plan import METHODS, POLICIES, QUALITY_METHODS

TEST = "t-test of log errors"
DIRECTIONS = {"B": ("falls in B", -1), "n": ("falls in n", -1), "k": ("rises in k", 1)}
FAMILIES = {"balance": "pretrained alike", "balance, equal error": "pretrained error held equal"}


def reward_claims(table: pd.DataFrame, base: tuple[int, int, int]) -> list[Claim]:
    """Judge by policy gradients what the paper claims of RL by outcome supervision.

    Parameters
    ----------
    table
        Of `ggmi.data_quality.trained.rewards.reward_table`.
    base
        n, B and k where another varies.
    """
    claims = []
    methods = [name for name in METHODS if name != "SFT"]
    for panel, (text, sign) in DIRECTIONS.items():
        for method in methods:
            part = table[(table["panel"] == panel) & (table["method"] == method)]
            errors = np.log(part.pivot_table(index="seed", columns=panel, values="err_over_d"))
            first, last = errors.columns[0], errors.columns[-1]
            claims.append(
                Claim(
                    claim=f"Trained by rewards or outcomes, LSA’s error {text}",
                    source=f"ours, the claims of {PAPER}, section 8, for rewards",
                    variant=f"{method}, {panel} = {first:g} to {last:g}",
                    test=TEST,
                    **side_of_zero(errors[last] - errors[first], sign=sign),
                    note=f"In equal updates, all lengths tied, k that of training. {FACTOR_NOTE}",
                )
            )
    n, b, k = base
    cell = table[(table["panel"] == "k") & (table["k"] == k)]
    errors = np.log(cell.pivot_table(index="seed", columns="method", values="err_over_d"))
    before = np.log(cell.groupby("seed")["pretrained_over_d"].first())
    where = f"n = {n}, B = {b}, k = {k}"
    for method in methods:
        claims.append(
            Claim(
                claim="Training by rewards or outcomes is better than the pretrained model",
                source="ours",
                variant=f"{method}, {where}",
                test=TEST,
                **side_of_zero(errors[method] - before, sign=-1),
                note=FACTOR_NOTE,
            )
        )
    for method in POLICIES:
        claims.append(
            Claim(
                claim="In equal updates outcome supervision leaves the error that a policy gradient leaves, or less",
                source="ours, on the paper’s stand-in for RL",
                variant=f"{method}, {where}",
                test=TEST,
                **side_of_zero(errors[method] - errors["OS"], sign=1),
                note=f"The policy gradient’s error over that of outcome supervision. {FACTOR_NOTE}",
            )
        )
    return claims


def quality_claims(table: pd.DataFrame) -> list[Claim]:
    """Judge what balance of pretraining, scale and alignment of data do.

    Parameters
    ----------
    table
        Of `ggmi.data_quality.trained.rewards.quality_table`.
    """
    return [claim for method in QUALITY_METHODS for claim in _quality(method, table[table["method"] == method])]


def _quality(method: str, table: pd.DataFrame) -> Iterator[Claim]:
    logs = table.assign(log=np.log(table["err_over_d"]))
    families = {str(name): part for name, part in logs.groupby("family")}
    for family, words in FAMILIES.items():
        errors = families[family].pivot_table(index="seed", columns="value", values="log")
        low, high = errors.columns[0], errors.columns[-1]
        yield Claim(
            claim="After a balanced pretraining the post-trained model has less error",
            source=f"ours, a reading of “balanced” in {PAPER}",
            variant=f"{method}, {words}, least variance {low:g} against {high:g}",
            test=TEST,
            **side_of_zero(errors[high] - errors[low], sign=-1),
            note=f"At equal trace of Σ0. {FACTOR_NOTE}",
        )
    for family, text in (
        ("scale", "Of data in the shift alone, the hardest scale leaves trained models the least error"),
        ("alignment", "Of data of one trace, those aligned with the shift leave trained models the least error"),
    ):
        part = families[family]
        errors = part.pivot_table(index="seed", columns="value", values="log")
        difficulty = part.groupby("value")["difficulty_over_d"].first()
        chosen = difficulty.idxmax() if family == "scale" else errors.columns[-1]
        rivals = errors.drop(columns=chosen)
        # Against the rival that is least surely worse, so that which one is best need not be chosen first.
        gaps = {x: side_of_zero(errors[chosen] - rivals[x], sign=-1) for x in rivals}
        rival = max(
            gaps, key=lambda x: (not gaps[x]["supports"], gaps[x]["p"] if gaps[x]["supports"] else -gaps[x]["p"])
        )
        against = [x for x in gaps if not gaps[x]["supports"]]
        found = gaps[rival] | ({"p": min(1.0, gaps[rival]["p"] * len(gaps))} if against else {})
        yield Claim(
            claim=text,
            source=f"{PAPER}, insight 1, on trained models",
            variant=method,
            test=f"{TEST}, weakest",
            **found,
            note=f"Value {chosen:g} against {rival:g}. {FACTOR_NOTE}",
        )
