"""Which set to take and why, and what is wrong with the others: the words that page and terminal share.

They stand in the templates ``recommendation.txt.j2`` and ``named.txt.j2``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ggmi.pipeline.recommending import OUTCOMES
from ggmi.project import REPORT_PARTS
from ggmi.reporting.estimators import short_name
from ggmi.reporting.page import sentences
from ggmi.text.visible import one_line, shortened

Row = Mapping[str, Any]
# Kinds that a set can be in part; the others are of records. And the share from which on it is so as a whole.
IN_PART, WHOLLY = ("copies", "cut_off", "language", "off_task"), 0.9
# Characters of a text that are shown.
SHOWN = 160


def called(row: Row) -> str:
    """What a set is named for a kind of its records.

    Parameters
    ----------
    row
        Of `ggmi.pipeline.naming.named_sets`.

    Examples
    --------
    >>> called({"kind": "cut_off", "name": "truncated", "share": 0.4})
    'partly truncated'
    """
    return f"partly {row['name']}" if row["kind"] in IN_PART and row["share"] < WHOLLY else row["name"]


def recommendation(found: Row) -> list[tuple[str, str]]:
    """The recommendation, its odds and its reason, and which sets are not recommended: term and sentence.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.
    """
    choice = found["recommendation"]
    lines = sentences(
        [REPORT_PARTS / "recommendation.txt.j2"],
        recommendation=choice,
        outcome=OUTCOMES.get(choice["outcome"]),
        heading=short_name(choice["estimator"]) if choice["estimator"] else "",
        named={one["name"]: one["named"] for one in found["sets"]},
        called=called,
    )
    return [(term, sentence) for term, _, sentence in (line.partition(": ") for line in lines)]


def wrongs(found: Row) -> list[tuple[str, str, list[list[str]]]]:
    """What is wrong with the records of sets.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.

    Returns
    -------
    list of tuple
        Set, sentence, and of each example where it stands, what it asks and answers, and the record of T beside it
        (empty where none is).
    """
    rows = []
    for one in found["sets"]:
        lines = sentences([REPORT_PARTS / "named.txt.j2"], rows=one["named"], called=called)
        for line, row in zip(lines, one["named"], strict=True):
            ends = row["kind"] == "cut_off"
            rows.append((one_line(one["name"]), line, [_example(example, ends) for example in row["examples"]]))
    return rows


def _example(example: Row, ends: bool) -> list[str]:
    """A record in short texts; of what is cut off the end."""
    response = one_line(example["response"])
    answer = shortened(response[::-1], SHOWN)[::-1] if ends else shortened(response, SHOWN)
    beside = f"{example['train_place']}: {example['train_response']}" if "train_place" in example else ""
    asked = shortened(one_line(example["instruction"]), SHOWN)
    return [example["place"], asked, answer, shortened(one_line(beside), SHOWN)]
