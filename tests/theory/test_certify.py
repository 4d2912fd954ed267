import copy
import json
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ggmi.theory
from ggmi.errors import UserError
from ggmi.theory import known, recheck, terms
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.certify import BITS, ExactWorld, Interval, certificate, logarithm
from ggmi.theory.families import DEFAULT_FAMILIES, draw
from ggmi.theory.simplify import rounded
from ggmi.theory.study import family_named
from ggmi.theory.world import World

RECHECK = Path(ggmi.theory.__file__).with_name("recheck.py")
KNOWN = {
    "eq17": known.added_noise,
    "eq18": known.added_noise,
    "eq23": known.fair_bits,
    "eq25": known.fair_bits,
    "lemma4.5": known.fair_bits,
    "lemma4.6": known.fair_bits,
    "theorem4.7": known.parity_task,
    "theorem4.10": known.merging_curation,
}
POSITIVE = st.fractions(min_value=Fraction(1, 10**6), max_value=10**6, max_denominator=10**6)
SIGNED = st.fractions(min_value=-100, max_value=100, max_denominator=1000)


def run_recheck(folder, stored, script=RECHECK):
    """Exit code and everything said, by a Python that cannot see this package."""
    file = folder / "certificate.json"
    file.write_text(json.dumps(stored), encoding="utf-8")
    command = [sys.executable, "-I", "-S", str(script), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@given(POSITIVE)
def test_logarithms_are_enclosed_tightly(x):
    enclosed = logarithm(x)
    with localcontext() as context:
        context.prec = 75
        exact = Decimal(x.numerator).ln() - Decimal(x.denominator).ln()
        low, high = (Decimal(q.numerator) / Decimal(q.denominator) for q in (enclosed.low, enclosed.high))
        # 75 digits of the decimals are finer than the 200 bits of the interval.
        assert low - Decimal("1e-68") <= exact <= high + Decimal("1e-68")
    assert enclosed.high - enclosed.low < Fraction(1, 2 ** (BITS - 20))


@given(SIGNED, SIGNED, SIGNED, SIGNED, st.floats(0, 1), st.floats(0, 1))
def test_interval_arithmetic_contains_the_arithmetic_of_its_members(a, b, c, d, s, t):
    one, two = Interval(min(a, b), max(a, b)), Interval(min(c, d), max(c, d))
    x = one.low + Fraction(s) * (one.high - one.low)
    y = two.low + Fraction(t) * (two.high - two.low)
    for interval, value in ((one + two, x + y), (one * two, x * y), (abs(one), abs(x)), (-one, -x)):
        assert interval.low <= value <= interval.high
    root = one.sqrt()
    assert root.low >= 0
    assert root.low**2 <= max(x, 0) <= root.high**2


def test_the_logarithm_of_one_is_exact_and_of_zero_refused():
    assert logarithm(Fraction(1)).low <= 0 <= logarithm(Fraction(1)).high
    with pytest.raises(ValueError, match="not defined"):
        logarithm(Fraction(0))


def test_decimals_are_rounded_outwards():
    third = Interval(Fraction(1, 3), Fraction(1, 3)).as_json()
    assert third == {"low": "0.33333333333333333333", "high": "0.33333333333333333334"}
    assert Interval(Fraction(-1, 3), Fraction(0)).as_json()["low"] == "-0.33333333333333333334"


@settings(max_examples=25)
@given(st.integers(0, 999), st.sampled_from(DEFAULT_FAMILIES[:8]))
def test_floats_agree_with_certified_arithmetic(index, family):
    world = rounded(draw(family, 1000, seed=2)[index : index + 1], 12)
    exact = ExactWorld(world)
    assert sum(exact.joint.values()) == 1
    for statement in STATEMENTS.values():
        enclosed = exact.enclose(statement.excess)
        value = float(terms.evaluate(statement.excess, world)[0])
        # A root amplifies rounding near zero.
        width = 1e-7 if statement.needs_loss else 1e-12
        assert float(enclosed.low) - width <= value <= float(enclosed.high) + width
        assert enclosed.high - enclosed.low < Fraction(1, 10**25)


@pytest.mark.parametrize("key", KNOWN)
def test_known_counterexamples_are_certified_and_rechecked(key, tmp_path):
    stored = certificate(STATEMENTS[key], KNOWN[key]())
    assert stored["verdict"] == "violated"
    assert Decimal(stored["violation"]["interval"]["low"]) > 0
    code, said = run_recheck(tmp_path, stored)
    assert code == 0, said
    assert said.startswith(f"{key}: left ")


def test_a_certificate_says_what_a_person_needs():
    stored = certificate(STATEMENTS["lemma4.5"], known.fair_bits())
    assert stored["reference"] == "Lemma 4.5, (5)"
    assert stored["published form"] == "as we read it"
    assert stored["tables"]["e_M | e_p"] == {"0": {"0": "1/2", "1": "1/2"}, "1": {"0": "1/2", "1": "1/2"}}
    assert stored["tables"]["W | S_gen"] == {"0": {"0": "1"}, "1": {"1": "1"}, "2": {"0": "1"}}
    assert len(stored["joint"]["states"]) == 4
    assert stored["violation"]["interval"] == {"low": "0.34657359027997265470", "high": "0.34657359027997265471"}
    assert stored["terms"]["delta_I"]["low"].startswith("0.693147180559945")


def test_where_a_statement_holds_there_is_no_certificate_of_violation(tmp_path):
    stored = certificate(STATEMENTS["eq25-independent"], known.fair_bits())
    assert stored["verdict"] == "not violated"
    code, said = run_recheck(tmp_path, stored)
    assert code == 1
    assert "own verdict is 'not violated'" in said
    stored["verdict"] = "violated"
    assert run_recheck(tmp_path, stored)[0] == 1


def test_lambda_and_alpha_are_enclosed():
    """Lambda is 2 for the fair bits; where e_p does not vary it has no value. Alpha is 1 where no learner knows."""
    bits = certificate(STATEMENTS["lemma4.5"], known.fair_bits())["terms"]["lambda"]
    assert Decimal(bits["low"]) <= 2 <= Decimal(bits["high"])
    assert Decimal(bits["high"]) - Decimal(bits["low"]) < Decimal("1e-19")
    assert "lambda" not in certificate(STATEMENTS["lemma4.5"], known.added_noise())["terms"]
    merging = certificate(STATEMENTS["theorem4.10"], known.merging_curation())["terms"]["alpha"]
    assert Decimal(merging["low"]) <= 1 <= Decimal(merging["high"])


def test_a_quotient_of_intervals_contains_the_quotients_of_their_members():
    one, two = Interval(Fraction(-1, 3), Fraction(1, 2)), Interval(Fraction(-3), Fraction(-2))
    found = one / two
    for x, y in product((one.low, Fraction(0), one.high), (two.low, two.high)):
        assert found.low <= x / y <= found.high
    with pytest.raises(ZeroDivisionError):
        two / one


def test_certificates_are_about_one_example():
    pair = draw(family_named("dependent, ERM, two examples"), 1, seed=1)
    with pytest.raises(UserError, match="training sets of one example, got 2"):
        ExactWorld(pair)


def test_a_sum_modulo_a_number_above_its_summands_is_one(tmp_path):
    """The parity of fair bits is one bit, of which neither summand tells anything."""
    world = World.build([1.0], [known.FAIR], known.FAIR, [0, 1], [0, 1], None, np.eye(2), modulus=2)
    code, said = run_recheck(tmp_path, certificate(STATEMENTS["eq23"], world))
    assert code == 0, said
    assert "violated by 0.693147180560" in said


@pytest.mark.parametrize("statement", [s for s in STATEMENTS.values() if s.kind == "published"], ids=lambda s: s.key)
def test_the_recheck_knows_what_published_statements_assume(statement):
    for assumption in statement.assumptions:
        assert any(assumption.text.startswith(beginning) for beginning in recheck.ASSUMPTIONS), assumption.text


def layered(contraction, sigma):
    """The fair bits with losses 0 and 1/2, behind layers."""
    world = known.fair_bits()
    return replace(world, loss=world.loss / 2, contraction=Fraction(contraction), sigma=Fraction(sigma))


ASSUMED = {
    "lambda exists": (
        known.fair_bits(),
        World.build(known.FAIR, np.eye(2), known.FAIR, [0, 0], [0, 1], None, np.eye(2)),
    ),
    "alpha exists": (known.fair_bits(), known.added_noise()),
    "e_p and e_M are independent": (
        known.parity_task(),
        World.build(known.FAIR, np.eye(2), np.eye(2), [0, 1], [0, 1], None, np.eye(3)),
    ),
    "S_gen is a function of M(p)": (known.merging_curation(), known.added_noise()),
    "a loss with |loss| <= C is given": (known.fair_bits(), known.added_noise()),
    "0 <= loss <= C": (known.fair_bits(), known.added_noise()),
    "a loss of W is given that oscillates by at most 2 sigma eta^L": (layered("1/2", "1/2"), layered("1/3", "1/2")),
    "a loss of W is given that oscillates by at most 2 sigma": (layered("1/3", "1/4"), layered("1", "1/5")),
}


@pytest.mark.parametrize("beginning", ASSUMED)
def test_assumptions_are_rechecked_as_they_are_made(beginning):
    """Worlds that meet an assumption and worlds that do not, by the array's code and by the script's."""
    made = {a.text: a for s in STATEMENTS.values() for a in s.assumptions}
    assumption = next(a for text, a in made.items() if text.startswith(beginning))
    for met, world in zip((True, False), ASSUMED[beginning], strict=True):
        stored = certificate(STATEMENTS["eq23"], world)
        found = recheck.ASSUMPTIONS[beginning](stored, recheck.joint_law(stored["tables"]))
        assert found == assumption.holds(world)[0] == met


def test_equality_is_not_a_violation():
    """Both sides of (18) are one bit here; no width of an interval may tip the scale."""
    stored = certificate(STATEMENTS["eq18"], known.fair_bits())
    assert stored["left"]["interval"]["low"] == stored["right"]["interval"]["low"] == "0.69314718055994530941"
    assert stored["verdict"] == "not violated"


def test_outside_its_assumptions_a_statement_is_not_refuted():
    stored = certificate(STATEMENTS["eq25-restricted"], known.fair_bits())
    assert Decimal(stored["violation"]["interval"]["low"]) > 0
    assert not stored["assumptions met"]
    assert stored["verdict"] == "not violated"


def spoil_row(stored):
    stored["tables"]["e_M | e_p"]["0"] = {"0": "2/3", "1": "1/2"}


def spoil_law(stored):
    stored["tables"]["e_M | e_p"]["0"] = {"0": "2/3", "1": "1/3"}


def spoil_joint(stored):
    stored["joint"]["states"][0][-1] = "1/3"


def spoil_learner(stored):
    """A constant W, in tables and joint law alike: the world is sound, the violation gone."""
    for row in stored["tables"]["W | S_gen"]:
        stored["tables"]["W | S_gen"][row] = {"0": "1"}
    for state in stored["joint"]["states"]:
        state[7] = 0


def spoil_sum(stored):
    """h(1) = 7 in tables and joint law alike; all entropies are as before."""
    stored["tables"]["h"] = {"0": 0, "1": 7}
    for state in stored["joint"]["states"]:
        state[2] *= 7


def spoil_assumption(stored):
    stored["assumptions met"] = False


def spoil_wording(stored):
    stored["assumptions"].append("W is wise")


def spoil_dependence(stored):
    """The law of e_M depends on e_p."""
    stored["assumptions"].append("e_p and e_M are independent")
    stored["tables"]["e_M | e_p"]["0"] = {"0": "1/4", "1": "3/4"}
    for state in stored["joint"]["states"]:
        if state[1] == 0:
            state[-1] = {0: "1/8", 1: "3/8"}[state[3]]


def spoil_loss(stored):
    stored["tables"]["loss of W"]["1"][0] = "2"


def spoil_sigma(stored):
    stored["assumptions"].append("a loss of W is given that oscillates by at most 2 sigma")
    stored["parameters"]["sigma"] = "1/4"


def spoil_contraction(stored):
    stored["parameters"]["contraction"] = "2"


def spoil_examples(stored):
    stored["parameters"]["1/n"] = "1/2"


def spoil_claim(stored):
    stored["violation"]["interval"] = {"low": "0.5", "high": "0.6"}


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (spoil_row, "is no probability law"),
        (spoil_law, "not that of the tables"),
        (spoil_joint, "not that of the tables"),
        (spoil_learner, "not violated"),
        (spoil_claim, "violation is 0.3465"),
        (spoil_sum, "M(p) is not the sum of h and g"),
        (spoil_assumption, "by its own account the assumptions are not met"),
        (spoil_wording, "cannot check the assumption 'W is wise'"),
        (spoil_dependence, "does not meet the assumption 'e_p and e_M are independent'"),
        (spoil_loss, "a loss of W is larger than C = 1"),
        (spoil_sigma, "does not meet the assumption 'a loss of W is given that oscillates"),
        (spoil_contraction, "contraction = 2 cannot be"),
        (spoil_examples, "training sets of one example only"),
    ],
)
def test_a_tampered_certificate_is_rejected(spoil, complaint, tmp_path):
    stored = copy.deepcopy(certificate(STATEMENTS["lemma4.5"], known.fair_bits()))
    spoil(stored)
    code, said = run_recheck(tmp_path, stored)
    assert code == 1
    assert complaint in said


def test_the_recheck_is_independent():
    imports = [line for line in RECHECK.read_text(encoding="utf-8").splitlines() if line.startswith(("import", "from"))]
    modules = {line.split()[1].split(".")[0] for line in imports}
    assert modules <= set(sys.stdlib_module_names)


def test_twenty_lines_recheck_an_inequality_of_entropies(tmp_path):
    """The listed joint law and the trees are all it takes, read without anything of ours."""
    script = Path(__file__).parents[2] / "docs" / "recheck.py"
    for key in ("eq17", "eq18", "eq23", "eq25", "lemma4.5"):
        stored = certificate(STATEMENTS[key], KNOWN[key]())
        code, said = run_recheck(tmp_path, stored, script)
        assert code == 0, said
        assert float(said.removeprefix("violated by ")) == pytest.approx(
            float(stored["violation"]["interval"]["low"]), abs=1e-12
        ), key
    code, said = run_recheck(tmp_path, certificate(STATEMENTS["lemma4.6"], KNOWN["lemma4.6"]()), script)
    assert code == 2
    assert said == "'abs': this script knows entropies alone, src/ggmi/theory/recheck.py all certificates\n"
    code, said = run_recheck(tmp_path, certificate(STATEMENTS["eq21"], known.fair_bits()), script)
    assert code == 1
    assert said.startswith("not violated: -")


def test_only_one_world_of_small_fractions_can_be_certified():
    many = draw(DEFAULT_FAMILIES[0], 3, seed=1)
    with pytest.raises(UserError, match="about one world, got a batch of 3"):
        certificate(STATEMENTS["eq17"], many)
    with pytest.raises(UserError, match="no fraction with a denominator up to"):
        certificate(STATEMENTS["eq17"], many[:1])


def test_rounding_a_world_keeps_laws_and_reaches_the_fractions_asked():
    world = rounded(draw(DEFAULT_FAMILIES[2], 50, seed=1), 12)
    for table in world.tables().values():
        np.testing.assert_allclose(table * 12, np.round(table * 12), atol=1e-9)
        np.testing.assert_allclose(table.sum(axis=-1), 1, atol=1e-12)
