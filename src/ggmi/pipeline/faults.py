"""Faults that are put into a set on purpose, in known shares: what estimates and students are tried on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ggmi.text.records import FIELDS

Row = Mapping[str, Any]


def some_rows(rows: Sequence[Row], most: int | None, generator: np.random.Generator) -> list[Row]:
    """So many rows at random, in their order.

    Parameters
    ----------
    rows
        Of a set.
    most
        How many; None for all, as where there are no more.
    generator
        Source of the draw.
    """
    return [rows[i] for i in np.sort(generator.permutation(len(rows))[:most])]


def with_faults(
    rows: Sequence[Row],
    shares: Mapping[str, float],
    sources: Mapping[str, Sequence[Row]],
    generator: np.random.Generator,
) -> tuple[list[Row], dict[str, int]]:
    """Replace shares of a set's records by faulty ones; no record has two faults.

    Parameters
    ----------
    rows
        The set, with the columns of `ggmi.text.synthetic.synthetic_rows`.
    shares
        Of the set's records, by fault: ``wrong`` have the response of another record that says something else,
        ``repeated`` are copies of records without a fault, any other fault is a record of the source of its name.
    sources
        Records by fault, such as T for ``copied``; taken again where they are fewer than asked for.
    generator
        Source of places and records.

    Returns
    -------
    rows : list of dict
        In the same order. Only texts are replaced, and ``fault`` says by what (null: by nothing): columns on
        how a record was generated stay those of what the generator wrote there.
    counts : dict
        Records by fault; none where the set has no other response, or no record left to copy.

    Examples
    --------
    >>> rows = [{"id": str(i), "instruction": "Add.", "context": "", "response": str(i)} for i in range(4)]
    >>> made, counts = with_faults(rows, {"wrong": 0.5}, {}, np.random.default_rng(0))
    >>> counts, sum(row["response"] != row["id"] for row in made)
    ({'wrong': 2}, 2)
    """
    order = generator.permutation(len(rows))
    wanted = {fault: round(share * len(rows)) for fault, share in shares.items() if share}
    clean = [rows[i] for i in order[sum(wanted.values()) :]]
    responses = sorted({row["response"] for row in rows})
    made: list[Row] = [{**row, "fault": None} for row in rows]
    counts = {}
    for fault, number in wanted.items():
        places, order = order[:number], order[number:]
        if fault == "wrong":
            texts = [{"response": _other(responses, rows[i]["response"], generator)} for i in places if responses[1:]]
        else:
            source = clean if fault == "repeated" else sources[fault]
            taken = generator.choice(len(source), len(places), replace=len(places) > len(source)) if source else ()
            texts = [{name: source[i][name] for name in FIELDS} for i in taken]
        for place, text in zip(places, texts, strict=False):  # no texts where there is nothing to put in
            made[place] = {**made[place], **text, "fault": fault}
        counts[fault] = len(texts)
    return made, counts


def _other(responses: Sequence[str], own: str, generator: np.random.Generator) -> str:
    """One of several responses in their order, each as likely, but for one."""
    i = int(generator.integers(len(responses) - 1))
    return responses[i + (responses[i] >= own)]
