import numpy as np
import pytest
from scipy import stats

from ggmi.mixtures.lattice import REPLICATES, lattice_normals, lattice_shifts


@pytest.mark.parametrize(("d", "filled"), [(1, 2), (2, 2), (3, 4)])
def test_every_lattice_has_a_shift_of_its_own_in_an_even_dimension(streams, d, filled):
    (generator,) = streams(1, "shifts")
    shifts = lattice_shifts(generator, d, 5)
    assert shifts.shape == (5, REPLICATES, 1, filled)
    assert ((shifts >= 0) & (shifts < 1)).all()
    assert len(np.unique(shifts)) == shifts.size
    points = lattice_normals(shifts, 0, 7)
    assert points.shape == (5, REPLICATES, 7, filled)
    for c, r in np.ndindex(5, REPLICATES):
        np.testing.assert_array_equal(lattice_normals(shifts[c, r], 0, 7), points[c, r])


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
    shifts = lattice_shifts(streams(1, "continue")[0], 2)
    whole = lattice_normals(shifts, 0, 100)
    parts = np.concatenate([lattice_normals(shifts, a, b) for a, b in ((0, 16), (16, 32), (32, 100))], axis=1)
    np.testing.assert_array_equal(whole, parts)
