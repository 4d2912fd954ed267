"""Answers judged, the judge tested, and Table 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ggmi.embedded.truth import rating as exact_rating
from ggmi.models.protocol import Backend, OnProgress
from ggmi.models.requests import Sampling
from ggmi.models.store import Store
from ggmi.random import stream
from ggmi.rating.agreement import agreement
from ggmi.rating.asking import Judged, JudgeRequests, ask_judge
from ggmi.rating.calibration import Calibration, Probe, calibrate
from ggmi.rating.judging import JudgePrompt, JudgeTemplate
from ggmi.rating.table import notes, rating_table
from ggmi.text.records import Record
from ggmi.text.thinking import Marks

# Columns of Table 1 that come first, in this order.
TABLE1 = [
    *("condition", "n_items", "n_seeds", "mean", "ci_low", "ci_high", "softmax"),
    *("difference_to_base", "p_holm", "missing"),
]
RATING_COLUMNS = ["condition", "seed", "item", "rating", "verdicts", "reason"]
# Gives each answer to a record what a verdict row holds, in the order given.
Rate = Callable[[Sequence[tuple[Record, str]]], list[dict[str, Any]]]


def exact_verdicts(answers: Sequence[tuple[Record, str]]) -> list[dict[str, Any]]:
    """Verdicts of the embedded world's exact judge, in the form of a model's.

    Parameters
    ----------
    answers
        Records with what was answered.
    """
    rows = []
    for record, answer in answers:
        value = float(exact_rating(answer, record.response))
        verdict = {"draw": 0, "text": None, "rating": value, "reason": None}
        rows.append({"prompt_id": None, "prompt": None, "verdicts": [verdict], "rating": value})
    return rows


def model_verdicts(
    judge: Backend,
    template: JudgeTemplate,
    sampling: Mapping[str, Any],
    plan: JudgeRequests,
    store: Store,
    on_progress: OnProgress | None = None,
    marks: Marks | None = None,
) -> Rate:
    """A judge behind a backend.

    Parameters
    ----------
    judge, plan, store, on_progress, marks
        See `ggmi.rating.asking.ask_judge`.
    template
        The judging instruction.
    sampling
        How verdicts are drawn.
    """

    def rate(answers: Sequence[tuple[Record, str]]) -> list[dict[str, Any]]:
        prompts: list[JudgePrompt] = [template.fill(record, answer) for record, answer in answers]
        how = Sampling.of(sampling)
        asked = ask_judge(judge, prompts, how, store, plan, on_progress, marks) if prompts else {}
        judged: dict[str, Judged] = asked
        return [judged[prompt.id].row() for prompt in prompts]

    return rate


def verdict_rows(answers: Sequence[Mapping[str, Any]], test: Sequence[Record], rate: Rate) -> Iterator[dict[str, Any]]:
    """Verdicts on students' answers.

    Parameters
    ----------
    answers
        Rows of `ggmi.pipeline.students.part_answers`. Where a form is broken, what the student
        wrote is judged; where it wrote nothing at all there is no verdict.
    test
        The test set.
    rate
        The judge.

    Yields
    ------
    dict
        id, seed, draw, prompt_id, prompt, verdicts, rating, problem.
    """
    records = {record.id: record for record in test}
    texts = [row["text"] if row["text"] is not None else row["raw"] for row in answers]
    judged = iter(
        rate([(records[row["id"]], text) for row, text in zip(answers, texts, strict=True) if text is not None])
    )
    unjudged: dict[str, Any] = {"prompt_id": None, "prompt": None, "verdicts": [], "rating": None}
    for row, text in zip(answers, texts, strict=True):
        where = {name: row[name] for name in ("id", "seed", "draw")}
        yield {**where, **(unjudged if text is None else next(judged)), "problem": row["problem"]}


def probe_rows(probes: Sequence[Probe], rate: Rate, seed: int) -> tuple[list[dict[str, Any]], Calibration]:
    """Have probes judged and say whether the judge tells them apart.

    Parameters
    ----------
    probes
        Of `ggmi.rating.calibration.make_probes`.
    rate
        The judge.
    seed
        The run's seed.

    Returns
    -------
    rows : list of dict
        probe, id, answer, and the columns of a verdict.
    calibration : Calibration
    """
    judged = rate([(probe.record, probe.answer) for probe in probes])
    ratings = {(p.kind, p.record.id): row["rating"] for p, row in zip(probes, judged, strict=True)}
    rows = [
        {"probe": p.kind, "id": p.record.id, "answer": p.answer, **row} for p, row in zip(probes, judged, strict=True)
    ]
    return rows, calibrate(ratings, seed)


def ratings_long(verdicts: Mapping[str, Sequence[Mapping[str, Any]]], seeds: int) -> pd.DataFrame:
    """Every rating in a row of its own.

    Parameters
    ----------
    verdicts
        Rows of `verdict_rows` by condition.
    seeds
        Students with a higher seed are left out.

    Returns
    -------
    DataFrame
        Columns `RATING_COLUMNS`: condition, seed, item, rating (mean of the verdicts, empty where
        missing), verdicts (ratings behind it), reason (why there is none).
    """
    rows = [
        {
            "condition": condition,
            "seed": row["seed"],
            "item": row["id"],
            "rating": np.nan if row["rating"] is None else row["rating"],
            "verdicts": sum(verdict["rating"] is not None for verdict in row["verdicts"]),
            "reason": _reason(row),
        }
        for condition, found in verdicts.items()
        for row in found
        if row["seed"] <= seeds
    ]
    return pd.DataFrame(rows, columns=RATING_COLUMNS)


def _reason(row: Mapping[str, Any]) -> str | None:
    if row["rating"] is not None:
        return None
    return str(row["verdicts"][-1]["reason"]) if row["verdicts"] else str(row["problem"])


def table1(ratings: pd.DataFrame, conditions: Sequence[str], seed: int) -> tuple[pd.DataFrame, list[str]]:
    """Table 1 and what to know of it.

    Parameters
    ----------
    ratings
        Of `ratings_long`.
    conditions
        All conditions in their order; one without answers has a row without a mean.
    seed
        The run's seed.

    Returns
    -------
    table : DataFrame
        Columns `TABLE1` first, then the others of `ggmi.rating.table.rating_table`.
    sentences : list of str
        Of `ggmi.rating.table.notes`.
    """
    answered = set(ratings["condition"])
    order = [name for name in conditions if name in answered]
    found = rating_table(ratings, seed, conditions=order, real="real" if "real" in answered else None)
    sentences = notes(found)
    table = found.set_index("condition").reindex(list(conditions)).reset_index()
    counts = ["n_items", "n_seeds", "missing"]
    table[counts] = table[counts].fillna(0).astype(int)
    return table[[*TABLE1, *(column for column in table if column not in TABLE1)]], sentences


def agreement_table(verdicts: Mapping[str, Sequence[Mapping[str, Any]]], seeds: int, seed: int) -> pd.DataFrame:
    """How far several verdicts on the same answers agree, over all conditions and in each.

    Parameters
    ----------
    verdicts, seeds
        As in `ratings_long`.
    seed
        The run's seed.

    Returns
    -------
    DataFrame
        condition (``all`` first), metric, alpha, ci_low, ci_high, n_answers, n_items, n_ratings.
    """
    units = [
        (condition, row["id"], [v["rating"] for v in row["verdicts"] if v["rating"] is not None])
        for condition, found in verdicts.items()
        for row in found
        if row["seed"] <= seeds
    ]
    most = max((len(given) for _, _, given in units), default=0)
    rows = []
    for name in ("all", *verdicts):
        mine = [(item, given) for condition, item, given in units if name in ("all", condition)]
        if not mine or most < 2:
            continue
        matrix = np.array([[*given, *[np.nan] * (most - len(given))] for _, given in mine], dtype=float)
        items = [item for item, _ in mine]
        for metric in ("interval", "ordinal"):
            found = agreement(matrix, stream(seed, "rating", "agreement", name, metric), items=items, metric=metric)
            ends = {"ci_low": found.interval.low, "ci_high": found.interval.high}
            counts = {"n_answers": found.n_units, "n_items": found.n_items, "n_ratings": found.n_ratings}
            rows.append({"condition": name, "metric": metric, "alpha": found.alpha, **ends, **counts})
    columns = ["condition", "metric", "alpha", "ci_low", "ci_high", "n_answers", "n_items", "n_ratings"]
    return pd.DataFrame(rows, columns=columns)
