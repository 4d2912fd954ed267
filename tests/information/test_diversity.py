import numpy as np
import pytest
from scipy import stats

from ggmi.errors import UserError
from ggmi.information.diversity import distinct_n, exact_duplicates, near_duplicates, vendi_score
from ggmi.random import stream


def test_the_vendi_score_is_the_entropy_of_the_similarity_matrix():
    x = stream(8, "vendi").normal(size=(30, 5))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    eigenvalues = np.clip(np.linalg.eigvalsh(unit @ unit.T / 30), 0, None)
    assert vendi_score(x).value == pytest.approx(np.exp(stats.entropy(eigenvalues)), rel=1e-10)


def test_the_vendi_score_counts_what_differs():
    assert vendi_score(np.repeat(np.eye(4), 10, axis=0)).value == pytest.approx(4)
    assert vendi_score(np.ones((10, 3))).value == pytest.approx(1)
    assert vendi_score(np.eye(4)).ceiling == 4


def test_the_interval_of_the_vendi_score_covers_its_mean():
    truth = np.mean([vendi_score(stream(8, "truth", t).normal(size=(200, 4)) * [3, 2, 1, 1]).value for t in range(200)])
    trials, covered = 200, 0
    for trial in range(trials):
        found = vendi_score(stream(8, "cover", trial).normal(size=(200, 4)) * [3, 2, 1, 1])
        covered += found.ci_low <= truth <= found.ci_high
    assert covered >= stats.binom.ppf(0.001, trials, 0.92)


def test_distinct_n_counts_word_grams_and_its_jackknife_leaves_out_parts():
    records = ["the cat sat", "the cat ran", "The  CAT sat"]
    assert distinct_n(records, order=1).value == 4 / 9
    assert distinct_n(records, order=2).value == 3 / 6
    found = distinct_n(records, order=2)
    left_out = np.array([3 / 4, 2 / 4, 3 / 4])
    error = np.sqrt(2 / 3 * np.square(left_out - left_out.mean()).sum())
    assert found.ci_high - found.value == pytest.approx(1.959964 * error, rel=1e-6)
    assert distinct_n(["a b", "c"], order=2).ci_low is None


def test_near_duplicates_are_found_by_direction_and_compared_with_the_training_set_itself():
    train = np.array([[1.0, 0.0], [0.0, 1.0], [0.999, 0.01]])
    found = near_duplicates([[2.0, 0.0], [0.7, 0.7], [-1.0, 0.0], [0.0, 5.0]], train)
    assert found.value == 0.5
    assert found.null_mean == pytest.approx(2 / 3)
    assert found.ci_low < 0.5 < found.ci_high
    assert near_duplicates([[1.0, 1.0]], [[1.0, 1.0]]).null_mean is None
    assert near_duplicates([[1.0, 0.0]], [[1.0, 1.0]], threshold=np.sqrt(0.5)).value == 1


def test_near_duplicates_do_not_depend_on_blocks(monkeypatch):
    generator = stream(8, "near")
    x, y = generator.normal(size=(50, 3)), generator.normal(size=(40, 3))
    whole = near_duplicates(x, y, threshold=0.97)
    monkeypatch.setattr("ggmi.information.diversity.TILE", 7)
    assert near_duplicates(x, y, threshold=0.97) == whole
    assert 0 < whole.value < 1


def test_exact_duplicates_compare_keys():
    found = exact_duplicates(["Paris ", "Rome", "paris"], ["PARIS", "Oslo", "oslo", "Bern"])
    assert found.value == pytest.approx(2 / 3)
    assert found.null_mean == 0.5
    assert exact_duplicates(["Paris"], ["PARIS"], key=str).value == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: vendi_score([[1.0, 0.0]]), "vectors: holds 1 observations"),
        (lambda: vendi_score([[1.0, 0.0], [0.0, 0.0]]), "vectors: embedding 1 is zero"),
        (lambda: distinct_n(["a"]), "records: holds 1; distinct-n needs at least 2"),
        (lambda: distinct_n(["a", "b"], order=2), "records: none has 2 words"),
        (lambda: near_duplicates([], [[1.0]]), "synthetic records: holds 0"),
        (lambda: near_duplicates([[1.0]], [[1.0, 2.0]]), "have 1 and 2 dimensions; embed both with the same model"),
        (lambda: near_duplicates([[1.0]], [[1.0]], threshold=2), "threshold: 2 is not allowed"),
        (lambda: exact_duplicates([], ["a"]), "synthetic records: holds none"),
        (lambda: exact_duplicates(["a"], []), "training records: holds none"),
    ],
)
def test_bad_input_is_told_in_one_sentence(call, message):
    with pytest.raises(UserError, match=message):
        call()
