import numpy as np
import pytest

from ggmi.errors import UserError
from ggmi.information.pairing import pair_by_id, pair_by_index, pair_by_prompt

PROMPTS = {"p1": ["a", "c"], "p2": ["b"]}
ANCHORS, ANCHOR_IDS = np.array([[0.0], [1.0], [2.0]]), ["a", "b", "c"]


def test_each_record_gets_the_anchors_of_its_own_prompt():
    pairs = pair_by_prompt([[5.0], [6.0], [7.0]], ["p2", "p1", "p2"], PROMPTS, ANCHORS, ANCHOR_IDS)
    assert [m.tolist() for m in pairs.x.members] == [[1], [0, 2], [1]]
    assert pairs.y.ravel().tolist() == [5, 6, 7]
    assert pairs.groups[0] == pairs.groups[2] != pairs.groups[1]
    assert "own prompt" in pairs.how


@pytest.mark.parametrize(
    ("prompt_ids", "prompts", "anchor_ids", "message"),
    [
        (["p1"], PROMPTS, ANCHOR_IDS, "prompt_ids: 1 for 2 synthetic records"),
        (
            ["p1", "q2"],
            PROMPTS,
            ANCHOR_IDS,
            "record 1: prompt 'q2' is not among the prompts; allowed: p1, p2",
        ),
        (["p1", "p2"], {"p1": ["a"], "p2": ["d"]}, ANCHOR_IDS, "prompt 'p2': anchor 'd' is not among the anchors"),
        (["p1", "p2"], PROMPTS, ["a", "b"], "anchor_ids: 2 for 3 anchors"),
        (["p1", "p2"], PROMPTS, ["a", "b", "a"], "anchors: id 'a' comes twice"),
        (["p1", "p2"], {"p1": [], "p2": ["a"]}, ANCHOR_IDS, "sets: observation 0 has no points"),
    ],
)
def test_records_without_their_prompt_or_anchors_are_refused(prompt_ids, prompts, anchor_ids, message):
    with pytest.raises(UserError, match=message):
        pair_by_prompt([[5.0], [6.0]], prompt_ids, prompts, ANCHORS, anchor_ids)


def test_records_are_paired_by_id_whatever_their_order():
    pairs = pair_by_id([[1.0], [2.0]], ["a", "b"], [[20.0], [10.0]], ["b", "a"])
    assert pairs.x.ravel().tolist() == [1, 2]
    assert pairs.y.ravel().tolist() == [10, 20]


@pytest.mark.parametrize(
    ("x_ids", "y_ids", "message"),
    [
        (["a", "b"], ["a", "c"], "x: pair id 'b' is missing|y: pair id 'b' is missing"),
        (["a", "a"], ["a", "b"], "x: id 'a' comes twice"),
        (["a", "b"], ["b", "b"], "y: id 'b' comes twice"),
        (["a"], ["a", "b"], "x: 1 ids for 2 observations"),
    ],
)
def test_ids_must_match_one_to_one(x_ids, y_ids, message):
    with pytest.raises(UserError, match=message):
        pair_by_id([[1.0], [2.0]], x_ids, [[1.0], [2.0]], y_ids)


def test_pairing_by_number_keeps_or_shuffles_the_order_and_says_so():
    x, y = np.arange(30.0)[:, None], np.arange(20.0)[:, None]
    given = pair_by_index(x, y)
    assert given.x.ravel().tolist() == given.y.ravel().tolist() == list(range(20))
    shuffled, again = pair_by_index(x, y, seed=4), pair_by_index(x, y, seed=4)
    np.testing.assert_array_equal(shuffled.x, again.x)
    assert sorted(shuffled.y.ravel()) == list(range(20))
    assert shuffled.x.ravel().tolist() != shuffled.y.ravel().tolist()
    assert "order given" in given.how
    assert "seed 4" in shuffled.how
