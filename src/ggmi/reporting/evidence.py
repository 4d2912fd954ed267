"""How far a mixture study's numbers carry: heavy tails, precision, fits, and why variants differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from ggmi.mixtures.worlds import HISTOGRAMS
from ggmi.reporting.mixtures import MixtureStudy, estimator_name
from ggmi.reporting.text import estimate, listed

# Trends named in a sentence at most; the table has them all.
NAMED = 3

WHY_ESTIMATORS = {
    "released_histogram": (
        "Each sample is binned between its own smallest and largest coordinate, so bins are compared that lie in "
        "different places: two samples of one distribution already read far above zero, and a change of extent "
        "counts like a change of shape."
    ),
    "aligned_histogram": (
        "Common edges put both samples into the same bins, but densities are still clipped at 10^−10: a bin that only "
        "the fit fills costs the logarithm of that floor, so empty bins dominate and even identical distributions "
        "read above zero."
    ),
    "forward": (
        "D_KL(π‖G) from exact densities averages over the fit's own mass and so punishes a fit for putting mass "
        "where G has none, as irrelevant components do."
    ),
    "reverse": (
        "D_KL(G‖π) from exact densities is the excess log-loss of the fit on the target: it punishes a fit for "
        "components of G that it misses, as anchors alone miss the J unsampled ones."
    ),
}
WHY_COVARIANCES = {
    "psd": "Covariances A Aᵀ + 10^−6 I of one uniform matrix A: symmetric and positive definite, as a Gaussian needs.",
    "released": (
        "The released script multiplies two independent uniform matrices: C = A Bᵀ is neither symmetric nor positive "
        "semi-definite, so no covariance, and numpy's SVD sampler silently draws with the square root of CᵀC instead, "
        "which is what this variant uses."
    ),
    "empirical": "Real data: each class has the covariance of its own points.",
}
WHY_ANCHORS = {
    "released": "The released script fits K components to the anchors, as many as were sampled.",
    "text": (
        "The paper's text fits K+J+L components to the anchors, more than they come from, so components share "
        "points, grow narrow and sometimes collapse."
    ),
}


def why_variants_differ(studies: Sequence[MixtureStudy]) -> dict[str, list[tuple[str, str]]]:
    """One sentence on each variant of some studies.

    Parameters
    ----------
    studies
        The studies.

    Returns
    -------
    dict of str to list of (name, sentence)
        By kind of choice.
    """
    choices = (
        ("Divergence", WHY_ESTIMATORS, [e for study in studies for e in study.estimators], estimator_name),
        ("Covariances", WHY_COVARIANCES, [c for study in studies for c in study.covariances], str),
        ("Components fitted to anchors", WHY_ANCHORS, [a for study in studies for a in study.anchor_components], str),
    )
    return {
        kind: [(name(key), sentence) for key, sentence in reasons.items() if key in used]
        for kind, reasons, used, name in choices
    }


def heavy_tails(study: MixtureStudy) -> str:
    """How often a mean gap lies outside its median's interval, by estimator, in one sentence.

    Parameters
    ----------
    study
        The study.
    """
    table = study.kl_gap.dropna(subset=["mean_nats", "median_ci_low_nats", "median_ci_high_nats"])
    outside = (table["mean_nats"] < table["median_ci_low_nats"]) | (table["mean_nats"] > table["median_ci_high_nats"])
    parts = [
        f"{outside[mine].sum()} of {mine.sum()} rows by the {estimator_name(e)}"
        for e in study.estimators
        if (mine := table["estimator"] == e).any()
    ]
    if not parts:
        return "Rounds are too few to compare means with medians."
    return (
        f"The mean gap lies outside the 95 % interval of the median in {listed(parts)}, so the "
        "KL-gap table has both, and verdicts rest on ranks, which a few extreme rounds cannot sway."
    )


def mean_against_rank(study: MixtureStudy) -> str:
    """Where mean and rank trends disagree, in one sentence.

    Parameters
    ----------
    study
        The study.
    """
    table = study.trends
    if table.empty:
        return "There are no trends of means to compare."
    slope, rank = table["slope_nats"], table["spearman"]
    clear = _excludes_zero(table, "slope_nats")
    opposed = table[clear & _excludes_zero(table, "spearman") & (slope * rank < 0)]
    unclear = int((~clear & (table["verdict"] != "undecided")).sum())
    named = _phrases(
        opposed,
        lambda row: (
            f"{row['covariance']}, {row['anchor_components']}, {estimator_name(row['estimator'])}, {row['axis']}: "
            f"ρ = {estimate(row['spearman'], row['spearman_ci_low'], row['spearman_ci_high'], decimals=2)}, slope "
            f"{estimate(row['slope_nats'], row['slope_nats_ci_low'], row['slope_nats_ci_high'])} nats a component"
        ),
    )
    return (
        f"In {len(opposed)} of {len(table)} trends the slope of the mean gap clearly points the "
        f"other way than the rank correlation{named}, and in {unclear} the ranks decide while the slope's "
        "interval includes zero."
    )


def precision(study: MixtureStudy) -> str:
    """Whether exact divergences reached the wanted precision, in one sentence.

    Parameters
    ----------
    study
        The study.
    """
    table = study.divergences
    exact = table[~table["estimator"].isin(HISTOGRAMS)].dropna(subset=["precision_reached_share"])
    if exact.empty:
        return "No exact divergence was asked for, and histograms promise no precision."
    missed = exact[exact["precision_reached_share"] < 1]
    if missed.empty:
        return (
            f"Every exact divergence reached the standard error asked for, in all {len(exact):,} rows of "
            f"the divergences table, with at most {exact['largest_points'].max():,} points."
        )
    return (
        f"The standard error asked for was missed in some rounds of {len(missed):,} of {len(exact):,} rows of "
        f"the divergences table; it was reached in at least {_percent(missed['precision_reached_share'].min())} of the "
        "rounds of each."
    )


def null(study: MixtureStudy) -> str:
    """What histograms read where the divergence is zero, in one sentence.

    Parameters
    ----------
    study
        The study.
    """
    table = study.divergences[study.divergences["fit"] == "null"]
    if table.empty:
        return "Exact divergences of a distribution from itself are zero; no histogram was asked for."
    read = [
        f"{group['median_nats'].median():.1f} nats by the {estimator_name(str(name))}"
        for name, group in table.groupby("estimator", sort=False)
    ]
    return (
        f"Two samples of the target itself, whose divergence is zero, read {listed(read)} (median over conditions of "
        "the medians over rounds, fit “null” in the divergences table); exact divergences read zero there."
    )


def fitting(study: MixtureStudy) -> str:
    """How well EM went, in one sentence.

    Parameters
    ----------
    study
        The study.
    """
    table = study.fits.dropna(subset=["converged_share", "collapsed_share"])
    if table.empty:
        return "Nothing is known of the fits."
    converged = table["converged_share"].min()
    said = (
        "EM converged in every round" if converged == 1 else f"EM converged in at least {_percent(converged)} of rounds"
    )
    worst = table.loc[table["collapsed_share"].idxmax()]
    if worst["collapsed_share"] == 0:
        return f"{said}, and no component collapsed."
    return (
        f"{said}; a component collapsed, and was handled, in up to {_percent(worst['collapsed_share'])} of the rounds "
        f"of a condition ({worst['fit']}, {worst['covariance']}, K = {worst['K']}, J = {worst['J']}, L = {worst['L']})."
    )


def _excludes_zero(table: pd.DataFrame, name: str) -> pd.Series:
    return (table[f"{name}_ci_low"] > 0) | (table[f"{name}_ci_high"] < 0)


def _phrases(rows: pd.DataFrame, phrase: Callable[[dict], str]) -> str:
    """The first rows as phrases in brackets, and how many more there are."""
    said = [phrase(row) for row in rows.head(NAMED).to_dict("records")]
    if len(rows) > NAMED:
        said.append(f"{len(rows) - NAMED} more in the table")
    return f" ({'; '.join(said)})" if said else ""


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
