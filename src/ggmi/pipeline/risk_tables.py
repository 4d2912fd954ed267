"""Risks of all students, generalization errors with intervals, and the gain between S_anchor and S_gen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ggmi.rating.intervals import RatingEstimate, mean_rating, paired_difference

Arrays = Mapping[str, np.ndarray]
SET_COLUMNS = ["condition", "available", "overlap", "records", "distinct", "synthetic", "anchors", "real"]


def sets_table(summaries: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """What every condition's students learn.

    Parameters
    ----------
    summaries
        By condition, of the rule that makes its set.

    Returns
    -------
    DataFrame
        condition; available (records left after the overlap with the test set), overlap; records
        learned, how many distinct ones, and from which source.
    """
    rows = [{"condition": name, **summary} for name, summary in summaries.items()]
    return pd.DataFrame(rows, columns=SET_COLUMNS)


def risks_table(parts: Mapping[str, Sequence[pd.DataFrame]], seeds: int) -> pd.DataFrame:
    """Rows of all students, conditions in their order.

    Parameters
    ----------
    parts
        Tables of `ggmi.pipeline.students.part_risks` by condition.
    seeds
        Students with a higher seed are left out.
    """
    tables = [
        table.assign(condition=name)[["condition", *table.columns]]
        for name, found in parts.items()
        for table in found
        if len(table)
    ]
    whole = pd.concat(tables, ignore_index=True)
    return whole[whole["seed"] <= seeds].reset_index(drop=True)


def curves_table(parts: Mapping[str, Sequence[tuple[int, pd.DataFrame]]], seeds: int) -> pd.DataFrame:
    """Loss curves of all students, for `ggmi.plotting.rating.loss_figure`.

    Parameters
    ----------
    parts
        Seeds and curves by condition.
    seeds
        Students with a higher seed are left out.

    Returns
    -------
    DataFrame
        condition, seed, split (``training``), step, epoch, loss_nats (a token).
    """
    tables = [
        curve.assign(condition=name, seed=number, split="training").rename(columns={"loss_nats_per_token": "loss_nats"})
        for name, found in parts.items()
        for number, curve in found
        if number <= seeds and len(curve) and "loss_nats_per_token" in curve  # rewarded students have no such loss
    ]
    columns = ["condition", "seed", "split", "step", "epoch", "loss_nats"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def generalization_table(
    parts: Mapping[str, Sequence[Arrays]], seeds: int, exact: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Test risk and generalization error of every condition, and the gain over anchors (section 3.3).

    Nats a record. Intervals are of the two-way random model of test records and seeds that Table 1
    uses; gains are paired by test record. A condition's generalization error is that of its mean
    student, ``|mean R_D - mean R_S|``.

    Parameters
    ----------
    parts
        Arrays of `ggmi.pipeline.students.part_risks` by condition.
    seeds
        Students with a higher seed are left out.
    exact
        Of `risks_table`, where it has ``exact_risk_nats_per_record``.

    Returns
    -------
    DataFrame
        condition, n_items, n_seeds; test_risk, training_risk, generalization_error and gain (the
        error of students of S_anchor minus that of this condition's) in nats a record, each with
        its interval but for the training risk, which is exact given the set; exact_risk and
        exact_error where R_D is known.
    """
    tests = {name: _stacked(found, "test", seeds) for name, found in parts.items()}
    trains = {name: _stacked(found, "train", seeds) for name, found in parts.items()}
    errors: dict[str, np.ndarray] = {}
    own_risks: dict[str, float] = {}
    for name, losses in tests.items():
        own = trains[name]
        if losses is not None and own is not None:
            own_risks[name] = float(own.mean())
            signed = losses - own.mean(axis=0)
            errors[name] = signed if signed.mean() >= 0 else -signed
    rows = []
    for name, losses in tests.items():
        row: dict[str, Any] = {"condition": name, "n_items": 0, "n_seeds": 0}
        rows.append(row)
        if losses is None:
            continue
        row |= {"n_items": losses.shape[0], "n_seeds": losses.shape[1]}
        row |= _columns("test_risk", mean_rating(losses))
        if name in errors:
            row["training_risk_nats"] = own_risks[name]
            row |= _columns("generalization_error", mean_rating(errors[name]), least=0.0)
            if "anchors" in errors and name != "anchors":
                row |= _columns("gain", paired_difference(errors["anchors"], errors[name]))
        if exact is not None:
            known = exact.loc[exact["condition"] == name, "exact_risk_nats_per_record"]
            row["exact_risk_nats"] = float(known.mean())
            if name in errors:
                row["exact_error_nats"] = abs(float(known.mean()) - row["training_risk_nats"])
    names = ["condition", "n_items", "n_seeds", "training_risk_nats"]
    names += [f"{name}{end}" for name in ("test_risk", "generalization_error", "gain") for end in _ENDS]
    names += ["exact_risk_nats", "exact_error_nats"] if exact is not None else []
    return pd.DataFrame(rows, columns=names)


_ENDS = ("_nats", "_ci_low_nats", "_ci_high_nats")


def _columns(name: str, found: RatingEstimate, least: float = -np.inf) -> dict[str, float]:
    values = (found.value, max(found.interval.low, least), found.interval.high)
    return {f"{name}{end}": value for end, value in zip(_ENDS, values, strict=True)}


def _stacked(parts: Sequence[Arrays], name: str, seeds: int) -> np.ndarray | None:
    """Losses of a condition's students, shape (records, students)."""
    found = [part[f"{name}_nats"][part["seeds"] <= seeds] for part in parts if f"{name}_nats" in part]
    return np.concatenate(found).T if found else None
