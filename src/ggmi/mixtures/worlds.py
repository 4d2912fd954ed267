"""The worlds of the mixture study: target, anchors and generator of each round.

Gan & Liu, arXiv 2410.01720, sections 3.1, 3.2, 4.4 and appendix B.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError
from ggmi.mixtures.gaussian import Array, Mixtures, sample

Axis = Literal["K", "J", "L"]
Covariance = Literal["psd", "released", "empirical"]

AXES: tuple[Axis, ...] = get_args(Axis)
# Estimators of the divergence that resample and bin; the others integrate exact densities.
HISTOGRAMS = ("released_histogram", "aligned_histogram")

# Means are uniform on [0, SIDE]^d.
SIDE = 10.0
# Added to the diagonal of every covariance that is made or estimated from points.
JITTER = 1e-6
# Bytes of one block of rounds held in memory.
BLOCK_BYTES = 32 * 2**20
# Synthetic sets join a block later: a hundred of the largest allowed ones take 0.8 GB.
MAX_BLOCK_ROUNDS = 100


@dataclass(frozen=True, order=True)
class Condition:
    """How many components of each kind: K anchored, J unsampled, L irrelevant.

    Examples
    --------
    >>> Condition(2, 3, 4).name
    'K2_J3_L4'
    >>> Condition.parse("K2_J3_L4")
    Condition(K=2, J=3, L=4)
    """

    K: int
    J: int
    L: int

    @property
    def name(self) -> str:
        """The condition's name in files and random streams."""
        return f"K{self.K}_J{self.J}_L{self.L}"

    @classmethod
    def parse(cls, name: str) -> Condition:
        """Read a condition back from its name.

        Raises
        ------
        ValueError
            If the name is not of the form ``K<int>_J<int>_L<int>``.
        """
        match = re.fullmatch(r"K(0|[1-9]\d*)_J(0|[1-9]\d*)_L(0|[1-9]\d*)", name)
        if match is None:
            raise ValueError(f"{name!r} names no condition")
        return cls(*map(int, match.groups()))

    @property
    def total(self) -> int:
        """Components of the generator mixture, K + J + L."""
        return self.K + self.J + self.L


@dataclass(frozen=True)
class Worlds:
    """R rounds of one condition.

    Parameters
    ----------
    truth
        G: K anchored then J unsampled components, equal weights.
    anchors
        Anchor data, shape (R, K, N, d).
    generator
        M: K components refitted from the anchors, J true ones, L irrelevant ones, equal weights.
    """

    truth: Mixtures
    anchors: Array
    generator: Mixtures

    def arrays(self) -> dict[str, NDArray]:
        """The worlds as named arrays for a file; weights are equal and left out."""
        return {
            "truth_means": self.truth.means,
            "truth_covariances": self.truth.covariances,
            "anchors": self.anchors,
            "generator_means": self.generator.means,
            "generator_covariances": self.generator.covariances,
        }


@dataclass(frozen=True)
class LabelledPoints:
    """Real points of several classes.

    Parameters
    ----------
    points
        Shape (n, d).
    classes
        Class index of each point, 0 ... number of classes - 1, shape (n,).
    names
        Name of each class.
    """

    points: Array
    classes: NDArray[np.int64]
    names: tuple[str, ...]

    ARRAYS: ClassVar[tuple[str, ...]] = ("points", "classes", "names")

    def arrays(self) -> dict[str, NDArray]:
        """The points as named arrays for a file."""
        return {"points": self.points, "classes": self.classes, "names": np.array(self.names)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> LabelledPoints:
        """Read back what `arrays` gave."""
        return cls(arrays["points"], arrays["classes"], tuple(str(n) for n in arrays["names"]))


def random_covariances(
    covariance: Literal["psd", "released"], count: int, d: int, generator: np.random.Generator
) -> Array:
    """Draw covariance matrices as the study's variants do.

    ``psd`` is ``A A' + 1e-6 I`` with A uniform on [0, 1]^{d x d}. ``released`` draws ``C = A B'``
    from two independent uniform matrices, as the authors' script does. C is neither symmetric nor
    positive semi-definite; numpy's legacy sampler decomposes ``C = U S V'`` and returns points of
    covariance ``V S V' = (C' C)^{1/2}``, which is what is returned here.

    Parameters
    ----------
    covariance
        The variant.
    count
        Matrices wanted.
    d
        Dimension.
    generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (count, d, d)
    """
    a = generator.random((count, d, d))
    if covariance == "psd":
        return a @ a.transpose(0, 2, 1) + JITTER * np.eye(d)
    b = generator.random((count, d, d))
    _, scale, rotation = np.linalg.svd(a @ b.transpose(0, 2, 1))
    return (rotation.transpose(0, 2, 1) * scale[:, None, :]) @ rotation


def random_worlds(
    condition: Condition,
    d: int,
    anchors_per_component: int,
    covariance: Literal["psd", "released"],
    generators: Sequence[np.random.Generator],
) -> Worlds:
    """Draw simulated worlds: every component random, means uniform on [0, 10]^d.

    Parameters
    ----------
    condition
        Numbers of components.
    d
        Dimension.
    anchors_per_component
        N, points drawn from each anchored component.
    covariance
        How covariances are drawn, see `random_covariances`.
    generators
        One generator a round.

    Returns
    -------
    Worlds
    """
    total, rounds = condition.total, len(generators)
    means = np.empty((rounds, total, d))
    covariances = np.empty((rounds, total, d, d))
    noise = np.empty((rounds, condition.K, anchors_per_component, d))
    for r, generator in enumerate(generators):
        means[r] = SIDE * generator.random((total, d))
        covariances[r] = random_covariances(covariance, total, d, generator)
        noise[r] = generator.standard_normal(noise.shape[1:])
    everything = Mixtures.equal_weights(means, covariances)
    factors = everything.cholesky()[:, : condition.K]
    anchors = means[:, : condition.K, None] + noise @ factors.transpose(0, 1, 3, 2)
    return _assemble(condition, everything, anchors)


def data_worlds(
    condition: Condition,
    data: LabelledPoints,
    anchors_per_component: int,
    generators: Sequence[np.random.Generator],
) -> Worlds:
    """Draw worlds whose components are classes of real points.

    Each round deals the classes out anew: K anchored, J unsampled, L irrelevant. A class's true
    component is the Gaussian with the mean and covariance of all its points; anchor data are real
    points, drawn without replacement.

    Parameters
    ----------
    condition
        Numbers of classes.
    data
        The labelled points.
    anchors_per_component
        N, points drawn from each anchored class.
    generators
        One generator a round.

    Returns
    -------
    Worlds

    Raises
    ------
    UserError
        If there are fewer than K + J + L classes, or a class has fewer points than N.
    """
    counts = np.bincount(data.classes, minlength=len(data.names))
    if condition.total > len(counts):
        raise UserError(f"condition {condition.name} needs {condition.total} classes and the table has {len(counts)}")
    smallest = int(counts.argmin())
    if counts[smallest] < anchors_per_component:
        raise UserError(
            f"class {data.names[smallest]!r} has {counts[smallest]} points, "
            f"fewer than anchors_per_component = {anchors_per_component}"
        )
    members = [data.points[data.classes == c] for c in range(len(counts))]
    class_means = np.stack([m.mean(axis=0) for m in members])
    class_covariances = np.stack([_covariance(m) for m in members])
    d = data.points.shape[1]
    dealt = np.empty((len(generators), condition.total), dtype=np.int64)
    anchors = np.empty((len(generators), condition.K, anchors_per_component, d))
    for r, generator in enumerate(generators):
        dealt[r] = generator.permutation(len(counts))[: condition.total]
        for k in range(condition.K):
            anchors[r, k] = generator.choice(members[dealt[r, k]], anchors_per_component, replace=False)
    everything = Mixtures.equal_weights(class_means[dealt], class_covariances[dealt])
    return _assemble(condition, everything, anchors)


def synthetic_points(generator_mixtures: Mixtures, n: int, generators: Sequence[np.random.Generator]) -> Array:
    """Synthetic data S_gen: n points of each generator mixture M (section 3.2).

    Parameters
    ----------
    generator_mixtures
        The R mixtures M.
    n
        Points a round.
    generators
        One generator a round.

    Returns
    -------
    ndarray, shape (R, n, d)
    """
    return sample(generator_mixtures, n, generators)[0]


def refitted(anchors: Array) -> tuple[Array, Array]:
    """Refit components to their anchors, as the generator does.

    Parameters
    ----------
    anchors
        Anchor data, shape (..., N, d).

    Returns
    -------
    means : ndarray, shape (..., d)
    covariances : ndarray, shape (..., d, d)
        Unbiased, plus the jitter.
    """
    return anchors.mean(axis=-2), _covariance(anchors)


def rounds_per_block(condition: Condition, d: int, anchors_per_component: int) -> int:
    """Rounds that fit in one block of memory.

    Parameters
    ----------
    condition
        Numbers of components.
    d
        Dimension.
    anchors_per_component
        N, anchor points of each anchored component.

    Returns
    -------
    int
        Between 1 and 100. A round holds truth and generator mixture (means and covariances) and
        anchors, counted twice for temporaries.
    """
    floats = 4 * condition.total * d * (d + 1) + 2 * condition.K * anchors_per_component * d
    return int(np.clip(BLOCK_BYTES // (8 * floats), 1, MAX_BLOCK_ROUNDS))


def _assemble(condition: Condition, everything: Mixtures, anchors: Array) -> Worlds:
    """Split the components into truth and generator, refitting the anchored ones."""
    known = condition.K + condition.J
    truth = Mixtures.equal_weights(everything.means[:, :known], everything.covariances[:, :known])
    means = everything.means.copy()
    covariances = everything.covariances.copy()
    means[:, : condition.K], covariances[:, : condition.K] = refitted(anchors)
    return Worlds(truth, anchors, Mixtures.equal_weights(means, covariances))


def _covariance(points: Array) -> Array:
    """Unbiased covariance of points (..., n, d), plus the jitter."""
    centred = points - points.mean(axis=-2, keepdims=True)
    products = np.swapaxes(centred, -1, -2) @ centred
    return products / (points.shape[-2] - 1) + JITTER * np.eye(points.shape[-1])
