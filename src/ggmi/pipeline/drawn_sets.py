"""What is embedded of sets: records drawn at random, and whole prompts with the real records they are paired with."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from ggmi.errors import UserError
from ggmi.information.embedding import Encoder
from ggmi.information.estimate import Indices
from ggmi.io import read_rounds
from ggmi.pipeline.embedded_sets import Embedded, embedded_together
from ggmi.pipeline.set_pairs import partners_of
from ggmi.pipeline.subsets import part_of, some, some_prompts
from ggmi.text.records import FIELDS
from ggmi.text.samples import Sample


@dataclass(frozen=True)
class Drawn:
    """What is embedded of a synthetic set, and of the training set for its sake.

    Parameters
    ----------
    synthetic
        Records drawn at random.
    prompted
        All records of prompts drawn at random; those of `synthetic` where the set does not name its prompts.
    anchors
        The real records that `prompted` is paired with; those of T drawn at random where nothing pairs them.
    """

    synthetic: Embedded
    prompted: Embedded
    anchors: Embedded


def embedded_draws(
    samples: Sequence[Sample],
    encoder: Encoder,
    parts: Sequence[str] = FIELDS,
    *,
    pairing: str,
    most: int,
    seed: int,
    on_texts: Callable[[int, int], None] = lambda *_: None,
) -> tuple[Embedded, list[Drawn]]:
    """Embed of T and of synthetic sets what estimates look at, all together.

    Parameters
    ----------
    samples
        T, then the sets, none of them empty; pairs were checked with `check_pairs`.
    encoder, parts, on_texts
        As for `embedded_together`.
    pairing
        As for `pairs_of`.
    most
        Most records that are drawn of a set at random, and most in the prompts that are drawn.
    seed
        Of the draws.

    Returns
    -------
    train : Embedded
        Records of T drawn at random.
    draws : list of Drawn
        Of each set.
    """
    train, *synthetic = samples
    of_train = some(len(train), most, seed, "train")
    wanted = []
    for sample in synthetic:
        at_random, of_prompts = _draws(sample, most, seed)
        partners = partners_of(part_of(sample, of_prompts), train, pairing) if len(train) > most else None
        wanted.append((at_random, of_prompts, of_train if partners is None else partners))
    places = [reduce(np.union1d, [of_train, *(anchors for *_, anchors in wanted)])]
    places += [np.union1d(*of_set) for *of_set, _ in wanted]
    cut = [part_of(sample, rows) for sample, rows in zip(samples, places, strict=True)]
    real, *made = (
        replace(one, drawn_from=sample)
        for one, sample in zip(embedded_together(cut, encoder, parts, on_texts=on_texts), samples, strict=True)
    )
    draws = []
    for one, rows, (at_random, of_prompts, anchors) in zip(made, places[1:], wanted, strict=True):
        drawn, prompted = (one.at(np.searchsorted(rows, chosen)) for chosen in (at_random, of_prompts))
        draws.append(Drawn(drawn, prompted, real.at(np.searchsorted(places[0], anchors))))
    return real.at(np.searchsorted(places[0], of_train)), draws


def embedded_rows(samples: Mapping[str, Sample], pairing: str, most: int, seed: int) -> dict[str, Indices]:
    """Which records of a task's sets are embedded: what estimates look at.

    Parameters
    ----------
    samples
        Sets by name: ``train`` and ``pool``, or ``synthetic`` and the ``pool`` that it may be paired with.
    pairing
        As for `pairs_of`.
    most
        As for `embedded_draws`.
    seed
        Of the draws.

    Returns
    -------
    dict of ndarray of int
        Places by name of the set, ascending. Of the pool beside a synthetic set those of its partners that are not
        drawn at random.
    """
    real = {name: some(len(sample), most, seed, name) for name, sample in samples.items()}
    made = samples.get("synthetic")
    if made is None:
        return real
    at_random, of_prompts = _draws(made, most, seed)
    try:
        partners = partners_of(part_of(made, of_prompts), samples["pool"], pairing)
    except UserError:  # which the estimates of pairs say, in place of a value
        partners = None
    further = np.setdiff1d([] if partners is None else partners, real["pool"]).astype(np.intp)
    return {"synthetic": np.union1d(at_random, of_prompts), "pool": further}


def read_embedded(whole: Sample, name: str, *archives: str | os.PathLike[str]) -> Embedded:
    """Read what was embedded of a set.

    Parameters
    ----------
    whole
        The set.
    name
        Of `embedded_rows`.
    *archives
        Files with its ``rows``, their ``vectors`` and what was ``seen`` of them.

    Returns
    -------
    Embedded
        In order of the set's records.
    """
    found = [read_rounds(archive, name, ("rows", "vectors", "seen")) for archive in archives]
    # An archive of no record tells no size of vectors.
    found = [one for one in found if len(one["rows"])] or found[:1]
    rows, vectors, seen = (np.concatenate([one[key] for one in found]) for key in ("rows", "vectors", "seen"))
    order = np.argsort(rows)
    part = part_of(whole, rows[order])
    return Embedded(part, vectors[order].astype(float), seen=seen[order], drawn_from=whole)


def drawn_of(one: Embedded, most: int, seed: int) -> tuple[Embedded, Embedded]:
    """Records of a set drawn at random, and those of whole prompts.

    Parameters
    ----------
    one
        What `embedded_rows` names of it.
    most, seed
        As for `embedded_rows`.
    """
    draws = _draws(one.whole, most, seed)
    rows = np.union1d(*draws)
    at_random, of_prompts = (one.at(np.searchsorted(rows, places)) for places in draws)
    return at_random, of_prompts


def _draws(sample: Sample, most: int, seed: int) -> tuple[Indices, Indices]:
    """Places of records drawn at random, and of the records of prompts drawn at random, if they are named."""
    at_random = some(len(sample), most, seed, "set")
    ids = sample.prompt_ids
    return at_random, at_random if ids is None else some_prompts(ids, most, seed)
