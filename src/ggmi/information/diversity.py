"""How diverse a set is, and how much of it repeats another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ggmi.errors import UserError
from ggmi.information.clustering import normalised, unit_rows
from ggmi.information.estimate import Array, Estimate, Indices, group_codes, left_out_error, normal_ends, places_by
from ggmi.information.kernels import TILE, blocks
from ggmi.statistics import share_interval

# Parts left out in turn for an interval.
PARTS = 20


def vendi_score(vectors: ArrayLike, *, groups: Sequence[str] | None = None) -> Estimate:
    """Vendi score with the cosine kernel: the effective number of different records.

    The exponential of the entropy of the eigenvalues of ``X X' / n`` (Friedman and Dieng 2023), which
    are those of the small matrix ``X' X / n`` for embeddings X of length one.

    Parameters
    ----------
    vectors
        Embedded records, shape (n, d).
    groups
        A label for each record, the same for those that depend on each other, such as those of one
        prompt; None if all are independent.

    Returns
    -------
    Estimate
        In effective records; the ceiling is min(n, d). The interval is the jackknife's over 20
        parts of whole groups, on the scale of the logarithm.

    Raises
    ------
    UserError
        If there are fewer than two records, or an embedding is zero or not finite.

    Examples
    --------
    >>> round(vendi_score([[1.0, 0.0], [0.0, 1.0]]).value, 6)
    2.0
    """
    unit = unit_rows(vectors, "vectors", least=2)
    n, d = unit.shape
    parts = _parts(groups, n)
    log_score, *left_out = _log_scores(unit, parts)
    ends: tuple[float | None, float | None] = (None, None)
    if len(parts) > 1:
        sizes = np.array([len(part) for part in parts])
        low, high = normal_ends(log_score, left_out_error(log_score, n, np.array(left_out), sizes))
        ends = float(np.exp(low)), float(np.exp(high))
    method = f"Vendi score, cosine kernel, jackknife over {len(parts)} parts"
    return Estimate(float(np.exp(log_score)), *ends, None, None, float(min(n, d)), n, "effective records", method)


def distinct_n(records: Sequence[str], *, order: int = 2, groups: Sequence[str] | None = None) -> Estimate:
    """Share of different n-grams of words among all n-grams of a set (Li et al. 2016).

    Parameters
    ----------
    records
        Contents, at least two.
    order
        Words in an n-gram.
    groups
        A label for each record, the same for those that depend on each other, such as those of one
        prompt; None if all are independent.

    Returns
    -------
    Estimate
        A share, at most 1. It falls as the set grows: compare sets of equal size. The interval is
        the jackknife's over 20 parts of whole groups.

    Raises
    ------
    UserError
        If no record has so many words.

    Examples
    --------
    >>> distinct_n(["a b a b", "a b"], order=2).value  # ab, ba, ab; ab
    0.5
    """
    if len(records) < 2:
        raise UserError(f"records: holds {len(records)}; distinct-n needs at least 2")
    parts: list[dict[tuple[str, ...], int]] = []
    members = _parts(groups, len(records))
    for part in members:
        counts: dict[tuple[str, ...], int] = {}
        for i in part:
            words = normalised(records[i]).split()
            for gram in zip(*(words[j:] for j in range(order)), strict=False):
                counts[gram] = counts.get(gram, 0) + 1
        parts.append(counts)
    lengths = np.array([sum(counts.values()) for counts in parts])
    # An n-gram that only one part has is lost with that part.
    holders: dict[tuple[str, ...], int] = {}
    for i, counts in enumerate(parts):
        for gram in counts:
            holders[gram] = -1 if gram in holders else i
    total = int(lengths.sum())
    if total == 0:
        raise UserError(f"records: none has {order} words; distinct-{order} needs at least one {order}-gram")
    alone = np.bincount([i for i in holders.values() if i >= 0], minlength=len(parts))
    value = len(holders) / total
    kept = total - lengths
    ends: tuple[float | None, float | None] = (None, None)
    if kept.all():
        sizes = np.array([len(part) for part in members])
        ends = normal_ends(value, left_out_error(value, len(records), (len(holders) - alone) / kept, sizes))
    return Estimate(value, *ends, None, None, 1.0, len(records), "share", f"distinct {order}-grams of words")


def near_duplicates(
    synthetic: ArrayLike, train: ArrayLike, *, threshold: float = 0.95, groups: Sequence[str] | None = None
) -> Estimate:
    """Share of synthetic records that are near-duplicates of a training record.

    Parameters
    ----------
    synthetic, train
        Embedded records, shapes (n, d) and (m, d).
    threshold
        Least cosine similarity of near-duplicates.
    groups
        A label for each synthetic record, the same for those that depend on each other, such as those of one
        prompt; None if all are independent.

    Returns
    -------
    Estimate
        A share with Wilson's interval, over groups where there are any. The null mean is the same
        share of training records among the others: what fresh records of the training distribution
        would show; None with one training record.

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
    found = np.concatenate([(ours[rows] @ theirs.T >= limit).any(axis=1) for rows in blocks(len(ours), TILE)])
    null_mean = float(_repeated(theirs, limit).mean()) if len(theirs) > 1 else None
    method = f"records with a training record of cosine similarity of at least {threshold:g}"
    return _share(found, null_mean, method, groups)


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
        A share, which grows with the set: compare sets of equal size. Wilson's interval, over groups
        where there are any, takes what one group repeats as independent of others.

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
    found = _repeated(rows, _limit(threshold))
    method = f"records with another one of cosine similarity of at least {threshold:g} in the set"
    return _share(found, None, method, groups)


def exact_duplicates(
    synthetic: Sequence[str],
    train: Sequence[str],
    *,
    key: Callable[[str], str] = normalised,
    groups: Sequence[str] | None = None,
) -> Estimate:
    """Share of synthetic records whose key is that of a training record.

    Parameters
    ----------
    synthetic, train
        Contents.
    key
        From a text to its key.
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
    >>> exact_duplicates(["Yes", "maybe"], ["yes ", "no"]).value
    0.5
    """
    for records, name in ((synthetic, "synthetic records"), (train, "training records")):
        if not len(records):
            raise UserError(f"{name}: holds none; at least one is needed")
    counts: dict[str, int] = {}
    for record in train:
        counts[key(record)] = counts.get(key(record), 0) + 1
    found = np.array([key(record) in counts for record in synthetic])
    repeated = sum(c for c in counts.values() if c > 1) / len(train)
    return _share(found, repeated, "records whose exact key is that of a training record", groups)


def _limit(threshold: float) -> float:
    """The threshold, less rounding."""
    if not -1 <= threshold <= 1:
        raise UserError(f"threshold: {threshold} is not allowed; use a cosine similarity between -1 and 1")
    return threshold - 1e-12


def _repeated(unit: Array, limit: float) -> NDArray[np.bool_]:
    """Which records are similar to another one."""
    repeated = np.zeros(len(unit), dtype=bool)
    for rows in blocks(len(unit), TILE):
        near = unit[rows] @ unit.T >= limit
        near[np.arange(len(rows)), rows] = False
        repeated[rows] = near.any(axis=1)
    return repeated


def _share(found: NDArray[np.bool_], null_mean: float | None, method: str, groups: Sequence[str] | None) -> Estimate:
    """A share of records with its interval."""
    n = len(found)
    codes = group_codes(groups, n, "groups")
    if codes.max() + 1 < n:
        method += f"; interval over {codes.max() + 1:,} groups of records"
    interval = share_interval(np.bincount(codes, found), np.bincount(codes))
    return Estimate(float(found.mean()), interval.low, interval.high, None, null_mean, 1.0, n, "share", method)


def _parts(groups: Sequence[str] | None, n: int) -> list[Indices]:
    """Cut n records into at most `PARTS` parts that no group is in two of."""
    # By first appearance, so that names do not matter.
    members = list(places_by(group_codes(groups, n, "groups").tolist()).values())
    return [np.sort(np.concatenate(members[first::PARTS])) for first in range(min(PARTS, len(members)))]


def _log_scores(unit: Array, parts: list[Indices]) -> list[float]:
    """Logarithms of the score: of all records, and without each part of them.

    ``X X'`` and ``X' X`` have the same eigenvalues but for zeros; the smaller is taken.
    """
    n, d = unit.shape
    some = [part for part in parts if len(part) < n]
    if n < d:
        left = [unit, *(np.delete(unit, part, axis=0) for part in some)]
        return [_spectral_entropy(rows @ rows.T / len(rows)) for rows in left]
    total = unit.T @ unit
    without = ((total - unit[part].T @ unit[part]) / (n - len(part)) for part in some)
    return [_spectral_entropy(matrix) for matrix in (total / n, *without)]


def _spectral_entropy(matrix: Array) -> float:
    """Entropy of the eigenvalues of a matrix of trace one, in nats."""
    values = np.linalg.eigvalsh(matrix)
    values = values[values > 1e-15]
    return float(-(values * np.log(values)).sum())
