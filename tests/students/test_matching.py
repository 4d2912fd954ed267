import itertools

import numpy as np
import pytest

from ggmi.students.matching import match_records, match_steps, match_tokens, mixture


def test_every_set_gives_as_many_records():
    chosen = match_records({"a": 50, "b": 20, "c": 30}, seed=1)
    assert {n: len(set(p.tolist())) for n, p in chosen.items()} == {"a": 20, "b": 20, "c": 20}
    larger = match_records({"a": 50, "b": 20}, seed=1, to=45)
    assert larger["a"][:20].tolist() == chosen["a"].tolist()
    assert np.bincount(larger["b"]).tolist().count(3) == 5
    assert set(np.bincount(larger["b"])) == {2, 3}


def test_a_choice_does_not_depend_on_the_other_sets():
    one, two = match_records({"a": 50, "b": 20}, 1), match_records({"a": 50, "c": 20}, 1)
    assert one["a"].tolist() == two["a"].tolist()
    assert one["a"].tolist() != match_records({"a": 50, "b": 20}, 2)["a"].tolist()


def test_every_set_gives_as_many_tokens_up_to_a_record():
    random = np.random.default_rng(1)
    lengths = {"short": random.integers(1, 20, 300), "long": random.integers(50, 150, 60), "few": np.full(9, 10)}
    for wanted in (None, 700, 5000):
        chosen = match_tokens(lengths, seed=1, to=wanted)
        for name, places in chosen.items():
            tokens = lengths[name][places].sum()
            target = wanted or 90
            assert tokens <= max(target, lengths[name].max())
            assert tokens > target - lengths[name].max()


def test_the_same_number_of_updates():
    assert match_steps({"a": 400, "b": 1000}, 16, 20) == 500
    assert match_steps({"a": 10, "b": 1000}, 16, 1) == 1
    assert match_steps({"a": 400}, 16, 20, to=80) == 80


def test_mixtures_are_nested_in_the_share():
    parts = {share: mixture(100, 60, share, seed=1) for share in (0, 0.1, 0.25, 0.5, 1)}
    assert {share: (len(p.synthetic), len(p.real)) for share, p in parts.items()} == {
        0: (60, 0),
        0.1: (54, 6),
        0.25: (45, 15),
        0.5: (30, 30),
        1: (0, 60),
    }
    order = list(parts.values())
    for smaller, larger in itertools.pairwise(order):
        assert set(smaller.real) <= set(larger.real)
        assert set(larger.synthetic) <= set(smaller.synthetic)


def test_impossible_wishes_are_refused():
    with pytest.raises(ValueError, match="more than 100 and 60"):
        mixture(100, 60, 1, seed=1, size=61)
    with pytest.raises(ValueError, match="outside 0 to 1"):
        mixture(100, 60, 1.5, seed=1)
    with pytest.raises(ValueError, match="without records cannot be matched: b"):
        match_records({"a": 1, "b": 0}, 1)
