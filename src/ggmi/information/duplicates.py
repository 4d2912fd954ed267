"""How much of a set repeats itself, or another set."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ggmi.errors import UserError
from ggmi.information.clustering import normalised, unit_rows
from ggmi.information.estimate import Array, Estimate, Indices, group_codes, left_out_error
from ggmi.information.kernels import TILE, blocks
from ggmi.random import stream
from ggmi.statistics import share_interval

# Most records whose relabellings test what a set repeats: with 1,999 of them at most some ten seconds.
PERMUTED = 8000
# Said where some are near records of their own group alone, with which the test does not compare them.
OWN_GROUP = "of the record's own group alone"


def near_duplicates(
    synthetic: ArrayLike,
    train: ArrayLike,
    *,
    threshold: float = 0.95,
    groups: tuple[Sequence[str], Sequence[str]] | None = None,
    n_permutations: int = 999,
    seed: int = 0,
) -> Estimate:
    """Share of synthetic records that are near-duplicates of a training record.

    The null mean, T's own share, has an error too. So the test that a set repeats T more than T
    repeats itself exchanges records of the two: the shares of either with a near-duplicate among T's
    others are compared in random relabellings of the pooled records, which keeps the level at every
    size. Of more than `PERMUTED` records a random half of T is taken instead: it is repeated no more
    often by the set than by T's other half, by Fisher's exact test. Of records in groups either takes
    one a group, drawn at random; records of a group that both sets have change places.

    Parameters
    ----------
    synthetic, train
        Embedded records, shapes (n, d) and (m, d).
    threshold
        Least cosine similarity of near-duplicates.
    groups
        Labels of synthetic and of training records, the same for those that depend on each other, such
        as those of one prompt; None if all are independent.
    n_permutations
        Random relabellings.
    seed
        Of relabellings, halves, and what is drawn from groups.

    Returns
    -------
    Estimate
        A share with Wilson's interval, over groups where there are any. The null mean is the same
        share of training records among the others: what fresh records of the training distribution
        would show. It and the p-value are None with one training record, or one group of them. Where records are
        like none of T but those of their own group, ``method`` says `OWN_GROUP`: T's other groups do not tell how
        alike two records of one group are, so the test leaves these out, and its p-value is None without others.

    Raises
    ------
    UserError
        If a set is empty, dimensions differ, or an embedding is zero or not finite.

    Examples
    --------
    >>> near_duplicates([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [1.0, 1.0]]).value
    0.5
    """
    ours, theirs = unit_rows(synthetic, "synthetic records"), unit_rows(train, "training records")
    if ours.shape[1] != theirs.shape[1]:
        raise UserError(
            f"synthetic and training records: have {ours.shape[1]} and {theirs.shape[1]} dimensions; "
            "embed both with the same model"
        )
    limit = _limit(threshold)
    found = _like_one_of(ours, theirs, limit)
    method = f"records with a training record of cosine similarity of at least {threshold:g}"
    of_set, of_train = groups or (None, None)
    codes = group_codes(of_train, len(theirs), "groups")
    if codes.max() == 0:
        return share_estimate(found, method, of_set)
    own, _, _ = _repeated(theirs, limit, codes)
    elsewhere = _like_another_group(ours, theirs, limit, *groups) if groups else found
    if alone := int((found & ~elsewhere).sum()):
        method += f", {alone} of them {OWN_GROUP}"
        if not elsewhere.any():
            return share_estimate(found, method, of_set, float(own.mean()))
    draw = stream(seed, "near duplicates", "test")
    ours_apart = one_each(group_codes(of_set, len(ours), "groups"), draw)
    theirs_apart = one_each(codes, draw)
    if len(ours_apart) + len(theirs_apart) <= PERMUTED:
        place = {of_train[j]: i for i, j in enumerate(theirs_apart)} if of_train else {}
        names = [of_set[i] for i in ours_apart] if of_set else []
        shared = [(i, place[name]) for i, name in enumerate(names) if name in place]
        p_value = _relabelled(ours[ours_apart], theirs[theirs_apart], limit, shared, n_permutations, draw)
        method += f"; null: {n_permutations:,} relabellings of the set's and T's records"
    else:
        half = np.isin(codes, draw.permutation(codes.max() + 1)[: (codes.max() + 2) // 2])
        others = theirs_apart[~half[theirs_apart]]
        p_value = more_often(_like_one_of(part, theirs[half], limit) for part in (ours[ours_apart], theirs[others]))
        method += "; null: a random half of T is repeated as often by its other half, Fisher's exact test"
    return share_estimate(found, method, of_set, float(own.mean()), p_value=p_value)


def near_repeats(vectors: ArrayLike, *, threshold: float = 0.95, groups: Sequence[str] | None = None) -> Estimate:
    """Share of records that are near-duplicates of another record of the same set.

    Parameters
    ----------
    vectors
        Embedded records, shape (n, d).
    threshold
        Least cosine similarity of near-duplicates.
    groups
        A label for each record, the same for those that depend on each other, such as those of one
        prompt; None if all are independent.

    Returns
    -------
    Estimate
        A share, which grows with the set: compare sets of equal size. Wilson's interval is of as many
        records as have the jackknife's error over groups: with a record that is one of two alike, both
        leave the share.

    Raises
    ------
    UserError
        If there are fewer than two records, or an embedding is zero or not finite.

    Examples
    --------
    >>> near_repeats([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [1.0, 1.0]]).value
    0.5
    """
    rows = unit_rows(vectors, "records", least=2)
    codes = group_codes(groups, len(rows), "groups")
    found, first, last = _repeated(rows, _limit(threshold), codes)
    method = f"records with another one of cosine similarity of at least {threshold:g} in the set"
    # Without a group its own repeats are gone, and those of records whose partners are all in it.
    sizes = np.bincount(codes)
    leaving = found & (first == last) & (first != codes)
    lost = np.bincount(codes, found) + np.bincount(first[leaving], minlength=len(sizes))
    error = None
    if len(sizes) > 1:
        left_out = (found.sum() - lost) / (len(rows) - sizes)
        error = left_out_error(float(found.mean()), len(rows), left_out, sizes)
    return share_estimate(found, method, groups, error=error)


def exact_duplicates(
    synthetic: Sequence[bytes],
    train: Sequence[bytes],
    *,
    groups: Sequence[str] | None = None,
) -> Estimate:
    """Share of synthetic records whose `normalised` text is that of a training record.

    Parameters
    ----------
    synthetic, train
        The `exact_key` of each record.
    groups
        A label for each synthetic record, the same for those that depend on each other, such as those of one
        prompt; None if all are independent.

    Returns
    -------
    Estimate
        A share with Wilson's interval, over groups where there are any; the null mean is the share of
        training records that repeat another.

    Raises
    ------
    UserError
        If a set is empty.

    Examples
    --------
    >>> exact_duplicates([exact_key("Yes"), exact_key("maybe")], [exact_key("yes "), exact_key("no")]).value
    0.5
    """
    for records, name in ((synthetic, "synthetic records"), (train, "training records")):
        if not len(records):
            raise UserError(f"{name}: holds none; at least one is needed")
    counts = Counter(train)
    found = np.array([key in counts for key in synthetic])
    repeated = sum(c for c in counts.values() if c > 1) / len(train)
    return share_estimate(found, "records whose exact key is that of a training record", groups, repeated)


def exact_repeats(keys: Sequence[bytes], *, groups: Sequence[str] | None = None) -> Estimate:
    """Share of records whose `normalised` text another record of the set has.

    Parameters
    ----------
    keys
        The `exact_key` of each record.
    groups
        As for `exact_duplicates`.

    Returns
    -------
    Estimate
        A share with Wilson's interval, over groups where there are any. It grows with the set.

    Raises
    ------
    UserError
        If the set is empty.

    Examples
    --------
    >>> exact_repeats([exact_key("Yes"), exact_key("maybe"), exact_key("yes ")]).value == 2 / 3
    True
    """
    if not keys:
        raise UserError("records: holds none; at least one is needed")
    counts = Counter(keys)
    found = np.array([counts[key] > 1 for key in keys])
    return share_estimate(found, "records whose exact key another record of the set has", groups)


def exact_key(record: str) -> bytes:
    """A short name of a `normalised` text: that two of a million texts have one by chance is a matter of 1e-27.

    Parameters
    ----------
    record
        Its content.
    """
    return hashlib.blake2b(normalised(record).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _limit(threshold: float) -> float:
    """The threshold, less rounding."""
    if not -1 <= threshold <= 1:
        raise UserError(f"threshold: {threshold} is not allowed; use a cosine similarity between -1 and 1")
    return threshold - 1e-12


def _like_one_of(records: Array, train: Array, limit: float) -> NDArray[np.bool_]:
    """Which records are similar to one of T."""
    near = [(records[rows] @ train.T).max(axis=1) >= limit for rows in blocks(len(records), TILE)]
    return np.concatenate(near)


def _like_another_group(
    ours: Array, theirs: Array, limit: float, of_set: Sequence[str], of_train: Sequence[str]
) -> NDArray[np.bool_]:
    """Which records are similar to one of T of another group than their own."""
    codes = group_codes([*of_set, *of_train], len(ours) + len(theirs), "groups")
    near = [
        ((ours[rows] @ theirs.T >= limit) & (codes[: len(ours)][rows, None] != codes[len(ours) :])).any(axis=1)
        for rows in blocks(len(ours), TILE)
    ]
    return np.concatenate(near)


def _repeated(unit: Array, limit: float, codes: Indices) -> tuple[NDArray[np.bool_], Indices, Indices]:
    """Which records are similar to another one, and the first and last group of those others."""
    first, last = np.full(len(unit), codes.max() + 1), np.full(len(unit), -1)
    for rows in blocks(len(unit), TILE):
        near = unit[rows] @ unit.T >= limit
        near[np.arange(len(rows)), rows] = False
        first[rows] = np.where(near, codes, codes.max() + 1).min(axis=1)
        last[rows] = np.where(near, codes, -1).max(axis=1)
    return last >= 0, first, last


def _relabelled(
    ours: Array,
    theirs: Array,
    limit: float,
    shared: Sequence[tuple[int, int]],
    n_permutations: int,
    draw: np.random.Generator,
) -> float:
    """How often relabelled records repeat those called T as much more than these each other as the set does."""
    pooled, n = np.concatenate([ours, theirs]), len(ours)
    is_train = np.arange(len(pooled)) >= n
    labels = np.repeat(is_train[:, None], 1 + n_permutations, axis=1)
    # Records of a group that both sets have change places with each other, all others with any.
    both = np.array([(i, n + j) for i, j in shared], dtype=np.intp).reshape(-1, 2)
    free = np.setdiff1d(np.arange(len(pooled)), both)
    for t in range(1, 1 + n_permutations):
        labels[free, t] = is_train[free][draw.permutation(len(free))]
        swapped = both[draw.random(len(both)) < 0.5]
        labels[swapped[:, 0], t], labels[swapped[:, 1], t] = True, False
    # Most records are like none: they are in no sum.
    like, _, _ = _repeated(pooled, limit, np.arange(len(pooled)))
    pooled, labels = pooled[like], labels[like]
    called, of_train, of_set = labels.astype(np.float32), np.zeros(1 + n_permutations), np.zeros(1 + n_permutations)
    for rows in blocks(len(pooled), TILE):
        near = pooled[rows] @ pooled.T >= limit
        near[np.arange(len(rows)), rows] = False
        hits = near.astype(np.float32) @ called > 0
        of_train += (hits & labels[rows]).sum(axis=0)
        of_set += (hits & ~labels[rows]).sum(axis=0)
    more = of_set / n - of_train / len(theirs)
    return float((1 + np.count_nonzero(more[1:] >= more[0] - 1e-12)) / (1 + n_permutations))


def more_often(shares: Iterable[NDArray[np.bool_]]) -> float:
    """One-sided p-value that the first share is the larger, by Fisher's exact test.

    Parameters
    ----------
    shares
        Which records of either set count, shapes (n,) and (m,).

    Examples
    --------
    >>> round(more_often([np.ones(4, bool), np.zeros(5, bool)]), 6)  # one of the 126 ways to choose 4 of 9
    0.007937
    """
    # Loaded where it is used: loading it takes as long as many a job that can reach this module.
    from scipy.stats import hypergeom

    (hits, n), (others, m) = ((int(one.sum()), len(one)) for one in shares)
    return min(1.0, float(hypergeom.sf(hits - 1, n + m, hits + others, n)))


def one_each(codes: Indices, draw: np.random.Generator) -> Indices:
    """Places of one record of each group, drawn at random.

    Parameters
    ----------
    codes
        Group of each record, from 0, shape (n,).
    draw
        Source of the draw.
    """
    order = draw.permutation(len(codes))
    return order[np.unique(codes[order], return_index=True)[1]]


def share_estimate(
    found: NDArray[np.bool_],
    method: str,
    groups: Sequence[str] | None,
    null_mean: float | None = None,
    *,
    p_value: float | None = None,
    error: float | None = None,
) -> Estimate:
    """A share of records with Wilson's interval.

    Parameters
    ----------
    found
        Which records count, shape (n,).
    method
        What they are, in words.
    groups
        A label for each record, the same for those that depend on each other; None if all are independent.
    null_mean, p_value
        As of an `Estimate`.
    error
        The share's standard error, which the interval then has; None takes that of the groups.

    Returns
    -------
    Estimate
    """
    n = len(found)
    codes = group_codes(groups, n, "groups")
    if codes.max() + 1 < n:
        method += f"; interval over {codes.max() + 1:,} groups of records"
    interval = share_interval(np.bincount(codes, found), np.bincount(codes), error=error)
    return Estimate(float(found.mean()), interval.low, interval.high, p_value, null_mean, 1.0, n, "share", method)
