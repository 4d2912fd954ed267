"""Tables and claims of searches from rows made by hand, and the differences that they rest on."""

import numpy as np
import pandas as pd
import pytest

from ggmi.claims import claims_table
from ggmi.differences import equivalence_claim, paired
from ggmi.models.settings import Prices
from ggmi.random import stream
from ggmi.real_search.claims import search_claims
from ggmi.real_search.tables import MATCHED_COLUMNS, matched_table, searches_table, together

NONE = {"texts_cut": 0, "texts_empty": 0, "texts_unreadable": 0, "texts_unscored": 0}


def rows_of(method, width, right, responses=1, calls=3, repeats=1):
    """Rows of a search: `right` a problem and repeat, in any order."""
    rows = [
        {
            **{"method": method, "width": width, "problem": f"p{i // repeats}", "repeat": i % repeats},
            **{"answer": "1" if hit else None, "right": bool(hit), "responses": responses, "calls": calls},
            **{"tokens": 5 * calls, "scores": 2},
        }
        for i, hit in enumerate(right)
    ]
    return rows[::-1]


def test_a_row_has_shares_means_and_the_price_of_one_search():
    rows = pd.DataFrame(rows_of("beam", 2, [1, 0, 1, 1], calls=4, repeats=2))
    used = {"policy_requests": 16, "policy_missing": 1, "policy_read_tokens": 160, "policy_written_tokens": 80}
    scored = {"verifier_requests": 8, "verifier_missing": 2, "verifier_read_tokens": 100, "verifier_written_tokens": 8}
    counts = {"beam/2": {**NONE, "texts_cut": 3, **used, **scored}}
    prices = {"policy": Prices(input=1.0, output=10.0), "verifier": Prices(input=2.0, output=5.0)}
    (row,) = searches_table(rows, counts, prices).to_dict("records")
    assert (row["problems"], row["repeats"], row["accuracy"], row["unanswered"]) == (2, 2, 0.75, 0.25)
    assert (row["calls"], row["tokens"], row["scores"], row["verifier_tokens"]) == (4, 20, 2, 27)
    assert row["price"] == pytest.approx((160 + 800 + 200 + 40) / 1e6 / 4)
    assert (row["texts_cut"], row["missing"]) == (3, 3)
    assert row["accuracy_ci_low"] < 0.75 < row["accuracy_ci_high"]
    # A policy that judges itself has one price.
    alone = searches_table(rows, counts, {"policy": Prices(input=1.0)}).iloc[0]
    assert alone["price"] == pytest.approx((160 + 100) / 1e6 / 4)


def test_whole_answers_are_matched_with_a_tree_by_the_nearest_number():
    rows = rows_of("tree", 2, [1, 1, 0, 1], responses=2, calls=14)
    for n in (1, 2, 4, 8):
        rows += rows_of("best_of_n", n, [1, 0, 0, n > 2], responses=n, calls=3 * n)
    found = matched_table(pd.DataFrame(rows))
    assert tuple(found) == MATCHED_COLUMNS
    by = found.set_index("matched")
    # Two whole answers are two; fourteen calls are those of 4 2/3 answers of three calls, of which 4 are nearest.
    assert by.loc["N_res", ["cost", "wanted", "n", "difference"]].tolist() == [2, 2, 2, -0.5]
    assert by.loc["N_call", ["cost", "n", "difference"]].tolist() == [14, 4, -0.25]
    assert by.loc["N_call", "wanted"] == pytest.approx(14 / 3)
    # More than the largest is wanted: nothing to compare.
    few = [row for row in rows if row["method"] == "tree" or row["width"] == 1]
    assert matched_table(pd.DataFrame(few)).empty
    assert list(together({"a": found}, ["A"])[["search", "title"]].iloc[0]) == ["a", "A"]


def test_claims_are_made_where_methods_and_widths_allow_them():
    rng = stream(1, "test", "claims")
    rows = []
    for method in ("self_consistency", "best_of_n", "beam", "tree"):
        for width in (1, 4):
            share = 0.5 if method == "self_consistency" else 0.3 + 0.15 * width
            rows += rows_of(method, width, rng.random(300) < share, responses=width, calls=3 * width)
    table = pd.DataFrame(rows)
    claims = search_claims("Mine", table, matched_table(table), "true_false")
    judged = claims_table(claims).set_index(["claim", "variant"])["verdict"]
    assert judged["Accuracy rises with the width k", "Mine, beam search"] == "supported"
    assert judged["Accuracy rises with the width k", "Mine, tree search"] == "supported"
    assert "Self-consistency does not help on binary answers" in judged.index.get_level_values("claim")
    assert len([c for c in claims if c.claim.startswith("Best-of-N")]) == 2
    # Answers of many values say nothing on binary ones, and one width nothing on widths.
    one = table[(table["width"] == 1) & (table["method"] != "tree")]
    assert not search_claims("Mine", one, matched_table(one), "gsm8k")


def test_few_problems_that_agree_decide_nothing():
    few = paired(np.ones((5, 1)), np.zeros((5, 1)))
    assert few.low < 1 < few.high
    assert few.p > 0.01
    alike = paired(np.ones((20, 1)), np.ones((20, 1)))
    assert alike.p == 1
    claim = equivalence_claim(alike, claim="", source="", variant="", test="")
    assert claim.p > 0.2
    # Of many, none of which differs, it can be said.
    many = equivalence_claim(paired(np.ones((2000, 1)), np.ones((2000, 1))), claim="", source="", variant="", test="")
    assert many.p < 1e-6
    assert many.power > 0.99
    assert many.supports


@pytest.mark.parametrize(("n", "one", "other"), [(10, 0.5, 0.5), (40, 0.9, 0.8), (400, 0.6, 0.55)])
def test_intervals_of_differences_cover(n, one, other):
    rng = stream(2, "test", "differences", n)
    hits = 0
    for _ in range(1000):
        easy = rng.random((n, 1))
        gap = paired(easy < one, np.where(rng.random((n, 1)) < 0.5, easy, rng.random((n, 1))) < other)
        hits += gap.low <= one - other <= gap.high
    assert hits >= 935  # three standard errors below 95 %
