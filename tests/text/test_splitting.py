import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggmi.errors import UserError
from ggmi.text.records import Record
from ggmi.text.splitting import NearPair, Split, instance_sets, near_across, split


def records(ids):
    return [Record(str(i), "Add.", "", "3") for i in ids]


def ids(part):
    return {record.id for record in part}


@given(st.integers(2, 60), st.integers(0, 9), st.floats(0.1, 0.9))
def test_the_share_is_exact_to_one_record_and_nothing_is_lost(n, seed, share):
    size = int(share * n + 0.5)
    if not 0 < size < n:
        with pytest.raises(UserError, match="a part would be empty"):
            split(records(range(n)), seed, train_share=share)
        return
    parts = split(records(range(n)), seed, train_share=share)
    assert abs(len(parts.train) - share * n) <= 0.5
    assert sorted([*parts.train, *parts.test], key=lambda r: int(r.id)) == records(range(n))
    assert list(parts.train) == sorted(parts.train, key=lambda r: int(r.id))


@given(st.integers(5, 60), st.integers(0, 9))
def test_a_record_more_moves_at_most_one_other(n, seed):
    before = split(records(range(n)), seed)
    after = split(records([*range(0, n // 2), "new", *range(n // 2, n)]), seed)
    assert len(ids(before.train) ^ (ids(after.train) - {"new"})) <= 1


def test_the_order_of_the_source_makes_no_difference_and_the_seed_does():
    parts = split(records(range(100)), 1)
    assert len(parts.train) == 80
    assert ids(split(records(range(99, -1, -1)), 1).train) == ids(parts.train)
    assert ids(split(records(range(100)), 2).train) != ids(parts.train)


def test_over_seeds_every_record_is_tested_about_as_often():
    # 400 splits of 10 records: each is in the test part 80 times on average, sd 8.
    counts = [sum(str(i) in ids(split(records(range(10)), seed).test) for seed in range(400)) for i in range(10)]
    assert all(48 < count < 112 for count in counts)


@pytest.mark.parametrize("share", [0.0, 1.0, float("nan")])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match="train_share"):
        split(records(range(9)), 1, train_share=share)


def test_near_duplicates_across_the_split_are_found():
    train = [Record("a", "Name a city in France.", "", "Paris"), Record("b", "Add 1 and 2.", "", "3")]
    test = [Record("c", "Name one city in France.", "", "Paris"), Record("d", "Spell it.", "cat", "c a t")]
    # Six tokens each, five in common.
    assert near_across(Split(tuple(train), tuple(test))) == [NearPair("a", "c", 10 / 12)]


def test_instances_are_drawn_without_replacement():
    sets = instance_sets(records(range(30)), [3, 10, 20], 5, seed=1)
    assert {x: [len(ids(s)) for s in prompts] for x, prompts in sets.items()} == {
        3: [3] * 5,
        10: [10] * 5,
        20: [20] * 5,
    }


def test_nested_sets_grow_and_independent_ones_do_not():
    anchors = records(range(30))
    nested = instance_sets(anchors, [3, 10], 5, seed=1)
    assert all(large[:3] == small for small, large in zip(nested[3], nested[10], strict=True))
    independent = instance_sets(anchors, [3, 10], 5, seed=1, draw="independent")
    assert not any(large[:3] == small for small, large in zip(independent[3], independent[10], strict=True))


@pytest.mark.parametrize("draw", ["nested", "independent"])
def test_a_prompt_has_its_instances_whatever_else_is_drawn(draw):
    anchors = records(range(30))
    few = instance_sets(anchors, [10], 2, seed=1, draw=draw)
    many = instance_sets(anchors, [20, 3, 10], 9, seed=1, draw=draw)
    assert many[10][:2] == few[10]
    assert len(set(many[10])) == 9


def test_too_few_anchors_are_told():
    with pytest.raises(UserError, match=r"20 in-context instances need as many anchors .* holds 12"):
        instance_sets(records(range(12)), [3, 20], 1, seed=1)
    with pytest.raises(ValueError, match="at least 1"):
        instance_sets(records(range(12)), [0], 1, seed=1)


def test_real_anchors_are_split(seed_tasks):
    parts = split(seed_tasks, 1)
    assert (len(parts.train), len(parts.test)) == (140, 35)
    assert all(0.7 < pair.similarity <= 1 for pair in near_across(parts))
