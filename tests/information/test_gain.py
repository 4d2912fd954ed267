import numpy as np
import pytest
from scipy import stats

from ggmi.errors import UserError
from ggmi.information.gain import gain_of_sums
from ggmi.random import stream


def world():
    """Four prompts in two pairs, three outputs: the pair is what h keeps of the prompt."""
    given_prompt = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.2, 0.5, 0.3]])
    entropy_given_prompt = np.mean([stats.entropy(row) for row in given_prompt])
    entropy_given_pair = np.mean([stats.entropy(given_prompt[pair].mean(axis=0)) for pair in ([0, 1], [2, 3])])
    return given_prompt, entropy_given_prompt, entropy_given_pair


def draw(given_prompt, prompts, records, *name):
    generator = stream(3, "gain", *name)
    ids = np.repeat(generator.integers(4, size=prompts), records)
    outputs = np.array([generator.choice(3, p=given_prompt[p]) for p in ids])
    return (
        -np.log(given_prompt[ids, outputs]),
        np.ones(len(ids)),
        [str(i) for i in np.repeat(np.arange(prompts), records)],
    )


def test_the_estimate_is_unbiased_for_lossless_h_and_a_lower_bound_otherwise(monkeypatch):
    monkeypatch.setattr("ggmi.information.gain.RESAMPLES", 2)
    given_prompt, lossless, lossy = world()
    values = [gain_of_sums(*draw(given_prompt, 30, 2, i)[:2]).per_record.value for i in range(300)]
    error = np.std(values, ddof=1) / np.sqrt(300)
    assert abs(np.mean(values) - lossless) < 3.5 * error
    assert lossless < lossy
    assert np.mean(values) + 5 * error < lossy


def test_the_interval_over_prompts_covers_the_entropy():
    given_prompt, truth, _ = world()
    trials, covered = 200, 0
    for i in range(trials):
        found = gain_of_sums(*draw(given_prompt, 40, 5, "coverage", i)).per_record
        covered += found.ci_low <= truth <= found.ci_high
    assert covered >= stats.binom.ppf(0.001, trials, 0.93)


def test_records_of_one_prompt_do_not_count_as_independent():
    nats = [1.0 + prompt for prompt in range(20) for _ in range(30)]
    prompts = [str(prompt) for prompt in range(20) for _ in range(30)]
    clustered, ignored = (gain_of_sums(nats, np.ones(600), own).per_record for own in (prompts, None))
    width, narrow = (e.ci_high - e.ci_low for e in (clustered, ignored))
    assert width == pytest.approx(np.sqrt(30) * narrow, rel=0.1)


def test_units_are_consistent_for_records_of_different_length():
    gain = gain_of_sums([6, 4], [3, 1], ["p", "q"])
    assert gain.per_record.value == 5
    assert gain.per_token.value == 2.5
    assert gain.total.value == 10
    assert [e.unit for e in (gain.per_record, gain.per_token, gain.total)] == ["nats/record", "nats/token", "nats"]
    assert (gain.total.ci_low, gain.total.ci_high) == (8.0, 12.0)


def test_a_single_prompt_gives_a_value_without_interval():
    gain = gain_of_sums([1, 3], [1, 1], ["p", "p"])
    assert gain.per_record.value == 2
    assert gain.per_record.ci_low is gain.per_record.ci_high is gain.per_record.ceiling is None


@pytest.mark.parametrize(
    ("nats", "tokens", "prompts", "message"),
    [
        ([], [], None, "log_probs: holds no records"),
        (
            [1.0, 2.0],
            [1, 0],
            None,
            "log_probs: each record needs a finite sum of at most 0 nats and at least one token",
        ),
        ([1.0, -0.5], [1, 1], None, "log_probs: each record needs a finite sum"),
        ([np.nan], [1], None, "log_probs: each record needs a finite sum"),
        ([np.inf], [1], None, "log_probs: each record needs a finite sum"),
        ([1.0], [1, 1], None, "log_probs: each record needs a finite sum"),
        (["x"], [1], None, "log_probs: sums and numbers of tokens must be numbers"),
        ([1.0], [1], ["p", "q"], "prompt_ids: 2 labels for 1 observations"),
    ],
)
def test_sums_that_cannot_be_are_refused(nats, tokens, prompts, message):
    with pytest.raises(UserError, match=message):
        gain_of_sums(nats, tokens, prompts)
