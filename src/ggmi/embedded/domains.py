"""Latent domains that documents come from, and exact inference about them.

A pre-training document comes from one domain: records whose skills follow the domain's *head*
distribution, the marker, and more records that follow its *full* distribution. Given the records
before and after the marker, the law of the next skill is therefore known exactly; it is the ideal
generator M that a trained one is measured against. Contexts are uniform and responses certain, so
everything about records follows from the law of their skills.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, logsumexp

from ggmi.embedded.language import Sizes
from ggmi.random import stream

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

# Prior of the target, and of all rivals that lack one, two or three of the K anchored skills; the
# background has the rest.
TARGET_PRIOR = 0.15
RIVAL_PRIORS = {1: 0.28, 2: 0.42, 3: 0.10}
# Rivals drawn of those that lack two or three; all that lack one are there.
RIVALS_DRAWN = {2: 6, 3: 3}
# Background domains of irrelevant skills only; one more is uniform over all skills.
BACKGROUNDS = 2


@dataclass(frozen=True)
class Domains:
    """Latent domains over S = K + J + L skills.

    Parameters
    ----------
    sizes
        The world's sizes.
    names
        A name for each of n domains; the target is the first.
    prior
        Shape (n,).
    head
        Law of the skills before the marker, shape (n, S).
    full
        Law of the skills after the marker, shape (n, S).

    Examples
    --------
    Three anchors leave the domain open; twenty nearly settle it:

    >>> domains = Domains.draw(0)
    >>> few, many = np.bincount([0, 1, 2], minlength=22), np.bincount([0, 1, 2, 3, 4, 5] * 3, minlength=22)
    >>> bool(domains.posterior(few)[0] < 0.25), bool(domains.posterior(many)[0] > 0.95)
    (True, True)
    """

    sizes: Sizes
    names: tuple[str, ...]
    prior: Array
    head: Array
    full: Array

    @classmethod
    def draw(cls, seed: int, sizes: Sizes | None = None) -> Domains:
        """Draw a world's domains.

        The target's head is uniform over the K anchored skills and its full law over those and the J
        unsampled. A rival's head is uniform over K - 1, K - 2 or K - 3 of the anchored skills, and
        its full law over those and irrelevant ones, K + J in all. Anchors that happen to miss a
        skill thus speak for a rival, and the more anchors, the rarer that is. Background: two
        domains of irrelevant skills only and one uniform over all skills, which leaves no anchors
        without an explanation.

        Parameters
        ----------
        seed
            The run's seed.
        sizes
            The world's sizes.
        """
        sizes = sizes or Sizes()
        generator = stream(seed, "embedded", "domains")
        K, S = sizes.anchored, sizes.skills
        irrelevant = np.arange(sizes.target, S)
        names: list[str] = []
        priors: list[float] = []
        heads: list[Array] = []
        fulls: list[Array] = []

        def add(name: str, prior: float, head: ArrayLike, full: ArrayLike) -> None:
            names.append(name)
            priors.append(prior)
            for laws, members in ((heads, head), (fulls, full)):
                law = np.zeros(S)
                law[np.asarray(members, dtype=np.int64)] = 1 / len(np.asarray(members))
                laws.append(law)

        add("target", TARGET_PRIOR, np.arange(K), np.arange(sizes.target))
        for lacking, prior in RIVAL_PRIORS.items():
            subsets = list(combinations(range(K), K - lacking))
            if lacking in RIVALS_DRAWN:
                chosen = generator.permutation(len(subsets))[: RIVALS_DRAWN[lacking]]
                subsets = [subsets[i] for i in np.sort(chosen)]
            for shared in subsets:
                others = generator.permutation(irrelevant)[: lacking + sizes.unsampled]
                name = f"shares {' '.join(map(str, shared))}"
                add(name, prior / len(subsets), shared, [*shared, *others])
        each = (1 - TARGET_PRIOR - sum(RIVAL_PRIORS.values())) / (BACKGROUNDS + 1)
        for i in range(BACKGROUNDS):
            drawn = generator.permutation(irrelevant)[: sizes.target]
            add(f"background {i}", each, drawn[:K], drawn)
        add("uniform", each, np.arange(S), np.arange(S))
        return cls(sizes, tuple(names), np.array(priors), np.stack(heads), np.stack(fulls))

    @property
    def target_law(self) -> Array:
        """Skills of the target distribution D: uniform over the K + J target skills, shape (S,)."""
        return self.full[0]

    def log_posterior(self, anchors: ArrayLike, further: ArrayLike | None = None) -> Array:
        """Log-posterior of the domains.

        Parameters
        ----------
        anchors
            How often each skill occurs before the marker, shape (..., S).
        further
            How often each skill occurs after it, shape (..., S).

        Returns
        -------
        ndarray, shape (..., n)
            Normalised; -inf where a domain is excluded.
        """
        with np.errstate(divide="ignore"):
            log_head, log_full, joint = np.log(self.head), np.log(self.full), np.log(self.prior)
        joint = joint + _weighted(anchors, log_head)
        if further is not None:
            joint = joint + _weighted(further, log_full)
        return joint - logsumexp(joint, axis=-1, keepdims=True)

    def posterior(self, anchors: ArrayLike, further: ArrayLike | None = None) -> Array:
        """Posterior of the domains; as `log_posterior`, shape (..., n)."""
        return np.exp(self.log_posterior(anchors, further))

    def next_skill(self, anchors: ArrayLike, further: ArrayLike | None = None) -> Array:
        """Law of the next skill after the marker: what the ideal generator M follows.

        Parameters
        ----------
        anchors, further
            How often each skill occurs before and after the marker, shape (..., S).

        Returns
        -------
        ndarray, shape (..., S)
        """
        return self.posterior(anchors, further) @ self.full

    def next_anchor(self, anchors: ArrayLike) -> Array:
        """Law of the next skill before the marker, shape (..., S)."""
        return self.posterior(anchors) @ self.head

    def shares(self, law: ArrayLike) -> Array:
        """Shares of anchored, unsampled and irrelevant skills in a law, shape (..., 3)."""
        edges = [0, self.sizes.anchored, self.sizes.target]
        return np.add.reduceat(np.asarray(law, dtype=float), edges, axis=-1)

    def record_entropy(self, law: ArrayLike) -> Array:
        """Entropy of one record, in nats: of its skill, plus length * log(letters) for its context.

        For ``law = next_skill(anchors)`` this is the information gain ΔI = H(M(p)) - I(h(e_p), M(p))
        = H(M(p) | anchors) of an ideal generator asked for one record after these anchors
        (definition 4.2); averaged over prompts, that of the prompt's law.

        Parameters
        ----------
        law
            Law of the skill, shape (..., S).

        Returns
        -------
        ndarray, shape (...)
        """
        return entr(np.asarray(law, dtype=float)).sum(axis=-1) + self.sizes.length * np.log(self.sizes.letters)

    def task_divergence(self, law: ArrayLike) -> Array:
        """Task divergence D_TV(D, D_M) between record laws, when M's skills follow `law`, shape (...)."""
        return 0.5 * np.abs(np.asarray(law, dtype=float) - self.target_law).sum(axis=-1)

    def draw_anchors(self, prompts: int, instances: int, generator: np.random.Generator) -> Counts:
        """Skills of anchors as the target task shows them, shape (prompts, instances)."""
        return generator.integers(0, self.sizes.anchored, size=(prompts, instances))

    def counts(self, skills: ArrayLike) -> Counts:
        """How often each skill occurs along the last axis.

        Parameters
        ----------
        skills
            Shape (..., x).

        Returns
        -------
        ndarray, shape (..., S)
        """
        return np.eye(self.sizes.skills, dtype=np.int64)[np.asarray(skills, dtype=np.int64)].sum(axis=-2)


def _weighted(counts: ArrayLike, log_laws: Array) -> Array:
    """``sum_s counts_s log law_d(s)`` with 0 log 0 = 0; shapes (..., S) and (n, S) give (..., n)."""
    counts = np.asarray(counts, dtype=float)
    excluded = np.isneginf(log_laws)
    sums = counts @ np.where(excluded, 0.0, log_laws).T
    return np.where(counts @ excluded.T.astype(float) > 0, -np.inf, sums)
