"""The terms of Theorem 4.10 in every round of the mixture study: entropies, information, distances.

Gan & Liu, arXiv 2410.01720, section 4.4, Theorem 4.10 and Lemma 3.1. Entropies are differential,
of one point, in nats: they can be negative and move by d log s when coordinates are multiplied by
s. Everything is given the round's target G.

What is random. Anchor data decide what the prompt carries, h(e_p): the K components that M refits.
What M brings, g(e_M), are its J + L own components, fixed in a round. Hence
ΔI = H(M(p)) - I(h(e_p), M(p)) = H(M(p)|h(e_p)) is the entropy of M averaged over anchor sets, and
H(M(p)) the entropy of M averaged over them. Nothing is curated: S_gen = M(p) and
D_TV(D_M, D_gen) = 0.

Theorem 4.10 bounds GGMI from above by ΔI - (alpha + 1) H(S_anchor|W) + 2 ΔH + H(S_gen|W) + epsilon_W,p;
``bound`` is that right side without epsilon and with stand-ins, a number to set beside the gap.

What is undefined. EM is a deterministic, continuous function of its data, so given W the data it
was trained on lie on a surface without volume: H(S_gen|W) and H(S_anchor|W') are minus infinity,
I(S_gen, W) and I(S_anchor, W') infinite, GGMI = infinity minus infinity and alpha infinite.
H(S_anchor|W) is finite, since S_gen is drawn in between, but out of reach. What stands in is the
cross-entropy -E log pi_W(x) of a fresh point x under the student: by Gibbs' inequality at least
the entropy that x has for somebody who knows W.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ggmi.mixtures.gaussian import Array, Mixtures, component_log_densities, log_density, log_sum_exp
from ggmi.mixtures.lattice import REPLICATES, lattice_normals, lattice_shifts
from ggmi.mixtures.worlds import refitted

# Density values (8 bytes each) evaluated at once: a block stays within a second-level cache.
BLOCK_ELEMENTS = 2**18

# Values at points (n,) of several integrands, given points (1, n, d) and a control variate (n,).
Integrand = Callable[[Array, Array], Sequence[Array]]


@dataclass(frozen=True)
class TermAverage:
    """Averages over lattices and over redrawn anchor sets; sums and multiples keep their errors right.

    Parameters
    ----------
    replicates
        The average by each shift of the lattices, shape (..., 16).
    sets
        What each anchor set contributes, up to a constant, shape (..., A); zero where none is redrawn.

    Examples
    --------
    >>> import numpy as np
    >>> whole = TermAverage(np.repeat([1.0, 3.0], 8))
    >>> float(whole.value), round(float(whole.error), 3), float((whole - whole).error)
    (2.0, 0.258, 0.0)
    """

    replicates: Array
    sets: Array | float = 0.0

    def __add__(self, other: TermAverage) -> TermAverage:
        return TermAverage(self.replicates + other.replicates, self.sets + other.sets)

    def __rmul__(self, factor: float) -> TermAverage:
        return TermAverage(factor * self.replicates, factor * self.sets)

    def __sub__(self, other: TermAverage) -> TermAverage:
        return self + -1.0 * other

    @property
    def value(self) -> Array:
        """The averages, shape (...)."""
        return np.asarray(self.replicates.mean(axis=-1))

    @property
    def error(self) -> Array:
        """Their standard errors, from the spread over shifts and over anchor sets."""
        variance = self.replicates.var(axis=-1, ddof=1) / self.replicates.shape[-1]
        if isinstance(self.sets, np.ndarray):
            variance = variance + self.sets.var(axis=-1, ddof=1) / self.sets.shape[-1]
        return np.sqrt(variance)


def round_terms(
    truth: Mixtures,
    generator: Mixtures,
    fits: Mapping[str, Mixtures],
    anchored: int,
    anchors_per_component: int,
    streams: Sequence[np.random.Generator],
    *,
    points: int,
    anchor_sets: int,
) -> dict[str, NDArray]:
    """Estimate every term in every round.

    Parameters
    ----------
    truth
        The R targets G, the K anchored components first.
    generator
        The R generator mixtures M, the K refitted components first.
    fits
        The students: ``synthetic`` is pi_gen, parameters W; ``anchors_<variant>`` are pi_anchor, W'.
    anchored
        K.
    anchors_per_component
        N, anchor points of each anchored component.
    streams
        One generator a round.
    points
        Points on each of sixteen lattices, a component.
    anchor_sets
        A, anchor sets redrawn a round from the Gaussian components of G, at least two.

    Returns
    -------
    dict of str to ndarray, shape (R,)
        ``<term>_value`` and ``<term>_error`` (Monte-Carlo standard error), terms as in `UNITS`.
    """
    rounds = []
    for r, stream in zip(range(truth.rounds), streams, strict=True):
        here = slice(r, r + 1)
        known = Mixtures.equal_weights(truth.means[here, :anchored], truth.covariances[here, :anchored])
        students = {name: fit[here] for name, fit in fits.items()}
        drawn = _student_terms(known, truth[here], generator[here], students, stream, points)
        drawn |= _generator_terms(known, generator[here], anchors_per_component, stream, points, anchor_sets)
        rounds.append(drawn)
    terms = {name: _stacked([drawn[name] for drawn in rounds]) for name in rounds[0]}
    terms |= _combined(terms)
    arrays = {f"{name}_value": estimate.value for name, estimate in terms.items()}
    return arrays | {f"{name}_error": estimate.error for name, estimate in terms.items()}


def term_units(anchor_variants: Sequence[str]) -> dict[str, str]:
    """Names of all terms, and their units.

    Parameters
    ----------
    anchor_variants
        Variants of the components fitted to anchors; those terms that involve W' have one each.

    Examples
    --------
    >>> term_units(["released"])["alpha_released"]
    'ratio'
    """
    entropies = ("entropy_anchor", "entropy_synthetic", "entropy_change", "information_gain")
    shared = ("prompt_information", "prompt_information_low", "prompt_information_high")
    given = ("anchor_given_student", "synthetic_given_student", "student_entropy")
    units = dict.fromkeys((*entropies, *shared, *given), "nats a point")
    units |= dict.fromkeys(("task_divergence", "student_divergence"), "probability")
    for variant in anchor_variants:
        units |= {f"anchor_given_own_{variant}": "nats a point", f"alpha_{variant}": "ratio"}
        units[f"bound_{variant}"] = "nats a point"
    return units


def averages_over(
    p: Mixtures,
    laws: Sequence[Mixtures],
    generator: np.random.Generator,
    points: int,
    distances: Sequence[Mixtures] = (),
) -> tuple[list[TermAverage], list[TermAverage]]:
    """Cross-entropies of one mixture under others, and its total variation distances from others.

    Parameters
    ----------
    p
        One mixture.
    laws
        Mixtures q, one each, for ``-E_p log q`` in nats; p itself gives its entropy.
    generator
        Source of randomness.
    points
        Points on each of sixteen lattices, a component.
    distances
        Mixtures q, one each, for ``D_TV(p, q) = E_p max(0, 1 - q / p)``.

    Returns
    -------
    cross_entropies, distances : list of TermAverage

    Notes
    -----
    ``(d - |z|^2) / 2`` for the standard normal z that a point is made of has mean zero and undoes
    most of the spread of ``-log q`` where q is like p; the entropy of a single Gaussian comes back
    without error.

    Examples
    --------
    >>> import numpy as np
    >>> from ggmi.random import stream
    >>> unit = Mixtures(np.ones((1, 1)), np.zeros((1, 1, 1)), np.ones((1, 1, 1, 1)))
    >>> (entropy,), (distance,) = averages_over(unit, [unit], stream(0, "doc"), 8, [unit])
    >>> round(float(entropy.value), 6), float(distance.value)  # log(2 pi e) / 2
    (1.418939, 0.0)
    """

    def integrand(x: Array, control: Array) -> list[Array]:
        surprises = [control - log_density(q, x)[0] for q in laws]
        own = log_density(p, x)[0] if distances else control
        return [*surprises, *(-np.expm1(np.minimum(log_density(q, x)[0] - own, 0.0)) for q in distances)]

    width = p.components + sum(q.components for q in (*laws, *distances))
    found = [TermAverage(row) for row in _averages(p, p.weights, generator, points, integrand, width)]
    return found[: len(laws)], found[len(laws) :]


def prompt_information(
    own: Mixtures, common: Mixtures, generator: np.random.Generator, points: int
) -> dict[str, TermAverage]:
    """Entropy given the prompt, and information about the prompt, by nested Monte Carlo.

    A prompt chooses components; together with common ones they make the mixture M_a. With m the
    mean of the A mixtures drawn, the mean of KL(M_a || m) falls short of the information by about
    one part in A, since m knows M_a; leaving M_a out of m overshoots by about one part in A - 1.
    The estimate is the first times A / (A - 1). By convexity of KL(M_a || .) it lies between the
    two in every round, apart from the points' own error; on average over rounds so does the
    information itself.

    Parameters
    ----------
    own
        A sets of components, one a prompt; weights (A, K) sum to less than one.
    common
        One set of components with the rest of the weight.
    generator
        Source of randomness.
    points
        Points on each of sixteen lattices, a component.

    Returns
    -------
    dict of str to TermAverage
        ``information_gain`` (entropy given the prompt), ``prompt_information``, and its brackets
        ``prompt_information_low`` and ``prompt_information_high``; nats a point.
    """
    sets, k, d = own.means.shape
    parts = zip((own.weights, own.means, own.covariances), ((), (d,), (d, d)), strict=True)
    flat = Mixtures(*(array.reshape(1, sets * k, *shape) for array, shape in parts))
    everything = _joined(flat, common)
    # Mixture a has its own components and the common ones.
    weights = np.zeros((sets, everything.components))
    for a in range(sets):
        weights[a, a * k : (a + 1) * k] = own.weights[a]
    weights[:, sets * k :] = common.weights

    def integrand(x: Array, control: Array) -> list[Array]:
        parts = component_log_densities(everything, x)[0]
        under = np.logaddexp(log_sum_exp(parts[: sets * k].reshape(sets, k, -1)), log_sum_exp(parts[None, sets * k :]))
        mean = log_sum_exp(under[None])[0] - np.log(sets)
        others = [log_sum_exp(np.delete(under, a, axis=0)[None])[0] - np.log(sets - 1) for a in range(sets)]
        return [*(control - under), *(under - mean), *(under - others)]

    tripled = np.tile(weights, (3, 1))
    found = _averages(everything, tripled, generator, points, integrand, everything.components)
    by_kind = found.reshape(3, sets, REPLICATES)
    entropy, low, high = (TermAverage(by_set.mean(axis=0), by_set.mean(axis=1)) for by_set in by_kind)
    return {
        "information_gain": entropy,
        "prompt_information": (sets / (sets - 1)) * low,
        "prompt_information_low": low,
        "prompt_information_high": high,
    }


def _student_terms(
    known: Mixtures,
    truth: Mixtures,
    generator: Mixtures,
    students: Mapping[str, Mixtures],
    stream: np.random.Generator,
    points: int,
) -> dict[str, TermAverage]:
    """Terms of one round that need no other anchors than its own."""
    student = students["synthetic"]
    anchors = [name for name in students if name != "synthetic"]
    (entropy, given, *own), _ = averages_over(known, [known, *students.values()], stream, points)
    (synthetic,), (task, learnt) = averages_over(generator, [student], stream, points, [truth, student])
    (believed,), _ = averages_over(student, [student], stream, points)
    return {
        "entropy_anchor": entropy,
        "anchor_given_student": given,
        **{f"anchor_given_own_{name.removeprefix('anchors_')}": e for name, e in zip(anchors, own, strict=True)},
        "synthetic_given_student": synthetic,
        "student_entropy": believed,
        "task_divergence": task,
        "student_divergence": learnt,
    }


def _generator_terms(
    known: Mixtures,
    generator: Mixtures,
    anchors_per_component: int,
    stream: np.random.Generator,
    points: int,
    sets: int,
) -> dict[str, TermAverage]:
    """Terms of one round that average over anchor sets redrawn from the same target."""
    _, k, d = known.means.shape
    factors = known.cholesky()[0]
    means, covariances = np.empty((sets, k, d)), np.empty((sets, k, d, d))
    for a in range(sets):  # one at a time: anchor sets can be large
        noise = stream.standard_normal((k, anchors_per_component, d))
        means[a], covariances[a] = refitted(known.means[0][:, None] + noise @ factors.transpose(0, 2, 1))
    own = Mixtures(np.full((sets, k), 1 / generator.components), means, covariances)
    common = Mixtures(generator.weights[:, k:], generator.means[:, k:], generator.covariances[:, k:])
    return prompt_information(own, common, stream, points)


def _stacked(rounds: Sequence[TermAverage]) -> TermAverage:
    """One term of several rounds."""
    sets = [estimate.sets for estimate in rounds]
    redrawn = isinstance(sets[0], np.ndarray)
    return TermAverage(np.stack([estimate.replicates for estimate in rounds]), np.stack(sets) if redrawn else 0.0)


def _combined(terms: Mapping[str, TermAverage]) -> dict[str, TermAverage]:
    """Terms that are made of others."""
    gain = terms["information_gain"]
    synthetic = gain + terms["prompt_information"]
    change = terms["entropy_anchor"] - synthetic
    found = {"entropy_synthetic": synthetic, "entropy_change": change}
    given = terms["anchor_given_student"]
    for name in [n for n in terms if n.startswith("anchor_given_own_")]:
        variant = name.removeprefix("anchor_given_own_")
        found[f"alpha_{variant}"] = _ratio(terms[name], given)
        # (alpha + 1) H(S_anchor|W) = H(S_anchor|W') + H(S_anchor|W)
        found[f"bound_{variant}"] = gain - terms[name] - given + 2 * change + terms["synthetic_given_student"]
    return found


def _ratio(above: TermAverage, below: TermAverage) -> TermAverage:
    """The ratio of two averages over lattices, its error to first order."""
    ratio, scale = (above.value / below.value)[..., None], below.value[..., None]
    return TermAverage(ratio + (above.replicates - ratio * below.replicates) / scale)


def _averages(
    components: Mixtures,
    weights: Array,
    generator: np.random.Generator,
    points: int,
    integrand: Integrand,
    width: int,
) -> Array:
    """Averages over mixtures of some components, with lattices of their own on every component.

    `weights` has a row for each of the integrands, or one for all; `width` is how many density
    values the integrand computes a point. The result has shape (integrands, 16).
    """
    c, d = components.means.shape[1:]
    factors = components.cholesky()[0].transpose(0, 2, 1)
    shifts = lattice_shifts(generator, d, c)
    step = max(1, BLOCK_ELEMENTS // (REPLICATES * c * width))
    total: Array | float = 0.0
    for first in range(0, points, step):
        noise = lattice_normals(shifts, first, min(first + step, points))[..., :d].reshape(c, -1, d)
        x = components.means[0][:, None] + noise @ factors
        control = 0.5 * (d - np.square(noise).sum(axis=-1)).ravel()
        values = np.array(integrand(x.reshape(1, -1, d), control))
        total = total + values.reshape(len(values), c, REPLICATES, -1).sum(axis=-1)
    return np.asarray((weights[:, :, None] * total).sum(axis=1) / points)


def _joined(a: Mixtures, b: Mixtures) -> Mixtures:
    """The components of both."""
    return Mixtures(
        np.concatenate([a.weights, b.weights], axis=1),
        np.concatenate([a.means, b.means], axis=1),
        np.concatenate([a.covariances, b.covariances], axis=1),
    )
