"""The page a person reads first: what was asked, the answer, what carries it, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ggmi.provenance import versions
from ggmi.reporting.advice import advice
from ggmi.reporting.estimation import predictions_sentence
from ggmi.reporting.mixtures import MixtureStudy, headline
from ggmi.reporting.page import Block, Figure, Fold, Links, Listing, Page, Points, Prose, Section
from ggmi.reporting.papers import PAPERS
from ggmi.reporting.sections import mixture_page_parts
from ggmi.reporting.tables import plain_table
from ggmi.reporting.tasks import TaskResults, task_section, task_sentences
from ggmi.reporting.text import listed
from ggmi.reporting.theory import theory_section, theory_sentence

STEPS = (
    ("labelled_points", "reads a labelled table and reduces it to d dimensions (real data only)"),
    ("worlds", "draws target G, anchor data and generator mixture M of every round"),
    ("synthetic_set", "draws the synthetic data from M"),
    ("fitted_mixture", "fits a mixture by EM to anchor data and to synthetic data"),
    ("divergences", "estimates the divergence of each fit from G"),
    ("gaps", "subtracts, round by round: divergence of the anchor fit minus divergence of the synthetic fit"),
    ("kl_gap", "summarises the gaps of each condition: mean, median, intervals"),
    ("trends", "correlates swept number and gap, and judges every trend against the published figure"),
    ("accuracy", "reports how EM and the integration of divergences went"),
    ("terms", "estimates the terms of Theorem 4.10 in every round"),
    ("term_tables", "summarises the terms, correlates them with the swept number, and judges the claims on them"),
    ("figure2, figure4, figure5, figure_terms", "draw one world, KL gap and terms along the sweeps, and the setting"),
    ("report", "writes this page"),
)
PAPER = "https://arxiv.org/abs/2410.01720"
SCRIPTS = "https://github.com/ZyGan1999/Towards-a-Theoretical-Understanding-of-Synthetic-Data-in-LLM-Post-Training"


def front_page(
    studies: Sequence[MixtureStudy],
    figures: Mapping[str, Mapping[str, Figure]],
    provenance: Mapping[str, Mapping[str, Mapping[str, Any]]],
    configuration: str,
    code: str,
    seed: int,
    theory: pd.DataFrame | None = None,
    tasks: Sequence[TaskResults] = (),
    papers: Mapping[str, pd.DataFrame] | None = None,
) -> Page:
    """Say what all studies of a run found, and how.

    Parameters
    ----------
    studies
        The mixture studies; the first is the main one.
    figures
        By study, by name such as ``figure4_psd_released``.
    provenance
        By study, by name of the record: ``kl_gap``, ``trends``, ``accuracy``, ``terms``.
    configuration
        The resolved configuration as YAML.
    code
        Digest of the code that makes the page.
    seed
        The run's seed.
    theory
        Verdicts on the theory's statements; None where that study was left out.
    tasks
        What each task's rules made.
    papers
        Claims of each study of a paper, by a key of `ggmi.reporting.papers.PAPERS`.

    Returns
    -------
    Page
    """
    findings, sections = mixture_page_parts(studies, figures) if studies else ([], [])
    if theory is not None:
        # Alone it is the page's verdict.
        findings += [("The theory itself", theory_sentence(theory))] if studies or tasks else []
        sections.append(theory_section(theory))
    for number, (key, claims) in enumerate((papers or {}).items()):
        # The first alone is the page's verdict.
        alone = not studies and not tasks and theory is None and not number
        findings += [] if alone else [(PAPERS[key].subject.capitalize(), PAPERS[key].sentence(claims))]
        sections.append(PAPERS[key].section(claims))
    if told := advice(papers or {}):
        findings.append(("Which data, how much, how hard", " ".join(told)))
    for number, task in enumerate(tasks):
        # Without mixture studies the first sentence of the first task is the page's verdict.
        said = task_sentences(task)[0 if studies or number else 1 :]
        if task.estimation is not None and task.estimation.predictions is not None:
            said.append(predictions_sentence(task.estimation.predictions))
        findings += [(task.title, " ".join(said))] if said else []
        sections.append(task_section(task))
    sections += [_making_section(studies, provenance, configuration, code, seed), _sources_section(studies)]
    return Page(
        **_asked(studies, theory, tasks, papers or {}),
        findings=findings,
        sections=sections,
        colophon="All logarithms are natural and all divergences in nats.",
    )


def _asked(
    studies: Sequence[MixtureStudy],
    theory: pd.DataFrame | None,
    tasks: Sequence[TaskResults],
    papers: Mapping[str, pd.DataFrame],
) -> dict[str, str]:
    """Title, kicker, what was asked, and the answer; the mixture studies come first where there are any."""
    if studies:
        return {
            "title": "Does synthetic data bring a student closer to the truth?",
            "kicker": "Gaussian mixtures: figure 4 of Gan & Liu (arXiv 2410.01720), reproduced and audited",
            "asked": (
                "A target G is a mixture of K components that anchor data samples and J that it does not; a generator "
                "knows both, and L irrelevant components more. One student is fitted to the anchors, one to synthetic "
                "data. Their KL gap, D_KL(π_anchor‖G) − D_KL(π_gen‖G), is positive where synthetic data came closer to "
                "G. As published, it falls with K, rises with J and falls with L. Text, released script and definition "
                "differ, so every reading is measured here side by side."
            ),
            "verdict": headline(studies[0]),
        }
    if tasks:
        return {
            "title": "Is the synthetic data worth it?",
            "kicker": "Synthetic data measured, after Gan & Liu (arXiv 2410.01720)",
            "asked": (
                "Synthetic sets were made from anchor data, or brought along, and are held against real records of "
                "the same task: what they keep of its format, what they add, and what students learn from them."
            ),
            "verdict": task_sentences(tasks[0])[0],
        }
    if theory is None:
        key, claims = next(iter(papers.items()))
        paper = PAPERS[key]
        said = {"title": paper.title, "kicker": paper.kicker, "asked": paper.asked}
        return {**said, "verdict": paper.sentence(claims)}
    return {
        "title": "Is the theory of synthetic data true?",
        "kicker": "Every inequality of Gan & Liu (arXiv 2410.01720), checked in finite worlds",
        "asked": "In finite worlds every term of the theory can be computed exactly, so each statement can be tested.",
        "verdict": theory_sentence(theory),
    }


def _making_section(
    studies: Sequence[MixtureStudy],
    provenance: Mapping[str, Mapping[str, Mapping[str, Any]]],
    configuration: str,
    code: str,
    seed: int,
) -> Section:
    header = ("study", "rule", "files", "seed", "code", "inputs")
    files = {"kl_gap": "kl_gap.csv", "trends": "trends.csv", "accuracy": "fits.csv, divergences.csv"}
    files["terms"] = "terms.csv, term_trends.csv, claims.csv"
    rows, inputs, packages = [], [], versions()
    for study in studies:
        for name, record in provenance[study.name].items():
            parameters = record["parameters"]
            drawn = str(parameters.get("seed", "draws nothing"))
            made = files.get(name, name)
            rows.append((study.name, record["rule"], made, drawn, parameters["code"], str(len(record["inputs"]))))
            inputs += [f"{digest}  {path}" for path, digest in record["inputs"].items()]
            packages.update(record["versions"])
    rows.append(("all", "report", "report.html, summary.txt", "draws nothing", code, "all of the above"))
    used = listed([f"{name} {version}" for name, version in packages.items()])
    blocks: list[Block] = [
        Prose(
            [
                f"Every random stream starts from seed {seed} and is named by what it is for, so the same "
                "configuration gives the same bytes at any number of cores. A code digest covers a rule's script and "
                "all functions it reaches.",
                f"Made with {used}.",
            ]
        ),
        plain_table(header, rows, caption="How each table was made"),
        Fold(
            "What each rule does",
            [Points([(f"`{rule}`", f"{text}.") for rule, text in (STEPS if studies else STEPS[-1:])])],
        ),
        Fold("The whole configuration, every default filled in", [Listing(configuration)]),
        Fold(
            f"SHA-256 of the tables' inputs ({len(dict.fromkeys(inputs))})", [Listing("\n".join(dict.fromkeys(inputs)))]
        ),
    ]
    return Section("making", "How each number was made", "How it was made", blocks)


def _sources_section(studies: Sequence[MixtureStudy]) -> Section:
    items = [
        (
            "The claim",
            "Z. Gan and Y. Liu, Towards a Theoretical Understanding of Synthetic Data in LLM Post-Training: A "
            "Reverse-Bottleneck Perspective, ICLR 2025. Sections 3.1, 3.2 and 4.4, appendix B, figures 2, 4 and 5.",
            PAPER,
        ),
        ("The released script", "The authors' code, read and run for the variants called released.", SCRIPTS),
        (
            "Intervals of means",
            "B. Efron, Better bootstrap confidence intervals, J. of the American Statistical Association (1987).",
            "https://doi.org/10.1080/01621459.1987.10478410",
        ),
        (
            "Correction for many tests",
            "S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian J. of Statistics (1979).",
            "https://www.jstor.org/stable/4615733",
        ),
    ]
    if any(study.truth == "data" for study in studies):
        items.append(
            (
                "Handwritten digits",
                "E. Alpaydin and C. Kaynak, Optical recognition of handwritten digits, UCI Machine Learning Repository "
                "(1998), as shipped with scikit-learn; the default table of a study on real data.",
                "https://doi.org/10.24432/C50P49",
            )
        )
    return Section("sources", "Sources", "Sources", [Links(items)])
