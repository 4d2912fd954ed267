"""Anchor data cut in two, and the in-context instances drawn from the first part."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ggmi.errors import UserError
from ggmi.random import stream
from ggmi.text.records import Record
from ggmi.text.rouge import near_pairs

Draw = Literal["nested", "independent"]


@dataclass(frozen=True, slots=True)
class Split:
    """Records for prompts and training, and records for testing, each in the order of the source."""

    train: tuple[Record, ...]
    test: tuple[Record, ...]


class NearPair(NamedTuple):
    """Two near-duplicates on both sides of a split, and their ROUGE-L."""

    train_id: str
    test_id: str
    similarity: float


def split(records: Sequence[Record], seed: int, *, train_share: float = 0.8) -> Split:
    """Split records into train and test (section 3.2 uses 8:2).

    Records are ranked by a keyed hash of their ids, and the first of them, the share of all
    rounded to a whole record (halves up), are the training part. The seed is the key. A record
    that is added therefore moves at most one other from one part to the other.

    Parameters
    ----------
    records
        With ids that differ.
    seed
        The run's seed.
    train_share
        Share of the training part, strictly between 0 and 1.

    Returns
    -------
    Split

    Raises
    ------
    UserError
        If a part would be empty.
    ValueError
        If the share is not between 0 and 1.
    """
    if not 0 < train_share < 1:
        raise ValueError(f"train_share must be between 0 and 1, got {train_share}")
    size = int(train_share * len(records) + 0.5)
    if not 0 < size < len(records):
        raise UserError(
            f"{len(records)} records cannot be split {train_share:g} to {1 - train_share:g}: a part would be empty"
        )
    key = stream(seed, "anchors", "split").bytes(32)

    def rank(record: Record) -> tuple[bytes, str]:
        return hashlib.blake2b(record.id.encode(), key=key, digest_size=16).digest(), record.id

    chosen = {record.id for record in sorted(records, key=rank)[:size]}
    return Split(
        tuple(record for record in records if record.id in chosen),
        tuple(record for record in records if record.id not in chosen),
    )


def near_across(parts: Split, threshold: float = 0.7) -> list[NearPair]:
    """Find test records that have a near-duplicate among the training records.

    Parameters
    ----------
    parts
        From `split`.
    threshold
        ROUGE-L of whole records above which two are near-duplicates.

    Returns
    -------
    list of NearPair
        In the order of the training part.
    """
    found = near_pairs([r.text for r in parts.train], [r.text for r in parts.test], threshold)
    return [NearPair(parts.train[pair.left].id, parts.test[pair.right].id, pair.similarity) for pair in found]


def instance_sets(
    train: Sequence[Record], instances: Sequence[int], prompts: int, seed: int, *, draw: Draw = "nested"
) -> dict[int, list[tuple[Record, ...]]]:
    """Draw the in-context instances of each prompt (3-ins, 10-ins, 20-ins), without replacement.

    Parameters
    ----------
    train
        The training part.
    instances
        How many instances x a prompt shows, one value a condition.
    prompts
        Prompts a condition.
    seed
        The run's seed.
    draw
        ``nested``: the i-th prompts of all conditions begin with the same instances, so that
        conditions differ by the added instances only. ``independent``: each is drawn for itself.
        Either way a prompt's instances depend neither on the other conditions nor on how many
        prompts there are.

    Returns
    -------
    dict of int to list of tuple of Record
        For each x, the instances of each prompt.

    Raises
    ------
    UserError
        If there are fewer training records than instances.
    ValueError
        If a number is below 1.

    Examples
    --------
    >>> anchors = [Record(str(i), "Add.", "", "3") for i in range(9)]
    >>> sets = instance_sets(anchors, [2, 4], 3, seed=1)
    >>> len(sets[4]), sets[4][0][:2] == sets[2][0]
    (3, True)
    """
    if min(*instances, prompts) < 1:
        raise ValueError(f"instances and prompts must be at least 1, got {instances} and {prompts}")
    if max(instances) > len(train):
        raise UserError(
            f"{max(instances)} in-context instances need as many anchors to draw from; "
            f"the training part holds {len(train)}"
        )
    sets: dict[int, list[tuple[Record, ...]]] = {}
    for x in instances:
        sets[x] = []
        for prompt in range(prompts):
            name = ("nested",) if draw == "nested" else ("independent", x)
            order = stream(seed, "anchors", "instances", *name, prompt).permutation(len(train))
            sets[x].append(tuple(train[i] for i in order[:x].tolist()))
    return sets
