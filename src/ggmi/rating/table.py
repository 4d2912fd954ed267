"""Table 1: mean ratings of all conditions, their differences to base and to real data, and what to know of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ggmi.errors import UserError, did_you_mean
from ggmi.random import stream
from ggmi.rating.intervals import RatingEstimate, crossed_bootstrap, mean_rating, paired_difference
from ggmi.rating.verdicts import HIGHEST, LOWEST
from ggmi.statistics import holm

Array = NDArray[np.float64]

RATINGS = ("condition", "seed", "item", "rating")
METHOD = (
    "Intervals hold for other questions and other seeds of training alike: each is a 95 % interval of a two-way "
    "random model of items and seeds (modified large-sample method), because a bootstrap over few seeds is too "
    "narrow (bootstrap_low and bootstrap_high, for comparison). Differences are paired by item; their p-values are "
    "those at which the interval would just reach zero, corrected after Holm over conditions."
)


def rating_table(
    ratings: pd.DataFrame,
    seed: int,
    *,
    real: str | None = None,
    conditions: Sequence[str] | None = None,
    resamples: int = 1999,
    source: str = "ratings",
) -> pd.DataFrame:
    """Summarise ratings condition by condition (table 1 of the paper, with intervals).

    Parameters
    ----------
    ratings
        Row an answer: condition, seed (of the student), item (id of the question), rating (1 to
        10, NaN where missing; of several verdicts, their mean). Rows of one condition, seed and
        item are averaged.
    seed
        The run's seed.
    real
        Condition trained on real data, if there is one.
    conditions
        Order of the rows, ``base`` (the untrained student) and real data among them; by default that
        in which conditions first occur.
    resamples
        Of the bootstrap.
    source
        What to call the ratings in messages.

    Returns
    -------
    DataFrame
        condition; n_items, n_seeds with a rating; mean, ci_low, ci_high; bootstrap_low,
        bootstrap_high; softmax of the means over conditions; difference_to_base with its
        interval, p_base and p_holm; difference_to_real with its interval, p_real and p_holm_real;
        missing, the answers without a rating among the condition's seeds times all items. Empty
        (NaN) where a condition is compared with itself or nothing can be said.

    Raises
    ------
    UserError
        If a column or condition is missing, or a rating is off the scale.

    Examples
    --------
    >>> rows = [("base", 0, item, 2 + item % 2) for item in range(8)]
    >>> rows += [("3-ins", seed, item, 4 + item % 2 + seed % 2) for item in range(8) for seed in range(4)]
    >>> table = rating_table(pd.DataFrame(rows, columns=list(RATINGS)), 0)
    >>> table[["condition", "n_items", "n_seeds", "mean", "difference_to_base"]]
      condition  n_items  n_seeds  mean  difference_to_base
    0      base        8        1   2.5                 NaN
    1     3-ins        8        4   5.0                 2.5
    """
    cells = rating_cells(ratings, source)
    order = list(dict.fromkeys(ratings["condition"].astype(str))) if conditions is None else list(conditions)
    references = ["base"] if real is None else ["base", real]
    for name in [*order, *references]:
        allowed = order if name in references else cells
        if name not in allowed:
            raise UserError(f"{source}: there is no condition {name!r}; {did_you_mean(name, allowed)}")
    rows = []
    for name in order:
        values = cells[name]
        found = mean_rating(values)
        bootstrap = crossed_bootstrap(values, stream(seed, "rating", "bootstrap", name), resamples=resamples)
        rated = np.isfinite(values)
        to_base = _difference(cells, name, "base")
        to_real = _difference(cells, name, real)
        rows.append(
            {
                "condition": name,
                "n_items": int(rated.any(axis=1).sum()),
                "n_seeds": int(rated.any(axis=0).sum()),
                "mean": found.value,
                # The true mean is on the scale, so an interval need not leave it.
                "ci_low": np.clip(found.interval.low, LOWEST, HIGHEST),
                "ci_high": np.clip(found.interval.high, LOWEST, HIGHEST),
                "bootstrap_low": bootstrap.low,
                "bootstrap_high": bootstrap.high,
                "softmax": np.nan,
                **_columns("base", to_base),
                **_columns("real", to_real),
                "missing": int((~rated).sum()),
            }
        )
    table = pd.DataFrame(rows)
    table["softmax"] = softmax(table["mean"])
    table["p_holm"] = _holm(table["p_base"])
    table["p_holm_real"] = _holm(table["p_real"])
    return table


def rating_cells(ratings: pd.DataFrame, source: str = "ratings") -> dict[str, Array]:
    """Ratings as one array a condition.

    Parameters
    ----------
    ratings, source
        As in `rating_table`.

    Returns
    -------
    dict of str to ndarray, shape (items, seeds of the condition)
        NaN where missing; rows are all items of the table, in the order of their names, in every
        condition.

    Raises
    ------
    UserError
        If a column is missing or a rating is off the scale.
    """
    for column in RATINGS:
        if column not in ratings:
            raise UserError(f"{source}: there is no column {column!r}; {did_you_mean(column, map(str, ratings))}")
    if ratings.empty:
        raise UserError(f"{source}: holds no ratings")
    values = pd.to_numeric(ratings["rating"], errors="coerce")
    wrong = (values.isna() & ratings["rating"].notna()) | (values < LOWEST) | (values > HIGHEST)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise UserError(
            f"{source}: row {row + 1} has the rating {ratings['rating'].to_list()[row]!r}; "
            f"allowed: {LOWEST} to {HIGHEST}, or empty where missing"
        )
    plain = pd.DataFrame({"item": ratings["item"].astype(str), "seed": ratings["seed"], "rating": values})
    items = sorted(plain["item"].unique())
    return {
        str(name): part.pivot_table(index="item", columns="seed", values="rating", aggfunc="mean", dropna=False)
        .reindex(items)
        .to_numpy(dtype=float)
        for name, part in plain.groupby(ratings["condition"].astype(str), sort=False)
    }


def seed_means(ratings: pd.DataFrame) -> pd.DataFrame:
    """Mean rating of each student.

    Parameters
    ----------
    ratings
        As in `rating_table`.

    Returns
    -------
    DataFrame
        condition, seed, mean; conditions in the order in which they first occur.
    """
    means = ratings.groupby(["condition", "seed"], sort=False)["rating"].mean()
    return means.rename("mean").reset_index()


def short_names(conditions: Iterable[str]) -> dict[str, str]:
    """Names of conditions without the end that all synthetic ones share, for figures and sentences.

    Parameters
    ----------
    conditions
        All conditions of a table.

    Returns
    -------
    dict of str to str
        By condition.

    Examples
    --------
    >>> short_names(["base", "large_3-ins_as_sampled", "large_20-ins_as_sampled", "real"])
    {'base': 'base', 'large_3-ins_as_sampled': 'large_3-ins', 'large_20-ins_as_sampled': 'large_20-ins', 'real': 'real'}
    """
    words = {name: name.split("_") for name in conditions}
    synthetic = [parts for parts in words.values() if len(parts) > 1]
    shared = 0
    if len(synthetic) > 1:
        # A generator and its condition stay.
        least = min(map(len, synthetic)) - 2
        while shared < least and len({parts[-1 - shared] for parts in synthetic}) == 1:
            shared += 1
    return {name: "_".join(parts[:-shared] if shared and len(parts) > 1 else parts) for name, parts in words.items()}


def softmax(means: ArrayLike) -> Array:
    """Softmax of mean ratings over conditions, as the paper's table 1 reports them.

    Parameters
    ----------
    means
        Shape (conditions,); NaN where a condition has no rating.

    Returns
    -------
    ndarray, shape (conditions,)
        Sums to 1 over conditions with a rating; NaN for the others.

    Examples
    --------
    >>> softmax([2.0, 2.0, 2.0 + np.log(2)]).round(3).tolist()
    [0.25, 0.25, 0.5]
    """
    values = np.asarray(means, dtype=float)
    if not np.isfinite(values).any():
        return np.full(values.shape, np.nan)
    weights = np.exp(values - np.nanmax(values))
    return np.asarray(weights / np.nansum(weights))


def notes(table: pd.DataFrame) -> list[str]:
    """What a reader of Table 1 must know, in sentences.

    Parameters
    ----------
    table
        Made by `rating_table`.

    Returns
    -------
    list of str
        The method, the softmax, and, where there are any, conditions with one seed and missing
        ratings.
    """
    sentences = [METHOD]
    rated = table.dropna(subset=["mean"])
    if len(rated) > 1:
        sentences.append(_softmax_sentence(rated))
    # The untrained student has no seeds of training to vary.
    single = table[(table["n_seeds"] == 1) & (table["condition"] != "base")]["condition"]
    if len(single):
        sentences.append(
            f"One student only was trained for {', '.join(single)}: there the interval and the p-value hold for that "
            "student and say nothing of other seeds."
        )
    lost = table[table["missing"] > 0]
    if len(lost):
        counts = ", ".join(f"{count} in {name}" for name, count in zip(lost["condition"], lost["missing"], strict=True))
        sentences.append(
            f"Answers without a rating are left out and never scored ({counts}); if bad answers are the ones that "
            "lack ratings, means are too high."
        )
    return sentences


def _softmax_sentence(rated: pd.DataFrame) -> str:
    low, high = rated.loc[rated["mean"].idxmin()], rated.loc[rated["mean"].idxmax()]
    return (
        f"A softmax of mean ratings hides their scale: {low['softmax']:.4f} for {low['condition']} and "
        f"{high['softmax']:.4f} for {high['condition']} stand for means of {low['mean']:.2f} and {high['mean']:.2f} "
        f"on a scale of {LOWEST} to {HIGHEST}, would be the same with every mean a point higher, and change with "
        "each condition that is added."
    )


def _difference(cells: dict[str, Array], name: str, reference: str | None) -> RatingEstimate | None:
    """A condition against another; None for itself and for none."""
    return None if reference is None or name == reference else paired_difference(cells[name], cells[reference])


def _columns(reference: str, found: RatingEstimate | None) -> dict[str, float]:
    """A comparison's columns; the corrected p-value is filled in when all conditions are there."""
    corrected = "p_holm" if reference == "base" else f"p_holm_{reference}"
    name = f"difference_to_{reference}"
    return {
        name: np.nan if found is None else found.value,
        f"{name}_ci_low": np.nan if found is None else found.interval.low,
        f"{name}_ci_high": np.nan if found is None else found.interval.high,
        f"p_{reference}": np.nan if found is None else found.p_value,
        corrected: np.nan,
    }


def _holm(p_values: pd.Series) -> pd.Series:
    """Holm's correction over the conditions that were compared."""
    compared = p_values.dropna()
    return pd.Series(holm(compared), index=compared.index).reindex(p_values.index)
