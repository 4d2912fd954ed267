"""What pages on statements share: rows of verdicts by statement and regime, and a certificate's world as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import pandas as pd

from ggmi.exact.statement import Statement
from ggmi.formulas import plain
from ggmi.reporting.text import fixed

# Joint states written out; a world with more is in its file.
STATES = 24
Rows = Mapping[str, Mapping[str, Any]]


def rows_by_statement(verdicts: pd.DataFrame, keys: Iterable[str]) -> dict[str, Rows]:
    """Rows of ``verdicts.csv`` by statement's key and regime.

    Parameters
    ----------
    verdicts
        The table.
    keys
        The catalogue's, whose order is kept.
    """
    found: dict[str, dict[str, Mapping[str, Any]]] = {key: {} for key in keys}
    for row in verdicts.to_dict("records"):
        key = row["statement"] + (" charitable" if row["reading"] == "charitable" else "")
        found[key][row["regime"]] = row
    return {key: rows for key, rows in found.items() if rows}


def failing(rows: Rows) -> list[str]:
    """The regimes in which a statement fails, the strictest first."""
    return [regime for regime, row in rows.items() if row["verdict"] == "fails"]


def failure_shown(
    statement: Statement, rows: Rows, certificates: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]
) -> dict[str, Any]:
    """A failing statement with its smallest world in the strictest regime that has a certified one.

    Parameters
    ----------
    statement
        What fails.
    rows
        Its rows by regime.
    certificates
        Certified counterexamples by path.
    names
        LaTeX of every variable.

    Returns
    -------
    dict
        Regimes in which it ``fails``, ``paths`` of certificates by regime, the regime ``shown`` and its ``world``
        with the ``certificate``, None where nothing is certified.
    """
    fails = failing(rows)
    paths = {r: rows[r]["certificate"] for r in fails if rows[r]["certificate"] in certificates}
    shown = next(iter(paths), None)
    certificate = None if shown is None else certificates[paths[shown]]
    world = None if certificate is None else world_shown(statement, certificate, names)
    return {
        **{"statement": statement, "fails": fails, "paths": paths},
        **{"shown": shown, "world": world, "certificate": certificate},
    }


def world_shown(statement: Statement, certificate: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A certificate's world: the joint law of what varies, what does not, both sides.

    Parameters
    ----------
    statement
        What it violates.
    certificate
        As stored.
    names
        LaTeX of every variable.
    """
    variables, states = certificate["joint"]["variables"], certificate["joint"]["states"]
    varies = [i for i in range(len(variables)) if len({state[i] for state in states}) > 1]
    named = certificate["terms"]
    terms = [(latex, named.get(latex) or named.get(plain(latex))) for latex in statement.terms]
    return {
        "states": len(states),
        "head": [f"${names[variables[i]]}$" for i in varies],
        "rows": [[*(str(state[i]) for i in varies), str(Fraction(state[-1]))] for state in states[:STATES]],
        "constant": [f"${names[v]} = {states[0][i]}$" for i, v in enumerate(variables) if i not in varies],
        "terms": [f"${latex} = {_middle(value)}$" for latex, value in terms if value],
        # Sides that differ from outcome to outcome have no value of their own.
        "sides": [
            f"{side} {_middle(certificate[side]['interval'])}"
            for side in ("left", "right")
            if "interval" in certificate[side]
        ],
        "violation": _middle(certificate["violation"]["interval"]),
        "parameters": certificate["parameters"],
    }


def _middle(interval: Mapping[str, str]) -> str:
    """An interval too narrow to show, as a number."""
    middle = (float(interval["low"]) + float(interval["high"])) / 2
    return fixed(middle if abs(middle) > 1e-15 else 0.0, 4)
