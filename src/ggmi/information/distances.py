"""Distances between two sets of embedded records: total variation from below, and mean discrepancy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ggmi.errors import UserError
from ggmi.information.estimate import Array, Estimate, Indices, check_count, group_codes, normal_ends, points
from ggmi.information.held_out import CUTS, advantage, verdicts
from ggmi.information.kernels import Variable, tiles, variable
from ggmi.random import stream
from ggmi.statistics import wilson

# Labellings multiplied with a kernel tile at once.
LABELLINGS = 256
# Records that came together: a group for each record of x, and for each of y; equal ones are one group.
Groups = tuple[ArrayLike, ArrayLike]


def total_variation_bound(
    x: ArrayLike,
    y: ArrayLike,
    *,
    groups: Groups | None = None,
    folds: int = 5,
    n_permutations: int = 999,
    seed: int = 0,
) -> Estimate:
    """Lower bound of the total variation distance by a cross-fitted classifier.

    For any rule g that says x or y, ``P(g = x | x) - P(g = x | y) <= D_TV``, with equality for the best
    rule. Each fold's records are judged by a rule that was fitted to the other folds only, so the
    held-out advantage estimates the left side without the optimism of fitting (lemma 3.1 needs
    ``D_TV(D, D_M)`` and ``D_TV(D_M, D_gen)``). The rule is linear: a discriminant with a ridge, see
    `ggmi.information.held_out.verdicts`; verdicts are means over a few random cuts into folds.

    Verdicts are not independent, for two records may each be in what the other's rule was fitted to:
    taken as if they were, equal laws would be told apart too often. So all is repeated with shuffled
    labels, those of `mmd`, which tell both how large an advantage equal laws give and by how much
    more it varies than that of independent verdicts.

    Parameters
    ----------
    x, y
        Embedded records, shapes (n, d) and (m, d).
    groups
        Groups of records that depend on each other, such as those of one prompt, for x and for y;
        None if all records are independent. A group is held out whole, since a rule that has seen
        one answer to a prompt judges another by it, and labels are exchanged by whole groups.
    folds
        Parts of the data held out in turn, cut without regard to the sets.
    n_permutations
        Random labellings, or signs of groups, for p-value and interval.
    seed
        Of folds and labellings.

    Returns
    -------
    Estimate
        `value` and the interval are those of the held-out advantage, which is at most D_TV: `ci_low`
        bounds D_TV from below, `ci_high` does not bound it from above. The interval is Newcombe's for
        as many records as would vary as much if verdicts were independent. `p_value` is (1 + labellings
        with at least the advantage, over its standard error) / (1 + labellings): exact for independent
        records.

    Raises
    ------
    UserError
        If a set is smaller than the number of folds, or in fewer groups, dimensions differ, or
        values are not finite.

    Examples
    --------
    >>> from ggmi.random import stream
    >>> draw = stream(0, "doc").normal
    >>> bound = total_variation_bound(draw(size=(200, 2)), draw(2.0, size=(200, 2)))
    >>> 0.6 < bound.ci_low < bound.value < 1, bound.p_value
    (True, 0.001)
    """
    check_count(folds, "folds", least=2)
    check_count(n_permutations, "n_permutations", least=1)
    first, second = _same_space(x, y, least=folds)
    n, m = len(first), len(second)
    codes = _codes(groups, n, m, least=folds)
    generator = stream(seed, "total variation", "labellings")
    if codes is None:
        labels = _labellings(n, m, n_permutations, generator)
        null = f"{n_permutations:,} random labellings"
    else:
        labels = np.repeat([1.0, 0.0], [n, m])[:, None]
        labels = np.where(_signs(codes, n_permutations, generator)[codes] > 0, labels, 1 - labels)
        null = f"{n_permutations:,} random signs of {codes.max() + 1:,} groups of records"
    together = np.arange(n + m) if codes is None else codes
    data, cuts = np.concatenate([first, second]), stream(seed, "total variation", "folds")
    says_x = verdicts(data, labels, together, folds, cuts)
    found = advantage(says_x, labels, together)
    observed, shuffled = found.studentised[0], found.studentised[1:]
    p_value = (1 + int(np.count_nonzero(shuffled >= observed - 1e-9))) / (1 + n_permutations)
    effect = _design_effect(says_x[:, 0], labels[:, 0] > 0, together, float(np.square(shuffled).mean()))
    hits, false_hits = float(says_x[:n, 0].sum()), float(says_x[n:, 0].sum())
    method = (
        f"held-out advantage of a linear discriminant, {folds} folds, mean of {CUTS} cuts; a lower bound of the total "
        f"variation distance; design effect {effect:.2g}; null: {null}"
    )
    ends = _newcombe(hits / effect, n / effect, false_hits / effect, m / effect)
    return Estimate(hits / n - false_hits / m, *ends, p_value, 0.0, 1.0, n + m, "total variation", method)


def _design_effect(says_x: Array, is_x: NDArray[np.bool_], codes: Indices, excess: float) -> float:
    """How many times as many records vary as little as those with independent verdicts; at least 1.

    The variance of the advantage over groups (each verdict less its set's mean, summed by group), times
    `excess`, how much more that of equal laws varies, over the variance of two independent shares.
    Where all verdicts on a set agree, groups count as one record each.
    """
    sizes = [np.bincount(codes[side]) for side in (is_x, ~is_x)]
    shares = [says_x[side].mean() for side in (is_x, ~is_x)]
    independent = sum(p * (1 - p) / s.sum() for p, s in zip(shares, sizes, strict=True))
    if independent == 0:
        return max(float(s.sum() / np.count_nonzero(s)) for s in sizes)
    signed = np.where(is_x, (says_x - shares[0]) / sizes[0].sum(), (shares[1] - says_x) / sizes[1].sum())
    by_group = np.bincount(codes, signed)
    over_groups = np.square(by_group).sum() * len(by_group) / (len(by_group) - 1)
    return max(1.0, excess * float(over_groups / independent))


def _codes(groups: Groups | None, n: int, m: int, *, least: int) -> Indices | None:
    """Number the groups of the pooled records; None if every record is one by itself."""
    if groups is None:
        return None
    sides = [np.asarray(labels) for labels in groups]
    for name, labels, size in zip("xy", sides, (n, m), strict=True):
        if len(labels) != size:
            raise UserError(f"groups: {len(labels)} labels for the {size} records of {name}; each needs one")
        if (found := len(np.unique(labels))) < least:
            raise UserError(f"groups: the records of {name} are of {found} groups; at least {least} are needed")
    codes = group_codes(np.concatenate(sides), n + m, "groups")
    return None if codes.max() + 1 == n + m else codes


def _newcombe(hits: float, n: float, false_hits: float, m: float) -> tuple[float, float]:
    """Interval of a difference of two shares from their Wilson intervals (Newcombe 1998, method 10)."""
    p, q = hits / n, false_hits / m
    of_p, of_q = wilson(p, n), wilson(q, m)
    below, above = np.hypot(p - of_p.low, of_q.high - q), np.hypot(of_p.high - p, q - of_q.low)
    return float(p - q - below), float(p - q + above)


def _labellings(n: int, m: int, n_permutations: int, generator: np.random.Generator) -> Array:
    """Labels of n + m records, 1 for x and 0 for y: as they are, and in random orders."""
    labels = np.zeros((n + m, 1 + n_permutations))
    labels[:n, 0] = 1
    for t in range(1, 1 + n_permutations):
        labels[generator.permutation(n + m)[:n], t] = 1
    return labels


def _signs(codes: Indices, n_permutations: int, generator: np.random.Generator) -> Array:
    """Signs of groups: all plus, and at random."""
    signs = np.ones((int(codes.max()) + 1, 1 + n_permutations))
    signs[:, 1:] = generator.integers(2, size=(len(signs), n_permutations)) * 2 - 1
    return signs


def mmd(
    x: ArrayLike,
    y: ArrayLike,
    *,
    groups: Groups | None = None,
    kernel: str = "gaussian",
    bandwidth: float | str = "median",
    n_permutations: int = 999,
    seed: int = 0,
) -> Estimate:
    """Unbiased squared maximum mean discrepancy between two sets (Gretton et al. 2012).

    ``mean k(x, x') + mean k(y, y') - 2 mean k(x, y)`` over pairs of different records, the kernel
    evaluated tile by tile. A labelling of the pooled records as x and y is a column u of zeros and
    ones, and all its sums follow from u'K u and u'K 1, so many labellings are one matrix product a
    tile.

    Records of one prompt resemble each other, and the answers of two models to one prompt do too: the
    former would raise the value, the latter lower it below zero, whatever the sets' laws. With groups
    only pairs of different groups count, so the value is unbiased again, and the null is that of
    random signs w_g of whole groups in the sum of w_g w_g' k over pairs of groups, the kernel centred
    at the mean of the two sets (Chwialkowski et al. 2014). Where each group has one record of either
    set this is the exact test that swaps them.

    Parameters
    ----------
    x, y
        Embedded records, shapes (n, d) and (m, d).
    groups
        Groups of records that depend on each other, such as those of one prompt, for x and for y;
        None if all records are independent.
    kernel, bandwidth
        As for `ggmi.information.kernels.variable`, over both sets together.
    n_permutations
        Random labellings, or signs, for the p-value.
    seed
        Of the labellings.

    Returns
    -------
    Estimate
        The null mean is zero; the ceiling is the value if no record of one set resembled any of the
        other (None for the linear kernel). The interval is the normal one from the first-order
        variance, over groups where there are any, never narrower than the null distribution's.

    Raises
    ------
    UserError
        If a set has fewer than two records or groups, dimensions differ, or all records are the same.
    """
    first, second = _same_space(x, y, least=2)
    check_count(n_permutations, "n_permutations", least=1)
    n, m = len(first), len(second)
    codes = _codes(groups, n, m, least=2)
    pooled = variable(np.concatenate([first, second]), "x and y", kernel=kernel, bandwidth=bandwidth, seed=seed)
    generator = stream(seed, "mmd", "labellings")
    if codes is None:
        found = _labelled(pooled, n, m, n_permutations, generator)
        null = f"{n_permutations:,} random labellings"
    else:
        found = _signed(pooled, n, codes, n_permutations, generator)
        null = f"{n_permutations:,} random signs of {codes.max() + 1:,} groups of records"
    # Moments about zero: the mean over labellings is zero in theory, and one labelling has no spread.
    error = float(np.sqrt(max(found.first_order, float(np.square(found.null).mean()))))
    p_value = (1 + int(np.count_nonzero(found.null >= found.statistic - 1e-12))) / (1 + n_permutations)
    ceiling = found.within if kernel == "gaussian" else None
    method = f"unbiased squared MMD, kernel {pooled.describe()}; null: {null}"
    return Estimate(found.value, *normal_ends(found.value, error), p_value, 0.0, ceiling, n + m, "", method)


@dataclass(frozen=True)
class _Discrepancy:
    """Squared MMD, its part within the sets, its first-order variance, and what is tested against which null."""

    value: float
    within: float
    first_order: float
    statistic: float
    null: Array


def _labelled(pooled: Variable, n: int, m: int, n_permutations: int, generator: np.random.Generator) -> _Discrepancy:
    """Independent records, and their random labellings as x and y."""
    labels = _labellings(n, m, n_permutations, generator)
    inside, with_x, everything = np.zeros(1 + n_permutations), np.zeros(n + m), np.zeros(n + m)
    for rows, columns, (k,) in tiles([pooled]):
        below = columns[0] != rows[0]
        for t in range(0, labels.shape[1], LABELLINGS):
            chosen = slice(t, t + LABELLINGS)
            products = np.einsum("it,it->t", labels[rows, chosen], k @ labels[columns, chosen])
            inside[chosen] += (1 + below) * products
        with_x[rows] += k @ labels[columns, 0]
        everything[rows] += k.sum(axis=1)
        if below:
            with_x[columns] += labels[rows, 0] @ k
            everything[columns] += k.sum(axis=0)
    across = everything @ labels - inside
    outside = everything.sum() - inside - 2 * across
    values = inside / (n * (n - 1)) + outside / (m * (m - 1)) - 2 * across / (n * m)
    # How far each record's own resemblance differs: the first-order part of the variance.
    of_x = with_x[:n] / (n - 1) - (everything - with_x)[:n] / m
    of_y = (everything - with_x)[n:] / (m - 1) - with_x[n:] / n
    first_order = 4 * (of_x.var(ddof=1) / n + of_y.var(ddof=1) / m)
    within = float(inside[0] / (n * (n - 1)) + outside[0] / (m * (m - 1)))
    return _Discrepancy(float(values[0]), within, float(first_order), float(values[0]), values[1:])


def _signed(
    pooled: Variable, n: int, codes: Indices, n_permutations: int, generator: np.random.Generator
) -> _Discrepancy:
    """Records in groups, and random signs of whole groups; all sums are over pairs of different groups."""
    records = np.arange(len(codes))
    side_of = (records >= n).astype(int)
    sides = np.eye(2)[side_of]
    # How many of each set's records each group has, and how many pairs of different groups.
    sizes = np.stack([np.bincount(codes, side) for side in sides.T], axis=1)
    totals = sizes.sum(axis=0)
    pairs = np.outer(totals, totals) - sizes.T @ sizes
    signs = _signs(codes, n_permutations, generator)
    # Quadratic forms of signs within x, within y, and from x to y; and sums of each record with each set.
    forms = np.zeros((3, 1 + n_permutations))
    sums = np.zeros((len(codes), 2))
    for rows, columns, (k,) in tiles([pooled]):
        k[codes[rows][:, None] == codes[columns][None, :]] = 0.0
        below = columns[0] != rows[0]
        for t in range(0, signs.shape[1], LABELLINGS):
            chosen = slice(t, t + LABELLINGS)
            left, right = signs[codes[rows], chosen], signs[codes[columns], chosen]
            to_x, to_y = (k @ (right * sides[columns, side, None]) for side in (0, 1))
            from_x, from_y = (left * sides[rows, side, None] for side in (0, 1))
            forms[0, chosen] += (1 + below) * np.einsum("it,it->t", from_x, to_x)
            forms[1, chosen] += (1 + below) * np.einsum("it,it->t", from_y, to_y)
            forms[2, chosen] += np.einsum("it,it->t", from_x, to_y)
            if below:
                forms[2, chosen] += np.einsum("it,it->t", from_y, to_x)
        sums[rows] += k @ sides[columns]
        if below:
            sums[columns] += k.T @ sides[rows]
    means = sums / (totals - sizes[codes])
    # <phi(z), mu> and <mu, mu> for the centre mu, half the mean of x and half that of y.
    to_centre = means.mean(axis=1)
    centre = (to_centre @ sides / totals).mean()
    drawn = sizes.T @ signs
    weights = np.stack([np.bincount(codes, to_centre * side) for side in sides.T], axis=1)
    weighted = weights.T @ signs
    # What pairs of one group would add to the products of sums; a sign squared is one.
    of_one, sums_of_one = sizes.T @ sizes, weights.T @ sizes
    terms = []
    for form, (a, b) in zip(forms, ((0, 0), (1, 1), (0, 1)), strict=True):
        linear = weighted[a] * drawn[b] - sums_of_one[a, b] + weighted[b] * drawn[a] - sums_of_one[b, a]
        terms.append((form - linear + centre * (drawn[a] * drawn[b] - of_one[a, b])) / pairs[a, b])
    centred = terms[0] + terms[1] - 2 * terms[2]
    differs = means[records, side_of] - means[records, 1 - side_of]
    differs -= (differs @ sides / totals)[side_of]
    by_group = np.bincount(codes, differs / totals[side_of])
    first_order = 4 * np.square(by_group).sum() * len(sizes) / (len(sizes) - 1)
    within = float(forms[0, 0] / pairs[0, 0] + forms[1, 0] / pairs[1, 1])
    value = within - 2 * float(forms[2, 0] / pairs[0, 1])
    return _Discrepancy(value, within, float(first_order), float(centred[0]), centred[1:])


def _same_space(x: ArrayLike, y: ArrayLike, *, least: int) -> tuple[Array, Array]:
    """Check two sets of points of one dimension."""
    first, second = points(x, "x", least=least), points(y, "y", least=least)
    if first.shape[1] != second.shape[1]:
        raise UserError(f"x and y: have {first.shape[1]} and {second.shape[1]} dimensions; they must live in one space")
    return first, second
