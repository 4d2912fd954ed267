import itertools
import json
from dataclasses import dataclass

import pandas as pd
import pytest

from ggmi.mixtures.study import PUBLISHED_DIRECTION
from ggmi.mixtures.term_claims import CLAIM_COLUMNS, CLAIMS, TREND_COLUMNS, claim_verdicts
from ggmi.mixtures.terms import term_units
from ggmi.reporting.mixtures import MixtureStudy, mixtures_page
from ggmi.reporting.page import parts_of, pictures, render

TABLES = ("kl_gap", "trends", "fits", "divergences", "terms", "term_trends", "claims")
RECORDS = ("kl_gap", "trends", "accuracy", "terms")
ESTIMATORS = ("released_histogram", "aligned_histogram", "forward", "reverse")
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 360" width="720pt" height="360pt">'
    b'<path d="M20 340L700 20" stroke="#0072B2" stroke-width="4"/></svg>'
)
# One grey pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a4944415478da636800000082008177cd72b60000000049454e44ae426082"
)


def trend_row(covariance, anchors, estimator, axis, verdict, spearman=None, slope=None, rounds=20, conditions=3):
    """A row of trends.csv; an undecided trend has an interval around zero."""
    sign = PUBLISHED_DIRECTION[axis] * {"as_published": 1, "against": -1}.get(verdict, 0)
    rho = 0.5 * sign if spearman is None else spearman
    mean_slope = 2.0 * sign if slope is None else slope
    return {
        **{"covariance": covariance, "anchor_components": anchors, "estimator": estimator, "axis": axis},
        **{"conditions": conditions, "rounds": rounds},
        **{"spearman": rho, "spearman_ci_low": rho - 0.1, "spearman_ci_high": rho + 0.1},
        **{"slope_nats": mean_slope, "slope_nats_ci_low": mean_slope - 1, "slope_nats_ci_high": mean_slope + 1},
        **{"p_value": 0.001, "p_holm": 0.9 if verdict == "undecided" else 0.01, "verdict": verdict},
    }


def gap_row(k, j, l, covariance, anchors, estimator, mean=1.0, median=1.0, half=0.25, rounds=20):  # noqa: E741
    """A row of kl_gap.csv."""
    return {
        **{"K": k, "J": j, "L": l, "d": 2},
        **{"covariance": covariance, "anchor_components": anchors, "estimator": estimator, "rounds": rounds},
        **{"mean_nats": mean, "sd_nats": 2 * half, "median_nats": median},
        **{"ci_low_nats": mean - half, "ci_high_nats": mean + half},
        **{"median_ci_low_nats": median - half, "median_ci_high_nats": median + half},
    }


# Where terms go unless told otherwise: as in the simulated worlds.
MOVES = {
    "information_gain": {"K": 0.6, "J": 0.6, "L": 0.6},
    "entropy_change": {"K": 0.5, "J": -0.3, "L": -0.3},
    "anchor_given_student": {"K": 0.8, "J": 0.5, "L": 0.5},
    "synthetic_given_student": {"K": 0.9, "J": 0.9, "L": 0.9},
    "student_entropy": {"K": 0.6, "J": 0.6, "L": 0.6},
    "bound": {"K": 0.5, "J": -0.4, "L": -0.4},
    "task_divergence": {"K": -0.9, "J": -0.9, "L": 0.9},
    "student_divergence": {"K": 0.7, "J": 0.7, "L": 0.7},
}


def term_tables(covariances, anchors, conditions, axes, values, moves, rounds=20):
    """terms.csv, term_trends.csv and claims.csv; a correlation within 0.1 of zero is undecided."""
    names = [n for n in term_units(anchors) if n in MOVES or n.startswith(("bound", "prompt_information"))]
    terms = [
        {
            **{"K": k, "J": j, "L": l, "d": 2, "covariance": c, "term": name, "unit": "nats a point", "rounds": rounds},
            **{"mean": mean, "sd": 0.5, "median": mean, "ci_low": mean - 0.01, "ci_high": mean + 0.01},
            **{"median_ci_low": mean - 0.02, "median_ci_high": mean + 0.02, "monte_carlo_error": 0.01},
        }
        for c in covariances
        for k, j, l in conditions  # noqa: E741
        for name in names
        for mean in [0.01 * k if name.startswith("prompt") else l / (k + j + l) if name[:4] == "task" else k + j + l]
    ]
    trends = []
    for c, name, axis in itertools.product(covariances, names, axes):
        term = "bound" if name.startswith("bound") else name
        rho = moves.get((term, axis), MOVES.get(term, {}).get(axis, 0.5))
        trends.append(
            {
                **{"covariance": c, "term": name, "unit": "nats a point", "axis": axis},
                **{"conditions": len(values), "rounds": rounds},
                **{"spearman": rho, "spearman_ci_low": rho - 0.1, "spearman_ci_high": rho + 0.1},
                **{"slope": rho / 5, "slope_ci_low": rho / 5 - 0.02, "slope_ci_high": rho / 5 + 0.02},
                "p_value": 0.9 if abs(rho) <= 0.1 else 0.001,
            }
        )
    judged = [
        {
            "claim": claim.text,
            "claimed": "rises" if claim.direction > 0 else "falls",
            **row,
            "p_holm": 5 * row["p_value"],
        }
        for claim in CLAIMS
        for row in trends
        if (row["term"], row["axis"]) == (claim.term, claim.axis)
    ]
    claims = pd.DataFrame(judged, columns=[*CLAIM_COLUMNS, "p_holm"])
    directions = [1 if claimed == "rises" else -1 for claimed in claims["claimed"]]
    claims["verdict"] = claim_verdicts(directions, claims["spearman"], claims["p_value"])[1]
    return {"terms": pd.DataFrame(terms), "term_trends": pd.DataFrame(trends, columns=TREND_COLUMNS), "claims": claims}


@dataclass(frozen=True)
class Maker:
    """Makes small studies.

    Verdicts by (covariance, anchors, estimator, axis), as published unless told; rank correlations
    of terms by (term, axis), as in `MOVES` unless told.
    """

    def __call__(
        self,
        verdicts=None,
        *,
        name="gmm",
        title="Simulated",
        truth="random",
        covariances=("psd",),
        anchors=("released",),
        estimators=ESTIMATORS,
        axes=("K", "J", "L"),
        values=(2, 3, 4),
        moves=None,
        **tables,
    ):
        told = verdicts or {}
        variants = list(itertools.product(covariances, anchors, estimators))
        conditions = sorted(
            {tuple(v if a == axis else 2 for a in "KJL") for axis in axes for v in values} | {(2, 2, 2)}
        )
        made = {
            "trends": [
                trend_row(*variant, axis, told.get((*variant, axis), "as_published"), conditions=len(values))
                for variant in variants
                for axis in axes
            ],
            "kl_gap": [gap_row(*c, *variant) for variant in variants for c in conditions],
            "fits": [
                {
                    **{"K": k, "J": j, "L": l, "covariance": c, "fit": fit, "rounds": 20},
                    **{"converged_share": 1.0, "mean_iterations": 12.5, "collapsed_share": 0.0},
                    **{"mean_collapsed_components": 0.0, "mean_log_likelihood_nats_per_point": -2.5},
                }
                for c in covariances
                for fit in ("synthetic", "anchors_released")
                for k, j, l in conditions  # noqa: E741
            ],
            "divergences": [
                {
                    **{"K": k, "J": j, "L": l, "covariance": c, "estimator": e, "fit": "synthetic", "rounds": 20},
                    **{"median_nats": 3.25, "largest_error_nats": 0.01},
                    "precision_reached_share": 1.0 if e in ("forward", "reverse") else float("nan"),
                    **{"median_points": 8192.0, "largest_points": 16384},
                }
                for c in covariances
                for e in estimators
                for k, j, l in conditions  # noqa: E741
            ],
        }
        frames = {key: pd.DataFrame(rows) for key, rows in made.items()}
        frames |= term_tables(covariances, anchors, conditions, axes, values, moves or {})
        frames.update({key: pd.DataFrame(rows) for key, rows in tables.items()})
        base = {"K": 2, "J": 2, "L": 2}
        return MixtureStudy(name, title, truth, base, covariances, anchors, estimators, **frames)


@pytest.fixture(scope="session")
def make_study():
    return Maker()


def record(rule):
    parameters = {"code": "0123456789abcdef", **({} if rule == "accuracy" else {"seed": 7})}
    return {
        "rule": rule,
        "parameters": parameters,
        "versions": {"python": "3.11.7", "numpy": "2.4.6"},
        "inputs": {"results/gmm/gaps.npz": "ab" * 32},
    }


def figure_names(study):
    variants = [f"figure4_{c}_{a}" for c in study.covariances for a in study.anchor_components]
    return ["figure2", *variants, "figure5", *(f"terms_{c}" for c in study.covariances)]


@pytest.fixture(scope="session")
def make_page():
    """The page of mixture studies; every figure has the same two files."""

    def make(*studies, svg=SVG, png=PNG):
        figures = pictures({f"{s.name}/{name}": (svg, png) for s in studies for name in figure_names(s)})
        records = {s.name: [record(name) for name in RECORDS] for s in studies}
        return render(parts_of("mixtures"), **mixtures_page(studies, records), pictures=figures)

    return make


@pytest.fixture(scope="session")
def write_results():
    """Writes what the report's rule reads of a study."""

    def write(folder, study):
        place = folder / study.name
        place.mkdir(parents=True)
        for name in TABLES:
            getattr(study, name).to_csv(place / f"{name}.csv", index=False)
        for name in RECORDS:
            (place / f"{name}.provenance.json").write_text(json.dumps(record(name)))
        for name in figure_names(study):
            (place / f"{name}.svg").write_bytes(SVG)
            (place / f"{name}.png").write_bytes(PNG)
            (place / f"{name}.csv").write_text("x,y\n1,2\n")

    return write
