import numpy as np
import pytest
from scipy import stats

from ggmi.errors import UserError
from ggmi.information.diversity import distinct_n, vendi_score
from ggmi.information.duplicates import OWN_GROUP, exact_duplicates, exact_key, near_duplicates, near_repeats
from ggmi.random import stream
from ggmi.statistics import share_interval


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


@pytest.mark.parametrize(
    "script", ["山水木土針橋風馬鳥花", "กขคงจฉชซฌญ", "ກຂຄງຈຊຍດຕຖ", "カキクケコサシスセソ", "🎻🚪🥖🧭🪵🚲🌧🧊🦔🐐"]
)
def test_words_of_scripts_without_spaces_are_their_characters(script):
    draw = stream(9, "scripts", script)
    different = ["".join(draw.choice(list(script), 12)) + f"{i}" for i in range(30)]
    repeated = [script[:2] * 6 + f"{i}" for i in range(30)]
    assert distinct_n(different).value > 2 * distinct_n(repeated).value


def test_near_duplicates_are_found_by_direction_and_compared_with_the_training_set_itself():
    train = np.array([[1.0, 0.0], [0.0, 1.0], [0.999, 0.01]])
    found = near_duplicates([[2.0, 0.0], [0.7, 0.7], [-1.0, 0.0], [0.0, 5.0]], train)
    assert found.value == 0.5
    assert found.null_mean == pytest.approx(2 / 3)
    assert found.ci_low < 0.5 < found.ci_high
    assert near_duplicates([[1.0, 1.0]], [[1.0, 1.0]]).null_mean is None
    assert near_duplicates([[1.0, 0.0]], [[1.0, 1.0]], threshold=np.sqrt(0.5)).value == 1


def test_near_duplicates_of_the_own_prompt_alone_are_no_test_of_repeating_t():
    train, prompts = np.eye(20), [f"p{i}" for i in range(20)]
    copied = near_duplicates(train, train, groups=(prompts, prompts))
    assert (copied.value, copied.null_mean, copied.p_value) == (1, 0, None)
    assert copied.method.endswith(OWN_GROUP)
    # One record that T has twice is no test of the others either.
    twice = np.vstack([train, train[:1]])
    mixed = near_duplicates(train, twice, groups=(prompts, [*prompts, "another"]))
    assert f"19 of them {OWN_GROUP}" in mixed.method
    assert mixed.p_value > 0.05
    moved = near_duplicates(np.roll(train, 1, axis=0), train, groups=(prompts, prompts))
    assert moved.value == 1
    assert moved.p_value < 0.01
    assert OWN_GROUP not in moved.method
    fresh = near_duplicates(-train, train, groups=(prompts, prompts))
    assert (fresh.value, fresh.p_value) == (0, 1)


def topics(draw, n, kinds=80):
    """Records about topics of ever smaller shares: frequent ones repeat, rare ones by chance."""
    centres = stream(8, "topics").normal(size=(kinds, 12))
    shares = 1 / np.arange(1, kinds + 1)
    return centres[draw.choice(kinds, n, p=shares / shares.sum())] + 0.02 * draw.normal(size=(n, 12))


@pytest.mark.parametrize(("permuted", "n", "m", "trials"), [(8000, 40, 40, 300), (8000, 90, 40, 200), (0, 40, 40, 300)])
def test_a_set_of_the_law_of_t_is_rarely_said_to_repeat_t_more_than_t_itself(monkeypatch, permuted, n, m, trials):
    monkeypatch.setattr("ggmi.information.duplicates.PERMUTED", permuted)
    called, careless = 0, 0
    for trial in range(trials):
        draw = stream(8, "repeats", n, m, trial)
        found = near_duplicates(topics(draw, n), topics(draw, m), n_permutations=99, seed=trial)
        called += found.p_value <= 0.05
        careless += found.ci_low > found.null_mean
    assert called <= stats.binom.ppf(0.999, trials, 0.05)
    # T's own share without its error: what the test is for.
    assert careless > stats.binom.ppf(0.999, trials, 0.05)


def test_copies_of_t_are_found_and_a_dozen_of_very_many_are_none_of_a_small_t():
    draw = stream(8, "copies")
    train = draw.normal(size=(200, 24))
    copied = np.concatenate([train[:12], draw.normal(size=(188, 24))])
    assert near_duplicates(copied, train).p_value == 0.001
    many = np.concatenate([train[:12], draw.normal(size=(51_988, 24))])
    found = near_duplicates(many, train)
    assert found.value == pytest.approx(12 / 52_000)
    assert found.p_value > 0.3
    assert near_duplicates(draw.normal(size=(9, 24)), train[:1]).p_value is None


@pytest.mark.parametrize("sides", ["ST", "pp"])
def test_prompts_whose_records_agree_are_no_more_often_called_repeats(sides):
    """Three like answers a prompt, to prompts of its own or to those of T."""
    called, trials = 0, 200
    for trial in range(trials):
        draw = stream(8, "prompts", trial)
        made, train = (np.repeat(topics(draw, 30), 3, axis=0) for _ in range(2))
        groups = tuple([f"{side} {i // 3}" for i in range(90)] for side in sides)
        called += near_duplicates(made, train, groups=groups, n_permutations=99, seed=trial).p_value <= 0.05
    assert called <= stats.binom.ppf(0.999, trials, 0.05)


def test_near_duplicates_do_not_depend_on_blocks(monkeypatch):
    generator = stream(8, "near")
    x, y = generator.normal(size=(50, 3)), generator.normal(size=(40, 3))
    whole = near_duplicates(x, y, threshold=0.97)
    monkeypatch.setattr("ggmi.information.duplicates.TILE", 7)
    assert near_duplicates(x, y, threshold=0.97) == whole
    assert 0 < whole.value < 1


def test_exact_duplicates_compare_keys():
    made, real = (["Paris ", "Rome", "paris"], ["PARIS", "Oslo", "oslo", "Bern"])
    found = exact_duplicates([*map(exact_key, made)], [*map(exact_key, real)])
    assert found.value == pytest.approx(2 / 3)
    assert found.null_mean == 0.5


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
        (lambda: exact_duplicates([], [b"a"]), "synthetic records: holds none"),
        (lambda: exact_duplicates([b"a"], []), "training records: holds none"),
    ],
)
def test_bad_input_is_told_in_one_sentence(call, message):
    with pytest.raises(UserError, match=message):
        call()


def test_records_of_one_prompt_are_left_out_together():
    """Every record three times, the copies of one prompt: as much is known of the set as of one copy of it."""
    x = stream(5, "diversity", "groups").normal(size=(60, 4))
    groups = [f"prompt {i}" for i in np.repeat(np.arange(60), 3)]
    once, thrice = vendi_score(x), vendi_score(np.repeat(x, 3, axis=0), groups=groups)
    careless = vendi_score(np.repeat(x, 3, axis=0))
    assert (thrice.value, thrice.ci_low, thrice.ci_high) == pytest.approx((once.value, once.ci_low, once.ci_high))
    assert careless.ci_high - careless.ci_low < 0.8 * (once.ci_high - once.ci_low)
    words = [f"w{i % 7} w{i % 5} w{i % 3}" for i in range(60)]
    of_groups = distinct_n([word for word in words for _ in range(3)], groups=groups)
    expected = distinct_n(words)
    assert [3 * of_groups.value, 3 * of_groups.ci_low] == pytest.approx([expected.value, expected.ci_low])


@pytest.mark.parametrize("estimator", ["near_duplicates", "near_repeats", "exact_duplicates"])
def test_a_share_of_prompts_that_repeat_is_known_as_well_as_prompts_are_many(estimator):
    """Ten prompts with ten records each, one prompt's all copies: the interval is that of clusters."""
    train = stream(5, "diversity", "copied").normal(size=(1, 30))
    made = stream(5, "diversity", "made").normal(size=(100, 30))
    made[:10] = train
    groups = [f"prompt {i // 10}" for i in range(100)]
    keys = [exact_key("copied" if i < 10 else f"own {i}") for i in range(100)]
    found = {
        "near_duplicates": lambda g: near_duplicates(made, train, groups=g and (g, ["T"])),
        "near_repeats": lambda g: near_repeats(made, groups=g),
        "exact_duplicates": lambda g: exact_duplicates(keys, keys[:1], groups=g),
    }[estimator]
    careless, careful = found(None), found(groups)
    expected = share_interval([10] + [0] * 9, [10] * 10)
    assert careless.value == careful.value == 0.1
    assert (careful.ci_low, careful.ci_high) == (expected.low, expected.high)
    assert careful.ci_high > 1.5 * careless.ci_high
    assert "interval over 10 groups of records" in careful.method
    alone = found([f"prompt {i}" for i in range(100)])
    assert (alone.ci_low, alone.ci_high) == (careless.ci_low, careless.ci_high)


def test_a_set_from_one_prompt_has_a_value_and_no_interval():
    x = stream(5, "diversity", "one").normal(size=(9, 3))
    found = vendi_score(x, groups=["p"] * 9)
    assert found.value == vendi_score(x).value
    assert found.ci_low is None
    assert distinct_n(["a b c", "a b d"], groups=["p", "p"]).ci_low is None
