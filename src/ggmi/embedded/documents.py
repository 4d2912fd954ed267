"""Documents that generators and the base student are pre-trained on, as token ids with their targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ggmi.embedded.domains import Array, Counts, Domains
from ggmi.embedded.language import END_ID, MARKER_ID, Ints, Language

# Share of a token in the loss; the fragments' share is one.
SKILL_WEIGHT = 10.0
RESPONSE_WEIGHT = 1.0
CONTEXT_WEIGHT = 0.1
# The law right after the marker is what the pipeline asks for, and the hardest to learn.
FIRST_FURTHER_WEIGHT = 50.0
# In the first stage the loss is mostly that of the response letters.
FRAGMENT_WEIGHT_FIRST = 0.1


@dataclass(frozen=True)
class Batch:
    """Documents of one length, and what is to be learned from them.

    Parameters
    ----------
    ids
        Token ids, shape (documents, tokens).
    weights
        Share of each token in the loss when it is the one to be predicted, shape (tokens,).
    skill_positions
        Where the skill words are, shape (records,).
    skill_laws
        Exact law of each skill word given all before it, shape (documents, records, S).
    """

    ids: Ints
    weights: Array
    skill_positions: Ints
    skill_laws: Array


class Documents:
    """Writes documents of one world.

    Parameters
    ----------
    language
        The world's skills.
    domains
        The world's latent domains.
    most_anchors
        Most records before the marker.
    further
        Records after it; then the document ends.
    """

    def __init__(self, language: Language, domains: Domains, most_anchors: int = 20, further: int = 10) -> None:
        self.language = language
        self.domains = domains
        self.most_anchors = most_anchors
        self.further = further

    @property
    def longest(self) -> int:
        """Tokens of the longest document: all records, the marker and the end."""
        return (self.most_anchors + self.further) * self.language.sizes.record_tokens + 2

    def pairs(self, documents: int, generator: np.random.Generator) -> Batch:
        """First stage: two records over all skills, the loss mostly on the response letters."""
        S = self.language.sizes.skills
        skills = generator.integers(0, S, size=(documents, 2))
        ids = self._records(skills, generator).reshape(documents, -1)
        weights = np.tile(self._record_weights(skill=CONTEXT_WEIGHT, fragment=FRAGMENT_WEIGHT_FIRST), 2)
        laws = np.full((documents, 2, S), 1 / S)
        return Batch(ids, weights, self._positions(2, 0), laws)

    def lists(self, documents: int, instances: int, generator: np.random.Generator) -> Batch:
        """Second stage: records of a latent domain's head, the marker, records in full, the end."""
        domains, S = self.domains, self.language.sizes.skills
        latent = generator.choice(len(domains.names), p=domains.prior, size=documents)
        skills = np.concatenate(
            [
                _draw(domains.head[latent], instances, generator),
                _draw(domains.full[latent], self.further, generator),
            ],
            axis=1,
        )
        records = self._records(skills, generator)
        tokens = self.language.sizes.record_tokens
        marker = np.full((documents, 1), MARKER_ID)
        end = np.full((documents, 1), END_ID)
        before = records[:, :instances].reshape(documents, -1)
        after = records[:, instances:].reshape(documents, -1)
        ids = np.concatenate([before, marker, after, end], axis=1)
        one = self._record_weights(skill=SKILL_WEIGHT, fragment=1.0)
        # How many anchors there are is no law of the world: whoever prompts decides it.
        shown = one.copy()
        shown[0] = 0.0
        weights = np.concatenate([np.tile(shown, instances), [0.0], np.tile(one, self.further), [1.0]])
        weights[instances * tokens + 2] = FIRST_FURTHER_WEIGHT
        seen = np.eye(S, dtype=np.int64)[skills].cumsum(axis=1) - np.eye(S, dtype=np.int64)[skills]
        anchors = domains.counts(skills[:, :instances])[:, None]
        laws = np.concatenate(
            [
                domains.next_anchor(seen[:, :instances]),
                domains.next_skill(anchors, seen[:, instances:] - anchors),
            ],
            axis=1,
        )
        assert ids.shape[1] == (instances + self.further) * tokens + 2
        return Batch(ids, weights, self._positions(instances, self.further), laws)

    def prompts(self, count: int, instances: int, generator: np.random.Generator) -> tuple[Ints, Counts]:
        """Prompts of uniform anchors, as the pipeline asks generators.

        Parameters
        ----------
        count
            Prompts.
        instances
            Anchors of each.
        generator
            Source of randomness.

        Returns
        -------
        ids : ndarray, shape (count, instances * record_tokens + 1)
            Anchors and the marker.
        skills : ndarray, shape (count, instances)
        """
        skills = self.domains.draw_anchors(count, instances, generator)
        records = self._records(skills, generator).reshape(count, -1)
        return np.concatenate([records, np.full((count, 1), MARKER_ID)], axis=1), skills

    def student_records(self, documents: int, generator: np.random.Generator) -> Batch:
        """The base student's documents: one record of an irrelevant skill, and the end."""
        sizes = self.language.sizes
        skills = generator.integers(sizes.target, sizes.skills, size=(documents, 1))
        records = self._records(skills, generator).reshape(documents, -1)
        ids = np.concatenate([records, np.full((documents, 1), END_ID)], axis=1)
        weights = np.append(self._record_weights(skill=CONTEXT_WEIGHT, fragment=1.0), 1.0)
        laws = np.zeros((documents, 1, sizes.skills))
        laws[..., sizes.target :] = 1 / sizes.irrelevant
        return Batch(ids, weights, self._positions(1, 0), laws)

    def _records(self, skills: NDArray, generator: np.random.Generator) -> Ints:
        return self.language.record_ids(skills, self.language.random_contexts(skills.shape, generator))

    def _record_weights(self, skill: float, fragment: float) -> Array:
        length = self.language.sizes.length
        context, response = [CONTEXT_WEIGHT] * length, [RESPONSE_WEIGHT] * length
        return np.array([fragment, skill, fragment, *context, fragment, *response, fragment])

    def _positions(self, before: int, after: int) -> Ints:
        """Positions of the skill words: second token of each record, the marker between."""
        record = np.arange(before + after)
        return record * self.language.sizes.record_tokens + 1 + (record >= before)


def _draw(laws: Array, count: int, generator: np.random.Generator) -> Ints:
    """`count` draws from each row of laws (n, S), shape (n, count)."""
    upto = laws.cumsum(axis=1)
    uniform = generator.random((len(laws), count)) * upto[:, -1:]
    return (uniform[:, :, None] >= upto[:, None, :]).sum(axis=2)
