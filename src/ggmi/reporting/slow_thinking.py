"""What the page on slow thinking shows; its words are in the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ggmi.formulas import plain_prose
from ggmi.reporting.page import Links, Picture, Points, Section, embedded
from ggmi.reporting.statements import rows_by_statement, world_shown
from ggmi.reporting.text import estimate, fixed, listed
from ggmi.slow_thinking.catalogue import STATEMENTS
from ggmi.slow_thinking.chains import VARIABLES
from ggmi.slow_thinking.regimes import REGIMES

NAMES = {name: f"{name[0]}_{name[1]}" for name in VARIABLES}


def slow_thinking_page(
    tables: Mapping[str, pd.DataFrame],
    certificates: Mapping[str, Mapping[str, Any]],
    figures: Mapping[str, tuple[bytes, bytes]],
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
    pictures = {
        stem: Picture(*files, "", "", [(kind.upper(), f"{stem}.{kind}") for kind in ("svg", "png", "csv")])
        for stem, files in figures.items()
    }
    return {
        "tables": {name: table.to_dict("records") for name, table in tables.items()},
        "claims": by_claim(tables["claims"]),
        "statements": STATEMENTS,
        "rows": rows,
        "regimes": REGIMES,
        "failures": [failure for key in rows if (failure := _failure(key, rows[key], certificates))],
        "pictures": {
            stem.rpartition("/")[2]: picture
            for stem, picture in zip(pictures, embedded(list(pictures.values())), strict=True)
        },
        "estimate": estimate,
        "provenance": provenance,
    }


def by_claim(claims: pd.DataFrame) -> list[dict[str, Any]]:
    """Claims, each with its settings by verdict."""
    return [
        {
            "claim": claim,
            "source": rows["source"].iloc[0],
            "verdict": rows["verdict"].iloc[0] if rows["verdict"].nunique() == 1 else "undecided",
            "mixed": rows["verdict"].nunique() > 1,
            "settings": rows.to_dict("records"),
        }
        for claim, rows in claims.groupby("claim", sort=False)
    ]


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


def slow_thinking_sentence(claims: pd.DataFrame) -> str:
    """What became of the claims, in a sentence."""
    said = []
    for verdict in ("supported", "contradicted", "undecided"):
        count = int((claims["verdict"] == verdict).sum())
        said += [f"{count} {'is' if count == 1 else 'are'} {verdict}"] if count else []
    return f"Of {len(claims)} claims on slow thinking, each in a setting of its own, {listed(said)}."


def slow_thinking_section(claims: pd.DataFrame) -> Section:
    """What the main page says of slow thinking, and where the rest is."""
    points = [(word.capitalize(), listed(_claimed(claims, word))) for word in ("supported", "contradicted")]
    link = ("Everything", "Theory in finite worlds, exact search, published points.", "slow_thinking.html")
    return Section("slow-thinking", "Slow thinking", "Slow thinking", [Points(points), Links([link])])


def _claimed(claims: pd.DataFrame, verdict: str) -> Sequence[str]:
    """Claims that have one verdict in every setting."""
    same = [rows["claim"] for rows in by_claim(claims) if not rows["mixed"] and rows["verdict"] == verdict]
    return [plain_prose(text) for text in same]
