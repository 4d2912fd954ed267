"""The mixture studies' part of the page: from a study's tables, figures and records to sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ggmi.mixtures.study import PUBLISHED_DIRECTION
from ggmi.mixtures.worlds import AXES
from ggmi.reporting import evidence
from ggmi.reporting.claims import claims_sentence, telling_sentence
from ggmi.reporting.comparison import on_real_data, simulated_and_real
from ggmi.reporting.mixtures import (
    ANCHOR_NAMES,
    COVARIANCE_NAMES,
    ESTIMATOR_DETAILS,
    MatrixRow,
    MixtureStudy,
    answers,
    base_row,
    estimator_name,
    gap_at_base,
    headline,
    how_judged,
    of,
    over_variants,
)
from ggmi.reporting.page import (
    Block,
    Figure,
    Fold,
    Heading,
    Links,
    Listing,
    Page,
    Picture,
    Points,
    Prose,
    Section,
    Verdict,
    VerdictGroup,
    VerdictMatrix,
)
from ggmi.reporting.tables import COLUMNS, DataTable, data_table, plain_table
from ggmi.reporting.tasks import TaskResults, synthesis_sentence, task_section
from ggmi.reporting.terms import terms_picture, terms_section
from ggmi.reporting.text import capital, estimate, fixed, listed
from ggmi.reporting.theory import theory_section, theory_sentence

TABLE_CAPTIONS = {
    "trends": "Trends of the KL gap and the verdicts on them",
    "kl_gap": "KL gap of every condition and variant",
    "fits": "How well mixtures were fitted",
    "divergences": "How precisely divergences were integrated",
}
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


def mixture_page(
    studies: Sequence[MixtureStudy],
    figures: Mapping[str, Mapping[str, Figure]],
    provenance: Mapping[str, Mapping[str, Mapping[str, Any]]],
    configuration: str,
    code: str,
    seed: int,
    theory: pd.DataFrame | None = None,
    tasks: Sequence[TaskResults] = (),
) -> Page:
    """Say what the mixture studies found, and how.

    Parameters
    ----------
    studies
        The studies; the first is the main one.
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

    Returns
    -------
    Page
    """
    main = studies[0]
    pair = simulated_and_real(studies)
    findings = [("Every variant", of(main, over_variants(main))), ("Sign of the gap", of(main, gap_at_base(main)))]
    if pair:
        findings.append(("Real geometry", of(pair[1], on_real_data(*pair))))
    findings.append(("The theory's terms", f"{of(main, claims_sentence(main))} {telling_sentence(main)}".strip()))
    findings.append(("What a verdict is", of(main, how_judged(main))))
    sections = [_matrix_section(studies), _why_section(studies)]
    sections += [_study_section(study, figures[study.name], pair) for study in studies]
    terms = figures[main.name][f"terms_{main.main[0]}"]
    sections.append(terms_section(studies, terms_picture(main, terms.svg, terms.png)))
    if theory is not None:
        findings.append(("The theory itself", theory_sentence(theory)))
        sections.append(theory_section(theory))
    for task in tasks:
        findings.append((task.title, synthesis_sentence(task)))
        sections.append(task_section(task))
    sections += [_making_section(studies, provenance, configuration, code, seed), _sources_section(studies)]
    return Page(
        title="Does synthetic data bring a student closer to the truth?",
        kicker="Gaussian mixtures: figure 4 of Gan & Liu (arXiv 2410.01720), reproduced and audited",
        asked=(
            "A target G is a mixture of K components that anchor data samples and J that it does not; a generator "
            "knows both, and L irrelevant components more. One student is fitted to the anchors, one to synthetic "
            "data. Their KL gap, D_KL(π_anchor‖G) − D_KL(π_gen‖G), is positive where synthetic data came closer to G. "
            "As published, it falls with K, rises with J and falls with L. Text, released script and definition "
            "differ, so every reading is measured here side by side."
        ),
        verdict=headline(main),
        findings=findings,
        sections=sections,
        colophon="All logarithms are natural and all divergences in nats.",
    )


def _matrix_section(studies: Sequence[MixtureStudy]) -> Section:
    groups = []
    for study in studies:
        for c, a in _variants(study):
            rows = [row for row in study.matrix if (row.covariance, row.anchor_components) == (c, a)]
            main = (c, a) == study.main
            title = _variant_title(c, a) + (" · main variant" if main else "")
            groups.append(VerdictGroup(title, [_verdict_row(row) for row in rows], study.label if main else ""))
    columns = [(axis, f"published: {'rises' if PUBLISHED_DIRECTION[axis] > 0 else 'falls'}") for axis in AXES]
    matrix = VerdictMatrix("Verdict on each published trend, by variant", columns, groups)
    note = (
        "Each cell: the verdict, and Spearman's ρ of swept number and KL gap with its 95 % interval, drawn from "
        "−1 to 1. Undecided is a result: the rounds do not tell the direction. Intervals hold one by one, verdicts for "
        "all trends of a study at once, so an interval that only just excludes zero can belong to an undecided trend. "
        "ρ tells direction and steadiness, not size; slopes are in the tables of trends."
    )
    return Section("verdicts", "Every verdict", "Every verdict", [Prose([note], "note"), matrix])


def _variants(study: MixtureStudy) -> list[tuple[str, str]]:
    return [(c, a) for c in study.covariances for a in study.anchor_components]


def _verdict_row(row: MatrixRow) -> tuple[str, str, list[Verdict | None]]:
    cells = (row.cells[axis] for axis in AXES)
    found = [Verdict(c.verdict, c.correlation, c.spearman, c.low, c.high) if c else None for c in cells]
    return estimator_name(row.estimator), ESTIMATOR_DETAILS.get(row.estimator, ""), found


def _variant_title(covariance: str, anchors: str) -> str:
    return f"{COVARIANCE_NAMES.get(covariance, covariance)}, {ANCHOR_NAMES.get(anchors, anchors)}"


def _why_section(studies: Sequence[MixtureStudy]) -> Section:
    blocks: list[Block] = []
    for kind, reasons in evidence.why_variants_differ(studies).items():
        blocks += [Heading(kind), Points(reasons)]
    return Section("variants", "Why the variants differ", "Why they differ", blocks)


def _study_section(
    study: MixtureStudy,
    figures: Mapping[str, Figure],
    pair: tuple[MixtureStudy, MixtureStudy] | None,
) -> Section:
    short = [(capital(estimator_name(estimator)), sentence) for estimator, sentence in answers(study)]
    blocks: list[Block] = [Prose([headline(study)], "lead"), Points(short)]
    if pair and study is pair[1]:
        blocks.append(Prose([on_real_data(*pair)]))
    blocks.append(_gap_picture(study, figures, *study.main))
    blocks += [
        Fold(f"The same with {_variant_title(c, a)}", [_gap_picture(study, figures, c, a)])
        for c, a in _variants(study)
        if (c, a) != study.main
    ]
    blocks += [Heading("Where nothing is swept"), Prose([gap_at_base(study, numbers=False)]), _base_table(study)]
    blocks += [Heading("One round, drawn"), *_world_pictures(study, figures)]
    blocks += [Heading("How far the numbers carry"), Points(_caveats(study))]
    blocks.append(Heading("Tables"))
    for name, caption in TABLE_CAPTIONS.items():
        table = data_table(getattr(study, name), COLUMNS[name], caption=caption, source=f"{study.name}/{name}.csv")
        blocks.append(Fold(f"{caption} ({table.total:,} rows)", [table], open=name == "trends"))
    return Section(study.name, study.label, study.label, blocks)


def _caveats(study: MixtureStudy) -> list[tuple[str, str]]:
    return [
        ("Verdicts", how_judged(study)),
        ("Heavy tails", evidence.heavy_tails(study)),
        ("Mean against rank", evidence.mean_against_rank(study)),
        ("Precision", evidence.precision(study)),
        ("Null", evidence.null(study)),
        ("Fits", evidence.fitting(study)),
    ]


def _base_table(study: MixtureStudy) -> DataTable:
    """KL gaps of the main variant at the unswept condition, means beside medians."""
    rows = []
    for estimator in study.estimators:
        if row := base_row(study, estimator):
            mean = estimate(row["mean_nats"], row["ci_low_nats"], row["ci_high_nats"])
            median = estimate(row["median_nats"], row["median_ci_low_nats"], row["median_ci_high_nats"])
            rows.append((estimator_name(estimator), median, mean, fixed(row["sd_nats"], 1), f"{row['rounds']:,}"))
    header = ("divergence", "median gap [95 %], nats", "mean gap [95 %], nats", "sd, nats", "rounds")
    return plain_table(header, rows, caption=f"KL gap of the main variant at {study.place}", numeric=(3, 4))


def _files(study: MixtureStudy, figure: str) -> list[tuple[str, str]]:
    return [(kind.upper(), f"{study.name}/{figure}.{kind}") for kind in ("svg", "png", "csv")]


def _gap_picture(study: MixtureStudy, figures: Mapping[str, Figure], covariance: str, anchors: str) -> Picture:
    name = f"figure4_{covariance}_{anchors}"
    rows = [row for row in study.matrix if (row.covariance, row.anchor_components) == (covariance, anchors)]
    trends = "; ".join(
        f"{estimator_name(row.estimator)}: "
        + ", ".join(
            f"{axis} {cell.verdict.replace('_', ' ')}, ρ {cell.correlation}" for axis, cell in row.cells.items() if cell
        )
        for row in rows
    )
    alt = f"KL gap of {study.label} in panels, a row for each divergence, a column for each of K, J and L. {trends}."
    caption = (
        f"Figure 4, {_variant_title(covariance, anchors)}. KL gap in nats "
        "along each sweep, by each divergence: mean with 95 % interval, median, and one standard deviation over "
        "rounds; a scale marked in powers of ten is linear within ±10 and logarithmic beyond."
    )
    return Picture(figures[name].svg, figures[name].png, alt, caption, _files(study, name))


def _world_pictures(study: MixtureStudy, figures: Mapping[str, Figure]) -> list[Picture]:
    texts = {
        "figure5": (
            f"Four panels of ellipses at {study.place}: target, mixture fitted to anchors, generator, mixture fitted "
            "to synthetic data.",
            f"Figure 5, the setting, one round at {study.place}: the target G and what is made from it.",
        ),
        "figure2": (
            f"Two panels at {study.place}: anchors on the target's density, synthetic points on the generator's.",
            "Figure 2, the same round: anchor data on the target's density beside synthetic data on the generator's.",
        ),
    }
    return [
        Picture(figures[name].svg, figures[name].png, alt, caption, _files(study, name))
        for name, (alt, caption) in texts.items()
    ]


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
    rows, inputs, versions = [], [], {}
    for study in studies:
        for name, record in provenance[study.name].items():
            parameters = record["parameters"]
            drawn = str(parameters.get("seed", "draws nothing"))
            made = files.get(name, name)
            rows.append((study.name, record["rule"], made, drawn, parameters["code"], str(len(record["inputs"]))))
            inputs += [f"{digest}  {path}" for path, digest in record["inputs"].items()]
            versions.update(record["versions"])
    rows.append(("all", "report", "report.html, summary.txt", "draws nothing", code, "all of the above"))
    used = listed([f"{name} {version}" for name, version in versions.items()])
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
        Fold("What each rule does", [Points([(f"`{rule}`", f"{text}.") for rule, text in STEPS])]),
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
