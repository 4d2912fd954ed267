"""Sets with their embeddings: samples of them, and how synthetic records pair with real ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import numpy as np

from ggmi.errors import UserError
from ggmi.information.duplicates import exact_key
from ggmi.information.embedding import Encoder, Vectors, embed
from ggmi.information.estimate import Array, Indices, nearest_id, places_by
from ggmi.information.pairing import Pairs, pair_by_index, pair_by_prompt, pairs_of_groups
from ggmi.io import read_rounds
from ggmi.pipeline.subsets import part_of, some, some_prompts
from ggmi.text.columns import PROMPT
from ggmi.text.records import FIELDS
from ggmi.text.samples import Sample, require_keys

# Texts between two moves of a progress bar: some ten seconds of the default model on a slow machine.
STEP = 512

# A record counts as unread where the encoder did not see this share of one of its fields.
UNSEEN = 0.2


@dataclass(frozen=True)
class Embedded:
    """A set with its embeddings.

    Parameters
    ----------
    sample
        The set, n records.
    vectors
        Shape (n, d).
    parts
        Fields that are embedded and compared.
    seen
        Tokens of each record, those that were cut, those unknown to the encoder, and the largest
        share of a field that it did not see; shape (n, 4), NaN where it does not tell.
    drawn_from
        The set that it is a part of; None where it is whole.
    """

    sample: Sample
    vectors: Array
    parts: Sequence[str] = FIELDS
    seen: Array | None = None
    drawn_from: Sample | None = None

    def __len__(self) -> int:
        """Number of records."""
        return len(self.sample)

    @cached_property
    def texts(self) -> list[str]:
        """What is compared of each record."""
        return list(texts_of(self.sample, self.parts))

    @property
    def whole(self) -> Sample:
        """All records of the set, also those that are not embedded."""
        return self.drawn_from or self.sample

    def at(self, places: Indices) -> Embedded:
        """Some of its records, as a part of the same set."""
        seen = None if self.seen is None else self.seen[places]
        return replace(self, sample=part_of(self.sample, places), vectors=self.vectors[places], seen=seen)

    def sight(self) -> dict[str, int] | None:
        """What the encoder saw of the set, in all; None where it does not tell."""
        if self.seen is None or np.isnan(self.seen).any():
            return None
        tokens, cut, unknown = (int(total) for total in self.seen[:, :3].sum(axis=0))
        unread = int(np.count_nonzero(self.seen[:, 3] >= UNSEEN))
        return {"tokens": tokens, "cut_tokens": cut, "unknown_tokens": unknown, "unread_records": unread}


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


def texts_of(sample: Sample, parts: Sequence[str] = FIELDS) -> Iterator[str]:
    """What is compared of each record of a set, one after another: of a million they are not held.

    Parameters
    ----------
    sample
        The set.
    parts
        Fields.
    """
    return ("\n".join(getattr(record, part) for part in parts) for record in sample.records)


def exact_keys(sample: Sample, parts: Sequence[str] = FIELDS) -> list[bytes]:
    """The `exact_key` of what is compared of each record of a set, computed once.

    Parameters
    ----------
    sample, parts
        As for `texts_of`.
    """
    asked = (exact_keys.__name__, *parts)
    if asked not in sample.known:
        sample.known[asked] = [exact_key(text) for text in texts_of(sample, parts)]
    return sample.known[asked]


def embedded(
    sample: Sample, encoder: Encoder, parts: Sequence[str] = FIELDS, cache: str | os.PathLike[str] | None = None
) -> Embedded:
    """Embed a set; nothing that is embedded with it changes its vectors.

    Every field is embedded by itself, so that a long question leaves as much room to its answer as a
    short one: a record's vector is the mean direction of its fields that are not empty.

    Parameters
    ----------
    sample
        The set; it may be empty.
    encoder
        The embedding model.
    parts
        Fields that are embedded.
    cache
        See `ggmi.information.embedding.embed`.

    Returns
    -------
    Embedded
    """
    if not len(sample):
        return Embedded(sample, np.zeros((0, 1)), parts, np.zeros((0, 4)))
    (found,) = _embed_samples([sample], encoder, parts, lambda texts: embed(texts, encoder, cache))
    return found


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
    return _embed_samples(samples, encoder, parts, lambda texts: embed(texts, encoder, shard=STEP, on_texts=on_texts))


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
        partners = _partners(part_of(sample, of_prompts), train, pairing) if len(train) > most else None
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
    partners = _partners(part_of(made, of_prompts), samples["pool"], pairing)
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


def _partners(sample: Sample, train: Sample, pairing: str) -> Indices | None:
    """Places of the training records that a set is paired with; None where records are paired by number."""
    prompts, known = _prompts_of(sample, train, pairing)
    if prompts is None:
        return None
    if prompts:
        return np.unique([known[i] for ids in prompts.values() for i in ids])
    keys = set(sample.keys)
    return np.array([place for place, key in enumerate(train.keys) if key in keys], dtype=np.intp)


def _embed_samples(
    samples: Sequence[Sample], encoder: Encoder, parts: Sequence[str], call: Callable[[list[str]], Vectors]
) -> list[Embedded]:
    """Embed the fields of sets, and join those of each record."""
    records = [record for sample in samples for record in sample.records]
    fields = [[text for part in parts if (text := getattr(record, part))] or [""] for record in records]
    place = {text: i for i, text in enumerate(dict.fromkeys(text for each in fields for text in each))}
    rows = call(list(place)).astype(float)
    rows /= np.where((lengths := np.linalg.norm(rows, axis=1, keepdims=True)) > 0, lengths, 1.0)
    of_texts = encoder.seen(list(place))
    told = np.full((len(place), 4), np.nan) if of_texts is None else np.array(of_texts, dtype=float)
    sizes = np.array([len(each) for each in fields])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    owned = np.array([place[text] for each in fields for text in each])
    vectors = np.add.reduceat(rows[owned], starts) / sizes[:, None]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    # A record of one field keeps that field's vector to the last bit.
    vectors /= np.where((lengths > 0) & (sizes[:, None] > 1), lengths, 1.0)
    seen = np.add.reduceat(told[owned], starts)
    seen[:, 3] = np.maximum.reduceat(told[owned, 3], starts)
    ends = np.cumsum([len(sample) for sample in samples])[:-1]
    split = zip(samples, np.split(vectors, ends), np.split(seen, ends), strict=True)
    return [Embedded(sample, each, parts, what) for sample, each, what in split]


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
