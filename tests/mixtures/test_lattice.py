import numpy as np
import pytest
from scipy import stats

from ggmi.mixtures.lattice import REPLICATES, lattice_normals, lattice_shifts


@pytest.mark.parametrize("d", [2, 4, 6])
def test_lattice_points_are_standard_normal_and_uncorrelated(streams, d):
    n = 20_000
    points = lattice_normals(streams(1, "lattice")[0].random((1, 1, d)), 0, n)[0]
    assert points.shape == (n, d)
    grid = np.linspace(-3, 3, 61)
    for coordinate in points.T:
        share = (coordinate[:, None] < grid).mean(axis=0)
        assert np.abs(share - stats.norm.cdf(grid)).max() < 1 / np.sqrt(n)
    np.testing.assert_allclose(np.cov(points.T), np.eye(d), atol=4 / np.sqrt(n))
    np.testing.assert_allclose(np.cov(np.square(points).T), 2 * np.eye(d), atol=20 / np.sqrt(n))


def test_lattice_points_continue_where_the_last_block_ended(streams):
    shifts = streams(1, "continue")[0].random((REPLICATES, 1, 2))
    whole = lattice_normals(shifts, 0, 100)
    parts = np.concatenate([lattice_normals(shifts, a, b) for a, b in ((0, 16), (16, 32), (32, 100))], axis=1)
    np.testing.assert_array_equal(whole, parts)
