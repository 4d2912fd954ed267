"""What the page on data quality shows; its words are in the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ggmi.reporting.page import Figures
from ggmi.reporting.papers import paper_page, verdict_counts


def data_quality_page(
    tables: Mapping[str, pd.DataFrame],
    certificates: Mapping[str, Mapping[str, Any]],
    figures: Figures,
    provenance: Mapping[str, Any],
) -> dict[str, Any]:
    """What the template ``data_quality.html.j2`` shows.

    Parameters
    ----------
    tables
        The study's tables by name: ``claims``, ``small_sets`` and others, each as lists of rows.
    certificates
        Exact instances by file name.
    figures
        SVG and PNG of each figure, by its path beside the page without suffix.
    provenance
        Record of how the claims were judged.
    """
    sets = tables["small_sets"]
    # Cells of the grid in which more data than any small set leave less error, and in which they leave more.
    endless = {
        "cells": len(sets),
        "better": int((sets["err_limit"] < sets["ci_low"]).sum()),
        "worse": int((sets["err_limit"] > sets["ci_high"]).sum()),
        "beat_zero": int((sets["ci_high"] < sets["err_zero"]).sum()),
        "interference": sorted(sets.loc[sets["err_limit"] > sets["ci_high"], "r_over_eta"].unique()),
    }
    return {
        **paper_page(tables, figures, provenance),
        "by_length": _by_length(tables["claims"]),
        "endless": endless,
        "certificates": certificates,
    }


def _by_length(claims: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Settings in which the error has an inner minimum, by the length that varies."""
    rows = claims[claims["claim"].str.contains("has a minimum at a length")]
    kinds = rows["variant"].str.partition(",")[0]
    return {str(kind): verdict_counts(part["verdict"]) for kind, part in rows.groupby(kinds, sort=False)}
