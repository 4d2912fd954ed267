import json
from fractions import Fraction

import numpy as np
import pytest

from ggmi.cli import main
from ggmi.errors import UserError
from ggmi.theory import known
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.certify import certificate
from ggmi.theory.reading import judged, read_world

WORLDS = {
    "lemma4.5": known.fair_bits,
    "lemma4.6": known.fair_bits,
    "theorem4.7": known.parity_task,
    "eq17": known.added_noise,
    "theorem4.10": known.merging_curation,
}


@pytest.fixture
def written(tmp_path):
    def write(tables):
        path = tmp_path / "world.json"
        path.write_text(tables if isinstance(tables, str) else json.dumps({"tables": tables}))
        return path

    return write


def bits(**changes):
    tables = certificate(STATEMENTS["lemma4.5"], known.fair_bits())["tables"]
    return {name: table for name, table in {**tables, **changes}.items() if table is not None}


@pytest.mark.parametrize("key", WORLDS)
def test_a_certificate_reads_back_as_the_world_it_certifies(key, written):
    made = WORLDS[key]()
    stored = certificate(STATEMENTS[key], made)
    path = written(json.dumps(stored))
    read = {row["statement"]: row for row in judged(read_world(path))}
    assert read[key]["verdict"] == "fails"
    for side in ("left", "right"):
        low, high = (float(stored[side]["interval"][end]) for end in ("low", "high"))
        assert low - 1e-12 <= read[key][side] <= high + 1e-12


def test_every_statement_is_judged_in_a_world_as_it_is_in_the_array(written):
    made = known.parity_task()
    rows = judged(read_world(written(certificate(STATEMENTS["theorem4.7"], made)["tables"])))
    assert [row["statement"] for row in rows] == list(STATEMENTS)
    for row in rows:
        statement = STATEMENTS[row["statement"]]
        if row["verdict"] == "does not apply":
            assert not statement.admits(made)[0]
            assert row["unmet"]
        else:
            assert (row["verdict"] == "fails") == bool(statement.slack(made)[0] < -1e-9)


def test_tables_left_out_mean_sum_identity_and_constant(written):
    full = judged(read_world(written(bits())))
    short = judged(read_world(written(bits(**{"M | e_p, e_M": None, "S_gen | M": None, "W' | S_anchor": None}))))
    assert full == short


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
    )
    np.testing.assert_allclose(world.marginal(["M"])[0], [0.5, 0.5])
    np.testing.assert_allclose(world.entropy("S_anchor"), np.log(3) - 2 / 3 * np.log(2))
    assert Fraction(1, 3) == Fraction(world.anchor[0, 0]).limit_denominator(10)


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ("{", "is not JSON"),
        ("[1]", "must be an object of tables"),
        ("[" * 100_000, "is not JSON"),
        (bits(S_anchor={"0": "1/2", "1": "1/3"}), "sum to 0.8333333333, not to one"),
        (bits(S_anchor={}), "table 'S_anchor' is missing or empty"),
        (bits(h=None), "table 'h' is missing or empty"),
        (bits(S_ancor={"0": 1}), "no table 'S_ancor'; did you mean 'S_anchor'"),
        (bits(S_anchor={"0": "1/0"}), "'1/0' is no number"),
        (bits(S_anchor={"zero": 1}), "'zero' is no symbol"),
        (bits(S_anchor={"0": 1.5, "1": -0.5}), "holds the entry -0.5; probabilities lie between 0 and 1"),
        (bits(S_anchor={"0": True}), "'True' is no number"),
        (bits(h={"0": 0, "1": -1}), "1: -1 is not allowed"),
        (bits(**{"W | S_gen": {"0": 1}}), "row 0 must be an object of probabilities"),
        (bits(**{"W | S_gen": {"7": {"0": 1}}}), "has a row 7, but what it depends on takes values 0 to 2"),
        (bits(**{"loss of W": {"0": [0, 1], "1": [0]}}), "all of one length"),
        (bits(**{"W | S_gen": {"0": {"9999999": 1}}}), "more than the 10000000 that are enumerated"),
        (
            bits(
                **{
                    "W | S_gen": {"0": {"999": 1}, "1": {"0": 1}, "2": {"0": 1}},
                    "W' | S_anchor": {"0": {"9999": 1}, "1": {"0": 1}},
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


def test_the_command_shows_what_fails(written, capsys):
    path = written(bits())
    assert main(["theory", str(path)]) == 0
    assert "fails" in next(line for line in capsys.readouterr().out.splitlines() if " lemma4.5 " in line)
    assert main(["theory", str(path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["verdict"] for row in rows} == {"holds", "fails", "does not apply"}
