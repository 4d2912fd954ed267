"""Accuracy, cost and price of searches with real models, and comparisons at matched cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ggmi.differences import paired
from ggmi.models.settings import Prices
from ggmi.statistics import share_interval

COSTS = ("responses", "calls", "tokens", "scores")
Key = tuple[str, int]


def by_search(rows: pd.DataFrame, column: str) -> dict[Key, NDArray]:
    """A column as an array of shape (problems, repeats) for each method and width.

    Parameters
    ----------
    rows
        Of `ggmi.real_search.running.Searched.rows`, of any jobs.
    column
        Its name.
    """
    found = {}
    for (method, width), part in rows.groupby(["method", "width"], sort=False):
        table = part.pivot(index="problem", columns="repeat", values=column)
        # The order of problems is the same for all, so that they are paired.
        found[str(method), int(width)] = table.to_numpy()
    return found


def searches_table(
    rows: pd.DataFrame, counts: Mapping[str, Mapping[str, int]], prices: Mapping[str, Prices]
) -> pd.DataFrame:
    """One row a method and width.

    Parameters
    ----------
    rows
        A row a search of a problem, as `ggmi.real_search.running.Searched.rows` gives them.
    counts
        `ggmi.real_search.running.Searched.counts` by ``method/width``.
    prices
        Of ``policy`` and ``verifier``; without the latter, the policy judges itself.

    Returns
    -------
    DataFrame
        ``method, width, problems, repeats, accuracy`` with its interval (Wilson's, repeats of a problem a cluster),
        mean costs a problem's search, ``verifier_tokens`` (read and written, a search), ``price`` (a search, in the
        currency of the prices, as if nothing had been at hand), ``unanswered`` (share of searches without an answer),
        ``texts_cut, texts_empty, texts_unreadable, texts_unscored, missing`` (counts over all searches).
    """
    found = []
    costs = {cost: by_search(rows, cost) for cost in COSTS}
    said = by_search(rows, "answer")
    for key, right in by_search(rows, "right").items():
        n, repeats = right.shape
        counted = counts[f"{key[0]}/{key[1]}"]
        interval = share_interval(right.sum(axis=1), np.full(n, repeats))
        found.append(
            {
                "method": key[0],
                "width": key[1],
                "problems": n,
                "repeats": repeats,
                "accuracy": float(right.mean()),
                "accuracy_ci_low": interval.low,
                "accuracy_ci_high": interval.high,
                **{cost: float(values[key].mean()) for cost, values in costs.items()},
                "verifier_tokens": _tokens(counted, "verifier") / right.size,
                "price": _price(counted, prices) / right.size,
                "unanswered": float(pd.isna(said[key]).mean()),
                **{reason: n for reason, n in counted.items() if reason.startswith("texts_")},
                "missing": sum(n for reason, n in counted.items() if reason.endswith("_missing")),
            }
        )
    return pd.DataFrame(found)


def _tokens(counted: Mapping[str, int], part: str) -> int:
    return counted.get(f"{part}_read_tokens", 0) + counted.get(f"{part}_written_tokens", 0)


def _price(counted: Mapping[str, int], prices: Mapping[str, Prices]) -> float:
    """Price of all searches of a method and width."""
    own = {"policy": prices["policy"], "verifier": prices.get("verifier", prices["policy"])}
    return sum(
        price.cost(counted.get(f"{part}_read_tokens", 0), counted.get(f"{part}_written_tokens", 0))
        for part, price in own.items()
    )


def matched_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Best-of-N and the votes against tree search at equal cost.

    ``N_res``: as many whole answers as the tree search completed on average; ``N_call``: as many calls of a step.
    N is the searched width whose cost is nearest on a logarithmic scale; where more than the largest is wanted, the
    row is left out.

    Parameters
    ----------
    rows
        As for `searches_table`.

    Returns
    -------
    DataFrame
        ``width`` (of the tree search), ``against, matched, cost`` (of the tree search in that unit), ``wanted`` and
        ``n`` (answers wanted, and the width taken), ``difference`` of accuracies (other less tree) with interval and
        ``p``; no rows where there is nothing to compare.
    """
    right, found = by_search(rows, "right"), []
    for unit, name in (("N_res", "responses"), ("N_call", "calls")):
        costs = by_search(rows, name)
        for against in ("best_of_n", "vote", "self_consistency"):
            widths = sorted(width for method, width in right if method == against)
            if not widths:
                continue
            one = 1.0 if unit == "N_res" else float(costs[against, widths[0]].mean()) / widths[0]
            for width in sorted(width for method, width in right if method == "tree"):
                cost = float(costs["tree", width].mean())
                wanted = max(cost / one, 1.0) if one > 0 else np.inf
                if wanted > widths[-1]:
                    continue
                n = min(widths, key=lambda w, wanted=wanted: abs(np.log(w / wanted)))  # type: ignore[misc]
                gap = paired(right[against, n], right["tree", width])
                found.append(
                    {
                        **{"width": width, "against": against, "matched": unit, "cost": cost, "wanted": wanted, "n": n},
                        **{"difference": gap.estimate, "difference_ci_low": gap.low, "difference_ci_high": gap.high},
                        "p": gap.p,
                    }
                )
    return pd.DataFrame(found, columns=list(MATCHED_COLUMNS))


MATCHED_COLUMNS = (
    *("width", "against", "matched", "cost", "wanted", "n"),
    *("difference", "difference_ci_low", "difference_ci_high", "p"),
)


def together(parts: Mapping[str, pd.DataFrame], titles: Sequence[str]) -> pd.DataFrame:
    """Tables of several searches as one, with name and title in the first columns."""
    named = [
        part.assign(search=name, title=title)[["search", "title", *part]]
        for (name, part), title in zip(parts.items(), titles, strict=True)
    ]
    return pd.concat(named, ignore_index=True)
