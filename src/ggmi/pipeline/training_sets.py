"""Sets that students learn: synthetic, real, anchors and mixtures, without what the test set asks, of matched sizes."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ggmi.errors import UserError
from ggmi.random import stream
from ggmi.students.matching import match_records, match_steps, match_tokens, mixture, subset_of
from ggmi.text.jsonl import read_rows
from ggmi.text.records import Record, read_records

# Ids of overlapping records that a message names.
NAMED = 10


def read_set(path: str | Path) -> list[Record]:
    """Records of a set, which may be empty.

    Parameters
    ----------
    path
        JSON lines.
    """
    return [Record(row["id"], row["instruction"], row["context"], row["response"]) for _, row in read_rows(path)]


def read_test(path: str | Path, most: int | None, seed: int) -> list[Record]:
    """The test set, or a part of it drawn once.

    Parameters
    ----------
    path
        JSON lines.
    most
        Records at most; None for all. More begin with the same ones.
    seed
        The run's seed.
    """
    records = list(read_records(path))
    if most is None or most >= len(records):
        return records
    chosen = stream(seed, "students", "test").permutation(len(records))[:most]
    return [records[i] for i in sorted(chosen.tolist())]


def overlapping(records: Sequence[Record], test: Sequence[Record]) -> list[tuple[str, str]]:
    """Training records that ask what a test record asks: the same instruction and context, up to case and spaces.

    Parameters
    ----------
    records, test
        The two sets.

    Returns
    -------
    list of (id, id)
        Of the training record and of the first such test record.
    """
    asked: dict[tuple[str, ...], str] = {}
    for record in test:
        asked.setdefault(_question(record), record.id)
    return [(record.id, asked[key]) for record in records if (key := _question(record)) in asked]


def _question(record: Record) -> tuple[str, ...]:
    texts = (record.instruction, record.context)
    return tuple(" ".join(unicodedata.normalize("NFC", text).casefold().split()) for text in texts)


def without_overlap(
    records: Sequence[Record], test: Sequence[Record], policy: str, source: str
) -> tuple[list[Record], int]:
    """What a student may learn of a set, and how many of its records the test set asks too.

    Parameters
    ----------
    records, test
        The two sets.
    policy
        ``refuse``, ``drop`` or ``allow``.
    source
        What to call the set in messages.

    Raises
    ------
    UserError
        If records overlap and that is refused; with their ids.
    """
    pairs = overlapping(records, test)
    if policy == "refuse" and pairs:
        named = ", ".join(f"{one!r} ({other!r})" for one, other in pairs[:NAMED])
        more = f" and {len(pairs) - NAMED} more" if len(pairs) > NAMED else ""
        raise UserError(
            f"{source}: {len(pairs)} of its {len(records)} records ask what a test record asks, by id with the test "
            f"record's in brackets: {named}{more}; take them out, or set students.overlap to drop or allow"
        )
    left_out = {one for one, _ in pairs} if policy == "drop" else set()
    return [record for record in records if record.id not in left_out], len(pairs)


def gathered(
    made: Mapping[str, Any],
    files: Mapping[str, str],
    test: Sequence[Record],
    policy: str,
    seed: int,
    scores: Mapping[str, float] | None = None,
) -> tuple[list[tuple[str, Record]], int]:
    """Everything that a condition's students could learn.

    Parameters
    ----------
    made
        How the set is made, of `ggmi.config.tasks.Task.student_conditions`.
    files
        Records by source: ``synthetic``, ``real``, ``anchors``, as far as it needs them.
    test
        The test set.
    policy
        What becomes of records that overlap with it.
    seed
        The run's seed.
    scores
        By id, what a subset is chosen by; a random one needs none.

    Returns
    -------
    records : list of (source, Record)
        Ids of a mixture's records are prefixed with their source.
    overlap : int
        Records that overlap with the test set, left out or not.
    """
    if made["kind"] in ("subset", "rl"):
        whole, overlap = gathered(made["set"], files, test, policy, seed, scores)
        return (_part_of(whole, made, scores, seed) if made["kind"] == "subset" else whole), overlap
    sets = {}
    overlap = 0
    for source, path in files.items():
        sets[source], found = without_overlap(read_set(path), test, policy, path)
        overlap += found
    if made["kind"] != "mixture":
        ((source, records),) = sets.items()
        return [(source, record) for record in records], overlap
    if not all(sets.values()):
        return [], overlap
    chosen = mixture(len(sets["synthetic"]), len(sets["real"]), made["share"], seed)
    parts = (("synthetic", chosen.synthetic), ("real", chosen.real))
    both = [(source, sets[source][i]) for source, places in parts for i in places.tolist()]
    return [(source, replace(record, id=f"{source}:{record.id}")) for source, record in both], overlap


def _part_of(
    records: list[tuple[str, Record]], made: Mapping[str, Any], scores: Mapping[str, float] | None, seed: int
) -> list[tuple[str, Record]]:
    """The easiest, the hardest or random records of a set, in its order."""
    ids = [record.id for _, record in records]
    places = subset_of(ids, made["end"], share=made["share"], size=made["size"], scores=scores, seed=seed)
    return [records[i] for i in places]


def smallest(
    sizes: Mapping[str, int], lengths: Mapping[str, np.ndarray], by: str, training: Mapping[str, Any]
) -> dict[str, int]:
    """What the smallest set that is not empty has, for sets to be matched to.

    Parameters
    ----------
    sizes
        Records of each set.
    lengths
        Tokens of each record's response, by set; needed for tokens only.
    by
        ``records``, ``tokens`` or ``steps``.
    training
        Settings of the training.

    Returns
    -------
    dict
        ``{"to": number}``.

    Raises
    ------
    UserError
        If all sets are empty.
    """
    filled = {name: size for name, size in sizes.items() if size}
    if not filled:
        raise UserError("students: every set is empty, so there is nothing to train a student on")
    if by == "tokens":
        return {"to": min(int(lengths[name].sum()) for name in filled)}
    if by == "steps":
        return {"to": training["steps"] or match_steps(filled, training["batch_size"], training["epochs"])}
    return {"to": min(filled.values())}


def matched(
    name: str, records: Sequence[tuple[str, Record]], by: str, to: int, lengths: np.ndarray | None, seed: int
) -> list[dict[str, Any]]:
    """Rows of a set after matching.

    Parameters
    ----------
    name
        The condition.
    records
        Of `gathered`.
    by, to
        What is matched, and to what; ``steps`` and ``none`` leave the set as it is.
    lengths
        Tokens of each record's response, for tokens.
    seed
        The run's seed.

    Returns
    -------
    list of dict
        id, instruction, context, response, source; a record that comes again has ``#2`` and so on
        behind its id.
    """
    places = range(len(records))
    if records and by == "records":
        places = match_records({name: len(records)}, seed, to)[name].tolist()
    elif records and by == "tokens":
        assert lengths is not None
        places = match_tokens({name: lengths}, seed, to)[name].tolist()
    seen: dict[int, int] = {}
    rows = []
    for place in places:
        seen[place] = seen.get(place, 0) + 1
        source, record = records[place]
        times = "" if seen[place] == 1 else f"#{seen[place]}"
        fields = {"instruction": record.instruction, "context": record.context, "response": record.response}
        rows.append({"id": f"{record.id}{times}", **fields, "source": source})
    return rows
