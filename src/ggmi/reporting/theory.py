"""What the theory study found, in sentences, and what its page shows; the page's words are in its template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from ggmi.reporting.page import Links, Points, Section
from ggmi.reporting.statements import Rows, rows_by_statement, world_shown
from ggmi.reporting.text import fixed, listed, plural
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.consequences import CONSEQUENCES
from ggmi.theory.families import Family
from ggmi.theory.regimes import REGIMES
from ggmi.theory.statement import Statement

# How a sentence names each regime, from the strictest to the widest.
UNDER = {
    "declared": "under all that the paper declares",
    "without_4.1": r"without section 4.1's chain $\Mp \to e_M \to W$",
    "chains_only": "under the declared Markov chains alone",
    "structure": "under the structure alone",
}
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


def failing(rows: Rows) -> list[str]:
    """The regimes in which a statement fails, the strictest first."""
    return [regime for regime in REGIMES if rows[regime]["verdict"] == "fails"]


def violation(key: str, row: Mapping[str, Any]) -> str:
    """How far a statement is violated, with its unit."""
    return f"{fixed(row['worst_violation_nats'], 3)} {'of the loss’s unit' if STATEMENTS[key].needs_loss else 'nats'}"


def status(key: str, rows: Rows) -> str:
    """In which regimes a statement holds and fails, as a clause without its subject.

    Parameters
    ----------
    key
        The statement's.
    rows
        Its rows by regime.
    """
    fails = failing(rows)
    holds = [regime for regime in REGIMES if regime not in fails]
    proven = [regime for regime in holds if isinstance(rows[regime]["proof"], str) and rows[regime]["proof"]]
    tried = [regime for regime in holds if regime not in proven]
    said = []
    if proven:
        where = "in every regime" if len(proven) == len(REGIMES) else listed([UNDER[regime] for regime in proven])
        said.append(f"holds {where}, with a proof")
    if tried:
        worlds = min(int(rows[regime]["worlds_admitted"]) for regime in tried)
        said.append(f"is not violated by any of {worlds:,} worlds {listed([UNDER[regime] for regime in tried])}")
    if fails:
        first = rows[fails[0]]
        where = listed([UNDER[regime] for regime in fails]) if holds else f"already {UNDER[fails[0]]}"
        size = first["fewest_states"]
        world = f"the smallest world has {plural(int(size), 'state')}, " if size == size else ""
        said.append(f"fails {where} ({world}the worst violation is {violation(key, first)})")
    return "; it ".join(said)


def name(key: str) -> str:
    """A statement's name: as the paper calls it, or its number."""
    statement = STATEMENTS[key]
    first = statement.reference.partition(",")[0]
    return first if first.startswith(("Lemma", "Theorem", "Definition")) else statement.label


def findings(verdicts: pd.DataFrame) -> list[tuple[str, str]]:
    """What a reader of the paper must know, each sentence under what it is about; formulas between dollar signs.

    Parameters
    ----------
    verdicts
        The table ``verdicts.csv``.
    """
    rows = by_statement(verdicts)
    said = [(name(key), _said(key, rows[key])) for key in ("(5)", "(10)")]
    said[0] = (said[0][0], f"{said[0][1]} {_idle(rows)}".strip())
    moduli = ("(6)", "(7)", "(8)")
    inside = [key for key in moduli if failing(rows[key])]
    if inside:
        where = UNDER[failing(rows[inside[0]])[0]]
        text = f"With the modulus inside the expectation, as printed, {listed(inside)} "
        text += f"{_agree(inside, 'fails', 'fail')} {where}"
        found: dict[str, list[str]] = {}
        for key in moduli:
            found.setdefault(status(f"{key} charitable", rows[f"{key} charitable"]), []).append(key)
        text += f". With the modulus outside, {'; '.join(f'{listed(keys)} {clause}' for clause, keys in found.items())}"
        correction = STATEMENTS["(8)"].correction
        assert correction is not None
        text += rf". With the modulus inside, $\log 2$ must be added to the information: ${correction.latex}$."
        said.append(("Lemmas 4.6 and 4.8, Theorem 4.7", text))
    said.append((name("(1)"), _lemma_3_1(rows)))
    said.append(("The proofs", _proofs(rows)))
    return said


def _agree(parts: Sequence[str], one: str, many: str) -> str:
    return one if len(parts) == 1 else many


def _said(key: str, rows: Rows) -> str:
    """A statement, its status, and exactly where it holds."""
    statement = STATEMENTS[key]
    text = f"${statement.latex}$ {status(key, rows)}."
    if failing(rows) and statement.condition is not None:
        exactly = "exactly where" if statement.condition.exact else "where"
        text += f" It holds {exactly} ${statement.condition.latex}$"
        text += f": for example if {statement.condition.simple}." if statement.condition.simple else "."
    return text


def _idle(rows: Mapping[str, Rows]) -> str:
    """What Lemma 4.5 is worth where it holds."""
    if "declared" in failing(rows["(5)"]):
        return ""
    idle = next(c for c in CONSEQUENCES if "idle" in c.title)
    return f"Where the chain holds it is idle: ${idle.latex}$. {idle.note}"


def _lemma_3_1(rows: Mapping[str, Rows]) -> str:
    fails = failing(rows["(1)"])
    text = rf"With “bounded by $C$” as $|\ell| \le C$ it {status('(1)', rows['(1)'])}"
    if fails:
        unsigned = status("(1) charitable", rows["(1) charitable"])
        text += rf": the constant is $2C$ then. With $0 \le \ell \le C$ it {unsigned}"
    return f"{text}."


def _proofs(rows: Mapping[str, Rows]) -> str:
    """Which printed lines fail under everything declared, and how many hold there."""
    judged = [key for key in rows if STATEMENTS[key].judged and STATEMENTS[key].reading == "printed"]
    lines = [key for key in judged if STATEMENTS[key].reference.startswith("appendix")]
    bad = [key for key in lines if "declared" in failing(rows[key])]
    hold = [key for key in judged if "declared" not in failing(rows[key])]
    text = f"Of the {len(judged)} printed lines that a world could contradict, {len(hold)} hold {UNDER['declared']}"
    if not bad:
        return f"{text}, and so does every line of the proofs."
    text += f"; of the lines of the proofs {listed(bad)} {_agree(bad, 'does', 'do')} not"
    if "(25).5" in bad and "declared" not in failing(rows["(5)"]):
        text += ", so that the printed proof of Lemma 4.5 is unsound even where the lemma is true"
    return f"{text}."


def theory_sentence(verdicts: pd.DataFrame) -> str:
    """Lemma 4.5 and Theorem 4.10 in a sentence each, formulas between dollar signs.

    Parameters
    ----------
    verdicts
        The table ``verdicts.csv``.
    """
    rows = by_statement(verdicts)
    return " ".join(f"{name(key)} {_briefly(rows[key])}." for key in ("(5)", "(10)"))


def _briefly(rows: Rows) -> str:
    """The strictest regimes in which a statement holds and fails."""
    fails = failing(rows)
    if not fails:
        return "holds in every regime"
    return (
        f"fails {UNDER[fails[0]]}"
        if fails[0] == "declared"
        else f"holds {UNDER['declared']}, and fails {UNDER[fails[0]]}"
    )


def theory_section(verdicts: pd.DataFrame) -> Section:
    """What the main page says of the theory, and where the rest is.

    Parameters
    ----------
    verdicts
        The table ``verdicts.csv``.
    """
    link = ("Every statement", "Verdicts by regime, counterexamples as tables of probabilities, proofs.", "theory.html")
    return Section(
        "theory", "The theory, statement by statement", "Theory", [Points(findings(verdicts)[:4]), Links([link])]
    )


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
        "findings": findings(verdicts),
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
    """A failing statement with its smallest world in the strictest regime that has a certified one."""
    fails = failing(rows)
    paths = {r: rows[r]["certificate"] for r in fails if rows[r]["certificate"] in certificates}
    shown = next(iter(paths), None)
    return {
        "statement": statement,
        "name": name(statement.key),
        "fails": fails,
        "paths": paths,
        "shown": shown,
        "world": None if shown is None else _world(statement, certificates[paths[shown]]),
        "violation": {regime: violation(statement.key, rows[regime]) for regime in fails},
    }


def _world(statement: Statement, certificate: Mapping[str, Any]) -> dict[str, Any]:
    """A certificate's world with the losses that the statement speaks of."""
    return {**world_shown(statement, certificate, VARIABLES), "losses": list(_losses(certificate))}


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
