"""Semantic entropy of a set of records, and whether the set is large enough to know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ggmi.errors import UserError
from ggmi.information.clustering import Equivalence
from ggmi.information.estimate import Array, Estimate, Indices, group_codes, left_out_error, normal_ends, places_by
from ggmi.random import stream

# Subsamples a size of the curve.
DRAWS = 20
# A set suffices when its last doubling raised the plug-in entropy by at most this share of ln 2,
# the rise of a source that never repeats itself.
GROWTH = 0.1


def plug_in(counts: ArrayLike) -> float:
    """Entropy of the shares themselves, ``-sum p ln p`` in nats; too small by about (k - 1) / (2 n).

    Parameters
    ----------
    counts
        Records in each cluster, shape (k,); zeros are left out.

    Returns
    -------
    float
    """
    c = _positive(counts)
    n = c.sum()
    return max(float(np.log(n) - c @ np.log(c) / n), 0.0)


def miller_madow(counts: ArrayLike) -> float:
    """Plug-in entropy with its leading bias ``(k - 1) / (2 n)`` added (Miller 1955), in nats.

    Parameters
    ----------
    counts
        Records in each cluster, shape (k,).

    Returns
    -------
    float
    """
    c = _positive(counts)
    return plug_in(c) + (len(c) - 1) / (2 * float(c.sum()))


def chao_shen(counts: ArrayLike) -> float:
    """Entropy corrected for clusters not seen (Chao and Shen 2003), in nats.

    Shares are shrunk by the estimated coverage ``C = 1 - f_1 / n`` (f_1 clusters of one record; where
    all are, one is taken as two) and weighted by one over their chance to be seen at all.

    Parameters
    ----------
    counts
        Records in each cluster, shape (k,).

    Returns
    -------
    float
    """
    c = _positive(counts)
    n = float(c.sum())
    if len(c) == 1:
        return 0.0
    singles = min(float(np.count_nonzero(c == 1)), n - 1)
    shares = (1 - singles / n) * c / n
    return float(-(shares * np.log(shares) / -np.expm1(n * np.log1p(-shares))).sum())


CORRECTIONS: Mapping[str, Callable[[ArrayLike], float]] = {
    "plug_in": plug_in,
    "miller_madow": miller_madow,
    "chao_shen": chao_shen,
}


@dataclass(frozen=True)
class CurvePoint:
    """Mean entropies of random subsamples of n records, in nats, and of their number of clusters."""

    n: int
    plug_in: float
    miller_madow: float
    chao_shen: float
    clusters: float
    ceiling: float


@dataclass(frozen=True)
class SemanticEntropy:
    """Semantic entropy of a set.

    Parameters
    ----------
    plug_in, miller_madow, chao_shen
        The estimate and its two corrections, in nats. The plug-in estimate is at most its ceiling
        ln n; a corrected one may exceed it and has none.
    clusters
        Number of clusters.
    labels
        Cluster of each record, shape (n,).
    curve
        From subsamples of n/16, n/8, n/4, n/2 and all records.
    growth
        What the last doubling of n added to the plug-in entropy, as a share of ln 2: 0 when the set
        has shown all it has, 1 when every new record is a new cluster. NaN below four records.
    """

    plug_in: Estimate
    miller_madow: Estimate
    chao_shen: Estimate
    clusters: int
    labels: Indices
    curve: tuple[CurvePoint, ...]
    growth: float

    @property
    def suffices(self) -> bool:
        """Whether n is large enough: the last doubling added at most a tenth of ln 2."""
        return bool(self.growth <= GROWTH)

    @property
    def estimates(self) -> dict[str, Estimate]:
        """Return the three estimates by name."""
        return {name: getattr(self, name) for name in CORRECTIONS}


def semantic_entropy(
    records: Sequence[str], equivalence: Equivalence, *, groups: Sequence[str] | None = None, seed: int = 0
) -> SemanticEntropy:
    """Entropy of the meanings in a set of records (Kuhn et al. 2023; appendix G.4 of the paper).

    Parameters
    ----------
    records
        Contents, n of them.
    equivalence
        Which records say the same.
    groups
        A label for each record, the same for those that depend on each other, such as those of one
        prompt; None if all are independent.
    seed
        Of the subsamples of the curve; nothing else is random.

    Returns
    -------
    SemanticEntropy
        Intervals are the jackknife's, over groups; None where every record is its own cluster, for
        such a set only bounds the entropy from below, or where there is one group. They are those of
        the estimator's spread: its bias, downwards where clusters were not seen yet, is outside, and
        it grows with groups, for a group's records show fewer clusters than as many independent ones.

    Raises
    ------
    UserError
        If there are fewer than two records, or one is not text.

    Examples
    --------
    >>> from ggmi.information.clustering import SimilarEmbedding
    >>> found = semantic_entropy(["a", "b", "c", "d"], SimilarEmbedding([[1.0, 0.0]] * 2 + [[0.0, 1.0]] * 2))
    >>> round(found.plug_in.value, 4), found.clusters, round(found.plug_in.ceiling, 4)
    (0.6931, 2, 1.3863)
    """
    if len(records) < 2:
        raise UserError(f"records: holds {len(records)}; semantic entropy needs at least 2")
    for i, record in enumerate(records):
        if not isinstance(record, str):
            raise UserError(f"records: record {i} is {type(record).__name__}; it must be text")
    labels = equivalence.cluster(records)
    how = equivalence.describe()
    codes = group_codes(groups, len(records), "groups")
    found = {
        name: _estimate(labels, name, f"semantic entropy, {name.replace('_', '-')}, clusters by {how}", codes)
        for name in CORRECTIONS
    }
    curve = _curve(labels, seed)
    growth = (curve[-1].plug_in - curve[-2].plug_in) / np.log(curve[-1].n / curve[-2].n) if len(curve) > 1 else np.nan
    return SemanticEntropy(**found, clusters=len(np.unique(labels)), labels=labels, curve=curve, growth=float(growth))


def semantic_entropy_by_prompt(
    records: Sequence[str], prompt_ids: Sequence[str], labels: Indices, *, correction: str = "miller_madow"
) -> dict[str, Estimate]:
    """Semantic entropy of the answers to each prompt.

    Parameters
    ----------
    records
        Contents, n of them.
    prompt_ids
        The prompt of each.
    labels
        Cluster of each, from `semantic_entropy` over the whole set or from `labels_by_prompt`.
    correction
        ``plug_in``, ``miller_madow`` or ``chao_shen``.

    Returns
    -------
    dict of str to Estimate
        By prompt, in nats; the plug-in's ceiling is the logarithm of the prompt's number of records.

    Raises
    ------
    UserError
        If lengths differ.
    """
    if not len(records) == len(prompt_ids) == len(labels):
        raise UserError(f"prompt_ids: {len(prompt_ids)} for {len(records)} records; each record needs its prompt")
    members = places_by(prompt_ids)
    method = f"semantic entropy of one prompt's records, {correction.replace('_', '-')}"
    return {
        prompt: _estimate(labels[chosen], correction, method, np.arange(len(chosen)))
        for prompt, chosen in members.items()
    }


def labels_by_prompt(
    records: Sequence[str], prompt_ids: Sequence[str], vectors: Array, same: Callable[[Array], Equivalence]
) -> Indices:
    """Cluster the answers to each prompt by themselves, so that no pair across prompts is compared.

    Parameters
    ----------
    records
        Contents, n of them.
    prompt_ids
        The prompt of each.
    vectors
        Their embeddings, shape (n, d).
    same
        From the embeddings of a prompt's records to how they are told to say the same.

    Returns
    -------
    ndarray of int, shape (n,)
        Numbers mean something among the records of one prompt alone.
    """
    labels = np.empty(len(records), dtype=np.intp)
    for chosen in places_by(prompt_ids).values():
        labels[chosen] = same(vectors[chosen]).cluster([records[i] for i in chosen])
    return labels


def _estimate(labels: Indices, correction: str, method: str, codes: Indices) -> Estimate:
    """Entropy of one set of labels, of records in numbered groups."""
    clusters, counts = np.unique(labels, return_inverse=True, return_counts=True)[1:]
    estimator, n, groups = CORRECTIONS[correction], len(labels), int(codes.max()) + 1
    value = estimator(counts)
    ends: tuple[float | None, float | None] = (None, None)
    if len(counts) < n and groups > 1:
        alone = groups == n
        left_out = _without_a_record(counts, estimator) if alone else _without_a_group(clusters, codes, estimator)
        ends = normal_ends(value, left_out_error(value, n, *left_out))
        method += f"; interval: spread over {'records' if alone else f'{groups:,} groups of records'}, without the bias"
    ceiling = float(np.log(n)) if correction == "plug_in" else None
    return Estimate(value, *ends, None, None, ceiling, n, "nats", method)


def _positive(counts: ArrayLike) -> Array:
    """Counts above zero."""
    c = np.asarray(counts, dtype=float)
    return c[c > 0]


def _without_a_record(counts: NDArray, estimator: Callable[[ArrayLike], float]) -> tuple[Array, Array, Array]:
    """Values without a record, one, and for how many records: equal for all of equally large clusters."""
    sizes, times = np.unique(counts, return_counts=True)
    values = np.empty(len(sizes))
    for i, size in enumerate(sizes):
        fewer = counts.copy()
        fewer[np.flatnonzero(counts == size)[0]] -= 1
        values[i] = estimator(fewer)
    return values, np.ones(len(sizes)), (sizes * times).astype(float)


def _without_a_group(
    clusters: Indices, codes: Indices, estimator: Callable[[ArrayLike], float]
) -> tuple[Array, Indices]:
    """Values without each group, and its size."""
    counts, sizes = np.bincount(clusters), np.bincount(codes)
    values = [
        estimator(counts - np.bincount(clusters[members], minlength=len(counts)))
        for members in np.split(np.argsort(codes, kind="stable"), np.cumsum(sizes[:-1]))
    ]
    return np.array(values), sizes


def _curve(labels: Indices, seed: int) -> tuple[CurvePoint, ...]:
    """Mean entropies of random subsamples, doubling in size up to the whole set."""
    n = len(labels)
    found = []
    for part in (16, 8, 4, 2, 1):
        size = n // part
        if size < 2:
            continue
        generator = stream(seed, "semantic entropy", "curve", part)
        draws = [np.bincount(generator.choice(labels, size, replace=False)) for _ in range(DRAWS if part > 1 else 1)]
        means = {name: float(np.mean([f(c) for c in draws])) for name, f in CORRECTIONS.items()}
        clusters = float(np.mean([np.count_nonzero(c) for c in draws]))
        found.append(CurvePoint(size, **means, clusters=clusters, ceiling=float(np.log(size))))
    return tuple(found)
