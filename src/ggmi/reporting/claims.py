"""The paper's claims on the theory's terms in sentences, and whether the terms could explain the gap.

Gan & Liu, arXiv 2410.01720, section 4.4 and Theorem 4.10. Every number in a sentence is read from
the study's tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ggmi.mixtures.term_claims import BOUND_SIGNS
from ggmi.mixtures.worlds import AXES, Axis
from ggmi.reporting.mixtures import COVARIANCE_NAMES, MixtureStudy
from ggmi.reporting.text import capital, count_word, estimate, listed

TASK = "task_divergence"
# Name and explanation of each term on the page; the bound's depends on the variant of its fit.
TERM_NAMES = {
    "information_gain": ("ΔI", "H(M(p)|h(e_p)), entropy of what M writes, given the prompt's part"),
    "entropy_change": ("ΔH", "H(S_anchor) − H(S_gen)"),
    "anchor_given_student": ("H(S_anchor|W)", "stand-in: cross-entropy of anchor points under the student"),
    "synthetic_given_student": ("H(S_gen|W)", "stand-in: cross-entropy of synthetic points under the student"),
    "student_entropy": ("H(S_gen|W)", "second stand-in: the student’s own entropy"),
    "bound": ("The bound", "right side of Theorem 4.10, an upper bound of GGMI, from the stand-ins, without its ε"),
    TASK: ("D_TV(D, D_M)", "task divergence: target against generator"),
    "student_divergence": ("D_TV(D_M, π_gen)", "generator against student"),
}
# Lemma 3.1 counts the task divergence as a cost.
SIGNS = {**BOUND_SIGNS, "bound": 1, TASK: -1}


def claims_sentence(study: MixtureStudy) -> str:
    """How the paper's claims on the terms fare over all variants and stand-ins, in one sentence.

    Parameters
    ----------
    study
        The study.
    """
    found = {text: set(rows["verdict"]) for text, rows in study.claims.groupby("claim", sort=False)}
    if not found:
        return "No claim of section 4.4 on the theory's terms was measured: nothing is swept."
    groups: dict[str, list[str]] = {}
    for text, verdicts in found.items():
        word = verdicts.pop() if len(verdicts) == 1 else "judged differently by variant or stand-in"
        groups.setdefault(word, []).append(str(text))
    total = f"{count_word(len(found))} claim{'s' if len(found) > 1 else ''} of section 4.4 on the theory's terms"
    if len(groups) == 1 and len(found) > 1:
        return f"All {total} are {next(iter(groups))}: {listed(list(found))}."
    said = [f"{count_word(len(texts))} {'are' if len(texts) > 1 else 'is'} {word}" for word, texts in groups.items()]
    return f"Of the {total}, {'; '.join(f'{s} ({listed(t)})' for s, t in zip(said, groups.values(), strict=True))}."


def of_main(study: MixtureStudy, table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table of terms that belong to the main variant, its bound by the name ``bound``.

    Parameters
    ----------
    study
        The study.
    table
        ``terms`` or ``term_trends``.
    """
    covariance, anchors = study.main
    mine = table[table["covariance"] == covariance]
    return mine.assign(term=mine["term"].replace(f"bound_{anchors}", "bound"))


def movements(study: MixtureStudy) -> dict[tuple[str, str], int]:
    """Direction of every term along every sweep in the main variant.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    dict of (term, axis) to int
        +1 or -1 where the rank correlation's 95 % interval excludes zero, else 0. The bound of the
        main variant goes by the name ``bound``.
    """
    return {
        (row["term"], row["axis"]): int(row["spearman_ci_low"] > 0) - int(row["spearman_ci_high"] < 0)
        for row in of_main(study, study.term_trends).to_dict("records")
    }


def gap_movements(study: MixtureStudy) -> dict[tuple[str, str], int]:
    """Direction of the KL gap along every sweep in the main variant, by estimator.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    dict of (estimator, axis) to int
        +1 or -1 where its verdict is decided, else 0.
    """
    return {
        (row.estimator, axis): 0 if cell.verdict == "undecided" else int(np.sign(cell.spearman))
        for row in study.main_rows
        for axis, cell in row.cells.items()
        if cell
    }


def told(study: MixtureStudy, term: str, axes: Iterable[str] = AXES) -> tuple[int, int, int]:
    """How often the gap moves as a term's movement and sign would have it, if the gap followed the upper bound.

    Parameters
    ----------
    study
        The study; its main variant is read.
    term
        A key of `SIGNS`.
    axes
        Sweeps that count.

    Returns
    -------
    agreeing, opposed, undecided : int
        Trends of the gap over the estimators; undecided where the gap or the term does not clearly
        move.
    """
    moved = movements(study)
    signs = [
        measured * moved.get((term, axis), 0) * SIGNS[term]
        for (_, axis), measured in gap_movements(study).items()
        if axis in axes
    ]
    return signs.count(1), signs.count(-1), signs.count(0)


def claim_points(study: MixtureStudy) -> list[tuple[str, str]]:
    """Each claim: its verdict, the term on the other sweeps, and whether it could explain the gap.

    Parameters
    ----------
    study
        The study; numbers are of its main variant.

    Returns
    -------
    list of (claim, sentences)
    """
    moved = movements(study)
    points = []
    for text in dict.fromkeys(study.claims["claim"]):
        rows = study.claims[study.claims["claim"] == text]
        main = rows[rows["covariance"] == study.main[0]]
        term, axis = main.iloc[0]["term"], main.iloc[0]["axis"]
        verdicts = list(dict.fromkeys(main["verdict"]))
        numbers = [_trend(row, _stand_in(row["term"], len(main))) for row in main.to_dict("records")]
        sentences = [f"{capital(' and '.join(verdicts))}: {listed(numbers)}{_elsewhere(rows, study)}."]
        others = {a: moved[term, a] for a in AXES if a != axis and (term, a) in moved}
        if others:
            sentences.append(f"On the other sweeps the term {directions(others)}.")
        if moved.get((term, axis)):
            sentences.append(_explaining(study, term, axis))
        else:
            sentences.append("The term does not clearly move there, so it explains nothing.")
        points.append((str(text), " ".join(sentences)))
    return points


def telling_sentence(study: MixtureStudy) -> str:
    """How often the terms' sum and the task divergence tell where the gap goes, in one sentence.

    Parameters
    ----------
    study
        The study; its main variant is read.
    """
    counts = {term: told(study, term) for term in ("bound", TASK)}
    if not any(map(sum, counts.values())):
        return ""
    (right, wrong, undecided), (task_right, task_wrong, _) = counts.values()
    total = right + wrong + undecided
    return (
        "Theorem 4.10 bounds the gain from above, so that a bound which rises allows a larger gain and promises none. "
        f"Of the KL gap's {total} trends, {right} go the way of the bound that the terms make up and {wrong} the other "
        f"way; D_TV(D, D_M), a cost that is none of them, gets {task_right} right and {task_wrong} wrong."
    )


def together_points(study: MixtureStudy) -> list[tuple[str, str]]:
    """What the bound as a whole and the task divergence say of the gap, and J against L.

    Parameters
    ----------
    study
        The study; its main variant is read.
    """
    moved = movements(study)
    points = []
    for term, name in (("bound", "The terms together"), (TASK, "D_TV(D, D_M) instead")):
        along = {axis: moved[term, axis] for axis in AXES if (term, axis) in moved}
        if along:
            which = {
                "bound": "The upper bound ΔI − (α + 1) H(S_anchor|W) + 2 ΔH + H(S_gen|W), from the stand-ins,",
                TASK: "The task divergence, a cost in Lemma 3.1,",
            }[term]
            points.append((name, f"{which} {directions(along)}; {_tally(study, term)}."))
    points.append(("J against L", _exchanged(study)))
    return points


def directions(along: Mapping[Axis, int]) -> str:
    """Say how a term moves along its sweeps.

    Parameters
    ----------
    along
        Its direction, by axis.

    Examples
    --------
    >>> directions({"K": 1, "J": -1, "L": -1})
    'rises with K and falls with J and L'
    """
    verbs = {1: "rises with", -1: "falls with", 0: "does not clearly move with"}
    parts = [
        f"{verb} {listed(axes)}" for sign, verb in verbs.items() if (axes := [a for a, s in along.items() if s == sign])
    ]
    return listed(parts)


def _stand_in(term: str, measures: int) -> str:
    """Which stand-in a number is of, where a claim has several."""
    return f" ({TERM_NAMES[term][1].partition(': ')[2]})" if measures > 1 else ""


def _trend(row: Mapping, name: str) -> str:
    rho = estimate(row["spearman"], row["spearman_ci_low"], row["spearman_ci_high"], decimals=2)
    slope = estimate(row["slope"], row["slope_ci_low"], row["slope_ci_high"])
    return f"ρ = {rho}, slope {slope} nats a component{name}"


def _elsewhere(rows: pd.DataFrame, study: MixtureStudy) -> str:
    """Verdicts in the other covariance variants."""
    others = rows[rows["covariance"] != study.main[0]]
    if others.empty:
        return ""
    said = []
    for covariance, part in others.groupby("covariance", sort=False):
        verdicts = " and ".join(dict.fromkeys(part["verdict"]))
        said.append(f"{verdicts} with {COVARIANCE_NAMES.get(str(covariance), covariance)}")
    return f"; {listed(said)}"


def _explaining(study: MixtureStudy, term: str, axis: str) -> str:
    """Whether the term's movement could explain the gap's."""
    sign = "plus" if SIGNS[term] > 0 else "minus"
    direction = "rise" if movements(study)[term, axis] * SIGNS[term] > 0 else "fall"
    agreeing, opposed, undecided = told(study, term, [axis])
    total = agreeing + opposed + undecided
    own = (
        f"It enters the upper bound with a {sign}: a gap that followed the bound would {direction} with {axis}, "
        f"which it does by {agreeing} of {total} divergences"
    )
    wrong = told(study, term)[1]
    if not agreeing:
        return f"{own}: the gap does not follow the term."
    if not wrong:
        return f"{own}; no sweep speaks against it, so the gap could follow it, which an upper bound does not promise."
    if wrong == opposed:
        return f"{own} and does not by {opposed}: whether it could explain the gap depends on the divergence."
    return f"{own}; but over all sweeps {_tally(study, term)}, so it does not explain the gap by itself."


def _tally(study: MixtureStudy, term: str) -> str:
    agreeing, opposed, undecided = told(study, term)
    total = agreeing + opposed + undecided
    tail = f" and {undecided} {'are' if undecided > 1 else 'is'} undecided" if undecided else ""
    return f"of the gap’s {total} trends {agreeing} go the way it says, {opposed} the other way{tail}"


def _exchanged(study: MixtureStudy) -> str:
    """That J and L are alike to every term but one, and how the rounds bear it out."""
    why = (
        "J and L enter the generator alike, as components drawn by one rule that M brings with it, so the laws of ΔI, "
        "ΔH, H(S_anchor|W) and H(S_gen|W) depend on them through J + L only: no formula in these terms can rise with "
        "J and fall with L. Only D_TV(D, D_M) knows which components belong to the target"
    )
    table = of_main(study, study.terms).set_index(["K", "J", "L", "term"])
    overlaps: dict[bool, list[bool]] = {True: [], False: []}
    for K, J, L, term in table.index:
        if J < L and term in TERM_NAMES and (K, L, J, term) in table.index:
            one, other = table.loc[(K, J, L, term)], table.loc[(K, L, J, term)]
            overlap = one["ci_low"] <= other["ci_high"] and other["ci_low"] <= one["ci_high"]
            overlaps[term == TASK].append(bool(overlap))
    if not overlaps[False]:
        return f"{why}."
    counts = {kind: f"{sum(found)} of {len(found)}" for kind, found in overlaps.items()}
    return (
        f"{why}. With the numbers J and L exchanged, the 95 % intervals of the mean overlap in {counts[False]} "
        f"comparisons of the other terms and in {counts[True]} of D_TV(D, D_M)."
    )
