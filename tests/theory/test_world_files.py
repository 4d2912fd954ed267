import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ggmi.cli import main
from ggmi.errors import UserError
from ggmi.theory import known, recheck, terms
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.certify import certificate
from ggmi.theory.laws import NAMES
from ggmi.theory.regimes import DECLARED, REGIMES, WITHOUT_4_1, proof_in
from ggmi.theory.world_files import judge, read_world
from ggmi.theory.world_tables import TABLES

PAGE = Path(__file__).parents[2] / "docs" / "worlds.md"

WORLDS = {
    ("(5)", WITHOUT_4_1): known.fair_bits,
    ("(6) charitable", WITHOUT_4_1): known.fair_bits,
    ("(8)", DECLARED): known.still_student,
    ("(1)", DECLARED): known.opposite_losses,
    ("(17)", DECLARED): known.added_noise,
    ("(10)", DECLARED): known.fair_output,
}


def judged(world):
    """Rows by the statement's key."""
    rows = judge(world)["statements"]
    return {f"{row['statement']}{' charitable' * (row['reading'] == 'charitable')}": row for row in rows}


def unmet(row):
    return " ".join(need["text"] for need in row["unmet"])


@pytest.fixture
def written(tmp_path):
    def write(tables):
        path = tmp_path / "world.json"
        path.write_text(tables if isinstance(tables, str) else json.dumps({"tables": tables}))
        return path

    return write


def bits(**changes):
    tables = certificate(STATEMENTS["(5)"], WITHOUT_4_1, known.fair_bits())["tables"]
    return {name: table for name, table in {**tables, **changes}.items() if table is not None}


@pytest.mark.parametrize(("key", "regime"), WORLDS, ids=lambda x: getattr(x, "key", x))
def test_a_certificate_reads_back_as_the_world_it_certifies(key, regime, written):
    stored = certificate(STATEMENTS[key], regime, WORLDS[key, regime]())
    assert stored["verdict"] == "violated"
    read = judged(read_world(written(json.dumps(stored))).world)[key]
    assert read["verdict"] == "fails"
    assert regime.key in read["counts_in"]
    low, high = (float(stored["violation"]["interval"][end]) for end in ("low", "high"))
    excess = read["left"] - read["right"]
    assert low - 1e-12 <= (-excess if stored["relation"] == ">=" else excess) <= high + 1e-12


def test_every_statement_is_judged_in_a_world_as_it_is_in_the_array(written):
    made = known.fair_bits()
    rows = judged(read_world(written(certificate(STATEMENTS["(5)"], WITHOUT_4_1, made)["tables"])).world)
    assert list(rows) == list(STATEMENTS)
    for key, row in rows.items():
        statement = STATEMENTS[key]
        if not statement.judged:
            assert row["verdict"] in ("by definition", "assumption")
        elif row["verdict"] == "does not apply":
            assert not statement.applies(made)[0]
            assert row["unmet"]
        else:
            assert (row["verdict"] == "fails") == bool(statement.slack(made)[0] < -statement.tolerance)


def test_a_world_is_told_which_assumptions_it_misses_and_by_how_much(written):
    """Given e_M, the parity of two fair bits tells their sum: the chain of section 4.1 is missed by one bit."""
    found = judge(read_world(written(bits())).world)
    missed = {row["assumption"]: row["missed_by"] for row in found["assumptions"] if not row["met"]}
    assert missed == {"M -> e_M -> W": pytest.approx(np.log(2))}
    assert {row["regime"] for row in found["regimes"] if row["met"]} == {"without_4.1", "structure"}
    noisy = bits(**{"S_gen | M": {"0": {"0": 1}, "1": {"0": "1/2", "1": "1/2"}, "2": {"2": 1}}})
    found = judge(read_world(written(noisy)).world)
    missed = {row["assumption"] for row in found["assumptions"] if not row["met"]}
    assert "S_gen is M plus noise independent of it given p" in missed
    # What depends on the anchors past e_p and M(p) has tables of its own.
    given_p = bits(
        **{
            "e_M | e_p": None,
            "e_M | S_anchor, e_p": {"0": {"0": {"0": 1}}, "1": {"1": {"0": "1/2", "1": "1/2"}}},
            "S_gen | M": None,
            "S_gen | S_anchor, M": {"0": {"0": {"1": 1}}, "1": {"1": {"1": 1}, "2": {"2": 1}}},
        }
    )
    world = read_world(written(given_p)).world
    found = {row["assumption"]: row["met"] for row in judge(world)["assumptions"]}
    # Given p the noise is certain, 1 or 0.
    assert found["S_gen is M plus noise independent of it given p"]
    np.testing.assert_allclose(world.marginal(["S_gen"])[0], [0, 0.75, 0.25])


def test_noise_is_a_difference_of_values_not_of_their_ranks(written):
    """Outputs 0 and 5 with noise 0 or 3: four values, whose ranks differ by one and by two."""
    tables = bits(
        h={"0": 0, "1": 0},
        g={"0": 0, "1": 5},
        **{
            "M | e_p, e_M": None,
            "S_gen | M": {"0": {"0": "1/2", "3": "1/2"}, "5": {"5": "1/2", "8": "1/2"}},
            "W | S_gen": {str(x): {"0": 1} for x in (0, 3, 5, 8)},
            "loss of W": None,
            "loss of W'": None,
        },
    )
    met = {row["assumption"]: row["met"] for row in judge(read_world(written(tables)).world)["assumptions"]}
    assert met["S_gen is M plus noise independent of it given p"]
    tables["S_gen | M"]["5"] = {"5": "1/2", "7": "1/2"}
    tables["W | S_gen"]["7"] = {"0": 1}
    met = {row["assumption"]: row["met"] for row in judge(read_world(written(tables)).world)["assumptions"]}
    assert not met["S_gen is M plus noise independent of it given p"]


def test_a_file_that_names_statements_as_version_0_1_did_says_what_they_are_called_now(written, capsys):
    path = written(json.dumps({"tables": bits(), "statement": "lemma4.5-restricted"}))
    assert main(["theory", str(path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "lemma4.5-restricted: its number in the paper is '(5)'" in said


def test_tables_left_out_mean_sum_identity_and_constant(written):
    full = judge(read_world(written(bits())).world)
    left_out = bits(**{"M | e_p, e_M": None, "S_gen | M": None, "W' | S_anchor": None})
    assert full == judge(read_world(written(left_out)).world)


def test_a_modulus_is_written_as_values_of_m(written):
    world = read_world(
        written(
            {
                "S_anchor": {"0": "1/3", "1": "2/3"},
                "e_p | S_anchor": {"0": {"0": 1}, "1": {"1": 1}},
                "e_M | e_p": {"0": {"0": 0.5, "1": 0.5}, "1": {"0": 0.5, "1": 0.5}},
                "h": {"0": 0, "1": 1},
                "g": {"0": 0, "1": 1},
                "M | e_p, e_M": {"0": {"0": 0, "1": 1}, "1": {"0": 1, "1": 0}},
                "W | S_gen": {"0": {"0": 1}, "1": {"1": 1}},
            }
        )
    ).world
    np.testing.assert_allclose(world.marginal(["M"])[0], [0.5, 0.5])
    np.testing.assert_allclose(world.entropy("S_anchor"), np.log(3) - 2 / 3 * np.log(2))
    assert Fraction(1, 3) == Fraction(world.anchor[0, 0]).limit_denominator(10)


def many(prefix, count):
    return {str(x): f"1/{count}" for x in range(prefix, prefix + count)}


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ("{", "is not JSON"),
        ("[1]", "must be an object of tables"),
        ("[" * 100_000, "is not JSON"),
        (
            bits(S_anchor={"0": "1/2", "1": "1/3"}),
            "table 'S_anchor': the probabilities sum to 0.8333333333, not to one",
        ),
        (
            bits(**{"e_M | e_p": {"0": {"0": 1}, "1": {"0": 0.4}}}),
            "table 'e_M | e_p': row 1: the probabilities sum to 0.4",
        ),
        (bits(S_anchor={}), "table 'S_anchor' is missing or empty"),
        (bits(h=None), "table 'h' is missing or empty"),
        (bits(**{"S_gen | M": {}}), "table 'S_gen | M' is missing or empty; leave it out"),
        (bits(**{"W' | S_anchor": {}}), "table 'W' | S_anchor' is missing or empty"),
        (bits(S_ancor={"0": 1}), "no table 'S_ancor'; did you mean 'S_anchor'"),
        (bits(S_anchor={"0": "1/0"}), "'1/0' is no number"),
        (bits(S_anchor={"0": float("nan")}), "'nan' is no number"),
        (bits(S_anchor={"0": "1e-9999999", "1": 1}), "'1e-9999999' is no number"),
        (bits(S_anchor={"0": f"1/{10**50}", "1": 1}), "is no number"),
        (bits(S_anchor={"zero": 1}), "'zero' is no symbol"),
        (
            bits(S_anchor={"0": 1.5, "1": -0.5}),
            "table 'S_anchor' holds the entry -0.5; probabilities lie between 0 and 1",
        ),
        (bits(S_anchor={"0": True}), "'True' is no number"),
        (bits(h={"0": 0, "1": -1}), "1: -1 is not allowed"),
        (bits(h={"0": 0}), "table 'h' has no value for 1, but e_p = 1 can occur"),
        (bits(**{"W | S_gen": {"0": 1}}), "row 0 must be an object of probabilities"),
        (
            bits(**{"W | S_gen": {"0": {"0": 1}, "1": {"1": 1}}}),
            "table 'W | S_gen' has no row 2, but S_gen = 2 can occur",
        ),
        (
            bits(**{"e_p | S_anchor": {"0": {"0": 1}}}),
            "table 'e_p | S_anchor' has no row 1, but S_anchor = 1 can occur",
        ),
        (bits(**{"M | e_p, e_M": {"0": {"0": 0, "1": 1}}}), "no value for 1, 0, but e_p = 1, e_M = 0 can occur"),
        (bits(**{"M | e_p, e_M": {"0": {"0": 0, "1": 1}, "1": {"0": 5, "1": 2}}}), "is not the sum of h and g"),
        (
            bits(h={"0": 0, "1": 7}),
            "is not the sum of h and g, neither over the integers nor modulo a number above both",
        ),
        (
            bits(**{"e_M | S_anchor, e_p": {"0": {"0": {"0": 1}}}}),
            "tables 'e_M | e_p' and 'e_M | S_anchor, e_p' are both given",
        ),
        (
            bits(**{"S_gen | M": None, "S_gen | S_anchor, M": {"0": {"0": {"0": 1}, "1": {"0": 1}}}}),
            "table 'S_gen | S_anchor, M' has no rows for 1, but S_anchor = 1 can occur",
        ),
        (
            bits(**{"S_gen | M": None, "S_gen | S_anchor, M": {"0": {"0": {"0": 1}}, "1": {}}}),
            "table 'S_gen | S_anchor, M' has no row 1, but M = 1 can occur",
        ),
        (bits(**{"loss of W": {"0": [0, 1], "1": [0]}}), "'loss of W': row 0 must be a list of 3 losses or more"),
        (bits(**{"loss of W": {"0": [0, 1, 0]}}), "table 'loss of W' has no row 1, but W = 1 can occur"),
        (bits(**{"loss of W": {"0": [0, 1, "x"], "1": [0, 0, 0]}}), "'x' is no number"),
        (
            bits(
                **{
                    **dict.fromkeys(("M | e_p, e_M", "S_gen | M", "loss of W")),
                    "e_p | S_anchor": {"0": many(0, 4000), "1": {"0": 1}},
                    "e_M | e_p": {str(x): {"0": 1} for x in range(4000)},
                    "h": {str(x): x for x in range(4000)},
                    "W | S_gen": {str(x): {"0": 1} for x in range(4000)},
                }
            ),
            "table 'S_gen | M' has 4000 x 4000 entries, more than the 10000000 that are enumerated",
        ),
        (
            bits(
                **{
                    "W | S_gen": dict.fromkeys("012", many(0, 1000)),
                    "W' | S_anchor": dict.fromkeys("01", many(5, 10_000)),
                    **{"loss of W": None, "loss of W'": None},
                }
            ),
            "has 240000000 joint states, more than the 10000000 that are enumerated",
        ),
    ],
)
def test_bad_worlds_get_one_sentence_with_the_file(tables, sentence, written, capsys):
    path = written(tables)
    with pytest.raises(UserError, match=":") as caught:
        read_world(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert sentence in str(caught.value)
    assert main(["theory", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"sigm": 1}, "there is no parameter 'sigm'; did you mean 'sigma'"),
        ({"sigma": -1}, "parameter 'sigma' is -1; allowed are numbers from 0"),
        ({"1/n": 2}, 'parameter \'1/n\' is 2; allowed are 1, "1/2", "1/3" and so on'),
        ({"contraction": "3/2"}, "parameter 'contraction' is 3/2; allowed are numbers from 0 to 1"),
        ({"C": "x"}, "parameter 'C': 'x' is no number"),
        ({"C": "1/2"}, "loss of the world reaches 1, beyond its bound C = 1/2"),
        ({"1/n": "1/2"}, "S_anchor does not number sets of 2 examples that are independent of one law"),
        ({"1/m": "2/3"}, 'parameter \'1/m\' is 2/3; allowed are 1, "1/2", "1/3" and so on'),
        ([1], "'parameters' must be an object"),
    ],
)
def test_bad_parameters_get_one_sentence_with_the_file(parameters, sentence, written):
    path = written(json.dumps({"tables": bits(), "parameters": parameters}))
    with pytest.raises(UserError) as caught:
        read_world(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert sentence in str(caught.value)


def test_a_misspelt_part_of_the_file_is_refused_but_a_certificate_may_tell_more(written):
    stored = {**certificate(STATEMENTS["(5)"], WITHOUT_4_1, known.fair_bits()), "worst": {}}
    stored["parameters"]["lambda"] = "2"
    assert len(judged(read_world(written(json.dumps(stored))).world)) == len(STATEMENTS)
    with pytest.raises(UserError, match="there is no part 'parameter'; did you mean 'parameters'"):
        read_world(written(json.dumps({"tables": bits(), "parameter": {}})))


def learnt_exactly(loss, **parameters):
    """A fair bit that W learns, and its loss."""
    tables = {
        "S_anchor": {"0": 1},
        "e_p | S_anchor": {"0": {"0": 1}},
        "e_M | e_p": {"0": {"0": "1/2", "1": "1/2"}},
        "h": {"0": 0},
        "g": {"0": 0, "1": 1},
        "W | S_gen": {"0": {"0": 1}, "1": {"1": 1}},
        "loss of W": loss,
    }
    return json.dumps({"tables": tables, "parameters": parameters})


NEEDING_SIGMA = ("(12)", "(4)", "(12) charitable")


@pytest.mark.parametrize("scale", [Fraction(1), Fraction(2), Fraction(1, 3), Fraction(10**9)])
@pytest.mark.parametrize("low", [-1, 0])
def test_sigma_and_c_come_from_the_losses(low, scale, written):
    """The gap is half the oscillation, the bound sqrt(2 ln 2) sigma."""
    loss = {"0": [str(low * scale), str(scale)], "1": [str(scale), str(low * scale)]}
    world = read_world(written(learnt_exactly(loss))).world
    assert (world.bound, world.sigma) == (scale, scale * (1 - low) / 2)
    rows = judged(world)
    for key in NEEDING_SIGMA:
        assert rows[key]["verdict"] == "holds"
        assert rows[key]["left"] == pytest.approx(float(world.sigma))
        assert rows[key]["right"] == pytest.approx(np.sqrt(2 * np.log(2)) * float(world.sigma))
    assert rows["(14).3"]["verdict"] == "holds"
    assert (rows["(14).4 charitable"]["verdict"] == "does not apply") == (low < 0)


def test_a_sigma_too_small_for_the_loss_refutes_nothing(written, capsys):
    loss = {"0": [-1, 1], "1": [1, -1]}
    path = written(learnt_exactly(loss, sigma="1/2"))
    rows = judged(read_world(path).world)
    for key in NEEDING_SIGMA:
        assert rows[key]["verdict"] == "does not apply"
        assert "oscillates by at most" in unmet(rows[key])
        assert rows[key]["unmet"][0]["missed_by"] == pytest.approx(1)
    assert main(["theory", str(path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "(12): not met is “a loss of W is given that oscillates by at most" in said


def test_layers_shrink_the_oscillation_that_a_loss_may_have(written):
    loss = {"0": [0, "1/4"], "1": ["1/4", 0]}
    rows = {}
    for sigma in (None, "1/2", "1/4"):
        given = {"contraction": "1/4"} | ({"sigma": sigma} if sigma else {})
        rows[sigma] = judged(read_world(written(learnt_exactly(loss, **given))).world)
    assert rows[None] == rows["1/2"]
    # sigma = 1/2 and eta^L = 1/4: the bound of Lemma 4.4 is half that of (12).
    assert rows["1/2"]["(4)"]["right"] == pytest.approx(np.sqrt(np.log(2) / 2) / 2)
    assert rows["1/2"]["(4)"]["verdict"] == "holds"
    assert rows["1/4"]["(12)"]["verdict"] == "holds"
    assert rows["1/4"]["(4)"]["verdict"] == "does not apply"
    opaque = judged(read_world(written(learnt_exactly(loss, contraction=0))).world)
    assert "layers" in unmet(opaque["(4)"])


def test_one_loss_is_enough_for_what_is_said_of_its_learner(written):
    rows = judged(read_world(written(learnt_exactly({"0": [0, 1], "1": [1, 0]}))).world)
    assert rows["(4)"]["verdict"] == "holds"
    assert "a loss of W' is given" in unmet(rows["(8)"])
    tables = json.loads(learnt_exactly({}))["tables"]
    tables = {name: table for name, table in tables.items() if name != "loss of W"} | {"loss of W'": {"0": [1]}}
    rows = judged(read_world(written(tables)).world)
    assert rows["(8)"]["verdict"] == "holds"
    assert rows["(4)"]["verdict"] == "does not apply"


def two_bits(model, loss):
    """W learns two examples, the first in units of two."""
    pair = [str(x) for x in range(4)]
    tables = {
        "S_anchor": {"0": 1},
        "e_p | S_anchor": {"0": {"0": 1}},
        "e_M | e_p": {"0": dict(zip(pair, model, strict=True))},
        "h": {"0": 0},
        "g": {x: int(x) for x in pair},
        "W | S_gen": {x: {x: 1} for x in pair},
        "loss of W": {x: loss(int(x)) for x in pair},
    }
    return json.dumps({"tables": tables, "parameters": {"1/n": "1/2"}})


def share_of_other_bits(w):
    """Share of w's two bits that differ from an example."""
    return [str(Fraction(sum(int(i) != x for i in f"{w:02b}"), 2)) for x in range(2)]


def test_n_is_read_where_training_sets_are_n_examples(written):
    rows = judged(read_world(written(two_bits(["1/4"] * 4, share_of_other_bits))).world)
    # I(S_gen, W) = 2 ln 2 and n = 2, so the bound is that of one bit.
    assert rows["(12)"]["verdict"] == "holds"
    assert rows["(12)"]["left"] == pytest.approx(0.25)
    assert rows["(12)"]["right"] == pytest.approx(np.sqrt(np.log(2) / 2))
    biased = two_bits(["1/9", "2/9", "2/9", "4/9"], share_of_other_bits)
    assert read_world(written(biased)).world.samples == 2
    # A law of its own for each example is what a prompt each gives.
    assert read_world(written(two_bits(["1/8", "1/8", "3/8", "3/8"], share_of_other_bits))).world.samples == 2
    with pytest.raises(UserError, match="M does not number sets of 2 examples that are independent given p"):
        read_world(written(two_bits(["1/2", 0, 0, "1/2"], share_of_other_bits)))


def test_anchors_may_be_of_another_number_than_synthetic_examples(written):
    stored = json.loads(learnt_exactly({"0": [0, 1], "1": [1, 0]}))
    tables = stored["tables"]
    tables["S_anchor"] = {str(x): "1/8" for x in range(8)}
    tables["e_p | S_anchor"] = {str(x): {"0": 1} for x in range(8)}
    tables["W' | S_anchor"] = {str(x): {str(int(x in (3, 5, 6, 7))): 1} for x in range(8)}
    tables["loss of W'"] = tables["loss of W"]
    stored["parameters"] = {"1/m": "1/3"}
    world = read_world(written(json.dumps(stored))).world
    assert (world.samples, world.anchor_samples) == (1, 3)
    # The majority of three fair bits errs on a quarter of them, on a fresh bit half the time.
    row = judged(world)["(8) charitable"]
    assert row["left"] == pytest.approx(0.25)
    assert row["right"] == pytest.approx(np.sqrt(np.log(2) / 6))


def test_rounding_under_a_root_refutes_nothing(written):
    """Here I(S_gen, W) is about 1e-17, below what float64 entropies resolve, and the gap is 1e-9 and more."""
    slacks = []
    for gap in (1e-9, 3e-9, 5e-9, 2e-8):
        stored = json.loads(learnt_exactly({"0": [0, 1], "1": [1, 0]}))
        more, less = {"0": 0.5 + gap, "1": 0.5 - gap}, {"0": 0.5 - gap, "1": 0.5 + gap}
        stored["tables"]["W | S_gen"] = {"0": more, "1": less}
        world = read_world(written(json.dumps(stored))).world
        slacks.append(STATEMENTS["(12)"].slack(world)[0])
        assert {judged(world)[key]["verdict"] for key in NEEDING_SIGMA} == {"holds"}
    assert min(slacks) < -1e-9


def test_large_values_are_only_names(written):
    far = {
        "S_gen | M": None,
        "M | e_p, e_M": None,
        "h": {"0": 0, "1": 999_999},
        "g": {"0": 0, "1": 999_999},
        "W | S_gen": {"0": {"0": 1}, "999999": {"70000": 1}, "1999998": {"0": 1}},
        **{"loss of W": None, "loss of W'": None},
    }
    near = {"M | e_p, e_M": None, **{"loss of W": None, "loss of W'": None}}
    one, two = (judge(read_world(written(bits(**tables))).world) for tables in (far, near))
    assert one["statements"] == two["statements"]


@st.composite
def worlds(draw):
    """Tables with symbols anywhere from 0 to 30, zeros, losses of any size, perhaps layers and a curation."""

    def names(most):
        return draw(st.lists(st.integers(0, 30), min_size=1, max_size=most, unique=True))

    def law(symbols):
        weights = draw(st.lists(st.integers(0, 3), min_size=len(symbols), max_size=len(symbols)))
        weights[0] += 1
        return {str(x): str(Fraction(weight, sum(weights))) for x, weight in zip(symbols, weights, strict=True)}

    def table(conditions, symbols):
        return {str(x): law(symbols) for x in conditions}

    s, e, m, w, v = names(3), names(2), names(3), names(3), names(2)
    h, g = ({str(x): draw(st.integers(0, 30)) for x in values} for values in (e, m))
    outputs = sorted({a + b for a in h.values() for b in g.values()})
    curated = draw(st.booleans())
    y = names(3) if curated else outputs
    unit = draw(st.sampled_from([Fraction(1, 7), Fraction(1), Fraction(1000)]))
    loss = st.lists(
        st.integers(draw(st.sampled_from([-5, 0])), 5).map(lambda x: str(x * unit)), min_size=61, max_size=61
    )
    return {
        "tables": {
            "S_anchor": law(s),
            "e_p | S_anchor": table(s, e),
            "e_M | e_p": table(e, m),
            **{"h": h, "g": g},
            "M | e_p, e_M": {a: {b: h[a] + g[b] for b in g} for a in h},
            "S_gen | M": table(outputs, y) if curated else {str(x): {str(x): 1} for x in outputs},
            "W | S_gen": table(y, w),
            "W' | S_anchor": table(s, v),
            "loss of W": {str(x): draw(loss) for x in w},
            "loss of W'": {str(x): draw(loss) for x in v},
        },
        "parameters": {"contraction": draw(st.sampled_from(["1", "9/16"]))},
    }


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(worlds())
def test_sides_are_those_of_the_recheck_and_no_theorem_is_called_false(written, stored):
    """The recheck enumerates the tables as they are written, with exact fractions and other code."""
    world = read_world(written(json.dumps(stored))).world
    stored["parameters"] = {name: str(value) for name, value in world.parameters.items()}
    stored["joint"] = {"variables": list(NAMES)}
    joint = recheck.joint_law(stored["tables"])
    for key, row in judged(world).items():
        statement = STATEMENTS[key]
        if row["verdict"] not in ("holds", "fails"):
            continue
        proven = any(proof_in(statement.proofs, REGIMES[regime]) for regime in row["counts_in"])
        assert row["verdict"] == "holds" or not proven
        expected = recheck.value(stored, joint, statement.excess.as_json())
        scale = float(max(world.bound, world.sigma)) if statement.needs_loss else 1
        # A root makes 1e-7 of 1e-14.
        within = 1e-6 * scale if statement.needs_loss else 1e-9
        assert -statement.slack(world)[0] == pytest.approx(float(expected), abs=within)
        sides = (row["left"] - row["right"]) * (-1 if statement.relation == ">=" else 1)
        assert sides == pytest.approx(float(expected), abs=within)


def test_the_example_of_the_docs_is_a_world(tmp_path, capsys):
    text = PAGE.read_text(encoding="utf-8")
    path = tmp_path / "world.json"
    path.write_text(text.split("```json\n")[1].split("```")[0])
    assert main(["theory", str(path), "--json"]) == 0
    rows = {(row["statement"], row["reading"]): row for row in json.loads(capsys.readouterr().out)["statements"]}
    # What the text says of it.
    world = read_world(path).world
    assert (world.bound, world.sigma) == (1, Fraction(1, 2))
    row = rows["(5)", "printed"]
    assert row["verdict"] == "fails"
    assert f"{row['left']:.3f} against {row['right']:.3f}" in text
    text = " ".join(text.split())
    assert all(f"`{name}`" in text or f'"{name}"' in text for name in (*TABLES, *terms.PARAMETERS))


def test_the_command_shows_what_fails(written, capsys):
    path = written(bits())
    assert main(["theory", str(path)]) == 0
    assert "fails" in next(line for line in capsys.readouterr().out.splitlines() if " (5) " in line)
    assert main(["theory", str(path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["statements"]
    assert {row["verdict"] for row in rows} == {"holds", "fails", "by definition", "assumption"}
