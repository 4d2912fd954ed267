"""The mixture studies' part of the page: from a study's tables and figures to sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    Picture,
    Points,
    Prose,
    Section,
    Verdict,
    VerdictGroup,
    VerdictMatrix,
)
from ggmi.reporting.tables import COLUMNS, DataTable, data_table, plain_table
from ggmi.reporting.terms import terms_picture, terms_section
from ggmi.reporting.text import capital, estimate, fixed

TABLE_CAPTIONS = {
    "trends": "Trends of the KL gap and the verdicts on them",
    "kl_gap": "KL gap of every condition and variant",
    "fits": "How well mixtures were fitted",
    "divergences": "How precisely divergences were integrated",
}


def mixture_page_parts(
    studies: Sequence[MixtureStudy], figures: Mapping[str, Mapping[str, Figure]]
) -> tuple[list[tuple[str, str]], list[Section]]:
    """Say what the mixture studies found.

    Parameters
    ----------
    studies
        At least one; the first is the main one.
    figures
        By study, by name such as ``figure4_psd_released``.

    Returns
    -------
    findings, sections
        As a `ggmi.reporting.page.Page` takes them.
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
    return findings, [*sections, terms_section(studies, terms_picture(main, terms.svg, terms.png))]


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
