import numpy as np
import pytest

from ggmi.theory import known, terms
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.search import STRUCTURES, _Ascent, search, simplify
from ggmi.theory.statement import TOLERANCE

EFFORT = {"restarts": 8, "steps": 100}


@pytest.mark.parametrize("key", ["eq23", "theorem4.10", "lemma4.6", "theorem4.7", "lemma4.8", "eq14-signed"])
def test_slopes_are_those_of_finite_differences(key):
    statement = STATEMENTS[key]
    ascent = _Ascent(statement, 3, 1, large=True, signed=key.endswith("signed"))
    slopes = ascent._slopes(ascent.world())
    step = 1e-6
    compared = 0
    for name, logits in ascent.logits.items():
        for place in list(np.ndindex(logits.shape[1:]))[:6]:
            at = (slice(None), *place)
            values = []
            for sign in (1, -1):
                logits[at] += sign * step
                values.append(terms.evaluate(statement.excess, ascent.world()))
                logits[at] -= sign * step
            measured = (values[0] - values[1]) / (2 * step)
            active = np.ones(len(logits), dtype=bool)
            kind = ascent.kinds % 4
            if name in ("channel", "noise"):
                active = kind == {"channel": 3, "noise": 2}[name]
            slope = slopes.get(name, np.zeros_like(logits))
            np.testing.assert_allclose(slope[at][active], measured[active], atol=2e-7)
            compared += np.count_nonzero(np.abs(measured[active]) > 1e-5)
    assert compared > 10


@pytest.mark.parametrize(
    ("key", "violation", "structure"),
    [
        ("eq17", np.log(2), ("independent", "additive")),
        ("eq23", np.log(2), ("independent", "none")),
        ("lemma4.5", np.log(2) / 2, ("independent", "none")),
        ("lemma4.6", 0.5 - np.sqrt(np.log(2) / 4), ("independent", "none")),
        ("eq32", np.log(2), ("dependent", "none")),
        ("theorem4.10", np.log(2), ("independent", "deterministic")),
        ("eq14-signed", 1.0, ("independent", "none")),
    ],
)
def test_known_violations_are_found_in_the_plainest_structure(key, violation, structure):
    found = search(STATEMENTS[key], 1)
    assert found.structure == structure
    assert found.violation == pytest.approx(violation, abs=1e-9)
    assert STATEMENTS[key].admits(found.world)[0]


@pytest.mark.parametrize(
    "key",
    [
        "eq21",
        "eq28",
        "eq12",
        "eq25-independent",
        "eq25-corrected",
        "lemma4.5-corrected",
        "lemma4.6-corrected",
        "theorem4.7-corrected",
        "theorem4.10-corrected",
        "theorem4.10-restricted",
        "eq17-restricted",
    ],
)
def test_true_statements_survive_the_search(key):
    found = search(STATEMENTS[key], 1, **EFFORT)
    assert found.world is None
    assert found.worlds > 1000


def test_the_ascent_gets_close_to_equality_where_a_true_bound_is_tight():
    """A search that never moved would also find no violation; this one reaches the boundary."""
    statement = STATEMENTS["lemma3.1"]
    ascent = _Ascent(statement, 1, 8, large=False, signed=False)
    before = statement.slack(ascent.world())
    after = statement.slack(ascent.climb(100))
    assert np.median(before) > 0.1
    assert after.min() >= -TOLERANCE
    assert np.median(after) < 0.02


def test_the_same_seed_finds_the_same_world():
    one, two = (search(STATEMENTS["eq23"], 4, **EFFORT).world for _ in range(2))
    for name, table in one.tables().items():
        np.testing.assert_array_equal(table, two.tables()[name])


def test_simplification_keeps_a_simple_world():
    world = known.fair_bits()
    simple = simplify(STATEMENTS["lemma4.5"], world)
    assert STATEMENTS["lemma4.5"].slack(simple)[0] == pytest.approx(-np.log(2) / 2)
    assert set(np.unique(simple.learner)) == {0.0, 1.0}


def test_structures_are_ordered_from_plain_to_rich():
    assert STRUCTURES[0] == ("independent", "none")
    assert len(STRUCTURES) == 8
