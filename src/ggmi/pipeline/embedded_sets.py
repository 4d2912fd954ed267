"""Sets with their embeddings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ggmi.information.duplicates import exact_key
from ggmi.information.embedding import Encoder, Vectors, embed
from ggmi.information.estimate import Array, Indices
from ggmi.pipeline.subsets import part_of
from ggmi.text.records import FIELDS
from ggmi.text.samples import Sample

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
