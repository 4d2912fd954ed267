"""What a judge says of the last students' answers: ratings by arm, and whether they name one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from ggmi.pilot.choice import Trained
from ggmi.pilot.settings import MOST_RATED
from ggmi.pipeline.ratings import Rate, ratings_long, verdict_rows
from ggmi.random import stream
from ggmi.rating.intervals import RatingEstimate, mean_rating, paired_difference
from ggmi.rating.table import rating_cells
from ggmi.rating.verdicts import HIGHEST, LOWEST
from ggmi.statistics import holm
from ggmi.text.records import Record, content_hash

LEVEL = 0.05


class PilotJudge(NamedTuple):
    """Who rates.

    Parameters
    ----------
    name
        What it is called on the page.
    rate
        Gives each answer a verdict.
    """

    name: str
    rate: Rate


def asked_records(test: Sequence[Record], seed: int) -> list[Record]:
    """Test records whose answers are rated, each text once.

    Parameters
    ----------
    test
        Real records that nothing is trained on.
    seed
        Of the choice.
    """
    distinct = list({record.text: record for record in test}.values())
    chosen = stream(seed, "pilot", "asked").permutation(len(distinct))[:MOST_RATED]
    return [replace(distinct[i], id=content_hash(distinct[i].values)) for i in chosen]


def rated(students: Mapping[str, Sequence[Trained]], asked: Sequence[Record], judge: PilotJudge) -> dict[str, Any]:
    """Have the answers of students rated.

    Parameters
    ----------
    students
        Of each arm, trained on as many records.
    asked
        What they answered.
    judge
        Who rates them.

    Returns
    -------
    dict
        ``judge``; ``records`` asked; ``arms``, a row an arm with ``arm``, ``trained`` (records), ``rating`` with its
        interval, ``missing`` (answers without a rating) and ``n``; ``differences`` of all pairs, the first higher,
        with intervals, ``p`` and ``p_holm``; ``best``, the arm that is higher than every other one at 5 % after
        Holm's correction, or null.
    """
    answers = {
        arm: [{**row, "seed": one.replicate} for one in trained for row in one.answers]
        for arm, trained in students.items()
    }
    verdicts = {arm: list(verdict_rows(rows, asked, judge.rate)) for arm, rows in answers.items()}
    cells = rating_cells(ratings_long(verdicts, max(map(len, students.values()))))
    means = {arm: mean_rating(cells[arm]) for arm in students}
    ordered = sorted(students, key=lambda arm: -np.nan_to_num(means[arm].value))
    pairs = [(one, other, paired_difference(cells[one], cells[other])) for one, other in combinations(ordered, 2)]
    corrected = holm([found.p_value for *_, found in pairs])
    differences = [
        {
            "arm": one,
            "against": other,
            **_numbers("difference", found),
            "p": _number(found.p_value),
            "p_holm": _number(p),
        }
        for (one, other, found), p in zip(pairs, corrected, strict=True)
    ]
    # NaN, where no two records are rated, names nothing.
    first = [
        found.value > 0 and p < LEVEL for (one, _, found), p in zip(pairs, corrected, strict=True) if one == ordered[0]
    ]
    named = bool(first) and all(first)
    arms = [
        {
            **{"arm": arm, "trained": trained[0].records, **_numbers("rating", means[arm], LOWEST, HIGHEST)},
            **{"missing": int(np.isnan(cells[arm]).sum()), "n": means[arm].n_items},
        }
        for arm, trained in students.items()
    ]
    return {
        **{"judge": judge.name, "records": len(asked), "arms": arms, "differences": differences},
        "best": ordered[0] if named else None,
    }


def _numbers(name: str, found: RatingEstimate, least: float = -np.inf, most: float = np.inf) -> dict[str, float | None]:
    """A value with its interval, which need not leave the scale."""
    low, high = np.clip([found.interval.low, found.interval.high], least, most)
    return {name: _number(found.value), f"{name}_ci_low": _number(low), f"{name}_ci_high": _number(high)}


def _number(value: float) -> float | None:
    """As JSON can hold it."""
    return float(value) if np.isfinite(value) else None
