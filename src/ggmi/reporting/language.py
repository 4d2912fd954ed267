"""What the page on data quality in language models shows; its words are in the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ggmi.reporting.papers import Figures, by_claim, embedded_figures
from ggmi.reporting.text import estimate


def language_page(
    tables: Mapping[str, pd.DataFrame],
    records: Mapping[str, pd.DataFrame],
    bases: Mapping[str, Mapping[str, Any]],
    figures: Figures,
    provenance: Mapping[str, Any],
) -> dict[str, Any]:
    """What the template ``language.html.j2`` shows.

    Parameters
    ----------
    tables
        ``claims`` and ``conditions``.
    records
        How hard each record is, by balance of the base.
    bases
        What became of pretraining, by balance.
    figures
        SVG and PNG of each figure, by its path beside the page without suffix.
    provenance
        Record of how the claims were judged.
    """
    claims = by_claim(tables["claims"])
    conditions = tables["conditions"].fillna({"by": ""})
    tried = conditions[(conditions["base"] == "unbalanced") & (conditions["matched"] == "updates")]
    best = {method: part.loc[part["rating"].idxmax()].to_dict() for method, part in tried.groupby("method", sort=False)}
    return {
        "claims": claims,
        "counts": {claim["claim"]: _counts(claim) for claim in claims},
        "conditions": conditions.to_dict("records"),
        "best": best,
        "bases": bases,
        "skills": {name: sorted(set(table["skill_nats_per_token"])) for name, table in records.items()},
        "pictures": embedded_figures(figures),
        "estimate": estimate,
        "provenance": provenance,
    }


def _counts(claim: Mapping[str, Any]) -> dict[str, int]:
    """How often a claim was given each verdict."""
    found = [row["verdict"] for row in claim["settings"]]
    return {"settings": len(found), **{word: found.count(word) for word in ("supported", "contradicted", "undecided")}}
