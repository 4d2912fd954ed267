"""What the paper says of search, judged on real models: width, matched cost, votes on binary answers, framework."""

from __future__ import annotations

import pandas as pd

from ggmi.claims import Claim
from ggmi.differences import difference_claim, equivalence_claim, paired
from ggmi.real_search.tables import by_search

PAPER = "arXiv 2501.15602"
NAMES = {"beam": "beam search", "tree": "tree search"}


def search_claims(title: str, rows: pd.DataFrame, matched: pd.DataFrame, form: str) -> list[Claim]:
    """Judge the claims that a search's methods and widths allow.

    Parameters
    ----------
    title
        The search's.
    rows
        As for `ggmi.real_search.tables.searches_table`.
    matched
        Of `ggmi.real_search.tables.matched_table`.
    form
        Of the answers.
    """
    right = by_search(rows, "right")
    widths = {method: sorted(w for m, w in right if m == method) for method, _ in right}
    claims = []
    for method in ("beam", "tree"):
        if len(ks := widths.get(method, [])) > 1:
            means = ", ".join(f"{right[method, k].mean():.3f}" for k in ks)
            gap = paired(right[method, ks[-1]], right[method, ks[0]])
            claims.append(
                difference_claim(
                    gap,
                    claim="Accuracy rises with the width k",
                    source=f"{PAPER}, Theorem 4.6 and experiments",
                    variant=f"{title}, {NAMES[method]}",
                    test=f"accuracy at k = {ks[-1]} less accuracy at k = {ks[0]}",
                    supports=gap.estimate > 0,
                    note=f"Accuracy at k = {', '.join(map(str, ks))}: {means}.",
                )
            )
    for unit, part in matched[matched["against"] == "best_of_n"].groupby("matched", sort=False):
        row = part.loc[part["difference"].abs().idxmax()]
        gap = paired(right["best_of_n", int(row["n"])], right["tree", int(row["width"])])
        claims.append(
            equivalence_claim(
                gap,
                claim=f"Best-of-N by an outcome model about matches tree search at equal {str(unit).replace('_', ' ')}",
                source=f"{PAPER}, experiments, as reported",
                variant=f"{title}, tree of width {int(row['width'])}",
                test="difference of accuracies",
                note=f"N = {int(row['n'])} whole answers beside the {row['wanted']:.1f} that the cost is worth. "
                "The same model scores both. Power to see that equal methods match.",
            )
        )
    if form == "true_false" and len(ns := widths.get("self_consistency", [])) > 1:
        gap = paired(right["self_consistency", ns[-1]], right["self_consistency", ns[0]])
        claims.append(
            difference_claim(
                gap,
                claim="Self-consistency does not help on binary answers",
                source=f"{PAPER}, experiments, as reported",
                variant=f"{title}, N = {ns[-1]}",
                test=f"accuracy of the majority of {ns[-1]} less accuracy of {ns[0]}",
                supports=gap.estimate <= 0,
            )
        )
    shared = [k for k in widths.get("beam", []) if k > 1 and ("best_of_n", k) in right]
    if shared:
        gaps = {k: paired(right["beam", k], right["best_of_n", k]) for k in shared}
        k, gap = max(gaps.items(), key=lambda item: abs(item[1].estimate))
        claims.append(
            equivalence_claim(
                gap,
                claim="What matters is width and verifier, not the framework",
                source=f"{PAPER}, conclusion",
                variant=f"{title}, beam search against best-of-N by the same verifier, k = N = {k}",
                test="difference of accuracies at equal samples",
                note=f"Largest of {len(gaps)} widths. Power to see that equal methods match.",
            )
        )
    return claims
