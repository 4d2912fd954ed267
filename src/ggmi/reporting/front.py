"""The page a person reads first: each question of the run, its answer with a number, and where the rest is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ggmi.provenance import versions
from ggmi.reporting.mixtures import MixtureStudy, findings, real_against_simulated
from ggmi.reporting.page import sentences
from ggmi.reporting.papers import VERDICTS, by_claim, verdict_counts
from ggmi.reporting.tasks import TaskResults, task_findings
from ggmi.reporting.theory import findings as theory_findings


def front_page(
    files: Iterable[str | Path],
    studies: Sequence[MixtureStudy],
    tasks: Sequence[TaskResults],
    theory: pd.DataFrame | None,
    papers: Mapping[str, pd.DataFrame],
) -> dict[str, Any]:
    """What the template ``report.html.j2`` shows, but for how it was made.

    Parameters
    ----------
    files
        Among others the templates ``answers.html.j2`` and ``front.txt.j2``.
    studies
        The mixture studies; the first is the main one.
    tasks
        What each task's rules made.
    theory
        Verdicts on the theory's statements; None where that study was left out.
    papers
        ``claims.csv`` of each study of a paper, by its name.
    """
    found = {study.name: findings(study) for study in studies}
    of_tasks = [task_findings(task) for task in tasks]
    of_theory = None if theory is None else theory_findings(theory)
    claims = {key: by_claim(table) for key, table in papers.items()}
    said = sentences(
        [path for path in map(Path, files) if path.name in ("answers.html.j2", "front.txt.j2")],
        studies=studies,
        found=found,
        pair=real_against_simulated(studies),
        tasks=of_tasks,
        theory=of_theory,
        # By the text alone; a form of ours has a text of its own wherever a sentence counts it.
        counts={key: {claim["claim"]: claim["counts"] for claim in judged} for key, judged in claims.items()},
    )
    answers = [dict(zip(("page", "question", "answer"), line.split(" | ", 2), strict=True)) for line in said]
    return {
        "answers": answers,
        "tallies": {
            **_mixture_tallies(studies),
            **{f"{task['name']}.html": _rating_tallies(task) for task in of_tasks},
            **{f"{key}.html": _claim_tallies(table) for key, table in papers.items()},
            **({"theory.html": _theory_tallies(of_theory)} if of_theory else {}),
        },
        "studies": studies,
        "found": found,
        "tasks": of_tasks,
        "versions": versions(),
    }


def _mixture_tallies(studies: Sequence[MixtureStudy]) -> dict[str, dict[str, Mapping[str, int]]]:
    """Verdicts on published trends, and on section 4.4's claims, over all variants of all studies."""
    if not studies:
        return {}
    trends: Counter[str] = Counter()
    for study in studies:
        trends += Counter(word for row in study.matrix for word in row.words.values())
    words = {"as_published": "supported", "against": "contradicted", "undecided": "undecided"}
    claims = verdict_counts(verdict for study in studies for verdict in study.claims["verdict"])
    return {
        "mixtures.html": {
            "published trends, all variants": {words[word]: trends[word] for word in words},
            "claims on the theory’s terms": _three(claims),
        }
    }


def _claim_tallies(table: pd.DataFrame) -> dict[str, Mapping[str, int]]:
    """Verdicts on the paper's claims and, apart from them, on forms of ours, each setting by itself."""
    ours = table["source"].str.startswith("ours")
    kinds = {"the paper’s claims": table[~ours], "claims of ours": table[ours]}
    return {name: _three(verdict_counts(rows["verdict"])) for name, rows in kinds.items() if len(rows)}


def _rating_tallies(task: Mapping[str, Any]) -> dict[str, Mapping[str, int]]:
    """Conditions by how they compare with the untrained base."""
    if not task["ratings"]:
        return {}
    groups = task["ratings"]["against"]["base"]
    verdicts = zip(VERDICTS, ("better", "worse", "undecided"), strict=True)
    return {"sets against the untrained base": {verdict: len(groups[group]) for verdict, group in verdicts}}


def _theory_tallies(found: Mapping[str, Any]) -> dict[str, Mapping[str, int]]:
    """Printed lines under all that the paper declares."""
    fail = len(found["failing"])
    counts = {"supported": len(found["printed"]) - fail, "contradicted": fail, "undecided": 0}
    return {"printed lines, if all declared holds": counts}


def _three(counts: Mapping[str, int]) -> dict[str, int]:
    return {verdict: counts[verdict] for verdict in VERDICTS}
