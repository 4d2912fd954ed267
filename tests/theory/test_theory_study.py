import json
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from ggmi.errors import UserError
from ggmi.exact.verdicts import VERDICT_COLUMNS, certified_violation, states_of
from ggmi.theory import examples, recheck
from ggmi.theory.catalogue import JUDGED, STATEMENTS, find_statements
from ggmi.theory.continuous import EXAMPLES, continuous_table
from ggmi.theory.families import DEFAULT_FAMILIES
from ggmi.theory.regimes import REGIMES
from ggmi.theory.study import FAMILY_COLUMNS, evaluate_family, family_named, refute, statements_table, verdicts

NOISY = family_named("declared: noise")
UNCHAINED = family_named("without_4.1: noise")


def test_rows_count_admitted_worlds_and_a_longer_run_begins_with_a_shorter():
    few, many = (evaluate_family(NOISY, 1, worlds=n, keys=["(17)", "(5)"]) for n in (300, 1500))
    assert all(tuple(row) == FAMILY_COLUMNS for row in few)
    by_form = {(row["statement"], row["form"]): row for row in few}
    assert set(by_form) == {(k, f) for k in ("(17)", "(5)") for f in ("stated", "conditioned", "corrected")}
    assert by_form["(17)", "stated"]["worlds"] == 300
    # Noise raises the entropy; the lemma, its condition and both corrections stand.
    assert by_form["(17)", "stated"]["violated_share"] > 0.9
    assert all(row["violated_share"] == 0 for k, row in by_form.items() if k != ("(17)", "stated"))
    longer = {(row["statement"], row["form"]): row for row in many}
    assert longer["(17)", "stated"]["worst_violation_nats"] >= by_form["(17)", "stated"]["worst_violation_nats"]
    assert few == evaluate_family(NOISY, 1, worlds=300, keys=["(17)", "(5)"])
    assert few != evaluate_family(NOISY, 2, worlds=300, keys=["(17)", "(5)"])


@pytest.fixture(scope="module")
def family_rows():
    """All statements in two families; in every study each statement is evaluated somewhere."""
    return [r for f in (NOISY, UNCHAINED) for r in evaluate_family(f, 1, worlds=200)]


@pytest.fixture(scope="module")
def refuted():
    return {key: refute(key, 1, restarts=2, steps=30) for key in ("(5)", "(10)", "(8)")}


def test_refutations_are_certified_in_their_regime_and_recheck(refuted):
    for key, results in refuted.items():
        assert [r.regime for r in results] == list(REGIMES)
        for result in results:
            if key == "(5)" and result.regime in ("declared", "chains_only"):
                assert result.smallest is result.worst is None
                assert result.violation == 0
                continue
            assert result.worlds > 100
            for stored in (result.smallest, result.worst):
                assert stored["regime"] == result.regime
                recheck.recheck(json.loads(json.dumps(stored)))
            assert states_of(result.smallest) <= states_of(result.worst)
            assert certified_violation(result.smallest) <= certified_violation(result.worst) + 1e-9
    lower = {r.regime: r.violation for r in refuted["(10)"]}
    # A wider regime has all the worlds of a stricter one.
    assert lower["declared"] <= lower["without_4.1"] <= lower["structure"]
    assert {r.regime: states_of(r.smallest) for r in refuted["(10)"]} == dict.fromkeys(REGIMES, 2)


def test_verdicts_by_regime_and_what_is_true_instead(refuted, family_rows):
    table = verdicts(family_rows, [r for results in refuted.values() for r in results])
    assert tuple(table.columns) == VERDICT_COLUMNS
    assert len(table) == len(STATEMENTS) * len(REGIMES)
    found = table[table["reading"] == "printed"].set_index(["statement", "regime"])
    for key in ("(10)", "(8)"):
        for regime in REGIMES:
            row = found.loc[(key, regime)]
            assert row["verdict"] == "fails"
            assert row["corrected"]
            assert row["certificate"] == f"certificates/{regime}/{STATEMENTS[key].slug}.json"
    assert found.loc["(5)"]["verdict"].to_dict() == {
        "declared": "holds",
        "without_4.1": "fails",
        "chains_only": "holds",
        "structure": "fails",
    }
    assert "data processing" in found.loc[("(5)", "declared"), "proof"]
    assert found.loc[("(10)", "declared"), "condition_is_exact"]
    assert set(found.loc["(24)"]["verdict"]) == {"assumption"}
    assert set(found.loc["(9)"]["verdict"]) == {"by definition"}
    # Worlds of stricter families are worlds of the wider regimes.
    worlds = found.loc["(10)"]["worlds_admitted"]
    assert worlds["declared"] == 200
    assert worlds["structure"] == worlds["without_4.1"] == 400


def test_a_contradicted_proof_or_amendment_stops_the_study(family_rows):
    row = {"reading": "printed", "family": NOISY.name, "regime": "declared", "worlds": 5, "violated_share": 0.2}
    row |= {"worst_violation_nats": 0.1, "median_slack_nats": 0.0}
    with pytest.raises(AssertionError, match=r"an amendment of \(17\) is false"):
        verdicts([*family_rows, {**row, "statement": "(17)", "form": "corrected"}], [])
    with pytest.raises(AssertionError, match=r"\(26\) fails in declared, where it has a proof"):
        verdicts([*family_rows, {**row, "statement": "(26)", "form": "stated"}], [])


def test_tables_follow_the_paper_and_names_are_known():
    rows = [r for f in (UNCHAINED, NOISY) for r in evaluate_family(f, 1, worlds=50, keys=["(23).2", "(4)"])]
    table = statements_table(rows)
    assert table["statement"].drop_duplicates().tolist() == ["(4)", "(23).2"]
    assert table["family"].drop_duplicates().tolist() == [UNCHAINED.name, NOISY.name]
    with pytest.raises(UserError, match=r"no statement '\(55\)'; did you mean"):
        find_statements(["(55)"])
    with pytest.raises(UserError, match="no family 'declared: nois'; did you mean 'declared: noise'"):
        family_named("declared: nois")


def test_each_judged_statement_is_spoken_of_in_each_regime(drawn):
    for regime in REGIMES.values():
        worlds = [drawn(f) for f in DEFAULT_FAMILIES if f.regime == regime.key]
        for key in JUDGED:
            assert sum(int(STATEMENTS[key].applies(w).sum()) for w in worlds) > 200, (key, regime.key)


def test_sets_of_examples_hold_given_p_and_fail_without(monkeypatch):
    settings = [setting for setting in examples.SETTINGS if setting[1] == 2]
    assert [(prompts, m) for prompts, _, m, *_ in settings] == [("one", 2), ("one", 3), ("one each", 2)]
    monkeypatch.setattr(examples, "SETTINGS", settings)
    table, certificates = examples.evaluate_examples(3, worlds=40)
    assert set(table.loc[table["d_gen"] == "given p", "verdict"]) == {"holds"}
    bound = table[(table["statement"] == "(4)") & (table["d_gen"] == "marginal")]
    failing = bound[bound["verdict"] == "fails"]
    assert set(failing["prompts"]) == {"one"}
    name = next(x for x in failing["certificate"] if x)
    stored = certificates[name.removeprefix("certificates/")]
    recheck.recheck(json.loads(json.dumps(stored)))
    # Risk 1/2 without p, training loss 0, and a bit for two examples.
    size = float(Decimal(stored["violation"]["interval"]["low"]))
    assert size == pytest.approx(0.5 - np.sqrt(np.log(2) / 4))


def differential_entropy(density, *pieces):
    """Entropy of a density in nats, by quadrature between its kinks."""

    def integrand(x):
        return -density(x) * np.log(density(x)) if density(x) > 0 else 0.0

    return sum(quad(integrand, a, b)[0] for a, b in pairwise(pieces))


def test_differential_entropies_are_those_of_the_densities():
    def uniform(a):
        return differential_entropy(lambda _: 1 / a, 0, a)

    triangle = differential_entropy(lambda x: x if x < 1 else 2 - x, 0, 1, 2)
    one, two = uniform(1), uniform(2)
    sides = {
        "(20)": (two, one),
        "(26)": (triangle - one, one),
        "(27).2": (triangle - one, one + one - one),
        "(27).3": (two + one - one, one + one - one),
    }
    table = continuous_table().set_index("statement")
    assert set(table.index) == set(sides) == {e.statement for e in EXAMPLES}
    for key, (left, right) in sides.items():
        row = table.loc[key]
        assert (row["left"], row["right"]) == pytest.approx((left, right), abs=1e-8)
        assert row["excess_nats"] == pytest.approx(left - right, abs=1e-8)
        assert row["verdict"] == "fails"
        assert key in STATEMENTS
        # Of discrete variables the same lines are proven.
        assert "structure" in STATEMENTS[key].proofs
