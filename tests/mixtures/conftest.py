import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from ggmi.mixtures.gaussian import Mixtures
from ggmi.random import stream


@pytest.fixture
def random_mixtures():
    """Mixtures with unequal weights, means in a cube and covariances of full rank."""

    def make(rounds, components, d, *name, side=10.0, floor=0.05):
        generator = stream(20241001, "random mixtures", rounds, components, d, *name)
        factors = generator.random((rounds, components, d, d))
        return Mixtures(
            generator.dirichlet(np.full(components, 3.0), size=rounds),
            generator.uniform(0, side, (rounds, components, d)),
            factors @ factors.swapaxes(-1, -2) + floor * np.eye(d),
        )

    return make


@pytest.fixture
def gaussian():
    """A batch of one mixture of one component."""

    def make(mean, covariance):
        mean = np.atleast_1d(np.asarray(mean, dtype=float))
        covariance = np.asarray(covariance, dtype=float).reshape(len(mean), len(mean))
        return Mixtures(np.ones((1, 1)), mean[None, None], covariance[None, None])

    return make


@pytest.fixture
def repeated():
    """The first mixture of a batch, several times."""

    def make(mixtures, times):
        return mixtures[np.zeros(times, dtype=int)]

    return make


@pytest.fixture
def scipy_log_density():
    """Log-density of one mixture of a batch at points (n, d), by scipy."""

    def evaluate(mixtures, r, points):
        parts = [
            multivariate_normal(mean, covariance).logpdf(points).reshape(len(points))
            for mean, covariance in zip(mixtures.means[r], mixtures.covariances[r], strict=True)
        ]
        return logsumexp(parts, axis=0, b=mixtures.weights[r][:, None])

    return evaluate


@pytest.fixture
def numpy_sample():
    """Points (n, d) of one mixture of a batch, drawn by numpy component by component."""

    def draw(mixtures, r, n, generator):
        counts = generator.multinomial(n, mixtures.weights[r])
        return np.concatenate(
            [
                generator.multivariate_normal(mean, covariance, size=count, method="cholesky")
                for mean, covariance, count in zip(mixtures.means[r], mixtures.covariances[r], counts, strict=True)
            ]
        )

    return draw
