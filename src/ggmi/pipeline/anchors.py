"""Anchor data S_anchor, the real training set T and the test set of a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggmi.embedded.language import Language
from ggmi.errors import UserError
from ggmi.random import stream
from ggmi.text.read_notes import CONFIGURED
from ggmi.text.records import Record
from ggmi.text.samples import Sample, read_sample
from ggmi.text.splitting import Split, near_across, split


@dataclass(frozen=True)
class AnchorSets:
    """The real records of a task.

    Parameters
    ----------
    pool
        Anchor data: what prompts draw their instances from.
    train
        The real training set T.
    test
        Held out.
    """

    pool: tuple[Record, ...]
    train: tuple[Record, ...]
    test: tuple[Record, ...]


def source_sets(source: Mapping[str, Any], seed: int) -> tuple[AnchorSets, dict[str, Any]]:
    """Read a task's real records, split them, and look for near-duplicates across the split.

    Parameters
    ----------
    source
        As for `source_split`, and ``near_duplicate``.
    seed
        The run's seed.

    Returns
    -------
    sets : AnchorSets
        Prompts draw from the training part.
    report : dict
        Counts, and the near-duplicates across the split: pairs of ids with their ROUGE-L.
    """
    sample = read_source(source)
    parts = split(list(sample.records), seed, train_share=1 - source["test_share"])
    report = {**_report(parts, source["near_duplicate"]), "read": sample.reading.described()}
    return AnchorSets(parts.train, parts.train, parts.test), report


def source_split(source: Mapping[str, Any], seed: int) -> Split:
    """Read a task's real records and split them.

    Parameters
    ----------
    source
        Settings, as for `read_source`, and ``test_share``.
    seed
        The run's seed.

    Raises
    ------
    UserError
        If the source cannot be read, or a part would be empty.
    """
    return split(list(read_source(source).records), seed, train_share=1 - source["test_share"])


def read_source(source: Mapping[str, Any], most: int | None = None) -> Sample:
    """Read real records or a set that exists already, by their section of the configuration.

    Parameters
    ----------
    source
        Settings: ``source``, ``fields``, ``encoding``, ``invalid``; of anchors also ``split``, ``revision``.
    most
        Rows to read; None reads all.

    Raises
    ------
    UserError
        If the source cannot be read, or too many of its rows hold no record.
    """
    return read_sample(
        source["source"],
        source["fields"],
        encoding=source["encoding"],
        split=source.get("split"),
        revision=source.get("revision"),
        invalid=source["invalid"],
        most=most,
        wording=CONFIGURED,
    )


def embedded_sets(language: Language, counts: Mapping[str, int], seed: int) -> tuple[AnchorSets, dict[str, Any]]:
    """Draw the embedded world's real records.

    Anchors are uniform over the records of the K anchored skills; training and test records over
    those of the target task D, all K + J skills. No test record is among the others, so that each
    asks for something new.

    Parameters
    ----------
    language
        The world's skills.
    counts
        ``anchor_records``, ``train_records`` and ``test_records``.
    seed
        The run's seed.

    Returns
    -------
    sets : AnchorSets
    report : dict
        Counts; near-duplicates are not looked for, since records differ in a few letters only.

    Raises
    ------
    UserError
        If the test set leaves no record for anchors.
    """
    sizes = language.sizes
    # A place is a record of the target task: its skill, then its context.
    places = stream(seed, "embedded", "target").permutation(sizes.target * sizes.contexts)
    test, rest = np.split(places, [counts["test_records"]])
    anchored = np.sort(rest[rest < sizes.anchored * sizes.contexts])
    if not len(anchored):
        raise UserError(
            f"world.test_records: {counts['test_records']} of the target task's {len(places)} records leave none of "
            "the anchored skills for anchors"
        )
    pool = stream(seed, "embedded", "anchors").choice(anchored, counts["anchor_records"])
    # A small world repeats itself in training.
    train = np.resize(rest, counts["train_records"])

    def drawn(chosen: np.ndarray) -> list[dict[str, str]]:
        return language.records(chosen // sizes.contexts, language.contexts[chosen % sizes.contexts])

    parts = {"a": pool, "t": train, "h": test}
    sets = AnchorSets(*(_named(name, drawn(chosen)) for name, chosen in parts.items()))
    return sets, _counts(sets)


def _named(prefix: str, rows: list[dict[str, str]]) -> tuple[Record, ...]:
    return tuple(Record(f"{prefix}{i}", r["instruction"], r["context"], r["response"]) for i, r in enumerate(rows))


def _counts(sets: AnchorSets) -> dict[str, Any]:
    return {"anchors": len(sets.pool), "train": len(sets.train), "test": len(sets.test)}


def _report(parts: Split, threshold: float) -> dict[str, Any]:
    pairs = near_across(parts, threshold)
    near = [{"train_id": p.train_id, "test_id": p.test_id, "rouge_l": round(p.similarity, 4)} for p in pairs]
    counts = _counts(AnchorSets(parts.train, parts.train, parts.test))
    return {**counts, "near_duplicate_above": threshold, "near_duplicates_across": near}
