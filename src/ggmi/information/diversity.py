"""How diverse a set is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ggmi.errors import UserError
from ggmi.information.clustering import normalised, unit_rows
from ggmi.information.estimate import Array, Estimate, Indices, group_codes, left_out_error, normal_ends, places_by
from ggmi.text.tokens import tokens

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

    Words are the tokens of `ggmi.text.near_index.tokens`: a character each in scripts without spaces.

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
            words = tokens(normalised(records[i]))
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
