"""The released protocol of figure 4 (arXiv 2410.01720), read plainly: numpy, scikit-learn, one round after another.

It is what `ggmi` is timed against and checked against, so it shares no code with it. Nothing here is tuned: every
mixture is a `GaussianMixture` object, every histogram a call of `numpy.histogramdd`.
"""

import warnings

import numpy as np
from scipy.stats import entropy
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

SIDE = 10.0
JITTER = 1e-6
FLOOR = 1e-10
SWEEP = range(2, 16)


def sweep_points(values=SWEEP):
    """Return the figure's points (K, J, L) axis by axis; (2, 2, 2) comes once an axis, as the script makes it."""
    return [(v, 2, 2) for v in values] + [(2, v, 2) for v in values] + [(2, 2, v) for v in values]


def random_covariance(covariance, d, rng):
    """Draw `psd` A A' + 1e-6 I or `released` A B' (no covariance, but the samplers take it) of uniform matrices."""
    a = rng.random((d, d))
    if covariance == "psd":
        return a @ a.T + JITTER * np.eye(d)
    return a @ rng.random((d, d)).T


def mixture(means, covariances, state):
    """Return a `GaussianMixture` with these components and equal weights, ready to sample from."""
    model = GaussianMixture(len(means), random_state=state)
    model.weights_ = np.full(len(means), 1 / len(means))
    model.means_ = np.asarray(means)
    model.covariances_ = np.asarray(covariances)
    return model


def histogram_kl(points, target, bins):
    """KL divergence in nats between histograms of two samples, each binned between its own extremes."""
    p = np.histogramdd(points, bins=bins, density=True)[0]
    q = np.histogramdd(target, bins=bins, density=True)[0]
    return entropy(np.clip(p, FLOOR, None).ravel(), np.clip(q, FLOOR, None).ravel())


def kl_gap(K, J, L, rng, *, covariance="psd", d=2, anchors=50, synthetic=200, resamplings=100, points=1000, bins=50):
    """Return the KL gap in nats of one round: a fresh world, its two fitted mixtures, 100 comparisons averaged."""
    state = np.random.RandomState(rng.integers(2**32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of the sampler, about A B'
        warnings.simplefilter("ignore", ConvergenceWarning)  # the protocol takes what 100 iterations give

        means = SIDE * rng.random((K + J, d))
        covariances = [random_covariance(covariance, d, rng) for _ in range(K + J)]
        truth = mixture(means, covariances, state)
        groups = [rng.multivariate_normal(means[k], covariances[k], anchors) for k in range(K)]

        generator = mixture(
            [*(g.mean(axis=0) for g in groups), *means[K:], *(SIDE * rng.random((L, d)))],
            [
                *(np.cov(g, rowvar=False).reshape(d, d) + JITTER * np.eye(d) for g in groups),
                *covariances[K:],
                *(random_covariance(covariance, d, rng) for _ in range(L)),
            ],
            state,
        )
        from_anchors = GaussianMixture(K, random_state=state).fit(np.concatenate(groups))
        from_synthetic = GaussianMixture(K + J + L, random_state=state).fit(generator.sample(synthetic)[0])

        total = 0.0
        for _ in range(resamplings):
            target = truth.sample(points)[0]
            total += histogram_kl(from_anchors.sample(points)[0], target, bins)
            total -= histogram_kl(from_synthetic.sample(points)[0], target, bins)
    return total / resamplings
