import json

import numpy as np
import pytest

from ggmi.errors import UserError
from ggmi.theory.catalogue import STATEMENTS, chosen
from ggmi.theory.families import BLOCK, DEFAULT_FAMILIES, draw
from ggmi.theory.study import (
    COLUMNS,
    PATIENCE,
    evaluate_family,
    family_named,
    refute,
    statements_table,
    verdicts,
)

PLAIN = family_named("independent, no curation")
NOISY = family_named("independent, additive curation")
MERGING = family_named("independent, deterministic curation")
PROVEN = [k for k, s in STATEMENTS.items() if s.kind != "published"]


def by_statement(rows):
    return {row["statement"]: row for row in rows}


def test_rows_have_the_stated_columns_and_count_their_worlds():
    rows = evaluate_family(PLAIN, 1, worlds=1500, keys=["eq17", "eq23", "eq23-restricted"])
    assert all(tuple(row) == COLUMNS for row in rows)
    found = by_statement(rows)
    assert found["eq17"]["worlds"] == found["eq23"]["worlds"] == 1500
    # Drawn three times as many, of which these meet the assumption.
    drawn = [draw(PLAIN, BLOCK, 1, first=first) for first in range(0, PATIENCE * 1500, BLOCK)]
    meeting = sum(int(STATEMENTS["eq23-restricted"].admits(batch).sum()) for batch in drawn)
    assert found["eq23-restricted"]["worlds"] == min(meeting, 1500) > 700


def test_worlds_are_drawn_on_until_enough_meet_the_assumptions():
    """A prompt that varies is heard in some half of these worlds; the first of them are those of a shorter run."""
    rows = by_statement(evaluate_family(NOISY, 1, worlds=1000, keys=["lemma4.5", "eq17"]))
    assert rows["lemma4.5"]["worlds"] == rows["eq17"]["worlds"] == 1000
    first = draw(NOISY, BLOCK, 1)
    assert STATEMENTS["lemma4.5"].admits(first).sum() < 950
    few = by_statement(evaluate_family(NOISY, 1, worlds=300, keys=["lemma4.5"]))["lemma4.5"]
    met = np.flatnonzero(STATEMENTS["lemma4.5"].admits(first))[:300]
    assert few["median_slack_nats"] == pytest.approx(np.median(STATEMENTS["lemma4.5"].slack(first[met])), abs=1e-12)


def test_without_curation_17_is_an_equality_and_no_violation():
    row = by_statement(evaluate_family(PLAIN, 1, worlds=1000))["eq17"]
    assert row["violated_share"] == 0
    assert row["worst_violation_nats"] == 0
    assert row["median_slack_nats"] == pytest.approx(0, abs=1e-12)


def test_additive_noise_breaks_17_and_merging_breaks_theorem_4_10():
    noisy = by_statement(evaluate_family(NOISY, 1, worlds=1000, keys=["eq17", "theorem4.10"]))
    merging = by_statement(evaluate_family(MERGING, 1, worlds=1000, keys=["eq17", "theorem4.10"]))
    assert noisy["eq17"]["violated_share"] > 0.9
    assert noisy["theorem4.10"]["violated_share"] == 0
    assert merging["eq17"]["violated_share"] == 0
    assert merging["theorem4.10"]["violated_share"] > 0.1
    assert 0 < merging["theorem4.10"]["worst_violation_nats"] < np.log(5)


def test_more_worlds_begin_with_the_same_ones():
    few = by_statement(evaluate_family(NOISY, 1, worlds=1000, keys=["eq17"]))["eq17"]
    many = by_statement(evaluate_family(NOISY, 1, worlds=2000, keys=["eq17"]))["eq17"]
    assert many["worst_violation_nats"] >= few["worst_violation_nats"]
    assert few == by_statement(evaluate_family(NOISY, 1, worlds=1000, keys=["eq17"]))["eq17"]


@pytest.mark.parametrize("family", DEFAULT_FAMILIES, ids=lambda f: f.name)
def test_no_amendment_is_violated(family):
    rows = evaluate_family(family, 11, worlds=2000, keys=PROVEN)
    assert rows
    assert {row["statement"]: row["worst_violation_nats"] for row in rows if row["violated_share"] > 0} == {}


def test_a_refutation_is_certified_and_can_be_stored():
    refutation = refute("lemma4.5", 1, restarts=6, steps=100)
    assert refutation.certificate["verdict"] == "violated"
    assert json.loads(json.dumps(refutation.certificate)) == refutation.certificate
    assert json.loads(json.dumps(refutation.worst)) == refutation.worst
    assert "signs certified" in refutation.summary
    assert len(refutation.certificate["joint"]["states"]) == 2
    smallest, worst = (float(c["violation"]["interval"]["low"]) for c in (refutation.certificate, refutation.worst))
    assert smallest == pytest.approx(np.log(2))
    assert worst == refutation.violation > smallest
    assert refutation.worst["verdict"] == "violated"


def test_the_page_tells_the_worst_that_is_certified_from_one_that_is_only_evaluated():
    refutation = refute("eq17", 1, restarts=4, steps=60)
    row = {"statement": "eq17", "family": "of my own", "worlds": 7}
    for size, said in ((0.1, "certified"), (9.5, "evaluated in family of my own")):
        table = verdicts([{**row, "worst_violation_nats": size}], {"eq17": refutation}).set_index("statement")
        assert table.loc["eq17", "worst_violation_nats"] == max(size, refutation.violation)
        assert table.loc["eq17", "worst_found"] == said
        assert table.loc["eq17", "certified_violation_nats"] == refutation.violation


def test_a_search_without_result_says_after_how_many_worlds():
    refutation = refute("eq21", 1, restarts=2, steps=10)
    assert refutation.certificate is None
    assert refutation.summary == f"none found after {refutation.worlds} worlds"
    assert refutation.worlds == 2 * 2 * 8 * 11


def test_the_table_is_ordered_by_statement_and_names_certificates():
    rows = [r for f in (NOISY, PLAIN) for r in evaluate_family(f, 1, worlds=100, keys=["eq23", "eq17"])]
    table = statements_table(rows, {"eq17": "eq17.json"})
    assert table.columns.tolist() == list(COLUMNS)
    assert table["statement"].tolist() == ["eq17", "eq17", "eq23", "eq23"]
    assert table["family"].tolist() == [NOISY.name, PLAIN.name] * 2
    assert table["certificate"].tolist() == ["eq17.json"] * 2 + [""] * 2


def test_verdicts_tell_what_holds_what_fails_and_what_is_true_instead():
    keys = [k for k, s in STATEMENTS.items() if "eq17" in (s.key, s.amends) or s.key == "eq21"]
    rows = [r for f in (NOISY, MERGING) for r in evaluate_family(f, 1, worlds=300, keys=keys)]
    refutations = {key: refute(key, 1, restarts=4, steps=60) for key in keys}
    table = verdicts(rows, refutations).set_index("statement")
    assert table.loc["eq17", "verdict"] == "fails"
    condition = "H(S_gen|M(p)) <= H(M(p)|S_gen) (exactly then); for example where S_gen is a function of M(p)"
    assert table.loc["eq17", "holds_under"] == condition
    assert table.loc["eq17", "corrected"] == "H(S_gen) <= H(M(p)) + H(S_gen|M(p))"
    assert table.loc["eq21", "verdict"] == "holds"
    assert table.loc["eq21", "worlds"] == 600 + refutations["eq21"].worlds


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: chosen(["lemma4.55"]), "no statement 'lemma4.55'; did you mean 'lemma4.5'"),
        (lambda: family_named("independent, none"), "no family 'independent, none'; did you mean"),
    ],
)
def test_unknown_names_get_one_sentence(call, sentence):
    with pytest.raises(UserError, match=sentence):
        call()
