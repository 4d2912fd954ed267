"""What pages on papers share: claims with their settings, and how often each verdict was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from ggmi.reporting.page import Figures, by_name, pictures

VERDICTS = ("supported", "contradicted", "undecided")


def paper_page(tables: Mapping[str, pd.DataFrame], figures: Figures, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """What the template of every paper's page shows.

    Parameters
    ----------
    tables
        The study's tables by name, ``claims`` among them.
    figures
        SVG and PNG of each figure, by its path beside the page without suffix.
    provenance
        Record of how the claims were judged.
    """
    claims = by_claim(tables["claims"])
    return {
        "tables": {name: table.to_dict("records") for name, table in tables.items()},
        "claims": claims,
        # By the text alone; a form of ours has a text of its own wherever the template counts it.
        "counts": {claim["claim"]: claim["counts"] for claim in claims},
        "pictures": by_name(pictures(figures)),
        "provenance": provenance,
    }


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
