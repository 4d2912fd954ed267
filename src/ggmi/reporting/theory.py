"""What the theory study found, and what its page shows; the words are in its template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from ggmi.reporting.statements import Rows, failing, failure_shown, rows_by_statement
from ggmi.reporting.text import fixed
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.consequences import CONSEQUENCES
from ggmi.theory.families import Family
from ggmi.theory.regimes import REGIMES
from ggmi.theory.statement import Statement

VARIABLES = {
    **{"S_anchor": r"\Sa", "e_p": "e_p", "h": "h(e_p)", "e_M": "e_M", "g": "g(e_M)"},
    **{"M": r"\Mp", "S_gen": r"\Sg", "W": "W", "W'": "W'"},
}


def by_statement(verdicts: pd.DataFrame) -> dict[str, Rows]:
    """Rows of ``verdicts.csv`` by statement's key and regime, in the catalogue's order.

    Parameters
    ----------
    verdicts
        The table.
    """
    return rows_by_statement(verdicts, STATEMENTS)


def violation(key: str, row: Mapping[str, Any]) -> str:
    """How far a statement is violated, with its unit."""
    return f"{fixed(row['worst_violation_nats'], 3)} {'of the loss’s unit' if STATEMENTS[key].needs_loss else 'nats'}"


def status(key: str, rows: Rows) -> dict[str, Any]:
    """In which regimes a statement holds and fails.

    Parameters
    ----------
    key
        The statement's.
    rows
        Its rows by regime.

    Returns
    -------
    dict
        Regimes where it is ``proven``, where it was ``tried`` and not violated in so many ``worlds``, and where it
        ``fails``; the fewest ``states`` of a world in the strictest of them, and its ``worst`` violation.
    """
    fails = failing(rows)
    holds = [regime for regime in REGIMES if regime not in fails]
    proven = [regime for regime in holds if isinstance(rows[regime]["proof"], str) and rows[regime]["proof"]]
    tried = [regime for regime in holds if regime not in proven]
    first = rows[fails[0]] if fails else None
    return {
        "proven": proven,
        "tried": tried,
        "worlds": min((int(rows[regime]["worlds_admitted"]) for regime in tried), default=0),
        "fails": fails,
        "states": int(first["fewest_states"]) if first and first["fewest_states"] == first["fewest_states"] else None,
        "worst": violation(key, first) if first else "",
    }


def name(key: str) -> str:
    """A statement's name: as the paper calls it, or its number."""
    statement = STATEMENTS[key]
    first = statement.reference.partition(",")[0]
    return first if first.startswith(("Lemma", "Theorem", "Definition")) else statement.label


def findings(verdicts: pd.DataFrame) -> dict[str, Any]:
    """What the pages' sentences on the theory are made of.

    Parameters
    ----------
    verdicts
        The table ``verdicts.csv``.

    Returns
    -------
    dict
        ``status`` by statement; ``printed``: printed lines that a world could contradict; ``lines``: those of the
        proofs among them; of each the ones that fail under everything declared (``failing``).
    """
    rows = by_statement(verdicts)
    printed = [key for key in rows if STATEMENTS[key].judged and STATEMENTS[key].reading == "printed"]
    lines = [key for key in printed if STATEMENTS[key].reference.startswith("appendix")]
    found = {key: status(key, of_key) for key, of_key in rows.items() if STATEMENTS[key].judged}
    return {
        "status": found,
        "printed": printed,
        "lines": lines,
        "failing": [key for key in printed if "declared" in found[key]["fails"]],
    }


def theory_page(
    verdicts: pd.DataFrame,
    families_table: pd.DataFrame,
    enumeration: pd.DataFrame,
    examples: pd.DataFrame,
    continuous: pd.DataFrame,
    certificates: Mapping[str, Mapping[str, Any]],
    families: Sequence[Family],
    provenance: Mapping[str, Any],
) -> dict[str, Any]:
    """What the template ``theory.html.j2`` shows.

    Parameters
    ----------
    verdicts, families_table, enumeration, examples, continuous
        The study's tables; `families_table` is ``statements.csv``.
    certificates
        Certified counterexamples by path relative to the tables.
    families
        Families of worlds in `families_table`.
    provenance
        Record of how the tables were made.

    Returns
    -------
    dict
    """
    rows = by_statement(verdicts)
    counted = {
        (
            row["statement"] + (" charitable" if row["reading"] == "charitable" else ""),
            row["regime"],
            row["states"],
        ): row
        for row in enumeration.to_dict("records")
    }
    largest = int(enumeration["states"].max())
    return {
        "found": findings(verdicts),
        "idle": next(consequence for consequence in CONSEQUENCES if "idle" in consequence.title),
        "statements": {key: STATEMENTS[key] for key in rows},
        "rows": rows,
        "regimes": REGIMES,
        "failures": [_failure(STATEMENTS[key], rows[key], certificates) for key in rows if failing(rows[key])],
        "fewest": {
            (key, regime): min((n for n in range(1, largest + 1) if _violated(counted, key, regime, n)), default=None)
            for key in rows
            for regime in REGIMES
        },
        "largest": largest,
        "enumerated": int(enumeration.groupby(["regime", "states"])["worlds"].max()["structure"].sum()),
        "consequences": CONSEQUENCES,
        "examples": examples.fillna("").to_dict("records"),
        "continuous": continuous.to_dict("records"),
        "families": families,
        "admitted": families_table.groupby("family")["worlds"].max().to_dict(),
        "provenance": provenance,
    }


def _violated(counted: Mapping[tuple[str, str, int], Mapping[str, Any]], key: str, regime: str, states: int) -> bool:
    row = counted.get((key, regime, states))
    return row is not None and row["violated"] > 0


def _failure(statement: Statement, rows: Rows, certificates: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A failing statement, with the losses of its world and how far it is violated."""
    found = failure_shown(statement, rows, certificates, VARIABLES)
    return {
        **found,
        "name": name(statement.key),
        "losses": [] if found["certificate"] is None else list(_losses(found["certificate"])),
        "violation": {regime: violation(statement.key, rows[regime]) for regime in found["fails"]},
    }


def _losses(certificate: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The losses that the statement's risks are means of, at the data that occur."""
    variables, states = certificate["joint"]["variables"], certificate["joint"]["states"]
    leaves = [leaf for leaf in _leaves(certificate["violation"]["tree"]) if leaf[0] in ("risk", "loss")]
    for learner in dict.fromkeys(leaf[1] for leaf in leaves):
        read = {leaf[2] for leaf in leaves if leaf[0] == "risk" and leaf[1] == learner}
        table = certificate["tables"][f"loss of {learner}"]
        single = all(certificate["parameters"][share] == "1" for share in ("1/n", "1/m"))
        occur = sorted({state[variables.index(v)] for state in states for v in read}) if single else None
        data = occur if occur is not None else range(len(next(iter(table.values()))))
        yield {
            "learner": learner,
            "head": [str(x) for x in data],
            "rows": [[w, *(str(loss[x]) for x in data)] for w, loss in table.items()],
        }


def _leaves(tree: Any) -> Iterator[Sequence[str]]:
    """What a certificate's tree is made of: operations on names alone."""
    if isinstance(tree, list):
        if all(isinstance(part, str) for part in tree):
            yield tree
        for part in tree:
            yield from _leaves(part)
