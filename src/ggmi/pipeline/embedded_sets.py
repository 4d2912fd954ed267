"""Sets with their embeddings: samples of them, and how synthetic records pair with real ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ggmi.errors import UserError
from ggmi.information.embedding import Encoder, embed
from ggmi.information.estimate import Array, Indices, nearest_id, places_by
from ggmi.information.pairing import Pairs, pair_by_index, pair_by_prompt, pairs_of_groups
from ggmi.pipeline.subsets import some, some_prompts
from ggmi.text.records import FIELDS
from ggmi.text.samples import PROMPT, Sample, require_keys

# Texts between two moves of a progress bar: some ten seconds of the default model on a slow machine.
STEP = 256


@dataclass(frozen=True)
class Embedded:
    """A set with its embeddings, shape (n, d)."""

    sample: Sample
    vectors: Array

    def __len__(self) -> int:
        """Number of records."""
        return len(self.sample)


def embedded(
    sample: Sample, encoder: Encoder, parts: Sequence[str] = FIELDS, cache: str | os.PathLike[str] | None = None
) -> Embedded:
    """Embed a set; nothing that is embedded with it changes its vectors.

    Parameters
    ----------
    sample
        The set; it may be empty.
    encoder
        The embedding model.
    parts
        Fields that are embedded, a line each.
    cache
        See `ggmi.information.embedding.embed`.

    Returns
    -------
    Embedded
    """
    texts = _texts(sample, parts)
    return Embedded(sample, embed(texts, encoder, cache).astype(float) if texts else np.zeros((0, 1)))


def embedded_together(
    samples: Sequence[Sample],
    encoder: Encoder,
    parts: Sequence[str] = FIELDS,
    *,
    on_texts: Callable[[int, int], None] = lambda *_: None,
) -> list[Embedded]:
    """Embed several sets, and texts that they share once.

    Which texts are in one batch depends on all the sets, and the last bits of their vectors with it.

    Parameters
    ----------
    samples
        The sets, none of them empty.
    encoder, parts
        As for `embedded`.
    on_texts
        See `ggmi.information.embedding.embed`.

    Returns
    -------
    list of Embedded
        In the order of the samples.
    """
    texts = [_texts(sample, parts) for sample in samples]
    vectors = embed([text for each in texts for text in each], encoder, shard=STEP, on_texts=on_texts)
    ends = np.cumsum([len(each) for each in texts])
    return [
        Embedded(sample, each.astype(float)) for sample, each in zip(samples, np.split(vectors, ends[:-1]), strict=True)
    ]


def _texts(sample: Sample, parts: Sequence[str]) -> list[str]:
    """What is embedded of each record."""
    return ["\n".join(getattr(record, part) for part in parts) for record in sample.records]


def chosen(whole: Embedded, sample: Sample) -> Embedded:
    """What was kept of an embedded set.

    Parameters
    ----------
    whole
        The set.
    sample
        Some of its records, found by their ids.

    Returns
    -------
    Embedded

    Raises
    ------
    UserError
        If the set has no record of an id.
    """
    place = {record.id: i for i, record in enumerate(whole.sample.records)}
    strange = [record.id for record in sample.records if record.id not in place]
    if strange:
        raise UserError(
            f"{sample.source}: record {strange[0]!r} is not in {whole.sample.source}; delete both, run anew"
        )
    return Embedded(sample, whole.vectors[[place[record.id] for record in sample.records]])


def pairs_of(synthetic: Embedded, anchors: Embedded, pairing: str, *, key: str = PROMPT, seed: int, most: int) -> Pairs:
    """Pair a synthetic set with real records.

    Parameters
    ----------
    synthetic
        The set.
    anchors
        The real records: those that anchor ids name, or those with the same keys.
    pairing
        See `ggmi.pipeline.estimation.EstimationSettings`.
    key
        Name of the column with the keys, for messages.
    seed
        Of the sample, and of the order when paired by index.
    most
        Most records of the set that are used; paired by prompt or key, of whole prompts.

    Returns
    -------
    Pairs

    Raises
    ------
    UserError
        If pairs by prompt are asked for and a key or an anchor is missing.
    """
    sample = synthetic.sample
    prompts: dict[str, tuple[str, ...]] = sample.prompts if pairing != "index" else {}
    known = {record.id: i for i, record in enumerate(anchors.sample.records)}
    if pairing == "auto" and not {i for ids in prompts.values() for i in ids} <= known.keys():
        prompts = {}
    if pairing == "index" or (pairing == "auto" and not prompts):
        used = some(len(sample), most, seed, "pairs")
        return pair_by_index(anchors.vectors, synthetic.vectors[used], seed=seed)
    keys = require_keys(sample, key)
    used = some_prompts(keys, most, seed)
    if prompts:
        return pair_by_prompt(synthetic.vectors[used], [keys[i] for i in used], prompts, anchors.vectors, list(known))
    return _same_key(synthetic, anchors, keys, key, used)


def check_pairs(synthetic: Sample, anchors: Sample, pairing: str, key: str = PROMPT, *, seed: int = 0) -> str:
    """Find what is wrong with a set's keys before anything is embedded.

    Parameters
    ----------
    synthetic, anchors, pairing, key, seed
        As for `pairs_of`.

    Returns
    -------
    str
        The pairing in words.

    Raises
    ------
    UserError
        As `pairs_of`.
    """
    made, real = (Embedded(sample, np.zeros((len(sample), 1))) for sample in (synthetic, anchors))
    pairs = pairs_of(made, real, pairing, key=key, seed=seed, most=len(synthetic))
    # Sets are paired by what connects them, points by their number alone.
    by_chance = ", which nothing connects: dependence found there is chance"
    return pairs.how + by_chance * isinstance(pairs.x, np.ndarray)


def _same_key(synthetic: Embedded, anchors: Embedded, keys: list[str], key: str, used: Indices) -> Pairs:
    """Pair the records of each key with the real records that have it."""
    places = places_by(require_keys(anchors.sample, key))
    for where, name in zip(synthetic.sample.places, keys, strict=True):
        if name not in places:
            raise UserError(
                f"{synthetic.sample.source}: {where}: {key} {name[:60]!r} is not in {anchors.sample.source}; "
                f"{nearest_id(name, places)}"
            )
    how = f"the synthetic records of each {key} with the training records that have it; n counts values of {key}"
    return pairs_of_groups(synthetic.vectors[used], places_by(keys[i] for i in used), anchors.vectors, places, how)
