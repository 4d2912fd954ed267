"""Small worlds and tables to draw, for tests of figures."""

import itertools

import pandas as pd

from ggmi.mixtures.em import fit
from ggmi.mixtures.study import PUBLISHED_DIRECTION
from ggmi.mixtures.term_claims import CLAIMS
from ggmi.mixtures.terms import term_units
from ggmi.mixtures.worlds import Condition, random_worlds, synthetic_points
from ggmi.plotting.mixtures import kl_gap_figure
from ggmi.plotting.style import save_figure
from ggmi.plotting.terms import terms_figure
from ggmi.random import stream

CONDITION = Condition(2, 3, 1)
ESTIMATORS = ("released_histogram", "aligned_histogram", "forward", "reverse")
SUMMARY = ("mean_nats", "sd_nats", "median_nats", "ci_low_nats", "ci_high_nats", "median_ci_low_nats")


def make_world(d, rounds=1):
    """Worlds, synthetic points and both fits, in d dimensions."""
    streams = [[stream(1, name, d, r) for r in range(rounds)] for name in ("world", "synthetic", "anchors", "fit")]
    worlds = random_worlds(CONDITION, d, 20, "psd", streams[0])
    points = synthetic_points(worlds.generator, 60, streams[1])
    anchors = fit(worlds.anchors.reshape(rounds, -1, d), CONDITION.K, streams[2])
    return worlds, points, anchors, fit(points, CONDITION.total, streams[3])


def gaps(estimators=ESTIMATORS, values=(2, 3, 5), scale=1.0):
    """Tables of KL gaps and trends along sweeps, and the sweeps themselves."""
    numbers = stream(2, "gaps", len(estimators), len(values))
    sweeps = {
        axis: [Condition(**{**dict.fromkeys("KJL", 2), axis: value}) for value in values] for axis in ("K", "J", "L")
    }
    rows = []
    for condition, estimator in itertools.product(
        dict.fromkeys(itertools.chain.from_iterable(sweeps.values())), estimators
    ):
        mean = scale * numbers.normal()
        rows.append(
            {
                **{"K": condition.K, "J": condition.J, "L": condition.L, "estimator": estimator},
                **{"mean_nats": mean, "sd_nats": scale * 0.8, "median_nats": mean - 0.1},
                **{"ci_low_nats": mean - 0.3, "ci_high_nats": mean + 0.2},
                **{"median_ci_low_nats": mean - 0.4, "median_ci_high_nats": mean + 0.3},
            }
        )
    trends = [
        {
            **{"estimator": estimator, "axis": axis, "verdict": verdict},
            **{"spearman": 0.25, "spearman_ci_low": -0.5, "spearman_ci_high": 0.75},
        }
        for estimator in estimators
        for axis, verdict in zip("KJL", ("as_published", "against", "undecided"), strict=True)
    ]
    return pd.DataFrame(rows), pd.DataFrame(trends), sweeps


def drawn_gaps(table, trends, sweeps):
    return kl_gap_figure(table, trends, sweeps, PUBLISHED_DIRECTION, "Title", 10.0)


def terms(values=(2, 3, 5)):
    """Tables of terms, their trends and claims along sweeps, and the sweeps themselves."""
    numbers = stream(3, "terms", len(values))
    _, _, sweeps = gaps(values=values)
    conditions = dict.fromkeys(itertools.chain.from_iterable(sweeps.values()))
    table = pd.DataFrame(
        [
            {
                **{"K": c.K, "J": c.J, "L": c.L, "term": term, "mean": mean, "sd": 0.4, "median": mean + 0.1},
                **{"ci_low": mean - 0.2, "ci_high": mean + 0.3},
            }
            for c in conditions
            for term in term_units(["released"])
            for mean in [numbers.normal()]
        ]
    )
    trends = [
        {"term": term, "axis": axis, "spearman": 0.25, "spearman_ci_low": -0.5, "spearman_ci_high": 0.75}
        for term in term_units(["released"])
        for axis in "KJL"
    ]
    words = ("supported", "contradicted", "undecided", "supported", "supported")
    claims = [
        {
            "term": claim.term,
            "axis": claim.axis,
            "claimed": "rises" if claim.direction > 0 else "falls",
            "verdict": word,
        }
        for claim, word in zip(CLAIMS, words, strict=True)
    ]
    return table, pd.DataFrame(trends), pd.DataFrame(claims), sweeps


def drawn_terms(table, trends, claims, sweeps):
    return terms_figure(table, trends, claims, sweeps, "released", "Title", 10.0)


def saved(folder, figure, numbers, dpi=60):
    save_figure(figure, numbers, str(folder / "figure"), dpi)
    return {kind: (folder / f"figure.{kind}").read_bytes() for kind in ("svg", "png", "csv")}
