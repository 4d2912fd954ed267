import copy
import json
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import iv, mp, mpf

import ggmi.theory
from ggmi.errors import UserError
from ggmi.exact.intervals import BITS, Interval, logarithm
from ggmi.exact.statement import Assumption
from ggmi.theory import known, needs, recheck, terms
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.certify import ExactWorld, certificate
from ggmi.theory.examples import copied_prompt, with_marginal_laws
from ggmi.theory.families import DEFAULT_FAMILIES, draw
from ggmi.theory.regimes import ASSUMPTIONS, CHAINS_ONLY, DECLARED, REGIMES, STRUCTURE, WITHOUT_4_1
from ggmi.theory.simplify import _rounded_tables
from ggmi.theory.world import World

NEEDS = [value for value in vars(needs).values() if isinstance(value, Assumption)]
RECHECK = Path(ggmi.theory.__file__).with_name("recheck.py")
SHORT = Path(__file__).parents[2] / "docs" / "recheck.py"
POSITIVE = st.fractions(min_value=Fraction(1, 10**6), max_value=10**6, max_denominator=10**6)
SIGNED = st.fractions(min_value=-100, max_value=100, max_denominator=1000)
CERTIFIED = [
    ("(10)", DECLARED, known.fair_output),
    ("(17)", DECLARED, known.added_noise),
    ("(30)", DECLARED, known.fair_output),
    ("(25).5", DECLARED, known.relayed_prompt),
    ("(6)", DECLARED, known.still_student),
    ("(7)", DECLARED, known.still_student),
    ("(8)", DECLARED, known.still_student),
    ("(1)", DECLARED, known.opposite_losses),
    ("(16).2", DECLARED, known.opposite_losses),
    ("(5)", WITHOUT_4_1, known.fair_bits),
    ("(6) charitable", WITHOUT_4_1, known.fair_bits),
    ("(31)", CHAINS_ONLY, known.own_randomness),
    ("(23).2", STRUCTURE, known.fair_bits),
]


def run_recheck(folder, stored, script=RECHECK):
    """Exit code and everything said, by a Python that cannot see this package."""
    file = folder / "certificate.json"
    file.write_text(json.dumps(stored), encoding="utf-8")
    command = [sys.executable, "-I", "-S", str(script), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def complaint(stored):
    """What the recheck objects to, or nothing."""
    try:
        recheck.recheck(json.loads(json.dumps(stored)))
    except (ValueError, KeyError) as error:
        return str(error)
    return ""


@given(POSITIVE)
def test_logarithms_are_enclosed_tightly(x):
    enclosed = logarithm(x)
    with mp.workprec(BITS + 80):
        exact = mp.log(mpf(x.numerator) / x.denominator)
        low, high = (mpf(q.numerator) / q.denominator for q in (enclosed.low, enclosed.high))
        # mpmath's own error is far finer than the interval.
        assert low - mpf(2) ** -(BITS + 40) <= exact <= high + mpf(2) ** -(BITS + 40)
    assert enclosed.high - enclosed.low < Fraction(1, 2 ** (BITS - 20))


@given(SIGNED, SIGNED, SIGNED, SIGNED, st.fractions(0, 1), st.fractions(0, 1))
def test_interval_arithmetic_contains_the_arithmetic_of_its_members(a, b, c, d, s, t):
    one, two = Interval(min(a, b), max(a, b)), Interval(min(c, d), max(c, d))
    x, y = one.low + s * (one.high - one.low), two.low + t * (two.high - two.low)
    results = [(one + two, x + y), (one * two, x * y), (abs(one), abs(x)), (-one, -x)]
    if two.low > 0 or two.high < 0:
        results.append((one / two, x / y))
    for interval, value in results:
        assert interval.low <= value <= interval.high
    root = one.sqrt()
    assert root.low >= 0
    assert root.low**2 <= max(x, 0) <= root.high**2


def test_decimals_are_rounded_outwards_and_logarithms_of_zero_refused():
    third = Interval(Fraction(1, 3), Fraction(1, 3)).as_json()
    assert third == {"low": "0.33333333333333333333", "high": "0.33333333333333333334"}
    assert Interval(Fraction(-1, 3), Fraction(0)).as_json()["low"] == "-0.33333333333333333334"
    with pytest.raises(ValueError, match="not defined"):
        logarithm(Fraction(0))
    with pytest.raises(ZeroDivisionError):
        Interval.of(Fraction(1)) / Interval(Fraction(-1), Fraction(1))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 99), st.sampled_from([f for f in DEFAULT_FAMILIES if f.examples == 1]))
def test_floats_agree_with_certified_arithmetic(index, family):
    world = draw(family, 100, seed=2)[index : index + 1]
    world = replace(world, **_rounded_tables(world, 12))
    exact = ExactWorld(world)
    assert sum(exact.joint.values()) == 1
    for statement in STATEMENTS.values():
        enclosed = exact.enclose(statement.excess)
        value = float(terms.evaluate(statement.excess, world)[0])
        # A root amplifies rounding near zero.
        width = 1e-6 if statement.needs_loss else 1e-11
        assert float(enclosed.low) - width <= value <= float(enclosed.high) + width
        assert enclosed.high - enclosed.low < Fraction(1, 10**25)


@pytest.mark.parametrize(
    ("key", "regime", "make"), CERTIFIED, ids=lambda x: getattr(x, "key", getattr(x, "__name__", x))
)
def test_certificates_are_rechecked_by_both_scripts(key, regime, make, tmp_path):
    """Also of means of a modulus, and of what holds at every outcome."""
    stored = certificate(STATEMENTS[key], regime, make())
    assert stored["verdict"] == "violated"
    assert json.loads(json.dumps(stored)) == stored
    low = Decimal(stored["violation"]["interval"]["low"])
    assert float(low) == pytest.approx(-STATEMENTS[key].slack(make())[0], abs=1e-12)
    code, said = run_recheck(tmp_path, stored)
    assert (code, said.split(":")[0]) == (0, key), said
    assert f"violated by {low:.12f}"[:-1] in said
    assert said.endswith(f"in the regime {regime.key}\n")
    code, said = run_recheck(tmp_path, stored, SHORT)
    assert code == 0, said
    assert float(said.removeprefix("violated by ")) == pytest.approx(float(low), abs=1e-11)


@pytest.mark.parametrize("n", [2, 3])
def test_certificates_of_sets_of_examples_are_rechecked(n, tmp_path):
    stored = certificate(with_marginal_laws(STATEMENTS["(4)"]), DECLARED, copied_prompt(n))
    assert stored["verdict"] == "violated"
    assert complaint(stored) == ""
    code, said = run_recheck(tmp_path, stored, SHORT)
    assert code != 0
    assert "losses of one example only" in said


def test_what_holds_gets_no_certificate_of_violation():
    """An equality, a statement outside its regime, and one that does not speak of the world."""
    equal = certificate(STATEMENTS["(18)"], WITHOUT_4_1, known.fair_bits())
    assert equal["left"]["interval"] == equal["right"]["interval"]
    elsewhere = certificate(STATEMENTS["(5)"], DECLARED, known.fair_bits())
    assert Decimal(elsewhere["violation"]["interval"]["low"]) > 0
    deaf = World.build([0.5, 0.5], np.eye(2), [0.5, 0.5], [0, 0], [0, 1], None, np.eye(2))
    unspoken = certificate(STATEMENTS["(5)"], STRUCTURE, deaf)
    for stored in (equal, elsewhere, unspoken):
        assert stored["verdict"] == "not violated"
        assert complaint(stored)
        # Nor does claiming so help.
        stored |= {"verdict": "violated", "assumptions met": True}
        assert complaint(stored)


def test_lambda_and_alpha_are_enclosed_where_they_have_a_value():
    bits = certificate(STATEMENTS["(5)"], WITHOUT_4_1, known.fair_bits())["terms"][r"\lambda"]
    assert Decimal(bits["low"]) <= 2 <= Decimal(bits["high"])
    assert r"\lambda" not in certificate(STATEMENTS["(5)"], DECLARED, known.added_noise())["terms"]
    alpha = certificate(STATEMENTS["(10)"], DECLARED, known.fair_output())["terms"][r"\alpha"]
    assert Decimal(alpha["low"]) <= 1 <= Decimal(alpha["high"])


def spoil_row(stored):
    stored["tables"]["e_M | e_p"]["0"] = {"0": "2/3", "1": "1/2"}


def spoil_negative(stored):
    stored["tables"]["e_M | e_p"]["0"] = {"0": "3/2", "1": "-1/2"}


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


def spoil_loss(stored):
    stored["tables"]["loss of W"]["1"][0] = "2"


def spoil_tree(stored):
    stored["right"]["tree"] = "-1"


def spoil_relation(stored):
    stored["relation"] = ">="


def spoil_met(stored):
    stored["assumptions met"] = False


def spoil_wording(stored):
    stored["assumptions"].append("W is wise")


def spoil_regime(stored):
    """The stricter regime's assumptions, which the world does not meet."""
    stored["regime"] = "declared"
    stored["assumptions"] = [a.key for a in DECLARED.assumptions]


def spoil_former(stored):
    del stored["regime"]


def spoil_needs(stored):
    stored["needs"].append("a loss of W that oscillates by 2 sigma")
    stored["parameters"]["sigma"] = "1/4"


def spoil_contraction(stored):
    stored["parameters"]["contraction"] = "2"


def spoil_excess(stored):
    stored["parameters"]["lambda excess"] = "-1"


def spoil_claim(stored):
    stored["violation"]["interval"] = {"low": "0.5", "high": "0.6"}


SPOILT = [
    (spoil_row, "is no probability law"),
    (spoil_negative, "is no probability law"),
    (spoil_law, "not that of the tables"),
    (spoil_joint, "not that of the tables"),
    (spoil_learner, "not violated"),
    (spoil_sum, "M(p) is not the sum of h and g"),
    (spoil_loss, "a loss of W is larger than C = 1"),
    (spoil_tree, "not as claimed"),
    (spoil_relation, "not violated"),
    (spoil_met, "by its own account the assumptions are not met"),
    (spoil_wording, "cannot check the assumption 'W is wise'"),
    (spoil_regime, "does not meet the assumption 'M -> e_M -> W'"),
    (spoil_former, "certificates of version 0.1.0"),
    (spoil_needs, "does not meet the assumption 'a loss of W that oscillates by 2 sigma'"),
    (spoil_contraction, "cannot be"),
    (spoil_excess, "cannot be"),
    (spoil_claim, "violation is 0.3465"),
]


@pytest.mark.parametrize(("spoil", "said"), SPOILT, ids=lambda x: getattr(x, "__name__", ""))
def test_a_tampered_certificate_is_refused(spoil, said):
    stored = copy.deepcopy(certificate(STATEMENTS["(5)"], WITHOUT_4_1, known.fair_bits()))
    assert complaint(stored) == ""
    spoil(stored)
    assert said in complaint(stored)


def test_a_refusal_is_one_sentence_and_exit_code_1(tmp_path):
    stored = certificate(STATEMENTS["(5)"], WITHOUT_4_1, known.fair_bits())
    spoil_claim(stored)
    code, said = run_recheck(tmp_path, stored)
    assert code == 1
    assert said.startswith("(5): violation is 0.3465")
    assert said.count("\n") == 1


@pytest.fixture(scope="module")
def stored_worlds():
    """Worlds made by hand, coarse random ones and all regimes' families, with their certificates and joint laws."""
    worlds = [make() for make in known.MADE]
    worlds += [replace(known.fair_bits(), contraction=Fraction(1, 2), sigma=Fraction(1, 4))]
    worlds += [replace(known.still_student(), anchor_contraction=Fraction(1, 2))]
    worlds += [World.build([0.5, 0.5], np.eye(2), [0.5, 0.5], [0, 0], [0, 1], None, np.eye(2))]
    # W tells S_anchor, W' nothing of it: no alpha.
    worlds += [World.build([0.5, 0.5], np.eye(2), [1.0], [0, 1], [0], None, np.eye(2))]
    # Two copies of one fair bit, of S_gen and of S_anchor, are no two examples of it.
    copies, alone = [0.5, 0.0, 0.0, 0.5], [1.0, 0.0, 0.0, 0.0]
    twice = {"h": [0], "g": [0, 1, 2, 3], "curation": None, "learner": np.ones((4, 1)), "samples": 2}
    for anchors, outputs in ((alone, copies), (copies, alone)):
        worlds += [World.build(anchors, np.ones((4, 1)), outputs, **twice, anchor_samples=2)]
    for family in DEFAULT_FAMILIES:
        if family.examples == 1:
            batch = draw(family, 2, seed=5)
            worlds += [replace(w, **_rounded_tables(w, 4)) for w in (batch[:1], batch[1:])]
    stored = [certificate(STATEMENTS["(23).2"], STRUCTURE, world) for world in worlds]
    return [(world, one, recheck.joint_law(one["tables"])) for world, one in zip(worlds, stored, strict=True)]


@pytest.mark.parametrize("assumption", [*ASSUMPTIONS, *NEEDS], ids=lambda a: a.key)
def test_assumptions_are_rechecked_as_they_are_made(assumption, stored_worlds):
    """One verdict, both seen."""
    verdicts = set()
    for world, stored, joint in stored_worlds:
        found = recheck.ASSUMPTIONS[assumption.key](stored, joint)
        assert found == assumption.holds(world)[0]
        verdicts.add(bool(found))
    # M -> S_gen -> W holds in every world.
    assert verdicts == ({True} if assumption.key == "M -> S_gen -> W" else {True, False})


def test_every_assumption_can_be_rechecked_with_the_standard_library_alone():
    named = {a.key for r in REGIMES.values() for a in r.assumptions}
    named |= {a.key for s in STATEMENTS.values() for a in s.needs}
    assert named <= set(recheck.ASSUMPTIONS)
    for script in (RECHECK, SHORT):
        lines = [x for x in script.read_text(encoding="utf-8").splitlines() if x.startswith(("import", "from"))]
        assert {line.split()[1].split(".")[0] for line in lines} <= set(sys.stdlib_module_names)


def test_only_one_world_of_small_fractions_can_be_certified():
    many = draw(DEFAULT_FAMILIES[0], 3, seed=1)
    with pytest.raises(UserError, match="about one world, got a batch of 3"):
        certificate(STATEMENTS["(17)"], DECLARED, many)
    with pytest.raises(UserError, match="no fraction with a denominator up to"):
        certificate(STATEMENTS["(17)"], DECLARED, many[:1])


def test_a_whole_violation_agrees_with_mpmaths_intervals():
    stored = certificate(STATEMENTS["(6) charitable"], WITHOUT_4_1, known.fair_bits())
    excess = iv.mpf(1) / 2 - iv.sqrt(iv.log(2) / 4)
    low, high = (mpf(stored["violation"]["interval"][end]) for end in ("low", "high"))
    assert low - mpf(10) ** -15 <= excess.a <= excess.b <= high + mpf(10) ** -15
