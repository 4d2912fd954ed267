"""The page's section on the theory's terms: claims, movements beside the KL gap's, and meanings.

Gan & Liu, arXiv 2410.01720, section 4.4 and Theorem 4.10. Every number in a sentence is read from
the study's tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ggmi.mixtures.term_claims import CLAIMS
from ggmi.mixtures.worlds import AXES
from ggmi.reporting.claims import (
    TERM_NAMES,
    claim_points,
    claims_sentence,
    directions,
    gap_movements,
    movements,
    of_main,
    telling_sentence,
    together_points,
)
from ggmi.reporting.mixtures import COVARIANCE_NAMES, ESTIMATOR_DETAILS, MixtureStudy, estimator_name, of
from ggmi.reporting.page import (
    Block,
    Fold,
    Heading,
    Links,
    Picture,
    Points,
    Prose,
    Section,
    Verdict,
    VerdictGroup,
    VerdictMatrix,
)
from ggmi.reporting.tables import Column, data_table
from ggmi.reporting.text import estimate, fixed, listed

WORDS = {1: "rises", -1: "falls", 0: "unclear"}

_TREND = (
    Column("spearman", "ρ", "Spearman's rank correlation of swept number and term over all rounds", 3),
    Column("spearman_ci_low", "ρ, low", "lower end of its 95 % bootstrap interval", 3),
    Column("spearman_ci_high", "ρ, high", "upper end of its 95 % bootstrap interval", 3),
    Column("slope", "slope", "least-squares slope of the mean term, its unit a component", 4),
    Column("slope_ci_low", "slope, low", "lower end of its 95 % bootstrap interval", 4),
    Column("slope_ci_high", "slope, high", "upper end of its 95 % bootstrap interval", 4),
)
_PLACE = (
    Column("term", "term", "what is measured, by its name in the files"),
    Column("axis", "swept", "the number of components that is swept"),
    Column("covariance", "covariance", "variant of the components' covariances"),
)
_SIZE = (
    Column("p_value", "p", "two-sided permutation p-value of ρ", 4),
    Column("conditions", "conditions", "values of the swept number"),
    Column("rounds", "rounds", "independent repetitions of each"),
)
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "claims": (
        Column("claim", "claim", "what section 4.4 says"),
        *_PLACE,
        Column("claimed", "claimed", "the direction it says"),
        Column("verdict", "verdict", "supported, contradicted or undecided, by rank correlation"),
        *_TREND,
        Column("p_holm", "p, Holm", "p-value Holm-corrected for all claims of the study", 4),
        *_SIZE,
    ),
    "term_trends": (*_PLACE, Column("unit", "unit", "unit of the term"), *_TREND, *_SIZE),
}
CAPTIONS = {"claims": "Claims on the terms and the verdicts on them", "term_trends": "Every term along every sweep"}


def terms_section(studies: Sequence[MixtureStudy], picture: Picture) -> Section:
    """The section on the theory's terms.

    Parameters
    ----------
    studies
        The studies; the first is the main one.
    picture
        The figure of the first one's main variant; the others' lie beside the page.
    """
    blocks: list[Block] = [
        Prose([of(studies[0], claims_sentence(studies[0])), telling_sentence(studies[0])], "lead"),
        Prose(
            [
                "Section 4.4 explains figure 4 by terms of Theorem 4.10. They are estimated here in every round along "
                "the same sweeps; a claim is judged by the rank correlation of swept number and term, Holm-corrected "
                "for all claims of a study. Whether a term moves as claimed is one question; whether that can explain "
                "the KL gap is another: a term that moves alike along two sweeps cannot explain a gap that does not.",
                r"The theorem is an upper bound, $\GGMI \le \DI - (\alpha + 1) H(\Sa \mid W) + 2 \DH + H(\Sg \mid W) + "
                r"\varepsilon_{W,p}$. From an upper bound that rises no larger gain follows, and from one that falls "
                "no smaller gain, only that gains above it are ruled out: section 4.4 reads more out of it. "
                "Whether the gap moves with the bound is a fact about these worlds, and is counted here as one.",
            ]
        ),
        Prose(
            [
                "Each cell: Spearman's ρ of swept number and term with its 95 % interval. Of terms on which nothing is "
                "claimed it is said where they go if that interval excludes zero, and of the gap if its verdict is "
                "decided.",
            ],
            "note",
        ),
    ]
    for study in studies:
        blocks += [Heading(study.label), _matrix(study), Points([*claim_points(study), *together_points(study)])]
        if study is studies[0]:
            blocks.append(picture)
        for name, caption in CAPTIONS.items():
            table = data_table(getattr(study, name), COLUMNS[name], caption=caption, source=f"{study.name}/{name}.csv")
            blocks.append(Fold(f"{caption} ({table.total:,} rows)", [table]))
        blocks.append(Links(_files(study, study.covariances[study is studies[0] :])))
    blocks += [Heading("What stands in for what"), Points(_meanings(studies))]
    return Section("terms", "The theory's terms, measured", "The theory's terms", blocks)


def _matrix(study: MixtureStudy) -> VerdictMatrix:
    """Movements of terms and of the gap, sweep by sweep."""
    rows = {(row["term"], row["axis"]): row for row in of_main(study, study.term_trends).to_dict("records")}
    claims = study.claims[study.claims["covariance"] == study.main[0]]
    judged = {(row["term"], row["axis"]): row["verdict"] for row in claims.to_dict("records")}

    along, of_gap = movements(study), gap_movements(study)

    def moved(term: str, axis: str) -> Verdict | None:
        if (term, axis) not in rows:
            return None
        value, low, high = (rows[term, axis][key] for key in ("spearman", "spearman_ci_low", "spearman_ci_high"))
        return _cell(value, low, high, judged.get((term, axis), WORDS[along[term, axis]]))

    claimed = dict.fromkeys(c.term for c in CLAIMS)
    terms = {term: (*TERM_NAMES[term], [moved(term, axis) for axis in AXES]) for term in TERM_NAMES}
    gap = []
    for row in study.main_rows:
        cells = [
            _cell(c.spearman, c.low, c.high, WORDS[of_gap[row.estimator, axis]]) if (c := row.cells[axis]) else None
            for axis in AXES
        ]
        gap.append((estimator_name(row.estimator), ESTIMATOR_DETAILS.get(row.estimator, ""), cells))
    groups = [
        VerdictGroup("Terms that section 4.4 argues with", [terms[term] for term in claimed]),
        VerdictGroup("What they add up to, and the distances", [terms[term] for term in terms if term not in claimed]),
        VerdictGroup("The KL gap that they are to explain, by divergence", gap),
    ]
    said = {axis: list(dict.fromkeys(c.text for c in CLAIMS if c.axis == axis)) for axis in AXES}
    columns = [(axis, f"“{listed(said[axis])}”") for axis in AXES]
    caption = f"Movement of the theory's terms and of the KL gap along each sweep, {study.label}, main variant"
    return VerdictMatrix(caption, columns, groups, "term")


def _cell(value: float, low: float, high: float, word: str) -> Verdict:
    """A rank correlation under its verdict or direction."""
    return Verdict(word, estimate(value, low, high, decimals=2), value, low, high)


def _files(study: MixtureStudy, covariances: Sequence[str]) -> list[tuple[str, str, str]]:
    """What lies beside the page: the whole table, and figures that the page does not show."""
    text = "Every term in every condition: mean, median, intervals, Monte-Carlo error."
    figures = [
        ("Figure", f"The terms along the sweeps, {COVARIANCE_NAMES.get(c, c)}.", f"{study.name}/terms_{c}.svg")
        for c in covariances
    ]
    return [("Table", text, f"{study.name}/terms.csv"), *figures]


def terms_picture(study: MixtureStudy, svg: bytes, png: bytes) -> Picture:
    """The figure of a study's main variant with its caption.

    Parameters
    ----------
    study
        The study.
    svg, png
        The figure's files.
    """
    moved = movements(study)
    said = [
        f"{TERM_NAMES[term][0]} ({TERM_NAMES[term][1]}) {directions(along)}"
        for term in TERM_NAMES
        if (along := {axis: moved[term, axis] for axis in AXES if (term, axis) in moved})
    ]
    alt = f"Terms of Theorem 4.10 in {study.label} in panels, a row a term, a column for each of K, J and L. "
    name = f"terms_{study.main[0]}"
    files = [(kind.upper(), f"{study.name}/{name}.{kind}") for kind in ("svg", "png", "csv")]
    caption = (
        f"The theory's terms, {COVARIANCE_NAMES.get(study.main[0], study.main[0])}: mean with 95 % interval, median, "
        "and one standard deviation over rounds. Compare the columns of J and L."
    )
    return Picture(svg, png, alt + "; ".join(said) + ".", caption, files)


def _meanings(studies: Sequence[MixtureStudy]) -> list[tuple[str, str]]:
    real = any(study.truth == "data" for study in studies)
    gaussian = " On real data the class's Gaussian component stands in, also where anchors are redrawn." if real else ""
    return [
        (
            "Entropies",
            "They are differential, of one point given the round's target, in nats: they can be negative, and each "
            "moves by d log s when coordinates are multiplied by s. $\\DH$, informations and distances do not depend "
            "on the unit, nor does the bound, whose coefficients add up to zero; α, a ratio of entropies, does.",
        ),
        (
            "$H(\\Sa)$",
            f"Entropy of the law anchors are drawn from, the equal mixture of the K anchored components.{gaussian}",
        ),
        (
            "$\\DI$ and $H(\\Sg)$",
            "The prompt carries the anchors: $h(e_p)$ is what M takes from them, its K refitted components, and "
            "$g(e_M)$ what it brings, J + L more. $\\DI = H(\\Mp \\mid h(e_p))$ is the entropy of M averaged over "
            "anchor sets redrawn from the same target; $H(\\Sg) = H(\\Mp)$ is the entropy of the average over them. "
            f"What lies between, $I(h(e_p), \\Mp)$, is small: {_informations(studies)}. So $\\DI$ is nearly $H(\\Sg)$, "
            "and $\\DH$ nearly $H(\\Sa) - \\DI$: what raises the one lowers the other.",
        ),
        (
            "$H(\\Sg \\mid W)$ and $H(\\Sa \\mid W')$",
            "Undefined here. EM is a deterministic, continuous function of its data, so given W the data it was "
            "trained on lie on a surface without volume: these entropies are minus infinity, $I(\\Sg, W)$ and "
            "$I(\\Sa, W')$ infinite, and GGMI, their difference, is no number. What stands in is the "
            "cross-entropy $-E \\log \\pi(x)$ of a fresh point under the student, at least the entropy of that point "
            "for somebody who knows W; for $H(\\Sg \\mid W)$ also the entropy of the student itself.",
        ),
        (
            "$H(\\Sa \\mid W)$ and α",
            "$H(\\Sa \\mid W)$ is finite, since S_gen is drawn in between, but out of reach: the cross-entropy of a "
            "fresh anchor point under the student of S_gen stands in. α is the ratio of such cross-entropies under the "
            "two students, and in the bound $(\\alpha + 1) H(\\Sa \\mid W)$ is their sum.",
        ),
        (
            "Distances",
            "Nothing is curated, so $\\TV(\\DM, \\Dg)$ is 0 by construction; $\\TV(\\DM, \\pi^{\\Sg})$ shows what the "
            "student loses instead. Distances are of the round's own M, from exact densities.",
        ),
        ("Precision", _precision(studies)),
    ]


def _informations(studies: Sequence[MixtureStudy]) -> str:
    said = []
    for study in studies:
        table = of_main(study, study.terms)
        high = table[table["term"] == "prompt_information_high"]["mean"].max()
        value = table[table["term"] == "prompt_information"]["mean"].max()
        said.append(of(study, f"At most {fixed(value, 3)} nats a point on average (bracketed by {fixed(high, 3)})"))
    return "; ".join(said)


def _precision(studies: Sequence[MixtureStudy]) -> str:
    said = []
    for study in studies:
        table = of_main(study, study.terms)
        table = table[table["term"].isin(TERM_NAMES)]
        share = table["monte_carlo_error"] / table["sd"]
        if share.notna().any():
            typical, most = (fixed(100 * value, 0) for value in (share.median(), share.max()))
            said.append(of(study, f"Typically {typical} %, at most {most} %"))
    whole = "; ".join(said) or "not known, rounds do not differ"
    return (
        f"Monte-Carlo standard error of a round as a share of the standard deviation over rounds: {whole}. It widens "
        "the intervals, which are over rounds, and does not bias them."
    )
