import numpy as np
import pytest
from scipy.spatial.distance import pdist

from ggmi.errors import UserError
from ggmi.information import kernels
from ggmi.information.kernels import Sets, median_distance, tiles, variable
from ggmi.random import stream


def everything(v):
    return v.tile(np.arange(len(v)), np.arange(len(v)))


def test_the_gaussian_kernel_equals_the_textbook_formula_even_far_from_the_origin(gaussian_kernel):
    x = stream(1, "kernel").normal(size=(12, 3)) + 1e5
    np.testing.assert_allclose(everything(variable(x, "x", bandwidth=0.7)), gaussian_kernel(x, 0.7), atol=1e-9)


def test_the_linear_kernel_is_the_inner_product_of_centred_points():
    x = stream(1, "linear").normal(size=(12, 3))
    centred = x - x.mean(axis=0)
    v = variable(x, "x", kernel="linear")
    np.testing.assert_allclose(everything(v), centred @ centred.T, atol=1e-12)
    np.testing.assert_allclose(v.diagonal(), np.square(centred).sum(axis=1))


@pytest.mark.parametrize("n", [2, 7, 40, 41])
def test_the_median_bandwidth_is_the_median_of_all_pairwise_distances(n):
    x = stream(1, "median", n).normal(size=(n, 4)) + 100
    assert median_distance(x) == pytest.approx(np.median(pdist(x)), rel=1e-9)


def test_equal_points_say_nothing_of_the_scale(monkeypatch):
    """Labels: most pairs are the same, and texts that are embedded in two batches differ by rounding."""
    labels = np.repeat(stream(1, "labels").normal(size=(2, 4)), [57, 3], axis=0)
    apart = np.linalg.norm(labels[0] - labels[-1])
    assert variable(labels, "x").bandwidth == pytest.approx(apart)
    rounded = labels + 1e-8 * stream(1, "rounding").normal(size=labels.shape)
    assert variable(rounded, "x").bandwidth == pytest.approx(apart)
    monkeypatch.setattr(kernels, "MEDIAN_POINTS", 4)
    assert variable(labels, "x").bandwidth == pytest.approx(apart)


def test_beyond_its_limit_the_median_bandwidth_is_that_of_a_named_draw(monkeypatch):
    x = stream(1, "median").normal(size=(900, 4))
    whole = median_distance(x)
    monkeypatch.setattr(kernels, "MEDIAN_POINTS", 300)
    assert median_distance(x, 5) == median_distance(x, 5) != median_distance(x, 6)
    assert median_distance(x, 5) == pytest.approx(whole, rel=0.03)


def test_the_set_kernel_is_the_mean_over_pairs_of_members(gaussian_kernel):
    anchors = stream(1, "sets").normal(size=(6, 2))
    members = [[0], [1, 2], [3, 4, 5], [0, 5], [2, 2, 4]]
    v = variable(Sets(anchors, members), "x", bandwidth=1.3)
    base = gaussian_kernel(anchors, 1.3)
    expected = [[np.mean([[base[i, j] for j in b] for i in a]) for b in members] for a in members]
    np.testing.assert_allclose(everything(v), expected, atol=1e-12)
    np.testing.assert_allclose(v.diagonal(), np.diag(expected), atol=1e-12)
    order = np.array([3, 0, 4])
    np.testing.assert_allclose(everything(v.reordered(order)), np.array(expected)[np.ix_(order, order)], atol=1e-12)


def test_tiles_cover_every_pair_once_whatever_their_size(monkeypatch):
    monkeypatch.setattr(kernels, "TILE", 5)
    x = stream(1, "tiles").normal(size=(13, 2))
    seen = np.zeros((13, 13))
    v = variable(x, "x")
    for rows, columns, (k,) in tiles([v]):
        seen[np.ix_(rows, columns)] += k
        if columns[0] != rows[0]:
            seen[np.ix_(columns, rows)] += k.T
    np.testing.assert_allclose(seen, everything(v) - np.eye(13), atol=1e-12)


@pytest.mark.parametrize(
    ("x", "settings", "message"),
    [
        ([[1.0], [1.0], [1.0]], {}, "x: all observations are the same"),
        ([[0.1], [0.1 + 1e-8], [0.1]], {}, "x: all observations are the same"),
        ([[0.0], [1.0]], {"bandwidth": 0}, "bandwidth: '0' is not allowed"),
        ([[0.0], [1.0]], {"bandwidth": "mdian"}, "bandwidth: 'mdian' is not allowed"),
        ([[0.0], [1.0]], {"bandwidth": float("nan")}, "bandwidth: 'nan' is not allowed"),
        ([[0.0], [1.0]], {"kernel": "gausian"}, "did you mean 'gaussian'"),
        (Sets(np.array([[0.0], [1.0]]), [[0, 1], [1, 0]]), {}, "x: all observations are the same"),
        (Sets(np.array([[0.0], [1.0]]), [[0, 1]]), {}, "x: holds 1 observations"),
    ],
)
def test_variables_without_information_are_refused(x, settings, message):
    with pytest.raises(UserError, match=message):
        variable(x, "x", **settings)


@pytest.mark.parametrize("members", [[[0], []], [[0], [2]], [[0], [-1]]])
def test_sets_must_have_members_that_exist(members):
    with pytest.raises(UserError, match="sets: observation 1"):
        Sets(np.array([[0.0], [1.0]]), members)
