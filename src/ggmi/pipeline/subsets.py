"""Which records of a large set an estimate looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ggmi.information.estimate import Indices, places_by
from ggmi.random import stream
from ggmi.text.samples import Sample


def some_prompts(ids: Sequence[str], most: int, seed: int) -> Indices:
    """Places of all records of as many prompts, drawn at random, as have at most so many; in order.

    Parameters
    ----------
    ids
        The prompt of each record.
    most
        Records wanted; of a prompt that has more, this many of its records.
    seed
        Of the draw.
    """
    if len(ids) <= most:
        return np.arange(len(ids))
    lists = list(places_by(ids).values())
    order = [lists[i] for i in stream(seed, "estimation", "prompts").permutation(len(lists))]
    fit = max(1, int(np.searchsorted(np.cumsum([len(places) for places in order]), most, side="right")))
    places = np.array([place for chosen in order[:fit] for place in chosen])
    return np.sort(places[some(len(places), most, seed, "prompt")])


def some(n: int, most: int, seed: int, name: str) -> Indices:
    """Places of at most so many of n records, drawn at random, in order.

    Parameters
    ----------
    n, most
        Records there are, and wanted.
    seed
        Of the draw.
    name
        What the draw is for.
    """
    if n <= most:
        return np.arange(n)
    return np.sort(stream(seed, "estimation", name).permutation(n)[:most])


def part_of(sample: Sample, places: Indices) -> Sample:
    """Some records of a set, with what is known of each; the set itself where they are all.

    Parameters
    ----------
    sample
        The set.
    places
        Ascending.
    """
    if len(places) == len(sample):
        return sample
    columns = ("records", "places", "keys", "anchor_ids", "nats", "tokens")
    chosen: dict[str, Any] = {name: tuple(getattr(sample, name)[i] for i in places) for name in columns}
    return replace(sample, **chosen)


def came_together(sample: Sample, side: str) -> list[str]:
    """Which records of a set depend on each other: those of one prompt or key, in whatever set they are.

    Parameters
    ----------
    sample
        The set.
    side
        What it is compared as. Its file's name would change numbers with it.

    Returns
    -------
    list of str
        A name for each record; one of its own where the set does not name a prompt for every record.
    """
    if sample.prompt_ids is None:
        return [f"{side} {place}" for place in range(len(sample))]
    return [f"key {key}" for key in sample.prompt_ids]
