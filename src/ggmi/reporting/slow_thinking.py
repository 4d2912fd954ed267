"""What the page on slow thinking shows; its words are in the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ggmi.reporting.page import Figures
from ggmi.reporting.papers import paper_page
from ggmi.reporting.statements import failing, failure_shown, rows_by_statement
from ggmi.slow_thinking.catalogue import STATEMENTS
from ggmi.slow_thinking.chains import VARIABLES
from ggmi.slow_thinking.regimes import REGIMES

NAMES = {name: f"{name[0]}_{name[1]}" for name in VARIABLES}


def slow_thinking_page(
    tables: Mapping[str, pd.DataFrame],
    certificates: Mapping[str, Mapping[str, Any]],
    figures: Figures,
    provenance: Mapping[str, Any],
) -> dict[str, Any]:
    """What the template ``slow_thinking.html.j2`` shows.

    Parameters
    ----------
    tables
        The study's tables by name: ``verdicts``, ``claims`` and others, each as lists of rows.
    certificates
        Certified counterexamples by path relative to the folder of verdicts.
    figures
        SVG and PNG of each figure, by its path beside the page without suffix.
    provenance
        Record of how the verdicts were made.
    """
    rows = rows_by_statement(tables["verdicts"], STATEMENTS)
    return {
        **paper_page(tables, figures, provenance),
        "statements": STATEMENTS,
        "rows": rows,
        "regimes": REGIMES,
        "failures": [
            failure_shown(STATEMENTS[key], rows[key], certificates, NAMES) for key in rows if failing(rows[key])
        ],
    }
