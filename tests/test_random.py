import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.random import round_streams, stream

PART = st.one_of(st.text(max_size=6), st.integers(0, 10**6))
NAME = st.lists(PART, max_size=4).map(tuple)
SEED = st.integers(0, 2**63 - 1)


def numbers(seed, *name):
    return stream(seed, *name).random(4).tolist()


@given(SEED, NAME)
def test_the_same_name_and_seed_give_the_same_numbers(seed, name):
    assert numbers(seed, *name) == numbers(seed, *name)


@given(SEED, NAME, NAME)
def test_different_names_give_different_numbers(seed, one, other):
    assert (one == other) == (numbers(seed, *one) == numbers(seed, *other))


@given(SEED, SEED, NAME)
def test_different_seeds_give_different_numbers(one, other, name):
    assert (one == other) == (numbers(one, *name) == numbers(other, *name))


@pytest.mark.parametrize(
    ("one", "other"),
    [(("a", "b"), ("ab",)), (("a", "b"), ("b", "a")), (("a", 1), ("a", "1")), (("a",), ("a", "")), ((1, 2), (12,))],
)
def test_names_of_different_parts_are_different_names(one, other):
    assert numbers(7, *one) != numbers(7, *other)


def test_numpy_integers_and_strings_name_the_same_stream_as_python_ones():
    assert numbers(1, "round", np.int64(3)) == numbers(1, "round", 3)
    assert numbers(1, np.str_("round"), 3) == numbers(1, "round", 3)


def test_a_number_that_is_no_integer_is_no_name():
    with pytest.raises(TypeError):
        stream(1, "round", 3.0)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError):
        stream(-1, "round")


def test_another_process_draws_the_same_numbers():
    code = "from ggmi.random import stream; print(stream(5, 'gmm', 'K2_J2_L2', 3).random(4).tolist())"
    other = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1")
    ]
    assert other == [f"{numbers(5, 'gmm', 'K2_J2_L2', 3)}\n"] * 2


def test_streams_of_consecutive_names_are_uncorrelated():
    count, n = 200, 4000
    draws = np.stack([stream(0, "correlation", r).standard_normal(n) for r in range(count)])
    correlations = np.corrcoef(draws)[np.triu_indices(count, 1)] * np.sqrt(n)
    pairs = len(correlations)
    assert np.abs(correlations).max() < 5.5
    assert abs(correlations.mean()) < 4 / np.sqrt(pairs)
    assert abs(correlations.var() - 1) < 4 * np.sqrt(2 / pairs)


def test_first_numbers_of_many_streams_are_uniform():
    first = np.array([stream(0, "uniform", r).random() for r in range(5000)])
    counts = np.histogram(first, bins=20, range=(0, 1))[0]
    chi_square = (np.square(counts - 250) / 250).sum()
    assert abs(chi_square - 19) < 4 * np.sqrt(2 * 19)


def test_round_streams_are_the_streams_of_their_rounds():
    some = round_streams(3, "gmm", "anchors", rounds=range(2, 5))
    assert [g.random() for g in some] == [stream(3, "gmm", "anchors", r).random() for r in (2, 3, 4)]
