"""How synthetic records pair with real ones."""

from __future__ import annotations

import numpy as np

from ggmi.errors import UserError
from ggmi.information.estimate import Indices, nearest_id, places_by
from ggmi.information.pairing import Pairs, pair_by_index, pair_by_prompt, pairs_of_groups
from ggmi.pipeline.embedded_sets import Embedded
from ggmi.pipeline.subsets import some, some_prompts
from ggmi.text.columns import PROMPT
from ggmi.text.samples import Sample, require_keys


def _prompts_of(
    sample: Sample, anchors: Sample, pairing: str
) -> tuple[dict[str, tuple[str, ...]] | None, dict[str, int]]:
    """Anchors of each prompt, empty where keys pair, None where numbers do; and the place of each real record."""
    prompts = sample.prompts if pairing != "index" else {}
    known = {record.id: i for i, record in enumerate(anchors.records)}
    if pairing == "auto" and not {i for ids in prompts.values() for i in ids} <= known.keys():
        prompts = {}
    return None if pairing == "index" or (pairing == "auto" and not prompts) else prompts, known


def pairs_of(
    synthetic: Embedded,
    anchors: Embedded,
    pairing: str,
    *,
    key: str = PROMPT,
    seed: int,
    most: int,
    prompted: Embedded | None = None,
) -> Pairs:
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
    prompted
        The records that are paired by prompt or key, where `synthetic` does not hold whole prompts.

    Returns
    -------
    Pairs

    Raises
    ------
    UserError
        If pairs by prompt are asked for and a key or an anchor is missing.
    """
    whole = prompted or synthetic
    prompts, known = _prompts_of(whole.sample, anchors.sample, pairing)
    if prompts is None:
        used = some(len(synthetic), most, seed, "pairs")
        return pair_by_index(anchors.vectors, synthetic.vectors[used], seed=seed)
    synthetic = whole
    keys = require_keys(synthetic.sample, key)
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


def partners_of(sample: Sample, train: Sample, pairing: str) -> Indices | None:
    """Find the real records that a set is paired with.

    Parameters
    ----------
    sample
        The set.
    train
        The real records.
    pairing
        As for `pairs_of`.

    Returns
    -------
    ndarray of int or None
        Their places, ascending; those of anchors that are missing are left to `pairs_of` to tell. None where records
        are paired by number.

    Raises
    ------
    UserError
        If two records of one prompt name different anchors.
    """
    prompts, known = _prompts_of(sample, train, pairing)
    if prompts is None:
        return None
    if prompts:
        named = {i for ids in prompts.values() for i in ids}
        return np.array(sorted(known[i] for i in named & known.keys()), dtype=np.intp)
    keys = set(sample.keys)
    return np.array([place for place, key in enumerate(train.keys) if key in keys], dtype=np.intp)
