"""Expectation-maximisation for many Gaussian mixtures at once.

A Gaussian's log-density is linear in the features T(x) = (1, x, upper triangle of x xᵀ). One
E-step is therefore one matrix product of coefficients and features, and one M-step is one matrix
product of responsibilities and features: two BLAS calls a problem and iteration, whatever C and d.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ggmi.mixtures.gaussian import LOG_2PI, Array, Mixtures

# Responsibilities (8 bytes each) of one block of problems: half of a 1 MiB second-level cache.
BLOCK_ELEMENTS = 65_536
# A component is called collapsed when its smallest variance is within this factor of the
# regularisation that holds it up, or when it explains less than one point.
COLLAPSE_FACTOR = 10.0


@dataclass(frozen=True)
class Fit:
    """Mixtures fitted to R problems, and how the fitting went.

    Parameters
    ----------
    mixtures
        The fitted mixtures.
    log_likelihood
        Mean log-density of the data in nats a point, shape (R,).
    iterations
        EM iterations of the chosen restart, shape (R,).
    converged
        Whether the gain in mean log-likelihood fell below the tolerance, shape (R,).
    collapsed
        Number of components that shrank onto a point or a line, or lost all their points,
        shape (R,).
    """

    mixtures: Mixtures
    log_likelihood: Array
    iterations: NDArray[np.int64]
    converged: NDArray[np.bool_]
    collapsed: NDArray[np.int64]

    def arrays(self) -> dict[str, NDArray]:
        """The fit as named arrays for a file."""
        return {
            "weights": self.mixtures.weights,
            "means": self.mixtures.means,
            "covariances": self.mixtures.covariances,
            "log_likelihood": self.log_likelihood,
            "iterations": self.iterations,
            "converged": self.converged,
            "collapsed": self.collapsed,
        }


def fit(
    points: Array,
    components: int,
    generators: Sequence[np.random.Generator] | None = None,
    *,
    restarts: int = 1,
    tolerance: float = 1e-3,
    max_iterations: int = 100,
    regularisation: float = 1e-6,
    start: Mixtures | None = None,
) -> Fit:
    """Fit a Gaussian mixture with full covariances to each of R data sets by EM.

    Each restart begins with k-means (greedy k-means++ seeding, then Lloyd's iterations) whose
    clusters give the first M-step, as scikit-learn's ``GaussianMixture`` does by default; the
    restart with the highest likelihood is kept.

    Parameters
    ----------
    points
        Shape (R, n, d), finite.
    components
        Number of components C, at most n.
    generators
        One generator a data set; not needed when `start` is given.
    restarts
        Number of k-means starts.
    tolerance
        EM stops when the mean log-likelihood (nats a point) gains less than this.
    max_iterations
        EM iterations at most.
    regularisation
        Added to the diagonal of every covariance, in squared units of the data.
    start
        Parameters to begin from, instead of k-means.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        If n < C, if points are not finite, or if the data spread so far that double precision
        cannot resolve the regularisation.

    Examples
    --------
    >>> import numpy as np
    >>> from ggmi.random import stream
    >>> points = stream(0, "doc").standard_normal((1, 500, 1)) + np.repeat([5, 14], 250)[:, None]
    >>> np.sort(fit(points, 2, [stream(0, "fit")]).mixtures.means.ravel()).round(0)
    array([ 5., 14.])
    """
    rounds, n, _ = points.shape
    if n < components:
        raise ValueError(f"{components} components cannot be fitted to {n} points")
    if not np.isfinite(points).all():
        raise ValueError("points must be finite")
    # Products of two coordinates lose 1e-16 of the squared spread; the regularisation must be
    # at least a hundred times larger than that.
    spread = float(np.square(points - points.mean(axis=1, keepdims=True)).max(initial=0.0))
    if spread * 1e-14 > regularisation:
        raise ValueError(
            f"the data spread over {spread**0.5:.3g} is too wide for regularisation {regularisation:.3g}; "
            "standardise the data or raise the regularisation"
        )
    if start is None and generators is None:
        raise ValueError("fit needs generators or a start")
    if generators is not None:
        candidates = 2 + int(np.log(components))
        shape = (restarts, components, candidates)
        uniforms = np.stack([g.random(shape) for _, g in zip(points, generators, strict=True)])
    block = max(1, BLOCK_ELEMENTS // (n * components))
    parts = []
    for first in range(0, rounds, block):
        part = slice(first, first + block)
        centre = points[part].mean(axis=1, keepdims=True)
        features = _features(points[part] - centre)
        best: Fit | None = None
        for restart in range(1 if start is not None else restarts):
            if start is None:
                one_hot = _k_means(features, components, uniforms[part, restart])
                parameters = _m_step(one_hot, features, regularisation)
            else:
                parameters = (start.weights[part], start.means[part] - centre, start.covariances[part])
            trial = _expectation_maximisation(features, parameters, tolerance, max_iterations, regularisation)
            best = trial if best is None else _better(best, trial)
        assert best is not None
        mixtures = Mixtures(best.mixtures.weights, best.mixtures.means + centre, best.mixtures.covariances)
        parts.append(Fit(mixtures, best.log_likelihood, best.iterations, best.converged, best.collapsed))
    return _concatenate(parts)


def _features(points: Array) -> Array:
    """T(x) of every point, shape (R, F, n) with F = 1 + d + d(d+1)/2."""
    coordinates = points.transpose(0, 2, 1)
    d = coordinates.shape[1]
    first, second = np.triu_indices(d)
    ones = np.ones((len(points), 1, points.shape[1]))
    return np.concatenate([ones, coordinates, coordinates[:, first] * coordinates[:, second]], axis=1)


def _m_step(responsibilities: Array, features: Array, regularisation: float) -> tuple[Array, Array, Array]:
    """Weights, means and covariances from responsibilities (R, C, n) and features (R, F, n)."""
    d = _dimensions(features.shape[1])
    moments = responsibilities @ features.transpose(0, 2, 1)
    # Ten ulps keep an empty component finite; its weight is then nil and its covariance the floor.
    mass = moments[:, :, 0] + 10 * np.finfo(float).eps
    moments /= mass[:, :, None]
    means = moments[:, :, 1 : d + 1]
    first, second = np.triu_indices(d)
    upper = moments[:, :, d + 1 :] - means[:, :, first] * means[:, :, second]
    covariances = np.empty((*means.shape, d))
    covariances[:, :, first, second] = upper
    covariances[:, :, second, first] = upper
    diagonal = np.arange(d)
    # Rounding may leave a variance a few ulps below zero.
    np.maximum(covariances[:, :, diagonal, diagonal], 0.0, out=upper[:, :, :d])
    covariances[:, :, diagonal, diagonal] = upper[:, :, :d] + regularisation
    return mass / mass.sum(axis=1, keepdims=True), means.copy(), covariances


def _coefficients(weights: Array, means: Array, covariances: Array) -> Array:
    """Coefficients (R, C, F) whose product with the features is log w_c + log N_c(x)."""
    d = means.shape[2]
    inverse = np.linalg.inv(np.linalg.cholesky(covariances))
    precision = inverse.transpose(0, 1, 3, 2) @ inverse
    linear = (precision @ means[..., None])[..., 0]
    first, second = np.triu_indices(d)
    quadratic = -precision[:, :, first, second]
    quadratic[:, :, first == second] *= 0.5
    log_determinant = np.log(np.diagonal(inverse, axis1=2, axis2=3)).sum(-1)
    with np.errstate(divide="ignore"):
        log_weights = np.log(weights)
    constant = log_weights + log_determinant - 0.5 * (d * LOG_2PI + (linear * means).sum(-1))
    return np.concatenate([constant[..., None], linear, quadratic], axis=2)


def _expectation_maximisation(
    features: Array,
    parameters: tuple[Array, Array, Array],
    tolerance: float,
    max_iterations: int,
    regularisation: float,
) -> Fit:
    """Run EM on every problem until it has converged by itself; finished ones leave the batch."""
    weights, means, covariances = (p.copy() for p in parameters)
    rounds, _, n = features.shape
    likelihood = np.full(rounds, -np.inf)
    iterations = np.zeros(rounds, dtype=np.int64)
    converged = np.zeros(rounds, dtype=bool)
    active = np.arange(rounds)
    active_features = features
    current = (weights, means, covariances)
    for _ in range(max_iterations):
        log_joint = _coefficients(*current) @ active_features
        top = log_joint.max(axis=1, keepdims=True)
        log_joint -= top
        np.exp(log_joint, out=log_joint)
        total = log_joint.sum(axis=1, keepdims=True)
        log_joint /= total
        np.log(total, out=total)
        total += top
        value = total[:, 0].mean(axis=1)
        current = _m_step(log_joint, active_features, regularisation)
        done = np.abs(value - likelihood[active]) < tolerance
        likelihood[active] = value
        iterations[active] += 1
        for stored, new in zip((weights, means, covariances), current, strict=True):
            stored[active] = new
        if done.any():
            converged[active[done]] = True
            active = active[~done]
            if not len(active):
                break
            active_features = active_features[~done]
            current = (weights[active], means[active], covariances[active])
    smallest = np.linalg.eigvalsh(covariances)[..., 0]
    lost = (smallest < COLLAPSE_FACTOR * regularisation) | (weights * n < 1)
    final = _coefficients(weights, means, covariances) @ features
    top = final.max(axis=1)
    likelihood = (np.log(np.exp(final - top[:, None]).sum(axis=1)) + top).mean(axis=1)
    mixtures = Mixtures(weights, means, covariances)
    return Fit(mixtures, likelihood, iterations, converged, lost.sum(axis=1))


def _k_means(features: Array, components: int, uniforms: Array, max_iterations: int = 300) -> Array:
    """Cluster every problem's points; one-hot memberships, shape (R, C, n).

    Seeding is greedy k-means++: of a few candidates drawn in proportion to the squared distance
    from the seeds so far, the one that lowers the sum of squares most (Arthur and Vassilvitskii
    2007). Lloyd's iterations follow until no membership changes.
    """
    d = _dimensions(features.shape[1])
    # |x - c|^2 = |x|^2 - 2 c.x + |c|^2; the first term does not matter to the nearest centre.
    affine = features[:, : d + 1]
    points = features[:, 1 : d + 1]
    centres = _seeds(points, components, uniforms)
    rounds, _, n = features.shape
    memberships = np.zeros((rounds, components, n))
    nearest = np.full((rounds, n), -1)
    active = np.arange(rounds)
    for _ in range(max_iterations):
        half_norm = 0.5 * np.square(centres[active]).sum(axis=2, keepdims=True)
        score = np.concatenate([half_norm, -centres[active]], axis=2) @ affine[active]
        new = score.argmin(axis=1)
        moved = (new != nearest[active]).any(axis=1)
        active, new = active[moved], new[moved]
        if not len(active):
            break
        nearest[active] = new
        one_hot = (new[:, None, :] == np.arange(components)[:, None]).astype(float)
        memberships[active] = one_hot
        sums = one_hot @ affine[active].transpose(0, 2, 1)
        filled = sums[:, :, :1] > 0
        # A centre that lost all its points stays where it was.
        centres[active] = np.where(filled, sums[:, :, 1:] / np.maximum(sums[:, :, :1], 1), centres[active])
    return memberships


def _seeds(points: Array, components: int, uniforms: Array) -> Array:
    """Greedy k-means++ centres, shape (R, C, d), of points (R, d, n)."""
    rounds, d, n = points.shape
    everyone = np.arange(rounds)
    centres = np.empty((rounds, components, d))
    pick = np.minimum((uniforms[:, 0, 0] * n).astype(np.int64), n - 1)
    centres[:, 0] = points[everyone, :, pick]
    distance = np.square(points - centres[:, 0, :, None]).sum(axis=1)
    for c in range(1, components):
        cumulative = np.cumsum(distance, axis=1)
        threshold = uniforms[:, c] * cumulative[:, -1:]
        picks = (cumulative[:, None, :] <= threshold[:, :, None]).sum(axis=2)
        np.minimum(picks, n - 1, out=picks)
        candidates = points[everyone[:, None], :, picks]
        to_candidate = np.square(points[:, None] - candidates[..., None]).sum(axis=2)
        np.minimum(to_candidate, distance[:, None], out=to_candidate)
        best = to_candidate.sum(axis=2).argmin(axis=1)
        centres[:, c] = candidates[everyone, best]
        distance = to_candidate[everyone, best]
    return centres


def _dimensions(features: int) -> int:
    """The d for which 1 + d + d(d+1)/2 equals the number of features."""
    return round(((8 * features + 1) ** 0.5 - 3) / 2)


def _better(one: Fit, other: Fit) -> Fit:
    """Problem by problem, whichever fit has the higher likelihood."""
    chosen = other.log_likelihood > one.log_likelihood

    def pick(a: NDArray, b: NDArray) -> NDArray:
        return np.where(chosen.reshape(-1, *[1] * (a.ndim - 1)), b, a)

    mixtures = Mixtures(
        pick(one.mixtures.weights, other.mixtures.weights),
        pick(one.mixtures.means, other.mixtures.means),
        pick(one.mixtures.covariances, other.mixtures.covariances),
    )
    return Fit(
        mixtures,
        pick(one.log_likelihood, other.log_likelihood),
        pick(one.iterations, other.iterations),
        pick(one.converged, other.converged),
        pick(one.collapsed, other.collapsed),
    )


def _concatenate(parts: Sequence[Fit]) -> Fit:
    """One Fit of all problems, in order."""
    mixtures = Mixtures(
        np.concatenate([p.mixtures.weights for p in parts]),
        np.concatenate([p.mixtures.means for p in parts]),
        np.concatenate([p.mixtures.covariances for p in parts]),
    )
    return Fit(
        mixtures,
        np.concatenate([p.log_likelihood for p in parts]),
        np.concatenate([p.iterations for p in parts]),
        np.concatenate([p.converged for p in parts]),
        np.concatenate([p.collapsed for p in parts]),
    )
