"""Movements of the theory's terms in a mixture study, and whether they could explain the KL gap's.

Gan & Liu, arXiv 2410.01720, section 4.4 and Theorem 4.10.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ggmi.mixtures.term_claims import BOUND_SIGNS, CLAIMS
from ggmi.mixtures.worlds import AXES
from ggmi.reporting.mixtures import MixtureStudy, Trend, trend

BOUND, TASK = "bound", "task_divergence"
# Lemma 3.1 counts the task divergence as a cost.
SIGNS = {**BOUND_SIGNS, BOUND: 1, TASK: -1}
# Terms of the page in order: those that section 4.4 argues with, then the rest.
ARGUED = tuple(dict.fromkeys(claim.term for claim in CLAIMS))
TERMS = (*ARGUED, BOUND, TASK, "student_divergence")
# What section 4.4 says along each sweep.
CLAIMED = {axis: list(dict.fromkeys(claim.text for claim in CLAIMS if claim.axis == axis)) for axis in AXES}
_WORDS = {1: "rises", -1: "falls", 0: "unclear"}


def of_main(study: MixtureStudy, table: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``terms`` or ``term_trends`` that belong to the main variant, its bound by the name ``bound``."""
    covariance, anchors = study.main
    mine = table[table["covariance"] == covariance]
    return mine.assign(term=mine["term"].replace(f"bound_{anchors}", BOUND))


def movements(study: MixtureStudy) -> dict[tuple[str, str], int]:
    """Direction of every term along every sweep in the main variant.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    dict of (term, axis) to int
        +1 or -1 where the rank correlation's 95 % interval excludes zero, else 0.
    """
    return {
        (row["term"], row["axis"]): int(row["spearman_ci_low"] > 0) - int(row["spearman_ci_high"] < 0)
        for row in of_main(study, study.term_trends).to_dict("records")
    }


def gap_movements(study: MixtureStudy) -> dict[tuple[str, str], int]:
    """Direction of the KL gap along every sweep in the main variant: +1 or -1 where its verdict is decided, else 0.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    dict of (estimator, axis) to int
    """
    return {
        (row.estimator, axis): 0 if cell.word == "undecided" else int(np.sign(cell.value))
        for row in study.main_rows
        for axis, cell in row.cells.items()
        if cell
    }


def follows(study: MixtureStudy, term: str, axes: Iterable[str] = AXES) -> tuple[int, int, int]:
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
        Trends of the gap over the estimators; undecided where the gap or the term does not clearly move.
    """
    moved = movements(study)
    signs = [
        measured * moved.get((term, axis), 0) * SIGNS[term]
        for (_, axis), measured in gap_movements(study).items()
        if axis in axes
    ]
    return signs.count(1), signs.count(-1), signs.count(0)


def terms_of(study: MixtureStudy) -> dict[str, Any]:
    """What the page says of the terms.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    dict
        ``claims``: each claim's rows in the main variant with verdicts in the others; ``follows``: `follows` of the
        claimed term on its own sweep and on all; ``cells``: trends by term; ``gap``: trends by estimator;
        ``exchanged``: overlaps of intervals where J and L are exchanged; ``information`` and ``errors``: extremes.
    """
    rows = {(row["term"], row["axis"]): row for row in of_main(study, study.term_trends).to_dict("records")}
    moved, of_gap = movements(study), gap_movements(study)
    claims = study.claims.to_dict("records")
    verdicts = {(c["term"], c["axis"]): c["verdict"] for c in claims if c["covariance"] == study.main[0]}

    def cell(term: str, axis: str) -> Trend | None:
        if (term, axis) not in rows:
            return None
        return trend(rows[term, axis], verdicts.get((term, axis), _WORDS[moved[term, axis]]))

    gap = {
        row.estimator: [
            measured and replace(measured, word=_WORDS[of_gap[row.estimator, axis]])
            for axis, measured in row.cells.items()
        ]
        for row in study.main_rows
    }
    return {
        "argued": ARGUED,
        "cells": {term: [cell(term, axis) for axis in AXES] for term in TERMS},
        "gap": gap,
        "by_verdict": _by_verdict(study),
        "claims": [
            {
                **claim,
                "elsewhere": [
                    (other["covariance"], other["verdict"])
                    for other in claims
                    if (other["term"], other["axis"]) == (claim["term"], claim["axis"]) and other is not claim
                ],
                "here": follows(study, claim["term"], [claim["axis"]]),
                "everywhere": follows(study, claim["term"]),
            }
            for claim in claims
            if claim["covariance"] == study.main[0]
        ],
        "follows": {term: follows(study, term) for term in (BOUND, TASK)},
        "exchanged": _exchanged(study),
        **_extremes(study),
    }


def _by_verdict(study: MixtureStudy) -> dict[str, list[str]]:
    """Claims by the verdict that all variants and stand-ins give; ``mixed`` where they differ."""
    found: dict[str, list[str]] = {}
    for text, rows in study.claims.groupby("claim", sort=False):
        verdicts = set(rows["verdict"])
        found.setdefault(verdicts.pop() if len(verdicts) == 1 else "mixed", []).append(str(text))
    return found


def _exchanged(study: MixtureStudy) -> dict[str, list[int]]:
    """With J and L exchanged: how many intervals of means overlap, and of how many, by kind of term."""
    table = of_main(study, study.terms)
    table = table[table["term"].isin(TERMS)]
    other = table.rename(columns={"J": "L", "L": "J"})
    pairs = table[table["J"] < table["L"]].merge(other, on=["K", "J", "L", "term"], suffixes=("", "_other"))
    overlap = (pairs["ci_low"] <= pairs["ci_high_other"]) & (pairs["ci_low_other"] <= pairs["ci_high"])
    task = pairs["term"] == TASK
    return {kind: [int(overlap[mine].sum()), int(mine.sum())] for kind, mine in (("task", task), ("others", ~task))}


def _extremes(study: MixtureStudy) -> dict[str, Any]:
    """The largest information between prompt and output, and Monte-Carlo errors over deviations over rounds."""
    table = of_main(study, study.terms)
    largest = table.groupby("term")["mean"].max()
    shares = (table["monte_carlo_error"] / table["sd"])[table["term"].isin(TERMS)]
    return {
        "information": [float(largest.get(name, np.nan)) for name in ("prompt_information", "prompt_information_high")],
        "errors": [float(shares.median()), float(shares.max())],
    }
