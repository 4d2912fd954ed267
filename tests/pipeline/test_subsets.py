import numpy as np
import pytest

from ggmi.pipeline.subsets import some, some_prompts


def test_some_are_all_where_there_are_few_and_else_a_sample_in_order():
    assert some(5, 5, 1, "x").tolist() == [0, 1, 2, 3, 4]
    chosen = some(1000, 10, 1, "x")
    assert len(set(chosen.tolist())) == 10
    assert chosen.tolist() == sorted(chosen)
    assert chosen.tolist() == some(1000, 10, 1, "x").tolist() != some(1000, 10, 2, "x").tolist()


def test_a_prompt_is_taken_with_all_its_records_or_not_at_all():
    ids = [f"p{i % 30}" for i in range(30 * 7)]
    chosen = some_prompts(ids, 50, 1)
    assert len(chosen) == 7 * 7
    assert chosen.tolist() == sorted(chosen)
    taken = {ids[i] for i in chosen}
    assert [i for i, prompt in enumerate(ids) if prompt in taken] == chosen.tolist()
    assert some_prompts(ids, 210, 1).tolist() == list(range(210))


@pytest.mark.parametrize("most", [4, 6])
def test_of_a_prompt_with_too_many_records_a_sample_is_taken(most):
    chosen = some_prompts(["p", "q"] * 500, most, 1)
    assert len(chosen) == most
    assert len(np.unique(chosen % 2)) == 1
