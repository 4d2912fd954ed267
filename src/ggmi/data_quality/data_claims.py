"""What is claimed of small and of hard fine-tuning data, judged over grids of settings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from ggmi.claims import Claim
from ggmi.data_quality.evidence import PAPER

RIVALS = {
    "err_no_tuning": "no fine-tuning",
    "err_zero": "no answer, ŵ = 0",
    "err_best_one_step": "the best one-step predictor",
    "err_limit": "endless fine-tuning, V∞",
}
READINGS = {
    "difficulty_over_d": "‖I - Γ0⁻¹A‖², A as in fine-tuning",
    "difficulty_full_scale_over_d": "‖I - Γ0⁻¹A‖², A at the test's scale",
    "loss_over_d": "pretrained model's loss on the prompts",
}


def small_set_claims(table: pd.DataFrame) -> list[Claim]:
    """Judge in how much of the grid of interference and length the best small set is best.

    Parameters
    ----------
    table
        Of `ggmi.data_quality.small_sets.small_sets`.
    """
    claims = []
    better = {name: table["ci_high"] < table[name] for name in RIVALS}
    worse = {name: table["ci_low"] > table[name] for name in RIVALS}
    better["all"], worse["all"] = np.logical_and.reduce([*better.values()]), np.logical_or.reduce([*worse.values()])
    for name, rival in {**RIVALS, "all": "every one of these"}.items():
        shares = float(np.mean(better[name])), float(np.mean(worse[name]))
        claim = Claim(
            claim="A small fine-tuning set (B < m) is best over the whole grid of r/η and n",
            source=f"{PAPER}, insight 2",
            variant=f"against {rival}",
            test="order statistics of medians, a cell",
            supports=True if shares[0] == 1 else False if shares[1] > 0 else None,
            estimate=shares[0],
            note=f"Estimate: share of {len(table)} cells in which it is better; worse in {shares[1]:.2f}.",
        )
        claims.append(claim)
    return claims


def difficulty_claims(table: pd.DataFrame) -> list[Claim]:
    """Judge whether hard, aligned and rightly scaled data are best, each with the others held.

    Parameters
    ----------
    table
        Of `ggmi.data_quality.difficulty.difficulty_table`.
    """
    return [
        claim
        for (n, b), part in table.groupby(["n", "B"], sort=False, dropna=False)
        for claim in _of_set(f"n = {n}, {'endless prompts' if pd.isna(b) else f'B = {b}'}", part)
    ]


def _of_set(where: str, table: pd.DataFrame) -> Iterator[Claim]:
    test = "exact calculation" if table["ci_low"].isna().all() else "intervals of medians"
    families = {str(name): part.reset_index(drop=True) for name, part in table.groupby("family", sort=False)}
    held = {"alignment": "equal trace", "scale": "equal alignment", "spread": "equal trace and alignment"}
    for family, part in families.items():
        for column, reading in READINGS.items():
            hardest = int(part[column].to_numpy().argmax())
            yield Claim(
                claim=f"At {held[family]} the hardest data are best",
                source=f"{PAPER}, insight 1",
                variant=f"{reading}; {where}",
                test=test,
                supports=_is_best(part, hardest),
                estimate=float(spearmanr(part[column], part["err_over_d_median"]).statistic),
                note=f"Over {family}; the hardest has {family} {part['value'][hardest]:g}, the best "
                f"{part['value'][int(part['err_over_d_median'].to_numpy().argmin())]:g}. "
                "Estimate: rank correlation of difficulty and error.",
            )
    aligned = families["alignment"]
    last = int(aligned["value"].to_numpy().argmax())
    yield Claim(
        claim="At equal trace the data aligned with the shift are best",
        source=f"{PAPER}, insight 1",
        variant=where,
        test=test,
        supports=_is_best(aligned, last),
        estimate=float(spearmanr(aligned["value"], aligned["err_over_d_median"]).statistic),
        note="Estimate: rank correlation of the share of the trace in the shift and error, which need not be monotone.",
    )
    if test == "exact calculation":
        for column, reading in READINGS.items():
            hard = int(aligned[column].to_numpy().argmax())
            yield Claim(
                claim="At equal trace the data aligned with the shift are the hardest",
                source=f"{PAPER}, insight 1",
                variant=f"{reading}; {where}",
                test=test,
                supports=hard == last,
                estimate=float(spearmanr(aligned["value"], aligned[column]).statistic),
                note="Estimate: rank correlation of the share of the trace in the shift and difficulty.",
            )
    scale = families["scale"]
    published = int((scale["value"] - 1).abs().to_numpy().argmin())
    yield Claim(
        claim="Of data in the shift alone, A = η (P Σ0 P + Δ) has the best scale",
        source=f"{PAPER}, data selection",
        variant=where,
        test=test,
        supports=_is_best(scale, published),
        estimate=float(scale["value"][int(scale["err_over_d_median"].to_numpy().argmin())]),
        note="Estimate: the best factor of that A on the grid.",
    )


def _is_best(part: pd.DataFrame, chosen: int) -> bool | None:
    """Whether a member has the least error; None where intervals of medians overlap."""
    mine, others = part.loc[chosen], part.drop(index=chosen)
    rival = others.loc[others["err_over_d_median"].idxmin()]
    best = bool(mine["err_over_d_median"] < rival["err_over_d_median"])
    first, second = (mine, rival) if best else (rival, mine)
    return None if first["ci_high"] >= second["ci_low"] else best
