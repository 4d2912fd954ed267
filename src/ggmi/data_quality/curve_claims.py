"""What figures 1 and 2 are said to show, judged on their repetitions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ggmi.claims import Claim
from ggmi.data_quality.curves import BASELINES, VARIANTS, Curves
from ggmi.data_quality.evidence import PAPER, both, side_of_zero

# Around a peak, in units of where it is.
NEIGHBOURS = (0.75, 1.25)
AGAINST = {
    "no fine-tuning": "no fine-tuning, B = 0",
    "zero": "no answer, ŵ = 0",
    "best one-step": "the best one-step predictor",
    "limit": "endless fine-tuning, V∞",
}
CHOSEN = "The best small B is chosen on every other repetition and measured on the rest"
FAMILY = ["r", "n_sft", "test_steps"]


def number_claims(curves: Curves, repetitions: pd.DataFrame) -> list[Claim]:
    """Judge peaks and the preference for small sets by figure 1.

    Parameters
    ----------
    curves
        Sizes.
    repetitions
        Of `ggmi.data_quality.curves.by_prompts`.
    """
    claims: list[Claim] = []
    for (r, n, steps), part in repetitions.groupby(FAMILY):
        errors = np.log(part[part["B"].notna()].pivot_table(index="seed", columns="B", values="err_over_d"))
        plain = part[part["baseline"].notna()].groupby("baseline")["err_over_d"].apply(np.array)
        where = f"r = {r:g}, n = {n}, {steps} test step{'s' * (steps > 1)}"
        if steps == 1:
            claims += _peaks(curves, float(r), where, errors)
        claims += _small(curves, where, errors, plain)
    return claims


def _peaks(curves: Curves, r: float, where: str, errors: pd.DataFrame) -> Iterator[Claim]:
    """Error at B = m and at B = d against both sides."""
    for name, place in (("m", curves.m), ("d", curves.d)):
        sides = [round(x * place) for x in NEIGHBOURS]
        if any(b not in errors for b in (place, *sides)) or (r == 0 and name == "d"):
            continue
        yield Claim(
            claim=f"The error of V* peaks at B = {name}",
            source=f"{PAPER}, figure 1",
            variant=where,
            test="t-tests, weaker of both sides",
            **both(errors[place] - errors[sides[0]], errors[place] - errors[sides[1]]),
            note=f"Log error at B = {place} over that at {sides[0]} and {sides[1]}.",
        )


def _small(curves: Curves, where: str, errors: pd.DataFrame, plain: pd.Series) -> Iterator[Claim]:
    """The best set with 0 < B < m against baselines and the largest set."""
    small = [b for b in errors if 0 < b < curves.m]
    if not small or len(errors) < 4:
        return
    best = errors[small].iloc[::2].median().idxmin()
    measured = errors[best].iloc[1::2]
    rivals = {AGAINST[name]: np.log(plain[name]) for name in BASELINES if name in plain}
    largest = max(errors)
    if largest > curves.d:
        rivals["the largest set, B = 5 d" if largest == 5 * curves.d else f"the largest set, B = {largest:g}"] = errors[
            largest
        ].to_numpy()
    for name, rival in rivals.items():
        yield Claim(
            claim=f"A small fine-tuning set (B < m) is better than {name}",
            source=f"{PAPER}, insight 2, figure 1",
            variant=where,
            test="t-test of log errors",
            **side_of_zero(measured - (rival[1::2] if len(rival) > 1 else rival), sign=-1),
            note=f"{CHOSEN}: B = {best:g}. Log of the ratio of errors; power against a factor of two.",
        )


def length_claims(curves: Curves, repetitions: pd.DataFrame) -> list[Claim]:
    """Judge the U-shape in the length of prompts by figure 2, tied and each length alone.

    Parameters
    ----------
    curves
        Sizes.
    repetitions
        Of `ggmi.data_quality.curves.by_length`.
    """
    claims = []
    one = repetitions[(repetitions["test_steps"] == 1) & repetitions["B"].notna()]
    groups = dict(list(one.groupby(["variant", "r", "B"])))
    for variant, r, b in sorted(groups, key=lambda key: (VARIANTS.index(key[0]), *key[1:])):
        part = groups[variant, r, b]
        column = "n_sft" if variant == "tied" else str(variant)
        errors = np.log(part.pivot_table(index="seed", columns=column, values="err_over_d"))
        if errors.shape[1] < 3 or len(errors) < 4:
            continue
        least = errors.iloc[::2].median().idxmin()
        measured, ends = errors.iloc[1::2], (errors.columns[0], errors.columns[-1])
        if least in ends:
            # The end chosen against the middle of the range: that it lies below is evidence against a U.
            inner = errors.columns[1:-1]
            gaps = [side_of_zero(measured[least] - measured[n], sign=1) for n in inner]
            found = max(gaps, key=lambda f: (f["supports"], f["p"]))
        else:
            found = both(*(measured[end] - measured[least] for end in ends))
        varied = "all lengths tied, as published" if variant == "tied" else f"{variant} alone"
        chosen = "chosen on every other repetition and measured on the rest"
        claim = Claim(
            claim="The test error has a minimum at a length n between the shortest and the longest",
            source=f"{PAPER}, figure 2",
            variant=f"{varied}, r = {r:g}, B = {b:g}",
            test="t-tests, weakest",
            **found,
            note=f"Lowest at n = {least:g}, {chosen}; d = {curves.d}.",
        )
        claims.append(claim)
    return claims
