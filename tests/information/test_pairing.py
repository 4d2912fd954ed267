import numpy as np
import pytest
from scipy import stats

from ggmi.errors import UserError
from ggmi.information.hsic import hsic
from ggmi.information.pairing import pair_by_index, pair_by_prompt
from ggmi.random import stream

PROMPTS = {"p1": ["a", "c"], "p2": ["b"]}
ANCHORS, ANCHOR_IDS = np.array([[0.0], [1.0], [2.0]]), ["a", "b", "c"]


def test_the_records_of_a_prompt_are_one_observation_and_so_are_its_anchors():
    pairs = pair_by_prompt([[5.0], [6.0], [7.0]], ["p2", "p1", "p2"], PROMPTS, ANCHORS, ANCHOR_IDS)
    assert [list(m) for m in pairs.x.members] == [[1], [0, 2]]
    assert [list(m) for m in pairs.y.members] == [[0, 2], [1]]
    assert pairs.y.points.ravel().tolist() == [5, 6, 7]
    assert pairs.how == "the synthetic records of each prompt with the anchors in it; n counts prompts"


def test_the_mean_over_samples_is_the_dependence_of_one_random_record_of_a_random_prompt():
    # Linear kernels: the squared Frobenius norm of the covariance of a record with its prompt's mean anchor, B / 3.
    weights = np.array([[0.9, 0.3], [0.0, -0.6]])
    truth, trials, n = np.square(weights / 3).sum(), 400, 40
    values, covered = [], 0
    for trial in range(trials):
        draw = stream(3, "one record", trial)
        anchors = draw.normal(size=(3 * n, 2))
        prompts = {str(i): [str(3 * i + j) for j in range(3)] for i in range(n)}
        answered = np.repeat(np.arange(n), draw.integers(1, 9, size=n))
        shared = anchors.reshape(n, 3, 2).mean(axis=1) @ weights + 0.5 * draw.normal(size=(n, 2))
        records = shared[answered] + 0.5 * draw.normal(size=(len(answered), 2))
        ids = [str(i) for i in range(3 * n)]
        pairs = pair_by_prompt(records, [str(i) for i in answered], prompts, anchors, ids)
        found = hsic(pairs.x, pairs.y, kernel="linear", n_permutations=0)
        values.append(found.value)
        covered += found.ci_low <= truth <= found.ci_high
    error = np.std(values, ddof=1) / np.sqrt(trials)
    assert abs(np.mean(values) - truth) < 3.5 * error
    assert truth > 20 * error
    assert covered >= stats.binom.ppf(0.001, trials, 0.92)


@pytest.mark.parametrize(
    ("prompt_ids", "prompts", "anchor_ids", "message"),
    [
        (["p1"], PROMPTS, ANCHOR_IDS, "prompt_ids: 1 for 2 synthetic records"),
        (
            ["p1", "q2"],
            PROMPTS,
            ANCHOR_IDS,
            "synthetic record 1: prompt 'q2' is not among the prompts; allowed: p1, p2",
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
