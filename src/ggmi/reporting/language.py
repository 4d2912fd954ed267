"""What the page on data quality in language models shows; its words are in the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ggmi.reporting.page import Figures
from ggmi.reporting.papers import paper_page


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
    conditions = tables["conditions"].fillna({"by": ""})
    tried = conditions[(conditions["base"] == "unbalanced") & (conditions["matched"] == "updates")]
    best = {method: part.loc[part["rating"].idxmax()].to_dict() for method, part in tried.groupby("method", sort=False)}
    return {
        **paper_page(tables, figures, provenance),
        "conditions": conditions.to_dict("records"),
        "best": best,
        "bases": bases,
        "skills": {name: sorted(set(table["skill_nats_per_token"])) for name, table in records.items()},
    }
