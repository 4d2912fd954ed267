import numpy as np
import pytest

P = (0.7, 0.5, 0.6)
ROWS = 20_000


@pytest.fixture
def generator():
    return np.random.default_rng(3)


@pytest.fixture
def policy():
    from search.table import TablePolicy

    return TablePolicy(P, np.random.default_rng(4))


@pytest.fixture
def roots():
    return np.ones(ROWS, dtype=np.int64)


@pytest.fixture
def near():
    """Whether a share of `ROWS` is within four standard errors of what it should be."""

    def check(found, exact, rows=ROWS):
        error = np.sqrt(exact * (1 - exact) / rows)
        assert abs(np.mean(found) - exact) <= 4 * error + 1e-12, (np.mean(found), exact)

    return check
