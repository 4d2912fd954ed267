"""What pages on papers share: claims with their settings, and how often each verdict was given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

VERDICTS = ("supported", "contradicted", "undecided")


def by_claim(claims: pd.DataFrame) -> list[dict[str, Any]]:
    """Claims, each with its settings by verdict; a form of ours is a claim beside the paper's.

    Parameters
    ----------
    claims
        A study's ``claims.csv``.
    """
    return [
        {
            "claim": claim,
            "source": rows["source"].iloc[0],
            "ours": bool(ours),
            "verdict": rows["verdict"].iloc[0] if rows["verdict"].nunique() == 1 else "undecided",
            "mixed": rows["verdict"].nunique() > 1,
            "settings": rows.to_dict("records"),
            "counts": verdict_counts(rows["verdict"]),
        }
        for (claim, ours), rows in claims.groupby(["claim", claims["source"].str.startswith("ours")], sort=False)
    ]


def verdict_counts(verdicts: Iterable[str]) -> dict[str, int]:
    """How often each verdict was given, and how many were.

    Examples
    --------
    >>> verdict_counts(["supported", "undecided", "supported"])
    {'settings': 3, 'supported': 2, 'contradicted': 0, 'undecided': 1}
    """
    found = list(verdicts)
    return {"settings": len(found), **{word: found.count(word) for word in VERDICTS}}
