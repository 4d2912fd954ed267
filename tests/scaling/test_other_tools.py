"""What other tools compute from the same samples: each rule in a few lines of ours, and where an order of rows decides.

Rules as read in huggingface/search-and-learn (sal.utils.math), NVIDIA/NeMo-Skills
(evaluation.metrics.base, math_metrics) and huggingface/lighteval (metrics_sample); docs/scaling.md has the table.
"""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from scaling.brute import samples_of

from ggmi.scaling.expectations import best_of, pass_at
from ggmi.scaling.voting import majority_at
from ggmi.scaling.weighting import weighted_votes

# Answers, truth and scores of five samples: two answers tie at k = 4, two scores tie.
SAID = ["a", "b", "a", "b", None]
RIGHT = [True, False, True, False, False]
SCORES = [0.5, 0.9, 0.25, 0.5, 0.9]


def first_group(said, weights):
    """search-and-learn: the first answer with the largest sum, in the order of rows."""
    sums = {}
    for answer, weight in zip(said, weights, strict=True):
        sums[answer] = sums.get(answer, 0) + weight
    return max(sums, key=sums.get)


def most_common(said, right):
    """NeMo-Skills before it sorted: the first pair of answer and truth that is most frequent."""
    pairs = [pair for pair in zip(said, right, strict=True) if pair[0] is not None]
    return Counter(pairs).most_common(1)[0][0][1] if pairs else False


def sorted_common(said, right):
    """NeMo-Skills since: the same among sorted pairs, so that of equally frequent answers the alphabet's first wins."""
    pairs = sorted(pair for pair in zip(said, right, strict=True) if pair[0] is not None)
    return Counter(pairs).most_common(1)[0][0][1] if pairs else False


def most_counted(said):
    """lighteval: the first of the most frequent texts, an empty one among them."""
    texts = [answer or "" for answer in said]
    return max(texts, key=texts.count)


def over_orders(rule):
    """A rule's results over all orders of the rows, of which it takes the first k."""
    return [rule(list(order)) for order in permutations(range(len(SAID)))]


def test_majorities_depend_on_the_order_there_and_their_mean_over_orders_is_ours():
    for k in (2, 4):
        ours = majority_at(samples_of(SAID, RIGHT), k)[0]
        common = over_orders(
            lambda order, k=k: most_common([SAID[i] for i in order[:k]], [RIGHT[i] for i in order[:k]])
        )
        assert set(common) == {False, True}
        assert np.mean(common) == pytest.approx(ours)


def test_sorting_makes_a_majority_that_favours_the_alphabets_first():
    ours = majority_at(samples_of(SAID, RIGHT), 4)[0]

    def rule(order, names):
        return sorted_common([names[SAID[i]] for i in order[:4]], [RIGHT[i] for i in order[:4]])

    first, last = ({"a": "1", "b": "2", None: None}, {"a": "2", "b": "1", None: None})
    favoured, slighted = (
        np.mean(over_orders(lambda order, names=names: rule(order, names))) for names in (first, last)
    )
    assert slighted < ours < favoured
    assert (slighted + favoured) / 2 == pytest.approx(ours)


def test_the_highest_score_depends_on_the_order_where_scores_tie():
    ours = best_of(samples_of(SAID, RIGHT, np.array(SCORES)), "s", [4])[0, 0]
    chosen = over_orders(lambda order: RIGHT[max(order[:4], key=lambda i: SCORES[i])])
    assert set(chosen) == {False, True} or ours in (0, 1)
    assert np.mean(chosen) == pytest.approx(ours)


def test_a_weighted_vote_there_lets_a_missing_answer_win():
    """Where every sample answers, the mean over orders is ours; a group of empty answers is nobody's there."""
    answered = [0, 1, 2, 3]
    said, right, scores = ([column[i] for i in answered] for column in (SAID, RIGHT, [0.5, 0.5, 0.25, 0.25]))
    samples = samples_of(said, right, np.array(scores))
    ours = weighted_votes(samples, [2], {2: majority_at(samples, 2)}, 0)[0]["s", 2][0]
    truth = dict(zip(said, right, strict=True))
    theirs = [
        truth[first_group([said[i] for i in order[:2]], [scores[i] for i in order[:2]])]
        for order in permutations(answered)
    ]
    assert set(theirs) == {False, True}
    assert np.mean(theirs) == pytest.approx(ours)
    assert first_group([None, None, "a"], [0.5, 0.5, 0.9]) is None


def test_lighteval_counts_empty_answers_as_one_answer():
    assert most_counted(["", "", "a"]) == ""
    assert majority_at(samples_of([None, None, "a"], [0, 0, 1]), 3)[0] == 1


def test_the_first_k_samples_are_one_subset_of_many():
    ours = pass_at(samples_of(SAID, RIGHT), 2)[0]
    first = over_orders(lambda order: any(RIGHT[i] for i in order[:2]))
    assert set(first) == {False, True}
    assert np.mean(first) == pytest.approx(ours)
