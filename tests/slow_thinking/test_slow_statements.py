"""The catalogue: verdicts in every regime, certificates and their recheck, formulas, the page of documentation."""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ggmi.errors import UserError
from ggmi.exact.verdicts import VERDICT_COLUMNS
from ggmi.formulas import mathml, plain, plain_prose
from ggmi.slow_thinking import known, recheck, terms
from ggmi.slow_thinking.catalogue import JUDGED, STATEMENTS, find_statement
from ggmi.slow_thinking.certify import certificate
from ggmi.slow_thinking.document import study_markdown
from ggmi.slow_thinking.families import draw
from ggmi.slow_thinking.refuting import refute
from ggmi.slow_thinking.regimes import ANY, INDEPENDENT_STEPS, REGIMES, RISING_LOSSES, proof_in

ROOT = Path(__file__).parents[2]
# Where each statement holds and fails: alike, independent, rising, any.
EXPECTED = {
    "Theorem 3.3": "ffhf",
    "Theorem 3.3 charitable": "hhhh",
    "Theorem 3.3: at most 1": "ffhf",
    "Theorem 3.3: the bound rises": "ffff",
    "snowball error is at most linear": "hhhh",
    "average error": "hhhh",
    "loss without error": "ffff",
    "error without loss": "ffff",
    "information per step without loss": "ffff",
    "chain bound": "hhff",
    "chain bound charitable": "hhhh",
    "chain bound: at most 1": "ffff",
    "Theorem 4.6": "hhff",
    "Theorem 4.6 charitable": "hhhh",
    "Theorem 4.6: at most 1": "ffff",
    "gain needs epsilon > 1/k": "hhhh",
    "gain needs epsilon > 1/k charitable": "ffff",
    "exact accuracy, step-wise": "hfff",
    "exact accuracy, step-wise: at most": "hhff",
    "exact accuracy, best-of-N": "hfff",
    "exact accuracy, best-of-N: at most": "hhhh",
    "order at best": "hhhh",
    "order at worst, step-wise": "ffff",
    "order at worst, full tree": "ffff",
    "cost at best": "hhhh",
    "cost at worst": "ffff",
    "framework independence": "ffff",
}


def test_verdicts_in_every_regime(table):
    assert tuple(table) == VERDICT_COLUMNS
    found = {}
    for row in table.to_dict("records"):
        key = row["statement"] + (" charitable" if row["reading"] == "charitable" else "")
        if row["verdict"] in ("holds", "fails"):
            found[key] = found.get(key, "") + row["verdict"][0]
    assert found == EXPECTED
    assert list(found) == list(JUDGED)
    # What holds has a proof, what fails a certificate.
    assert (table.loc[table["verdict"] == "holds", "proof"] != "").all()
    assert (table.loc[table["verdict"] == "fails", "certificate"] != "").all()


def test_every_certificate_rechecks(outcomes):
    count = 0
    for refutation in (o.refutation for o in outcomes):
        for stored in (refutation.smallest, refutation.worst):
            if stored is not None:
                assert "violated by" in recheck.recheck(json.loads(json.dumps(stored)))
                assert (stored["statement"], stored["regime"]) == (refutation.statement, refutation.regime)
                count += 1
    assert count > 100


def test_smallest_chains_are_as_small_as_can_be(table):
    rows = table.set_index(["statement", "reading", "regime"])["fewest_states"]
    assert rows["chain bound", "as reported", "any"] == 2
    assert rows["error without loss", "ours", "any"] == 1
    assert rows["framework independence", "as reported", "alike"] == 1


@pytest.fixture(scope="module")
def stored():
    world = known.early_loss()
    return certificate(STATEMENTS["Theorem 3.3"], INDEPENDENT_STEPS, world)


def test_the_recheck_runs_alone(stored, tmp_path):
    file = tmp_path / "one.json"
    file.write_text(json.dumps(stored))
    script = ROOT / "src/ggmi/slow_thinking/recheck.py"
    done = subprocess.run([sys.executable, "-I", script, file], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Theorem 3.3: violated by 0.5000")


def spoil_law(c):
    c["tables"]["t1"]["0"] = "1/3"


def spoil_joint(c):
    c["joint"]["states"][0][-1] = "1/8"


def spoil_regime(c):
    c["assumptions"] = ["losses do not fall"]


def spoil_need(c):
    c["values"]["t"] = [0, 1, 1]


def spoil_value(c):
    c["violation"]["interval"] = {"low": "0.9", "high": "1.0"}


def spoil_sides(c):
    c["right"]["tree"] = "0"


def spoil_assumption(c):
    c["needs"] = ["anything"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_law, "no probability law"),
        (spoil_joint, "not that of the tables"),
        (spoil_regime, "does not meet the assumption 'losses do not fall'"),
        (spoil_need, "does not meet the assumption 'a thought has a value of its own'"),
        (spoil_value, "not as claimed"),
        (spoil_sides, "not violated"),
        (spoil_assumption, "cannot check the assumption 'anything'"),
    ],
)
def test_a_tampered_certificate_is_refused(stored, spoil, said):
    spoiled = copy.deepcopy(stored)
    spoil(spoiled)
    with pytest.raises(ValueError, match=re.escape(said)):
        recheck.recheck(spoiled)


def test_what_holds_is_not_certified_to_fail():
    fine = certificate(STATEMENTS["Theorem 3.3"], ANY, known.plan_repeated())
    assert fine["verdict"] == "not violated"
    with pytest.raises(ValueError, match="verdict is 'not violated'"):
        recheck.recheck(fine)
    elsewhere = certificate(STATEMENTS["Theorem 3.3"], RISING_LOSSES, known.early_loss())
    assert elsewhere["verdict"] == "not violated"
    assert elsewhere["assumptions met"] is False


@pytest.mark.parametrize("key", JUDGED)
def test_proofs_conditions_and_corrections_hold_in_random_chains(key):
    statement = STATEMENTS[key]
    for name, regime in REGIMES.items():
        batch = draw(statement, name, 11, 150)
        batch = batch[np.flatnonzero(regime.admits(batch) & statement.applies(batch))]
        if not len(batch):
            continue
        if proof_in(statement.proofs, regime):
            assert statement.slack(batch).min() > -1e-9
        condition = statement.condition
        if condition is not None and condition.term is not None:
            fulfilled = condition.holds(batch)
            assert (statement.slack(batch)[fulfilled] > -1e-9).all()
            if condition.exact:
                strictly = batch.value(condition.term) > 1e-9
                assert (statement.slack(batch)[strictly] < 1e-12).all()
        if (amended := statement.amended()) is not None:
            assert amended.slack(batch).min() > -1e-9


@pytest.mark.parametrize("regime", REGIMES)
def test_families_are_built_for_their_regime(regime):
    batch = draw(STATEMENTS["chain bound"], regime, 2, 100)
    assert REGIMES[regime].admits(batch).mean() > 0.95
    if regime != "any":
        assert not REGIMES[regime].admits(draw(STATEMENTS["chain bound"], "any", 2, 100)).all()


def test_relabelled_and_interchangeable_thoughts():
    never, always = known.relabelled(), known.interchangeable()
    assert never.value(terms.loss(3))[0] == pytest.approx(0)
    assert never.value(terms.error(3))[0] == pytest.approx(1)
    assert always.value(terms.loss(3))[0] == pytest.approx(np.log(2))
    assert always.value(terms.error(3))[0] == pytest.approx(0)


def test_a_repeated_plan_states_a_third_of_itself_a_step():
    statement = STATEMENTS["information per step without loss"]
    world = known.plan_repeated()
    assert world.value(statement.left)[0] == pytest.approx(np.log(2) / 3)
    assert world.value(statement.right)[0] == pytest.approx(np.log(2))


def test_every_formula_becomes_mathml_and_text():
    for statement in STATEMENTS.values():
        added = [a for a in (statement.condition, statement.correction) if a is not None]
        for latex in (statement.latex, *statement.terms, *(a.latex for a in added)):
            assert mathml(latex).startswith(("<math", "<span"))
            assert "\\" not in plain(latex)
        for text in (statement.note, *statement.proofs.values(), *(a.proof for a in added)):
            assert "$" not in plain_prose(text)
            assert "  " not in text
    for regime in REGIMES.values():
        assert "$" not in plain_prose(regime.text)


def test_file_names_are_plain_and_unique():
    slugs = [statement.slug for statement in STATEMENTS.values()]
    assert len(set(slugs)) == len(slugs)
    assert all(re.fullmatch(r"[\w.-]+", slug) for slug in slugs)


def test_the_page_of_documentation_is_what_the_code_prints():
    assert (ROOT / "docs/slow_thinking.md").read_text(encoding="utf-8") == study_markdown()


def test_an_unknown_statement_is_told_the_nearest():
    with pytest.raises(UserError, match=re.escape("no statement 'Theorem 3.4'; did you mean 'Theorem 3.3'?")):
        find_statement("Theorem 3.4")


def test_few_random_chains_may_all_miss_what_a_statement_speaks_of():
    found = {o.refutation.regime: o for o in refute("order at best", 1, worlds=1, restarts=1, steps=1)}
    assert found["rising"].admitted == 0
    assert found["rising"].evaluated == found["rising"].amended == 0
