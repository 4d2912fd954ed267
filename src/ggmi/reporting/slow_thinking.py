"""What the page on slow thinking shows; its words are in the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ggmi.reporting.page import Figures, by_name, pictures
from ggmi.reporting.papers import by_claim
from ggmi.reporting.statements import rows_by_statement, world_shown
from ggmi.reporting.text import fixed
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
        "tables": {name: table.to_dict("records") for name, table in tables.items()},
        "claims": by_claim(tables["claims"]),
        "statements": STATEMENTS,
        "rows": rows,
        "regimes": REGIMES,
        "failures": [failure for key in rows if (failure := _failure(key, rows[key], certificates))],
        "pictures": by_name(pictures(figures)),
        "provenance": provenance,
    }


def _failure(key: str, rows: Mapping[str, Any], certificates: Mapping[str, Any]) -> dict[str, Any] | None:
    """A failing statement with its smallest world in the strictest regime that has a certified one."""
    fails = [regime for regime in REGIMES if rows[regime]["verdict"] == "fails"]
    paths = {r: rows[r]["certificate"] for r in fails if rows[r]["certificate"] in certificates}
    shown = next(iter(paths), None)
    if not fails:
        return None
    return {
        "statement": STATEMENTS[key],
        "fails": fails,
        "paths": paths,
        "shown": shown,
        "world": None if shown is None else world_shown(STATEMENTS[key], certificates[paths[shown]], NAMES),
        "violation": {regime: fixed(rows[regime]["worst_violation_nats"], 3) for regime in fails},
    }
