import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg, stats

from ggmi.errors import UserError
from ggmi.mixtures.gaussian import Mixtures, sample
from ggmi.mixtures.worlds import (
    BLOCK_BYTES,
    JITTER,
    MAX_BLOCK_ROUNDS,
    Condition,
    LabelledPoints,
    data_worlds,
    random_covariances,
    random_worlds,
    rounds_per_block,
    synthetic_points,
)
from ggmi.random import stream

SIZES = st.integers(0, 10**6)
CONDITION = Condition(2, 3, 4)
CONDITION_OF_TABLE = Condition(2, 3, 2)


@pytest.fixture
def table():
    """Eight classes of 20 to 55 points in three dimensions, their rows shuffled."""
    generator = stream(0, "table")
    classes = generator.permutation(np.repeat(np.arange(8), np.arange(20, 60, 5)))
    points = generator.normal(size=(len(classes), 3)) * (1 + classes[:, None]) + 5 * classes[:, None]
    return LabelledPoints(points, classes.astype(np.int64), tuple("abcdefgh"))


def assert_same_worlds(one, other):
    for name, found in one.arrays().items():
        np.testing.assert_array_equal(found, other.arrays()[name], err_msg=name)


def assert_generator_knows_anchors_truth_and_others(condition, worlds):
    K, known = condition.K, condition.K + condition.J
    for r, k in np.ndindex(worlds.truth.rounds, K):
        anchors = worlds.anchors[r, k]
        covariance = np.cov(anchors.T).reshape(worlds.truth.dimensions, -1) + 1e-6 * np.eye(anchors.shape[1])
        np.testing.assert_allclose(worlds.generator.means[r, k], anchors.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(worlds.generator.covariances[r, k], covariance, rtol=1e-9, atol=1e-14)
    np.testing.assert_array_equal(worlds.generator.means[:, K:known], worlds.truth.means[:, K:])
    np.testing.assert_array_equal(worlds.generator.covariances[:, K:known], worlds.truth.covariances[:, K:])
    for r in range(worlds.truth.rounds):
        for mean in worlds.generator.means[r, known:]:
            assert (mean != worlds.truth.means[r]).all()


@given(SIZES, SIZES, SIZES)
def test_a_condition_is_read_back_from_its_name(K, J, L):
    condition = Condition(K, J, L)
    assert condition.name == f"K{K}_J{J}_L{L}"
    assert Condition.parse(condition.name) == condition
    assert condition.total == K + J + L


@pytest.mark.parametrize(
    "name", ["", "K2_J2", "K2_J2_L", "K2_J2_L-1", "J2_K2_L2", "K2_J2_L2 ", "xK2_J2_L2", "k2_j2_l2"]
)
def test_other_names_name_no_condition(name):
    with pytest.raises(ValueError, match="names no condition"):
        Condition.parse(name)


@pytest.mark.parametrize("d", [1, 2, 6])
def test_psd_covariances_are_a_uniform_matrix_times_its_transpose_and_positive_definite(d):
    found = random_covariances("psd", 200, d, stream(1, "psd"))
    a = stream(1, "psd").random((200, d, d))
    np.testing.assert_allclose(found, np.einsum("nij,nkj->nik", a, a) + 1e-6 * np.eye(d), rtol=1e-12)
    assert (np.linalg.eigvalsh(found)[:, 0] >= 0.99e-6).all()


@pytest.mark.parametrize("d", [1, 2, 5])
def test_released_covariances_are_the_root_of_the_product_with_its_transpose(d):
    found = random_covariances("released", 50, d, stream(2, "released"))
    again = stream(2, "released")
    a, b = again.random((50, d, d)), again.random((50, d, d))
    for covariance, c in zip(found, a @ b.transpose(0, 2, 1), strict=True):
        np.testing.assert_allclose(covariance, linalg.sqrtm(c.T @ c), rtol=1e-6, atol=1e-7)
        assert np.abs(c - c.T).max() > 1e-3 or d == 1


@pytest.mark.parametrize("sampler", ["legacy", "generator"])
def test_released_covariances_are_those_of_the_points_numpy_draws(sampler):
    # For C = U S V' numpy's legacy sampler has covariance V S V', its Generator U S U', which is V S V' for C'.
    n = 200_000
    covariances = random_covariances("released", 4, 3, stream(3, "numpy"))
    again = stream(3, "numpy")
    a, b = again.random((4, 3, 3)), again.random((4, 3, 3))
    for i, expected in enumerate(covariances):
        c = a[i] @ b[i].T
        if sampler == "legacy":
            points = np.random.RandomState(i).multivariate_normal(np.zeros(3), c, n, check_valid="ignore")
        else:
            generator = np.random.default_rng(i)
            points = generator.multivariate_normal(np.zeros(3), c.T, n, check_valid="ignore", method="svd")
        variances = np.diag(expected)
        error = np.sqrt((np.outer(variances, variances) + expected**2) / n)
        assert (np.abs(np.cov(points.T) - expected) < 4.5 * error).all()
        assert np.abs(c - expected).max() > 10 * error.max()


def test_released_covariances_have_the_law_of_either_of_numpys_samplers():
    found = random_covariances("released", 4000, 2, stream(4, "law"))
    generator = stream(5, "law")
    c = generator.random((4000, 2, 2)) @ generator.random((4000, 2, 2)).transpose(0, 2, 1)
    u, s, v = np.linalg.svd(c)
    for other in ((u * s[:, None]) @ u.transpose(0, 2, 1), (v.transpose(0, 2, 1) * s[:, None]) @ v):
        for i, j in ((0, 0), (0, 1), (1, 1)):
            assert stats.ks_2samp(found[:, i, j], other[:, i, j]).pvalue > 0.001


@pytest.mark.parametrize("covariance", ["psd", "released"])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_random_worlds_have_the_shapes_of_their_condition(streams, covariance, d):
    worlds = random_worlds(CONDITION, d, 7, covariance, streams(6, "shapes"))
    assert worlds.truth.means.shape == (6, 5, d)
    assert worlds.truth.covariances.shape == (6, 5, d, d)
    assert worlds.anchors.shape == (6, 2, 7, d)
    assert worlds.generator.means.shape == (6, 9, d)
    assert worlds.generator.covariances.shape == (6, 9, d, d)
    np.testing.assert_array_equal(worlds.truth.weights, 1 / 5)
    np.testing.assert_array_equal(worlds.generator.weights, 1 / 9)


@pytest.mark.parametrize("covariance", ["psd", "released"])
def test_random_worlds_means_are_uniform_and_covariances_positive_definite(streams, covariance):
    worlds = random_worlds(CONDITION, 2, 7, covariance, streams(400, "uniform"))
    for means in (worlds.truth.means, worlds.generator.means[:, 5:]):
        assert stats.kstest(means.ravel(), stats.uniform(0, 10).cdf).pvalue > 0.001
    assert (np.linalg.eigvalsh(worlds.truth.covariances) > 0).all()
    assert (np.linalg.eigvalsh(worlds.generator.covariances) > 0).all()


@pytest.mark.parametrize("covariance", ["psd", "released"])
@pytest.mark.parametrize("d", [1, 3])
def test_random_generators_know_anchors_truth_and_other_components(streams, covariance, d):
    worlds = random_worlds(CONDITION, d, 20, covariance, streams(5, "generator"))
    assert_generator_knows_anchors_truth_and_others(CONDITION, worlds)


@pytest.mark.parametrize("covariance", ["psd", "released"])
def test_anchors_follow_their_true_component(streams, covariance):
    n = 20_000
    worlds = random_worlds(Condition(2, 1, 1), 3, n, covariance, streams(5, "anchors"))
    for r, k in np.ndindex(5, 2):
        expected = worlds.truth.covariances[r, k]
        variances = np.diag(expected)
        mean_error = np.sqrt(variances / n)
        assert (np.abs(worlds.anchors[r, k].mean(axis=0) - worlds.truth.means[r, k]) < 4.5 * mean_error).all()
        error = np.sqrt((np.outer(variances, variances) + expected**2) / n)
        assert (np.abs(np.cov(worlds.anchors[r, k].T) - expected) < 4.5 * error).all()


def test_random_rounds_do_not_depend_on_how_many_rounds_there_are(streams):
    many = random_worlds(CONDITION, 2, 10, "psd", streams(8, "prefix"))
    few = random_worlds(CONDITION, 2, 10, "psd", streams(8, "prefix")[:3])
    last = random_worlds(CONDITION, 2, 10, "psd", streams(8, "prefix")[7:])
    for name, found in many.arrays().items():
        np.testing.assert_array_equal(found[:3], few.arrays()[name], err_msg=name)
        np.testing.assert_array_equal(found[7:], last.arrays()[name], err_msg=name)


def test_rounds_differ(streams):
    worlds = random_worlds(CONDITION, 2, 10, "psd", streams(50, "differ"))
    assert len(np.unique(worlds.truth.means)) == worlds.truth.means.size


def test_the_jitter_is_that_of_the_released_script():
    assert JITTER == 1e-6


def test_arrays_of_worlds_make_the_same_mixtures_again(streams):
    worlds = random_worlds(CONDITION, 2, 10, "psd", streams(3, "arrays"))
    arrays = worlds.arrays()
    truth = Mixtures.equal_weights(arrays["truth_means"], arrays["truth_covariances"])
    generator = Mixtures.equal_weights(arrays["generator_means"], arrays["generator_covariances"])
    np.testing.assert_array_equal(truth.weights, worlds.truth.weights)
    np.testing.assert_array_equal(generator.weights, worlds.generator.weights)


def test_data_worlds_deal_distinct_classes_whose_gaussians_are_the_truth(table, streams):
    worlds = data_worlds(CONDITION_OF_TABLE, table, 10, streams(30, "dealt"))
    rows = [table.points[table.classes == c] for c in range(8)]
    means = np.stack([r.mean(axis=0) for r in rows])
    covariances = np.stack([np.cov(r.T) for r in rows]) + 1e-6 * np.eye(3)
    hands = set()
    for r in range(30):
        everyone = np.concatenate([worlds.truth.means[r], worlds.generator.means[r, 5:]])
        dealt = np.linalg.norm(everyone[:, None] - means, axis=2).argmin(axis=1)
        assert len(set(dealt)) == 7
        np.testing.assert_allclose(everyone, means[dealt], rtol=1e-10)
        np.testing.assert_allclose(worlds.truth.covariances[r], covariances[dealt[:5]], rtol=1e-9)
        np.testing.assert_allclose(worlds.generator.covariances[r, 5:], covariances[dealt[5:]], rtol=1e-9)
        for k in range(2):
            positions = [np.flatnonzero((rows[dealt[k]] == anchor).all(axis=1)) for anchor in worlds.anchors[r, k]]
            assert len(set(np.concatenate(positions))) == 10
        hands.add(tuple(dealt))
    assert len(hands) > 25


def test_data_generators_know_anchors_truth_and_other_classes(table, streams):
    condition = CONDITION_OF_TABLE
    worlds = data_worlds(condition, table, 10, streams(10, "generator"))
    assert_generator_knows_anchors_truth_and_others(condition, worlds)
    np.testing.assert_array_equal(worlds.truth.weights, 1 / 5)
    np.testing.assert_array_equal(worlds.generator.weights, 1 / 7)


def test_every_class_is_anchored_equally_often(table, streams):
    rounds = 2000
    worlds = data_worlds(Condition(1, 1, 1), table, 5, streams(rounds, "equally"))
    counts = np.unique(worlds.truth.means[:, 0, 0], return_counts=True)[1]
    assert len(counts) == 8
    assert stats.chisquare(counts).pvalue > 0.001


def test_every_point_of_a_class_may_become_an_anchor(table, streams):
    worlds = data_worlds(Condition(8, 0, 0), table, 20, streams(200, "every point"))
    assert len(np.unique(worlds.anchors[..., 0])) == len(table.points)


def test_data_rounds_do_not_depend_on_how_many_rounds_there_are(table, streams):
    many = data_worlds(CONDITION_OF_TABLE, table, 10, streams(8, "prefix"))
    few = data_worlds(CONDITION_OF_TABLE, table, 10, streams(8, "prefix")[:3])
    for name, found in many.arrays().items():
        np.testing.assert_array_equal(found[:3], few.arrays()[name], err_msg=name)


def test_more_components_than_classes_are_refused(table, streams):
    with pytest.raises(UserError, match=r"^condition K2_J3_L4 needs 9 classes and the table has 8$"):
        data_worlds(CONDITION, table, 10, streams(1, "classes"))


def test_more_anchors_than_points_of_a_class_are_refused(table, streams):
    message = r"^class 'a' has 20 points, fewer than anchors_per_component = 21$"
    with pytest.raises(UserError, match=message):
        data_worlds(CONDITION_OF_TABLE, table, 21, streams(1, "points"))
    assert data_worlds(CONDITION_OF_TABLE, table, 20, streams(1, "points")).anchors.shape == (1, 2, 20, 3)


def test_labelled_points_come_back_from_their_arrays(table):
    again = LabelledPoints.from_arrays(table.arrays())
    np.testing.assert_array_equal(again.points, table.points)
    np.testing.assert_array_equal(again.classes, table.classes)
    assert again.names == table.names
    assert all(type(name) is str for name in again.names)


def test_synthetic_points_are_a_sample_of_the_generator_mixture(streams):
    worlds = random_worlds(CONDITION, 2, 10, "psd", streams(4, "world"))
    found = synthetic_points(worlds.generator, 300, streams(4, "synthetic"))
    np.testing.assert_array_equal(found, sample(worlds.generator, 300, streams(4, "synthetic"))[0])
    mean = worlds.generator.means.mean(axis=1)
    second_moments = np.diagonal(worlds.generator.covariances, axis1=2, axis2=3) + worlds.generator.means**2
    error = np.sqrt((second_moments.mean(axis=1) - mean**2) / 300)
    assert (np.abs(found.mean(axis=1) - mean) < 4.5 * error).all()


@given(
    st.builds(Condition, st.integers(1, 64), st.integers(1, 64), st.integers(1, 64)),
    st.integers(1, 24),
    st.integers(2, 100_000),
)
def test_a_block_of_rounds_fits_into_its_memory_twice_and_wastes_little(condition, d, anchors):
    known, total = condition.K + condition.J, condition.total
    round_bytes = 8 * ((known + total) * (d + d * d) + condition.K * anchors * d)
    rounds = rounds_per_block(condition, d, anchors)
    assert 1 <= rounds <= MAX_BLOCK_ROUNDS
    assert rounds == 1 or 2 * rounds * round_bytes <= BLOCK_BYTES
    assert rounds == MAX_BLOCK_ROUNDS or 4 * (rounds + 1) * round_bytes > BLOCK_BYTES


def test_the_memory_of_a_round_is_that_of_its_arrays(streams):
    worlds = random_worlds(CONDITION, 6, 500, "psd", streams(1, "memory"))
    round_bytes = sum(array.nbytes for array in worlds.arrays().values())
    assert 2 * rounds_per_block(CONDITION, 6, 500) * round_bytes <= BLOCK_BYTES
    assert round_bytes == 8 * ((5 + 9) * (6 + 36) + 2 * 500 * 6)
