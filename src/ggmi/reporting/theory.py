"""The theory study's page: every statement, whether it holds, and the smallest world where it fails."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd

from ggmi.reporting.page import Block, Fold, Heading, Links, Listing, Page, Points, Prose, Section
from ggmi.reporting.tables import COLUMNS, data_table, plain_table
from ggmi.reporting.text import capital, count_word, fixed, listed, plural
from ggmi.theory.catalogue import STATEMENTS, with_amendments
from ggmi.theory.families import Family
from ggmi.theory.statement import Statement

# The statements that a reader asks for first.
CENTRAL = ("lemma3.1", "lemma4.5", "lemma4.6", "theorem4.7", "theorem4.10")
# Joint states written out; a world with more is in its file.
STATES = 24
SYMBOLS = {
    **{"<=": "≤", ">=": "≥", "^2": "²", "alpha": "α", "lambda": "λ", "sigma": "σ", "eta": "η", "pi": "π"},
    **{"delta_I": "ΔI", "delta_H": "ΔH", "delta_eps_p": "δ", "delta": "δ", "epsilon_W_p": "ε_W,p", "sqrt": "√"},
}
_WORDS = re.compile("|".join(rf"\b{name}\b" if name[0].isalpha() else re.escape(name) for name in SYMBOLS))
READ_FORM = "in the form that we read out of the paper's proofs"
Certificates = Mapping[str, Mapping[str, Any]]


def theory_sentence(verdicts: pd.DataFrame) -> str:
    """What came of the published statements, in a few sentences.

    Every statement counts once: another reading of one is told apart, and so is how much of what
    fails is quoted from the paper and how much is read out of its proofs.

    Parameters
    ----------
    verdicts
        Of `ggmi.theory.study.verdicts`.
    """
    again = verdicts["statement"].map(lambda key: bool(STATEMENTS[key].rereads))
    once, reread = verdicts[~again], verdicts[again & (verdicts["verdict"] == "fails")]
    failing = once[once["verdict"] == "fails"]
    holding = once[once["verdict"] != "fails"]
    sentences = []
    if failing.empty:
        worlds = int(once["worlds"].min())
        sentences.append(f"None of {len(once)} published statements fails in {worlds:,} finite worlds or more each")
    else:
        central = [place(key) for key in CENTRAL if key in set(failing["statement"])]
        among = f", among them {listed(central)}" if central else ""
        sentences.append(f"Of {len(once)} statements of the theory, {len(failing)} fail in finite worlds{among}")
        quoted = [place(key) for key in failing["statement"] if not STATEMENTS[key].as_read]
        as_read = count_word(len(failing) - len(quoted))
        if quoted:
            verb = "fails" if len(quoted) == 1 else "fail"
            sentences.append(f"{listed(quoted)} {verb} as published, {as_read} {READ_FORM}")
        else:
            sentences.append(f"All of these are {READ_FORM}")
        if len(holding):
            worlds = int(holding["worlds"].min())
            sentences.append(f"{len(holding)} hold in every world tried (at least {worlds:,} each)")
    trivial = int((holding["verdict"] == "holds by definition").sum())
    if trivial:
        sentences[-1] += f", {count_word(trivial)} of them by definition"
    if len(reread):
        again_fail = listed([place(STATEMENTS[key].rereads) for key in reread["statement"]])
        verb = "fails" if len(reread) == 1 else "fail"
        sentences.append(f"With |loss| ≤ C in place of 0 ≤ loss ≤ C, {again_fail} {verb} too")
    return ". ".join(sentences) + "."


def theory_page(
    verdicts: pd.DataFrame,
    table: pd.DataFrame,
    certificates: Certificates,
    worst: Certificates,
    families: Sequence[Family],
    provenance: Mapping[str, Any],
) -> Page:
    """Say which statements of the theory hold, and prove which do not.

    Parameters
    ----------
    verdicts
        Of `ggmi.theory.study.verdicts`.
    table
        Of `ggmi.theory.study.statements_table`.
    certificates
        Certified counterexamples of fewest states by statement.
    worst
        Certified counterexamples of the largest violation by statement.
    families
        Families of worlds in `table`.
    provenance
        Record of how the tables were made.

    Returns
    -------
    Page
    """
    failing = [key for key in verdicts["statement"] if key in certificates]
    holding = [key for key in verdicts["statement"] if key not in certificates]
    by_key = {row["statement"]: row for row in verdicts.to_dict("records")}
    return Page(
        title="Does the theory hold?",
        kicker="Every inequality of Gan & Liu (arXiv 2410.01720), checked exactly in finite worlds",
        asked=(
            "In a world of small alphabets the joint law of anchors, prompt, factors, generator output, synthetic data "
            "and both students' parameters is an array, so each side of each inequality is a number, not an estimate. "
            "Each statement is evaluated in families of random worlds, then attacked by gradient ascent; a violation "
            "is certified with exact fractions and interval logarithms, so that its sign is proven."
        ),
        verdict=theory_sentence(verdicts),
        findings=[(place(key), _finding(by_key[key], certificates.get(key))) for key in CENTRAL if key in by_key],
        sections=[
            _table_section(verdicts),
            Section(
                "failing",
                "Statements that fail",
                "What fails",
                [block for key in failing for block in _failing(by_key[key], certificates[key], worst[key], table)]
                or [Prose(["No statement was refuted."])],
            ),
            Section(
                "holding",
                "Statements that hold",
                "What holds",
                [
                    Prose(["No family and no search violates these; the text says why where there is a proof."]),
                    Points([_explained(STATEMENTS[key], by_key[key]) for key in holding]),
                ],
            ),
            _family_section(table, families),
            _making_section(provenance),
        ],
        colophon="All logarithms are natural; entropies in nats, risks in units of the loss.",
    )


def theory_section(verdicts: pd.DataFrame) -> Section:
    """What the main page says of the theory: one sentence, what fails, and where the rest is.

    Parameters
    ----------
    verdicts
        Of `ggmi.theory.study.verdicts`.
    """
    failing = verdicts[verdicts["verdict"] == "fails"].fillna("")
    items = [
        (
            f"{place(row['statement'])} fails",
            f"`{typeset(row['formula'])}` ({row['published_form']})"
            + (f" holds if {typeset(row['holds_under'])}." if row["holds_under"] else "."),
        )
        for row in failing.to_dict("records")
    ]
    return Section(
        "theory",
        "The theory, statement by statement",
        "Theory",
        [
            Prose([theory_sentence(verdicts)], "lead"),
            Points(items),
            Links(
                [("Every statement", "Verdicts, counterexamples as tables of probabilities, proofs.", "theory.html")]
            ),
        ],
    )


def place(key: str) -> str:
    """A statement's place in the paper, as one says it.

    Examples
    --------
    >>> place("lemma4.5"), place("eq17"), place("eq14-signed")
    ('Lemma 4.5', '(17)', '(14) with |loss| ≤ C')
    """
    *named, equation = re.split(r", (?=\()", STATEMENTS[key].reference, maxsplit=1)
    equation, _, condition = equation.partition(", ")
    said = named[0] if named and not named[0].startswith("appendix") else equation
    return typeset(f"{said} {condition}".strip())


def typeset(formula: str) -> str:
    """A formula's words as the paper's symbols.

    Examples
    --------
    >>> typeset("delta_I <= (lambda - 1) H(e_p)")
    'ΔI ≤ (λ - 1) H(e_p)'
    """
    return _WORDS.sub(lambda found: SYMBOLS[found[0]], formula)


def _finding(row: Mapping[str, Any], certificate: Mapping[str, Any] | None) -> str:
    formula = f"`{typeset(row['formula'])}` ({row['published_form']})"
    if certificate is None:
        return f"{formula} holds in all {row['worlds']:,} worlds tried."
    states = len(certificate["joint"]["states"])
    left, right = (_middle(certificate[side]["interval"]) for side in ("left", "right"))
    sentence = f"{formula} fails: in a world of {count_word(states)} states, left is {left} and right {right}."
    if isinstance(row["holds_under"], str) and row["holds_under"]:
        sentence += f" No violation was found where {typeset(row['holds_under'])}."
    return sentence


def _middle(interval: Mapping[str, str]) -> str:
    """An interval too narrow to show, as a number."""
    middle = (float(interval["low"]) + float(interval["high"])) / 2
    return fixed(middle if abs(middle) > 1e-15 else 0.0, 4)


def _table_section(verdicts: pd.DataFrame) -> Section:
    shown = verdicts.fillna("")
    shown["place"] = [place(key) for key in shown["statement"]]
    for column in ("formula", "holds_under", "corrected"):
        shown[column] = [typeset(text) for text in shown[column]]
    caption = "Verdict on every published statement"
    return Section(
        "statements",
        "Every statement",
        "Every statement",
        [
            data_table(shown, COLUMNS["verdicts"], caption=caption, source="theory/verdicts.csv"),
            Prose(
                [
                    "“As published” quotes the form in the paper's text; “as we read it” is the form that the proof "
                    "needs at that place, where the number is the paper's and the wording ours; “another reading” "
                    "is a second one of a statement in this table, which the count above leaves out. “Holds by "
                    "definition”: the sides cancel term by term, so that no world could tell them apart. “Holds "
                    "under” gives extra assumptions under which neither families nor search find a violation, "
                    "“exactly then” where the statement also fails whenever they do; “corrected” a different right "
                    "side that is proven below. A worst violation is certified, its sign proven, or evaluated in "
                    "floating point where that found a larger one."
                ],
                "note",
            ),
        ],
    )


def _failing(
    row: Mapping[str, Any], certificate: Mapping[str, Any], worst: Mapping[str, Any], table: pd.DataFrame
) -> list[Block]:
    key = row["statement"]
    statement = STATEMENTS[key]
    unit = "in units of the loss" if statement.needs_loss else "nats"
    left, right, excess = (_middle(certificate[side]["interval"]) for side in ("left", "right", "violation"))
    sides = f"Left {left}, right {right}: violated by {excess} {unit}."
    named = _quantities(certificate)
    blocks: list[Block] = [
        Heading(f"{place(key)}: {typeset(statement.formula)}"),
        Prose([_said(statement), f"{sides} Terms: {listed(named)}." if named else sides]),
        *_probabilities(certificate),
        *_losses(certificate),
        Prose([_worst(row, worst, unit)], "note"),
        Links(
            [
                (
                    "Certificate of this, the smallest counterexample",
                    f"Tables and both sides; `recheck.py {key}.json` checks it with the standard library alone.",
                    f"theory/certificates/{key}.json",
                ),
                (
                    "Certificate of the worst counterexample",
                    f"{capital(plural(len(worst['joint']['states']), 'joint state'))}, in the same form.",
                    f"theory/certificates/worst/{key}.json",
                ),
            ]
        ),
    ]
    repairs = [_repair(STATEMENTS[k], table[table["statement"] == k]) for k in with_amendments(key)[1:]]
    if repairs:
        blocks.append(Fold("What is true instead, with proofs", [Points(repairs)]))
    return blocks


def _quantities(certificate: Mapping[str, Any]) -> list[str]:
    """The named terms of a counterexample."""
    shown = [f"{typeset(name)} = {_middle(value)}" for name, value in certificate["terms"].items()]
    if "lambda" in STATEMENTS[certificate["statement"]].terms and "lambda" not in certificate["terms"]:
        shown.append("any λ will do, because e_p does not vary")
    return shown


def _worst(row: Mapping[str, Any], worst: Mapping[str, Any], unit: str) -> str:
    """The largest violation: certified, or where a larger one was only evaluated, both."""
    states, named = len(worst["joint"]["states"]), _quantities(worst)
    proven = _middle(worst["violation"]["interval"])
    text = f"Largest certified violation: {proven} {unit}, in a world of {plural(states, 'state')}"
    text += f" with {listed(named)}." if named else "."
    if row["worst_found"] != "certified":
        larger = fixed(row["worst_violation_nats"], 4)
        text += f" A larger one of {larger} was {row['worst_found']}, in floating point, and is not certified."
    return text


def _probabilities(certificate: Mapping[str, Any]) -> list[Block]:
    """The counterexample's joint law: variables that vary as a table, what it leaves out as a note."""
    variables, states = certificate["joint"]["variables"], certificate["joint"]["states"]
    # In a world of one state nothing varies, and every value is shown.
    shown = [i for i in range(len(variables)) if len(states) == 1 or len({state[i] for state in states}) > 1]
    rows = [[*(str(state[i]) for i in shown), str(Fraction(state[-1]))] for state in states[:STATES]]
    caption = f"The counterexample: {len(states)} joint state{'s' * (len(states) != 1)} and their probabilities"
    left_out = []
    if len(shown) < len(variables):
        constant = [f"{name} = {states[0][i]}" for i, name in enumerate(variables) if i not in shown]
        left_out.append(f"In every state {listed(constant)}.")
    if len(states) > len(rows):
        left_out.append(f"These are {len(rows)} of {len(states)} states; the certificate has them all.")
    table = plain_table([*(variables[i] for i in shown), "probability"], rows, caption=caption)
    return [table, Prose([" ".join(left_out)], "note")] if left_out else [table]


def _losses(certificate: Mapping[str, Any]) -> list[Block]:
    """The losses that the statement's risks are means of, at the data values that occur."""
    variables, states = certificate["joint"]["variables"], certificate["joint"]["states"]
    data: dict[str, dict[str, None]] = {}
    for operation, *names in _leaves(certificate["violation"]["tree"]):
        if operation in ("risk", "training"):
            data.setdefault(names[1], {})[names[0]] = None
    parameters = certificate["parameters"]
    told = [("C", "C"), ("sigma", "sigma"), *([("eta^L", "contraction")] if parameters["contraction"] != "1" else [])]
    scales = typeset(listed([f"{symbol} = {parameters[name]}" for symbol, name in told]))
    blocks: list[Block] = []
    for learner, read in data.items():
        values = sorted({state[variables.index(name)] for state in states for name in read})
        rows = [[w, *(loss[x] for x in values)] for w, loss in certificate["tables"][f"loss of {learner}"].items()]
        caption = f"The loss of {learner} at the values of {listed(list(read))}, with {scales}"
        header = [learner, *(f"loss at {x}" for x in values)]
        blocks += [Prose([f"{caption}:"], "note"), plain_table(header, rows, caption=caption)]
    return blocks


def _leaves(tree: Any) -> Iterator[Sequence[str]]:
    """What a certificate's tree is made of: operations on names alone."""
    if isinstance(tree, list):
        if all(isinstance(part, str) for part in tree):
            yield tree
        for part in tree:
            yield from _leaves(part)


def _repair(statement: Statement, rows: pd.DataFrame) -> tuple[str, str]:
    """A restricted or corrected statement, its proof, and in how many worlds it was tested."""
    said = _sentences(statement.explanation)
    if statement.instances:
        said = f"For example where {typeset(statement.instances)}. {said}"
    if len(rows):
        families = "one family" if len(rows) == 1 else f"{count_word(len(rows))} families"
        said += f" Evaluated in {rows['worlds'].sum():,} worlds of {families} that meet its assumptions"
        said += f" (fewest in one: {rows['worlds'].min():,}); search: {rows['certificate'].iloc[0]}."
    return f"{capital(statement.kind)}: `{typeset(statement.formula)}`", said


def _explained(statement: Statement, row: Mapping[str, Any]) -> tuple[str, str]:
    name = f"{place(statement.key)}: `{typeset(statement.formula)}`"
    if statement.by_definition:
        name += ", by definition"
    return name, f"{_said(statement)} Worlds: {row['worlds']:,}."


def _said(statement: Statement) -> str:
    """The form of a published statement, and what is to say of it."""
    return f"{typeset(capital(statement.published_form))}. {_sentences(statement.explanation)}"


def _sentences(text: str) -> str:
    """A docstring's lines as one paragraph."""
    return typeset(" ".join(text.split()))


def _family_section(table: pd.DataFrame, families: Sequence[Family]) -> Section:
    described = [
        (
            family.name,
            f"{family.factors} factors; curation: {family.curation}; learner: {family.learner}; "
            f"{'integers' if family.modulus is None else f'modulo {family.modulus}'}; "
            f"{count_word(family.samples)} example{'s' * (family.samples != 1)} a training set"
            f"{'; losses of both signs' if family.signed else ''}"
            f"{f'; layers contracting to {family.contraction}' if family.contraction != 1 else ''}.",
        )
        for family in families
    ]
    return Section(
        "families",
        "Families of worlds",
        "Families",
        [
            Points(described),
            Prose([_reached(table)], "note"),
            data_table(
                table, COLUMNS["statements"], caption="Every statement in every family", source="theory/statements.csv"
            ),
        ],
    )


def _reached(table: pd.DataFrame) -> str:
    """How often the worlds that were to be drawn met a statement's assumptions."""
    wanted = int(table["worlds"].max())
    short = int((table["worlds"] < wanted).sum())
    if not short:
        return f"Each row is about {wanted:,} worlds that meet the statement's assumptions."
    return (
        f"Each row is about {wanted:,} worlds that meet the statement's assumptions, but for {short} of {len(table)}, "
        f"in which fewer did ({int(table['worlds'].min()):,} at least). Where a family has none there is no row."
    )


def _making_section(provenance: Mapping[str, Any]) -> Section:
    inputs = "\n".join(f"{digest}  {path}" for path, digest in provenance["inputs"].items())
    used = listed([f"{name} {version}" for name, version in provenance["versions"].items()])
    return Section(
        "making",
        "How each number was made",
        "How it was made",
        [
            Prose(
                [
                    "Random worlds come from named streams of the run's seed; a family of more worlds begins with the "
                    "same ones, and worlds are drawn on until enough meet a statement's assumptions, to three times as "
                    "many; where they are still fewer, the table of families says so. A violation counts beyond "
                    "10^−9. The search climbs the violation on the logits of all tables from random starts, in every "
                    "combination of factors and curation that the statement admits, with sums over the integers and "
                    "modulo, on two sizes of alphabets, and for layered losses also behind layers; it tests every "
                    "world on its way that meets the assumptions. Its worst and its simplest violations are rounded "
                    "to small fractions and their supports thinned out while the violation lasts. The world of fewest "
                    "states is shown; the worst has a certificate of its own.",
                    f"Made with {used}. Code digest of the tables: {provenance['parameters']['code']}.",
                ]
            ),
            Fold("SHA-256 of the tables' inputs", [Listing(inputs)]),
        ],
    )
