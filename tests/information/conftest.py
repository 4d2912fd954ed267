import numpy as np
import pytest

from ggmi.random import stream


@pytest.fixture
def dependent():
    """Two variables of which the second depends on the first, smoothly and not linearly."""

    def make(n, d=3, e=2, strength=1.0, name="dependent"):
        generator = stream(20241001, name, n, d, e)
        x = generator.normal(size=(n, d))
        return x, strength * np.square(x[:, :1]) + generator.normal(size=(n, e))

    return make


@pytest.fixture
def gaussian_kernel():
    """The textbook kernel matrix, pair by pair."""

    def make(x, bandwidth):
        x = np.asarray(x, dtype=float)
        distances = np.array([[np.sum((a - b) ** 2) for b in x] for a in x])
        return np.exp(-distances / (2 * bandwidth**2))

    return make
