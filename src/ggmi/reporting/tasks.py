"""What came of a task, in tables and numbers that its page puts into sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from ggmi.information.semantic_entropy import GROWTH
from ggmi.io import read_csv, read_json
from ggmi.pipeline.comparable import compared_records, too_small
from ggmi.pipeline.comparing import LEVEL, TOO_COARSE
from ggmi.pipeline.estimation_tables import PLACE, PUBLISHED
from ggmi.pipeline.estimators import ESTIMATORS
from ggmi.pipeline.prediction import MANY
from ggmi.rating.table import short_names
from ggmi.reporting.page import Figures, by_name, pictures
from ggmi.reporting.pilot import sentences

# Conditions that are no synthetic set.
REFERENCES = ("base", "anchors", "real")
# Power below which silence says nothing.
USEFUL_POWER = 0.8


@dataclass(frozen=True)
class TaskResults:
    """What a task's rules made: a table by the name of its file each, None where it was not asked for.

    Parameters
    ----------
    name, title
        The task's.
    split
        Counts of real records, and near-duplicates across the split.
    validity, curation
        Of `ggmi.pipeline.tables`.
    generators, shares
        Of `ggmi.pipeline.world`; inside the embedded world only.
    sets, risks, generalization
        Of `ggmi.pipeline.risk_tables`.
    table1, agreement, calibration, separations, notes
        Of `ggmi.pipeline.ratings` and `ggmi.rating.calibration`; ``notes`` has ``judge``, ``notes`` on Table 1, and
        ``warnings`` about the judge.
    estimates, published, curves, claims, truth, predictions
        Of `ggmi.pipeline.estimation_tables` and `ggmi.pipeline.estimation_claims`.
    pilot
        Of `ggmi.pilot.study.run_pilot`.
    """

    name: str
    title: str
    split: Mapping[str, Any]
    validity: pd.DataFrame
    curation: pd.DataFrame
    generators: pd.DataFrame | None = None
    shares: pd.DataFrame | None = None
    sets: pd.DataFrame | None = None
    risks: pd.DataFrame | None = None
    generalization: pd.DataFrame | None = None
    table1: pd.DataFrame | None = None
    agreement: pd.DataFrame | None = None
    calibration: pd.DataFrame | None = None
    separations: pd.DataFrame | None = None
    notes: Mapping[str, Any] | None = None
    estimates: pd.DataFrame | None = None
    published: pd.DataFrame | None = None
    curves: pd.DataFrame | None = None
    claims: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None
    predictions: pd.DataFrame | None = None
    pilot: Mapping[str, Any] | None = None


def read_task(name: str, title: str, files: Iterable[str]) -> TaskResults:
    """A task's results from its tables (.csv) and records (.json), each named as the part it is."""
    parts = {path.stem: read_json(path) if path.suffix == ".json" else read_csv(path) for path in map(Path, files)}
    return TaskResults(name, title, **parts)


def task_findings(task: TaskResults) -> dict[str, Any]:
    """What a task's page and the front page say of it.

    Parameters
    ----------
    task
        What was made.

    Returns
    -------
    dict
        ``title``, ``name``; ``generators``: records, valid share and most frequent failure by generator;
        ``kept`` records by curation, of what generators wrote; ``students`` trained; ``ratings``, ``predictions``
        and ``judge_warnings``, None or empty where there are none.
    """
    asked = task.validity[task.validity["responses"] > 0]
    written = task.curation[task.curation["generator"].isin(asked["generator"])]
    return {
        "name": task.name,
        "title": task.title,
        "generators": {name: _generator(rows) for name, rows in task.validity.groupby("generator", sort=False)},
        "kept": written.groupby("curation", sort=False)["kept"].sum().astype(int).to_dict(),
        "students": 0 if task.risks is None else len(task.risks),
        "ratings": None if task.table1 is None else _ratings(task.table1),
        "judge_warnings": task.notes["warnings"] if task.notes else [],
        "predictions": None if task.predictions is None else predicted(task.predictions),
        "missed": [] if task.generators is None else _missed(task.generators),
    }


def _generator(rows: pd.DataFrame) -> dict[str, Any]:
    """Records of a generator, the share of them that is valid, None for imported sets, and its usual failure."""
    reasons = {name: rows[name].sum() for name in rows if name.startswith("failed_") and rows[name].sum()}
    found = rows["records"].sum() + rows["failures"].sum()
    return {
        "records": int(rows["records"].sum()),
        "valid": float(rows["records"].sum() / max(1, found)) if (rows["responses"] > 0).any() else None,
        "failure": max(reasons, key=reasons.__getitem__, default="").removeprefix("failed_").replace("_", " "),
    }


def _missed(generators: pd.DataFrame) -> list[str]:
    """Generators that were short of their training criterion."""
    return list(generators.loc[~generators["criterion_reached"], "generator"].unique())


def _ratings(table: pd.DataFrame) -> dict[str, Any]:
    """The best synthetic set beside its references, and every condition by how it compares with them."""
    rated = table.dropna(subset=["mean"]).assign(short=table["condition"].map(short_names(table["condition"])))
    references = [name for name in ("base", "real") if name in set(rated["condition"])]
    for name in references:
        rated[f"against_{name}"] = [_against(row, name) for row in rated.to_dict("records")]
    synthetic = rated[~rated["condition"].isin(REFERENCES)]
    return {
        "best": None if synthetic.empty else synthetic.loc[synthetic["mean"].idxmax()].to_dict(),
        "references": {name: rated[rated["condition"] == name].iloc[0].to_dict() for name in references},
        "against": {
            name: {
                verdict: rated.loc[rated[f"against_{name}"] == verdict, "short"].tolist()
                for verdict in ("better", "worse", "undecided")
            }
            for name in references
        },
        "empty": table.loc[table["mean"].isna(), "condition"].tolist(),
    }


def _against(row: Mapping[str, Any], reference: str) -> str:
    """``better``, ``worse`` or ``undecided`` than a reference, empty for the reference itself."""
    if row["condition"] == reference:
        return ""
    if not row["p_holm" if reference == "base" else f"p_holm_{reference}"] < LEVEL:
        return "undecided"
    return "better" if row[f"difference_to_{reference}"] > 0 else "worse"


def predicted(predictions: pd.DataFrame) -> dict[str, Any] | None:
    """Which estimator predicts the rating, and whether so few conditions could have told.

    Parameters
    ----------
    predictions
        Of `ggmi.pipeline.estimation_tables.predictions_table` or `worth_table`.

    Returns
    -------
    dict or None
        The ``best`` row, estimators that are ``certain`` after Holm's correction, whether so few conditions can
        ``name`` any and whether silence is ``useful``, and what is left ``out``; None where nothing was correlated.
        Of many conditions ``best`` and ``certain`` stand below ``outcomes``, by outcome.
    """
    if "outcome" in predictions:
        return {"named": True, "outcomes": {name: _worth(rows) for name, rows in predictions.groupby("outcome")}}
    known = predictions.dropna(subset=["spearman"])
    if known.empty:
        return None
    best = known.loc[known["spearman"].abs().idxmax()].to_dict()
    # What is left out for its size is the same for every estimator; the published HSIC's note says more.
    notes = known.loc[known["estimator"] != PUBLISHED, "note"].dropna().unique()
    return {
        "best": best,
        "certain": known.loc[known["p_holm"] < LEVEL, "estimator"].tolist(),
        "named": best["n"] >= MANY,
        "useful": best["power"] >= USEFUL_POWER,
        "least": MANY,
        "level": LEVEL,
        "out": str(notes[0]) if len(notes) else "",
    }


def _worth(rows: pd.DataFrame) -> dict[str, Any]:
    """The estimator that goes best with an outcome beyond size and length, and those that are told from chance."""
    known = rows.dropna(subset=["partial"])
    best = known.loc[known["partial"].abs().idxmax()].to_dict()
    return {"best": best, "certain": known.loc[known["partial_p_holm"] < LEVEL, "estimator"].tolist()}


def _estimated(task: TaskResults) -> dict[str, Any] | None:
    """How far a task's estimates carry."""
    if task.estimates is None:
        return None
    assert task.claims is not None
    assert task.published is not None
    records = compared_records(task.estimates)
    notes = task.estimates["note"].fillna("")
    # CKA's test is that of HSIC.
    coarse = task.estimates[notes.str.startswith(TOO_COARSE) & (task.estimates["estimator"] != "cka")]
    growths = task.published.dropna(subset=["entropy_growth"])
    biased = task.published.dropna(subset=["hsic_published"])
    return {
        "claims": {
            claim: rows["verdict"].value_counts().to_dict() for claim, rows in task.claims.groupby("claim", sort=False)
        },
        "untested": int(task.claims["p_value"].isna().sum()),
        "small": {" ".join(place): n for place, n in too_small(records).items()},
        "largest": max(records.values(), default=0),
        "coarse": [" ".join(row) for row in coarse[[*PLACE, "estimator"]].itertuples(index=False)],
        "growths": growths["entropy_growth"].tolist(),
        "enough": [
            " ".join(row) for row in growths.loc[growths["entropy_growth"] <= GROWTH, PLACE].itertuples(index=False)
        ],
        "growth": GROWTH,
        "bias": float((biased["hsic_published_null"] / biased["hsic_published"]).median()),
        "apart": int((biased["hsic_p_holm"] < LEVEL).sum()),
        "biased": len(biased),
        "too_coarse": TOO_COARSE,
        "sufficient": [
            (" ".join(row[part] for part in PLACE), row["note"])
            for row in task.estimates[task.estimates["estimator"] == "semantic_growth"].to_dict("records")
        ],
        "estimators": ESTIMATORS,
    }


def task_page(task: TaskResults, figures: Figures, provenance: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the template ``task.html.j2`` shows.

    Parameters
    ----------
    task
        What was made.
    figures
        SVG and PNG of each figure, by its path beside the page without suffix.
    provenance
        Records of how the tables were made.
    """
    tables = {field.name: getattr(task, field.name) for field in fields(task)}
    sets = task.sets
    repeated = [] if sets is None else sets.loc[sets["distinct"] < sets["records"] / 2, "condition"].tolist()
    ideal = None if task.shares is None else task.shares[task.shares["generator"] == "ideal"].sort_values("instances")
    return {
        "task": task_findings(task),
        "tables": tables,
        "repeated": repeated,
        "ideal": None if ideal is None else ideal.iloc[[0, -1]].to_dict("records"),
        "estimated": _estimated(task),
        "pilot": None if task.pilot is None else sentences(task.pilot),
        "pictures": by_name(pictures(figures)),
        "records": provenance,
    }
