"""What is claimed of outcome supervision, judged on a small model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ggmi.claims import Claim
from ggmi.data_quality.evidence import PAPER, close, side_of_zero

# Of exponents and radii that count as the stated ones.
MARGIN = 0.1


def curvature_claims(table: pd.DataFrame) -> list[Claim]:
    """Judge section 6.1.

    Parameters
    ----------
    table
        Of `ggmi.data_quality.outcome_study.curvature_table`.
    """
    return [claim for n, part in table.groupby("n") for claim in _curvature(int(n), part)]


def _curvature(n: int, table: pd.DataFrame) -> Iterator[Claim]:
    where, logs = f"{PAPER}, section 6.1", {}
    for place, part in table.groupby("place"):
        logs[str(place)] = np.log(part.pivot_table(index="seed", columns="k", values="curvature"))
    start = table[table["place"] == "start"].iloc[0]
    off = start["radius"] / start["radius_of_shift"] - 1
    yield Claim(
        claim="At the start ρ(I + VΣ) is near ρ(Γ0⁻¹Δ)",
        source=where,
        variant=f"n = {n}",
        test="exact calculation",
        supports=bool(abs(off) < MARGIN),
        estimate=float(off),
        note=f"Relative difference; near is within {MARGIN:.0%}.",
    )
    chains = np.array(logs["start"].columns, dtype=float)
    shape = 2 * (chains - 1) * np.log(start["radius"])
    exponents = np.polyfit(shape, (logs["start"] - 2 * np.log(chains)).to_numpy().T, 1)[0]
    yield Claim(
        claim="At the start curvature grows with k as k² ρ^(2k-2)",
        source=where,
        variant=f"n = {n}",
        test="t-tests against a margin",
        **close(exponents - 1, margin=MARGIN),
        note=f"Exponent of ρ(I + VΣ) over 2k-2, less one; near is within {MARGIN:.0%}.",
    )
    last, first = chains.max(), chains.min()
    end = logs["outcome"]
    yield Claim(
        claim="Where outcome supervision ends curvature grows with k",
        source=f"{PAPER}, insight 3, sharp minima",
        variant=f"n = {n}",
        test="t-test of log curvatures",
        **side_of_zero(end[last] - end[first], sign=1),
        note=f"Log of the ratio of k = {last:g} to k = {first:g}; power against a factor of two.",
    )
    for other, text in (("start", "the start"), ("fine-tuned", "the fine-tuned V*")):
        yield Claim(
            claim=f"Outcome supervision ends in a minimum sharper than {text}",
            source=f"{PAPER}, insight 3, sharp minima",
            variant=f"n = {n}, k = {last:g}",
            test="t-test of log curvatures",
            **side_of_zero(end[last] - logs[other][last], sign=1),
            note="Log of the ratio; power against a factor of two.",
        )


def outcome_claims(table: pd.DataFrame) -> list[Claim]:
    """Judge insights 3 and 4.

    Parameters
    ----------
    table
        Of `ggmi.data_quality.outcome_study.outcome_table`.
    """
    return [claim for k, part in table.groupby("k") for claim in _wanting(int(k), part)]


def _wanting(k: int, table: pd.DataFrame) -> Iterator[Claim]:
    logs = table.assign(log=np.log(table["err_over_d"]))
    chain = f"k = {k} in training and test"
    for varied, words in (("B", "more prompts"), ("n", "longer prompts"), ("steps", "more steps")):
        part = logs[(logs["varied"] == varied)]
        errors = part[part["method"] == "outcome"].pivot_table(index="seed", columns=varied, values="log")
        least, most = min(errors), max(errors)
        yield Claim(
            claim=f"Outcome supervision is better with {words}",
            source=f"{PAPER}, insight 3",
            variant=f"{chain}, {varied} = {least:g} to {most:g}",
            test="t-test of log errors",
            **side_of_zero(errors[most] - errors[least], sign=-1),
            note="Log of the ratio of test errors; power against a factor of two.",
        )
        if varied == "steps" or k == 1:
            continue
        tuned = part[part["method"] == "fine-tuned"].pivot_table(index="seed", columns=varied, values="log")
        gains = (errors[most] - errors[least]) - (tuned[most] - tuned[least])
        yield Claim(
            claim=f"Outcome supervision gains more from {words} than fine-tuning does",
            source="ours, a reading of insight 3",
            variant=f"{chain}, {varied} = {least:g} to {most:g}",
            test="t-test of log errors",
            **side_of_zero(gains, sign=-1),
            note="Log of the ratio of both gains, on the same prompts; power against a factor of two.",
        )
    part = logs[logs["varied"] == "shift"]
    errors = part.pivot_table(index=["seed", "method"], columns="shift", values="log")
    end, before = errors.xs("outcome", level="method"), errors.xs("pretrained", level="method")
    near, far = min(end), max(end)
    radii = part.groupby("shift")["radius_of_shift"].first()
    told = f"ρ(Γ0⁻¹Δ) = {radii[near]:.2g} against {radii[far]:.2g}"
    yield Claim(
        claim="After equal steps outcome supervision has less error on a nearly learnt task",
        source=f"{PAPER}, insight 4",
        variant=f"{chain}, {told}",
        test="t-test of log errors",
        **side_of_zero(end[near] - end[far], sign=-1),
        note="Log of the ratio of test errors; power against a factor of two.",
    )
    yield Claim(
        claim="After equal steps outcome supervision gains more on a nearly learnt task",
        source="ours, a reading of insight 4",
        variant=f"{chain}, {told}",
        test="t-test of log errors",
        **side_of_zero((end[near] - before[near]) - (end[far] - before[far]), sign=-1),
        note="Log of the ratio of both gains over the pretrained model; power against a factor of two.",
    )
