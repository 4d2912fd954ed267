import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from ggmi.errors import UserError
from ggmi.theory.laws import FREE, NAMES
from ggmi.theory.world import MAX_STATES, World

SEEDS = st.integers(0, 10**6)
GROUPS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)
drawn = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def bits(**changes):
    parts = {
        "anchor": [0.5, 0.5],
        "prompt_factor": np.eye(2),
        "model_factor": [0.5, 0.5],
        "h": [0, 1],
        "g": [0, 1],
        "curation": None,
        "learner": np.eye(3),
    }
    return World.build(**{**parts, **changes})


@drawn
@given(SEEDS, GROUPS)
def test_laws_and_entropies_equal_those_of_a_dictionary_enumeration(random_worlds, dictionary, seed, names):
    world = random_worlds(seed, modulus=None if seed % 2 else 3)
    joint = dictionary(world)
    assert world.entropy(names)[0] == pytest.approx(joint.entropy(*names), abs=1e-12)
    found = world.marginal(names)[0]
    expected = np.zeros_like(found)
    for symbols, p in joint.marginal(*names).items():
        expected[symbols] = p
    np.testing.assert_allclose(found, expected, atol=1e-14)


@drawn
@given(SEEDS, GROUPS)
def test_entropies_agree_with_scipy(random_worlds, seed, names):
    world = random_worlds(seed, batch=3)
    law = world.marginal(names).reshape(3, -1)
    np.testing.assert_allclose(world.entropy(names), stats.entropy(law, axis=1), atol=1e-12)


@drawn
@given(SEEDS, GROUPS, GROUPS, GROUPS)
def test_chain_rule_symmetry_and_nonnegativity(random_worlds, seed, a, b, c):
    world = random_worlds(seed, batch=2)
    information = world.mutual_information
    joint = information(a, [*b, *c])
    np.testing.assert_allclose(joint, information(a, b) + information(a, c, b), atol=1e-12)
    np.testing.assert_allclose(information(a, b, c), information(b, a, c), atol=1e-12)
    assert (information(a, b, c) > -1e-12).all()
    assert (world.conditional_entropy(a, b) > -1e-12).all()
    assert (world.conditional_entropy(a, b) <= world.entropy(a) + 1e-12).all()


@drawn
@given(SEEDS)
def test_data_processing_along_the_chain(random_worlds, seed):
    world = random_worlds(seed, batch=3)
    assert (world.mutual_information("M", "W", "S_gen") < 1e-12).all()
    assert (world.mutual_information(["S_anchor", "e_p", "e_M"], "W", "S_gen") < 1e-12).all()
    assert (world.mutual_information("e_p", "S_gen", ["S_anchor", "M"]) < 1e-12).all()
    assert (world.mutual_information("W'", "W", "S_anchor") < 1e-12).all()
    assert (world.conditional_entropy("M", ["e_p", "e_M"]) < 1e-12).all()


@drawn
@given(SEEDS)
def test_the_joint_law_sums_to_one_and_has_the_stated_axes(random_worlds, seed):
    world = random_worlds(seed, batch=2)
    joint = world.joint()
    assert joint.shape == (2, *(world.sizes[n] for n in FREE))
    assert joint[0].size == world.states
    np.testing.assert_allclose(joint.reshape(2, -1).sum(axis=1), 1.0, atol=1e-12)


def test_a_batch_holds_the_same_values_as_its_worlds(random_worlds):
    world = random_worlds(5, batch=6)
    for i in (0, 3, 5):
        one = world[i : i + 1]
        assert one.entropy(("e_p", "W"))[0] == pytest.approx(world.entropy(("e_p", "W"))[i], abs=1e-14)


def test_values_known_by_hand():
    world = bits(learner=np.eye(2)[[0, 1, 0]])
    in_bits = {
        "H(M)": world.entropy("M"),
        "I(M, W)": world.mutual_information("M(p)", "W"),
        "I(e_p, W)": world.mutual_information("e_p", "W"),
        "I(h, M)": world.mutual_information("h(e_p)", "M"),
        "H(p)": world.entropy("p"),
    }
    found = {name: round(float(value[0] / np.log(2)), 12) for name, value in in_bits.items()}
    assert found == {"H(M)": 1.5, "I(M, W)": 1.0, "I(e_p, W)": 0.0, "I(h, M)": 0.5, "H(p)": 1.0}


def test_a_sum_modulo_two_hides_both_summands():
    world = bits(modulus=2, learner=np.eye(2))
    assert world.mutual_information("e_p", "M")[0] == pytest.approx(0, abs=1e-15)
    assert world.entropy("M")[0] == pytest.approx(np.log(2))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"anchor": [0.5, 0.4]}, r"anchor of the world: the probabilities of row \(0,\) sum to 0\.9, not to one"),
        ({"learner": np.full((3, 2), 0.4)}, r"learner of the world: .* sum to 0\.8.*3 of 3 rows"),
        ({"model_factor": [1.5, -0.5]}, "model_factor of the world holds the entry -0.5"),
        ({"model_factor": [np.nan, 1.0]}, "holds the entry nan"),
        ({"h": [], "prompt_factor": np.ones((2, 0))}, "an alphabet of the world is empty"),
        ({"learner": np.ones((3, 0))}, "an alphabet of the world is empty: W needs at least one symbol"),
        ({"h": [0, -1]}, "non-negative integer"),
        ({"g": [0.0, 0.5]}, "non-negative integer"),
        ({"learner": np.eye(2)}, r"learner of the world must have shape \(1, 3, 2\), got \(1, 2, 2\)"),
        (
            {"curation": np.eye(2), "learner": np.eye(2)},
            "M.p. takes the value 2, but curation has rows for 0 to 1 only",
        ),
        ({"loss": np.zeros((3, 2))}, r"loss of the world must have shape \(1, 3, at least 3\)"),
        ({"loss": np.full((3, 3), -2.0)}, "loss of the world reaches 2, beyond its bound C = 1"),
    ],
)
def test_bad_worlds_get_one_sentence(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        bits(**changes)


def test_a_world_too_large_to_enumerate_is_refused_with_its_count():
    side = 60
    uniform = np.full(side, 1 / side)
    states = side * side * side * (2 * side - 1) * 3
    assert states > MAX_STATES
    with pytest.raises(UserError, match=rf"the world has {states} joint states, more than the {MAX_STATES}"):
        World.build(
            uniform,
            np.full((side, side), 1 / side),
            uniform,
            np.arange(side),
            np.arange(side),
            None,
            np.full((2 * side - 1, 3), 1 / 3),
        )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"h": [0, 999_999]}, "the world has 1000002000001 joint states of M, S_gen, more than the 10000000"),
        ({"g": [0, 3999]}, "the world has 16008001 joint states of M, S_gen"),
        (
            {"h": [0, 600], "g": [0, 600], "curation": np.ones((1201, 1)), "learner": np.ones((1, 1))},
            "the world has 433802401 joint states of h, g, M, W",
        ),
    ],
)
def test_values_of_h_and_g_count_too(changes, sentence):
    """Refused before anything of that size is made."""
    with pytest.raises(UserError, match=sentence):
        bits(**changes)


def test_a_world_of_nearly_ten_million_states_is_evaluated():
    n, w, v = 16, 8, 8
    uniform = np.full(n, 1 / n)
    world = World.build(
        uniform,
        np.eye(n),
        uniform,
        np.arange(n),
        np.arange(n),
        None,
        np.full((2 * n - 1, w), 1 / w),
        np.full((n, v), 1 / v),
    )
    assert MAX_STATES * 0.8 < world.states <= MAX_STATES
    total = np.add.outer(np.arange(n), np.arange(n)).ravel()
    assert world.entropy("M")[0] == pytest.approx(stats.entropy(np.bincount(total)))
    assert world.entropy(FREE)[0] == pytest.approx(2 * np.log(n) + np.log(w) + np.log(v))


def test_an_unknown_variable_is_named_with_the_nearest_right_one():
    with pytest.raises(UserError, match="no variable 'S_generated'; did you mean 'S_gen'"):
        bits().entropy("S_generated")
