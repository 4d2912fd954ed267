"""Distances between sets whose records came in groups: answers to the same prompts, lists from one prompt."""

import numpy as np
import pytest
from scipy import stats

from ggmi.errors import UserError
from ggmi.information import kernels
from ggmi.information.distances import mmd, total_variation_bound
from ggmi.random import stream

# How much of a record its group decides.
SHARED = 0.9


def answers(n, shift, *name):
    """Two models' answers to the same n prompts, of one law but for the shift; with the prompts' numbers."""
    draw = stream(6, "answers", *name).normal
    prompts = draw(size=(n, 3))
    x, y = (SHARED * prompts + np.sqrt(1 - SHARED**2) * draw(size=(n, 3)) for _ in range(2))
    return x, y + shift, (np.arange(n), np.arange(n))


def lists(prompts, each, m, *name):
    """Lists of records, alike within a prompt, against m records by themselves; all of one law."""
    draw = stream(6, "lists", *name).normal
    x = SHARED * np.repeat(draw(size=(prompts, 3)), each, axis=0)
    x += np.sqrt(1 - SHARED**2) * draw(size=x.shape)
    return x, draw(size=(m, 3)), (np.repeat(np.arange(prompts), each), prompts + np.arange(m))


def by_definition(k, signs, codes, n):
    """The sum over pairs of different groups, each form by its number of pairs."""
    apart = codes[:, None] != codes[None, :]
    is_x = np.arange(len(codes)) < n

    def mean(a, b):
        chosen = apart & a[:, None] & b[None, :]
        return (k * np.outer(signs, signs))[chosen].sum() / chosen.sum()

    return mean(is_x, is_x) + mean(~is_x, ~is_x) - 2 * mean(is_x, ~is_x)


@pytest.mark.parametrize("tile", [5, 512])
def test_value_and_null_equal_the_definition(gaussian_kernel, monkeypatch, tile):
    monkeypatch.setattr(kernels, "TILE", tile)
    draw = stream(6, "definition").normal
    x, y = draw(size=(9, 2)), draw(0.5, size=(7, 2))
    groups = (np.array([0, 0, 1, 1, 1, 2, 3, 4, 4]), np.array([0, 3, 3, 5, 6, 6, 7]))
    found = mmd(x, y, groups=groups, bandwidth=1.4, n_permutations=400, seed=3)
    codes, k = np.concatenate(groups), gaussian_kernel(np.concatenate([x, y]), 1.4)
    assert found.value == pytest.approx(by_definition(k, np.ones(16), codes, 9), rel=1e-10)
    apart = codes[:, None] != codes[None, :]
    means = np.stack([(k * apart)[:, chosen].sum(1) / apart[:, chosen].sum(1) for chosen in (slice(9), slice(9, 16))])
    to_centre = means.mean(axis=0)
    centred = k - to_centre[:, None] - to_centre[None, :] + (to_centre[:9].mean() + to_centre[9:].mean()) / 2
    observed = by_definition(centred, np.ones(16), codes, 9)
    signs = stream(3, "mmd", "labellings").integers(2, size=(8, 400)) * 2 - 1
    larger = sum(by_definition(centred, signs[codes, t], codes, 9) >= observed - 1e-12 for t in range(400))
    assert found.p_value == (1 + larger) / 401


def test_groups_of_one_record_change_nothing():
    x, y, _ = answers(30, 0.3)
    alone = (np.arange(30), 30 + np.arange(30))
    for distance in (mmd, total_variation_bound):
        assert distance(x, y, groups=alone) == distance(x, y)


def test_answers_to_the_same_prompts_are_unbiased_and_rejected_as_often_as_alpha_says():
    trials, plain, grouped, rejected, advantage, wrong = 300, [], [], 0, [], 0
    for trial in range(trials):
        x, y, groups = answers(50, 0.0, trial)
        plain.append(mmd(x, y, n_permutations=1, bandwidth=2.0).value)
        found = mmd(x, y, groups=groups, n_permutations=99, bandwidth=2.0, seed=trial)
        grouped.append(found.value)
        rejected += found.p_value <= 0.05
        if trial < 100:
            bound = total_variation_bound(x, y, groups=groups, n_permutations=39, seed=trial)
            advantage.append(bound.value)
            wrong += bound.p_value <= 0.05
    error = np.std(grouped) / np.sqrt(trials)
    # Without groups a prompt's two answers count as a pair across the sets, whose resemblance pulls the value down.
    assert np.mean(plain) < -10 * error
    assert abs(np.mean(grouped)) < 3.5 * error
    low, high = stats.binom.interval(0.999, trials, 0.05)
    assert low <= rejected <= high
    assert abs(np.mean(advantage)) < 3.5 * np.std(advantage) / 10
    assert wrong <= stats.binom.ppf(0.999, 100, 0.05)


def test_pairs_find_a_shift_that_their_differences_drown():
    trials = 40
    found = [mmd(*answers(60, 0.25, t)[:2], n_permutations=99, seed=t).p_value <= 0.05 for t in range(trials)]
    paired = []
    for trial in range(trials):
        x, y, groups = answers(60, 0.25, trial)
        paired.append(mmd(x, y, groups=groups, n_permutations=99, seed=trial).p_value <= 0.05)
    assert np.mean(found) < 0.3
    assert np.mean(paired) > 0.9


def test_lists_of_alike_records_are_no_other_law():
    trials, plain, grouped, wrong = 200, 0, 0, 0
    values = []
    for trial in range(trials):
        x, y, groups = lists(40, 6, 120, trial)
        plain += mmd(x, y, n_permutations=99, bandwidth=2.0, seed=trial).p_value <= 0.05
        found = mmd(x, y, groups=groups, n_permutations=99, bandwidth=2.0, seed=trial)
        grouped += found.p_value <= 0.05
        values.append(found.value)
        if trial < 60:
            wrong += total_variation_bound(x, y, groups=groups, n_permutations=39, seed=trial).p_value <= 0.05
    assert plain > 0.3 * trials
    # Random signs are right for many groups; for forty of them within a few hundredths.
    assert grouped <= stats.binom.ppf(0.999, trials, 0.08)
    assert abs(np.mean(values)) < 3.5 * np.std(values) / np.sqrt(trials)
    assert wrong <= stats.binom.ppf(0.999, 60, 0.05)


def test_the_interval_holds_the_distance_of_lists_as_often_as_it_says():
    # E k = (1 + 2/s^2)^(-d/2) exp(-shift^2 / (2 (s^2 + 2))) in d dimensions.
    shift, bandwidth, covered, trials = 1.0, 2.0, 0, 150
    same = (1 + 2 / bandwidth**2) ** -1.5
    truth = 2 * same * (1 - np.exp(-(shift**2) / (2 * (bandwidth**2 + 2))))
    for trial in range(trials):
        x, y, groups = lists(60, 5, 200, "interval", trial)
        found = mmd(x + np.array([shift, 0, 0]), y, groups=groups, n_permutations=19, bandwidth=bandwidth, seed=trial)
        covered += found.ci_low <= truth <= found.ci_high
    assert covered >= stats.binom.ppf(0.001, trials, 0.92)


@pytest.mark.parametrize("distance", [mmd, total_variation_bound])
def test_groups_that_make_no_sense_are_told(distance):
    x, y, _ = answers(20, 0.0)
    with pytest.raises(UserError, match="groups: 3 labels for the 20 records of x; each needs one"):
        distance(x, y, groups=([1, 2, 3], np.arange(20)))
    with pytest.raises(UserError, match="groups: the records of y are of 1 groups; at least"):
        distance(x, y, groups=(np.arange(20), np.zeros(20)))
