from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from ggmi.errors import UserError
from ggmi.random import stream
from ggmi.theory.learners import dataset_loss, deterministic, erm, gibbs, layered_loss


def test_dataset_loss_is_the_mean_over_the_examples_of_every_training_set():
    loss = stream(1, "loss").random((4, 3))
    found = dataset_loss(loss, 3)
    for index, examples in enumerate(product(range(3), repeat=3)):
        np.testing.assert_allclose(found[:, index], loss[:, list(examples)].mean(axis=1))
    assert found.shape == (4, 27)


def test_erm_takes_a_hypothesis_of_least_loss_and_the_first_among_equals():
    loss = np.array([[0.3, 0.1, 0.2], [0.1, 0.1, 0.2], [0.2, 0.5, 0.1]])
    assert erm(loss).argmax(axis=1).tolist() == [1, 0, 2]
    np.testing.assert_array_equal(erm(loss).sum(axis=1), 1)


def test_gibbs_goes_from_uniform_to_erm():
    loss = stream(2, "loss").random((5, 3, 4))
    np.testing.assert_allclose(gibbs(loss, 0.0), 1 / 3)
    np.testing.assert_allclose(gibbs(loss, 1e5), erm(loss), atol=1e-9)
    weights = np.exp(-2.5 * loss[0, :, 1])
    np.testing.assert_allclose(gibbs(loss, 2.5)[0, 1], weights / weights.sum())


def test_gibbs_temperatures_may_differ_between_worlds():
    loss = stream(3, "loss").random((2, 3, 4))
    both = gibbs(loss, np.array([0.5, 8.0]))
    np.testing.assert_allclose(both[1], gibbs(loss[1], 8.0))


def test_layers_multiply():
    loss = stream(4, "loss").random((2, 5))
    once = layered_loss(layered_loss(loss, Fraction(3, 4)), Fraction(1, 2))
    np.testing.assert_allclose(once, layered_loss(loss, Fraction(3, 8)))
    np.testing.assert_allclose(layered_loss(loss, Fraction(1)), loss)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: dataset_loss(np.zeros((2, 10)), 8), "100000000 training sets of 8 examples"),
        (lambda: dataset_loss(np.zeros((2, 10)), 0), "at least one example"),
        (lambda: deterministic(np.array([0, 3]), 2), "names output 3, but outputs are 0 to 1"),
        (lambda: layered_loss(np.zeros((1, 2)), Fraction(3, 2)), "contraction factor is 3/2"),
    ],
)
def test_bad_requests_get_one_sentence(call, sentence):
    with pytest.raises(UserError, match=sentence):
        call()
