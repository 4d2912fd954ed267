"""Anchor data S_anchor, the real training set T and the test set of a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggmi.embedded.language import Language
from ggmi.random import stream
from ggmi.text.records import Record, read_dataset, read_records
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
    """Read a task's real records and split them.

    Parameters
    ----------
    source
        Settings: ``source``, ``is_file``, ``split``, ``revision``, ``fields``, ``test_share``,
        ``near_duplicate``.
    seed
        The run's seed.

    Returns
    -------
    sets : AnchorSets
        Prompts draw from the training part.
    report : dict
        Counts, and the near-duplicates across the split: pairs of ids with their ROUGE-L.

    Raises
    ------
    UserError
        If the source cannot be read, or a record is not as it should be; with file and line.
    """
    fields = dict(source["fields"])
    if source["is_file"]:
        records = list(read_records(source["source"], fields))
    else:
        found = read_dataset(source["source"], fields, split=source["split"], revision=source["revision"])
        records = list(found)
    parts = split(records, seed, train_share=1 - source["test_share"])
    return AnchorSets(parts.train, parts.train, parts.test), _report(parts, source["near_duplicate"])


def embedded_sets(language: Language, counts: Mapping[str, int], seed: int) -> tuple[AnchorSets, dict[str, Any]]:
    """Draw the embedded world's real records.

    Anchors are uniform over the K anchored skills; training and test records are uniform over the
    target task D, all K + J skills. No context is in both of them under one skill, so that a test
    record asks for something new.

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
    """
    sizes = language.sizes
    generator = stream(seed, "embedded", "anchors")
    skills = generator.integers(0, sizes.anchored, counts["anchor_records"])
    pool = language.records(skills, language.random_contexts((len(skills),), generator))
    wanted = counts["train_records"] + counts["test_records"]
    places = stream(seed, "embedded", "target").permutation(sizes.target * sizes.contexts)
    # A small world repeats itself in training before it leaves the test set without records.
    test = places[: counts["test_records"]]
    rest = places[len(test) :] if len(places) > len(test) else places
    train = np.resize(rest, wanted - len(test))

    def drawn(chosen: np.ndarray) -> list[dict[str, str]]:
        return language.records(chosen // sizes.contexts, language.contexts[chosen % sizes.contexts])

    sets = AnchorSets(
        *(_named(name, rows) for name, rows in zip(("a", "t", "h"), (pool, drawn(train), drawn(test)), strict=True))
    )
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
