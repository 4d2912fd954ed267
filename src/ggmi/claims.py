"""The table of claims that a study writes: what was asserted, by whom, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from math import nan

import numpy as np
import pandas as pd

from ggmi.statistics import holm


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim in one setting, with the evidence on it.

    Parameters
    ----------
    claim
        What is asserted, in a sentence.
    source
        Where: paper, section and equation, or ``ours``.
    variant
        The setting in which it was judged.
    test
        How it was judged: a statistical test, or the exact argument.
    supports
        Whether the estimate lies on the claim's side; None where it lies on neither.
    estimate, ci_low, ci_high
        The quantity that decides and its 95 % interval; NaN where there is none.
    p
        The test's p-value, two-sided; NaN where the judgement is exact and chance has no part in it.
    n
        Independent units behind the estimate; 0 where the judgement is exact.
    power
        The test's power against an effect that the note names, in [0, 1]; NaN where it is exact.
    note
        What a reader needs besides.
    """

    claim: str
    source: str
    variant: str
    test: str
    supports: bool | None
    estimate: float = nan
    ci_low: float = nan
    ci_high: float = nan
    p: float = nan
    n: int = 0
    power: float = nan
    note: str = ""


# Of a table of claims that are to be corrected together with those of other tables.
PARTIAL_COLUMNS = tuple(field.name for field in fields(Claim))

CLAIM_COLUMNS = (
    *("claim", "source", "variant", "test", "estimate", "ci_low", "ci_high"),
    *("p", "p_holm", "n", "power", "verdict", "note"),
)


def partial_table(claims: Sequence[Claim]) -> pd.DataFrame:
    """A part of a study's claims, for a file of its own: columns `PARTIAL_COLUMNS`, no verdict yet."""
    return pd.DataFrame([asdict(claim) for claim in claims], columns=list(PARTIAL_COLUMNS))


def claims_of(table: pd.DataFrame) -> list[Claim]:
    """The claims of a table that `partial_table` made, perhaps read back from a file."""
    rows = table.astype({"note": object}).fillna({"note": ""}).to_dict("records")
    return [Claim(**row | {"supports": None if pd.isna(row["supports"]) else bool(row["supports"])}) for row in rows]


def claims_table(claims: Sequence[Claim], *, level: float = 0.05) -> pd.DataFrame:
    """Judge claims together, p-values corrected over all that were tested (Holm).

    Parameters
    ----------
    claims
        The claims of one study.
    level
        The probability, for all claims together, that chance decides one.

    Returns
    -------
    DataFrame
        A row a claim, columns `CLAIM_COLUMNS`. An exact judgement is ``supported`` or ``contradicted``
        by its side; a tested one only if its corrected p-value is at most `level`; else ``undecided``.
    """
    table = partial_table(claims)
    tested = table["p"].notna()
    table["p_holm"] = nan
    if tested.any():
        table.loc[tested, "p_holm"] = holm(table.loc[tested, "p"].to_numpy(float))
    settled = ~tested | (table["p_holm"] <= level)
    sides = table["supports"].map({True: "supported", False: "contradicted"})
    table["verdict"] = np.where(settled & sides.notna(), sides, "undecided")
    return table[list(CLAIM_COLUMNS)]
