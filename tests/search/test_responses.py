import numpy as np
import pytest
from scipy.stats import binom
from search.table import Chance, Knows, Silent, TablePolicy

from ggmi.search.policy import NO_ANSWER, best, repeats
from ggmi.search.responses import choose_best, choose_by_votes, min_max_weights, sample_responses

P = (0.7, 0.5, 0.6)


def chosen(found, places):
    return np.take_along_axis(found.nodes, places[:, None], axis=1)[:, 0]


@pytest.mark.parametrize("count", [1, 4, 9])
def test_best_of_n_with_a_perfect_verifier_is_right_where_any_response_is(count, policy, roots, generator, near):
    found = sample_responses(policy, roots, count, limit=9)
    places = choose_best(Knows(policy).score(found.nodes), found.answers, generator)
    near(policy.right(chosen(found, places)), 1 - (1 - np.prod(P)) ** count)
    assert (found.steps == 3).all()
    assert (found.tokens == 6).all()


@pytest.mark.parametrize("verifier", [Chance, Silent])
def test_a_verifier_that_knows_nothing_leaves_the_accuracy_of_one_sample(verifier, policy, roots, generator, near):
    found = sample_responses(policy, roots, 8, limit=9)
    scorer = verifier() if verifier is Silent else Chance()
    distinct = scorer.score(found.nodes) if verifier is Silent else generator.random(found.nodes.shape)
    near(policy.right(chosen(found, choose_best(distinct, found.answers, generator))), np.prod(P))


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_the_majority_of_two_answers_is_a_binomial_tail_with_ties_shared(count, policy, roots, generator, near):
    found = sample_responses(policy, roots, count, limit=9)
    binary = np.minimum(found.answers, 1)
    votes = binom(count, np.prod(P))
    exact = votes.sf(count // 2) + (votes.pmf(count // 2) / 2 if count % 2 == 0 else 0)
    near(np.take_along_axis(binary, choose_by_votes(binary, generator)[:, None], 1)[:, 0] == 0, exact)


def test_votes_against_a_count_by_hand(generator):
    answers = generator.integers(-1, 5, size=(400, 9))
    weights = generator.random((400, 9)).round(1)
    weights[generator.random((400, 9)) < 0.1] = np.nan
    for w in (None, weights):
        places = choose_by_votes(answers, generator, w)
        for row, place in enumerate(places):
            sums = {}
            for answer, weight in zip(answers[row], np.ones(9) if w is None else w[row], strict=True):
                if answer != NO_ANSWER:
                    sums[answer] = sums.get(answer, 0) + np.nan_to_num(weight)
            top = max(sums.values())
            assert answers[row, place] in {a for a, total in sums.items() if abs(total - top) < 1e-9}
            assert place == list(answers[row]).index(answers[row, place])


def test_nobody_votes_where_nobody_answers(generator):
    assert choose_by_votes(np.full((2, 3), NO_ANSWER), generator).tolist() == [0, 0]


def test_a_response_without_an_answer_is_chosen_last(generator):
    scores, answers = np.array([[0.9, 0.1, np.nan]]), np.array([[NO_ANSWER, 4, 5]])
    assert choose_best(scores, answers, generator).tolist() == [1]
    assert choose_best(np.array([[0.9, np.nan]]), np.array([[NO_ANSWER, 5]]), generator).tolist() == [1]


def test_the_published_weights_take_the_vote_of_the_lowest(generator):
    scores = np.array([[0.5, 0.6, 0.7], [0.3, 0.3, 0.3]])
    weights = min_max_weights(scores)
    np.testing.assert_allclose(weights, [[0, 0.5, 1], [1, 1, 1]])
    # Two low votes for 7 outweigh one high for 8 as they stand, but not after the move to 0 … 1.
    answers = np.array([[7, 7, 8]])
    assert choose_by_votes(answers, generator, scores[:1]).tolist() == [0]
    assert choose_by_votes(answers, generator, weights[:1]).tolist() == [2]


def test_equals_share_by_chance(generator):
    places = best(np.tile([0.2, 0.8, 0.8, np.nan, 0.8], (30_000, 1)), generator)
    counts = np.bincount(places, minlength=5) / len(places)
    np.testing.assert_allclose(counts, [0, 1 / 3, 1 / 3, 0, 1 / 3], atol=0.012)


def test_repeats_are_those_that_stand_further_left():
    nodes = np.array([[3, 1, 3, 3, 2, 1], [9, 8, 7, 6, 5, 4]])
    assert repeats(nodes).tolist() == [[False, False, True, True, False, True], [False] * 6]


def test_a_text_that_never_ends_is_cut_and_gives_no_answer(roots):
    policy = TablePolicy(P, np.random.default_rng(0), endless=True)
    found = sample_responses(policy, roots[:50], 3, limit=5)
    assert (found.steps == 5).all()
    assert (found.answers == NO_ANSWER).all()
