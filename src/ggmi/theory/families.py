"""Families of random worlds: what varies, what is fixed, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from ggmi.random import stream
from ggmi.theory.learners import dataset_loss, deterministic, erm, gibbs, layered_loss
from ggmi.theory.world import Array, Indices, World

Curation = Literal["none", "deterministic", "random", "additive"]
Learner = Literal["stochastic", "deterministic", "erm", "gibbs", "separable"]

# Worlds of one block share a stream, so that a family of more worlds begins with the same ones.
BLOCK = 1000
# Alphabet sizes of one example: small enough for thousands of worlds a second, large enough that
# h, g and the sum can merge symbols.
ANCHORS, FACTORS, VALUES, NOISE, HYPOTHESES = 4, 3, 3, 2, 3


@dataclass(frozen=True)
class Family:
    """A way to draw worlds.

    Parameters
    ----------
    name
        Unique; names the random streams.
    factors
        Whether e_M is independent of e_p.
    curation
        How S_gen comes from M(p): not at all, by a map, by a channel, by independent additive noise.
    learner
        How W and W' come from their data. The separable learner sees the digits of
        M(p) = h + 3 g through one channel each, so that training creates no dependence of the factors.
    modulus
        Sum modulo this number; None for integers.
    samples
        Examples n in a training set.
    signed
        Whether losses lie in [-C, C] instead of [0, C].
    contraction
        eta^L of the layers the loss sees its data through.
    """

    name: str
    factors: Literal["independent", "dependent"] = "independent"
    curation: Curation = "none"
    learner: Learner = "stochastic"
    modulus: int | None = None
    samples: int = 1
    signed: bool = False
    contraction: Fraction = Fraction(1)


DEFAULT_FAMILIES = (
    *(
        Family(f"{factors}, {'no' if curation == 'none' else curation} curation", factors, curation)
        for factors in ("independent", "dependent")
        for curation in ("none", "deterministic", "random", "additive")
    ),
    Family("independent, deterministic learner", learner="deterministic"),
    Family("independent, ERM", learner="erm"),
    Family("independent, Gibbs", learner="gibbs"),
    Family("independent, separable learner", learner="separable"),
    Family("independent, modulo 3, additive curation", curation="additive", modulus=3),
    Family("independent, ERM, signed loss", learner="erm", signed=True),
    Family("independent, ERM, two layers of eta 3/4", learner="erm", contraction=Fraction(9, 16)),
    Family("independent, Gibbs, two examples", learner="gibbs", samples=2),
    Family("dependent, deterministic learner", "dependent", learner="deterministic"),
    Family("dependent, ERM", "dependent", learner="erm"),
    Family("dependent, Gibbs, random curation", "dependent", "random", "gibbs"),
    Family("dependent, modulo 3, random curation", "dependent", "random", modulus=3),
    Family("independent, modulo 3, ERM", learner="erm", modulus=3),
    Family("dependent, Gibbs, two layers of eta 1/2", "dependent", learner="gibbs", contraction=Fraction(1, 4)),
    Family("independent, random curation, three layers of eta 1/2", curation="random", contraction=Fraction(1, 8)),
    Family("dependent, ERM, two examples", "dependent", learner="erm", samples=2),
)


def draw(family: Family, worlds: int, seed: int, *, first: int = 0) -> World:
    """Draw one block of a family's worlds.

    Parameters
    ----------
    family
        What to draw.
    worlds
        How many, at most `BLOCK`.
    seed
        The run's seed.
    first
        Index of the first world, a multiple of `BLOCK`.

    Returns
    -------
    World
        The batch. A smaller number gives the first worlds of a larger one.

    Raises
    ------
    ValueError
        If more than a block is asked for, or part of two.

    Examples
    --------
    >>> len(draw(DEFAULT_FAMILIES[0], 5, seed=1))
    5
    """
    if not 1 <= worlds <= BLOCK or first % BLOCK:
        raise ValueError(f"a block holds worlds 1 to {BLOCK} from a multiple of {BLOCK}, asked {worlds} from {first}")
    generator = stream(seed, "theory", family.name, first // BLOCK)
    count = BLOCK
    # n = 2 enumerates pairs of examples, so one example's alphabets are smaller; three anchors are as
    # many as two values have sums, so that pairs of either are numbered alike.
    single = family.samples == 1
    s, e, values = (ANCHORS, FACTORS, VALUES) if single else (3, 2, 2)
    m = e
    anchor = _laws(generator, (count, s))
    prompt = _laws(generator, (count, s, e))
    if family.factors == "independent":
        model = np.repeat(_laws(generator, (count, 1, m)), e, axis=1)
    else:
        model = _laws(generator, (count, e, m))
    h = generator.integers(0, values, (count, e))
    g = generator.integers(0, values, (count, m))
    if family.learner == "separable":
        g = g * values
    top = (values - 1) * (values + 1 if family.learner == "separable" else 2)
    k = family.modulus or top + 1
    total = h[:, :, None] + g[:, None, :]
    output = total % k if family.modulus else total
    curation = _curation(generator, family, count, k)
    y = curation.shape[2]
    z = max(s, k, y)
    low = -1.0 if family.signed else 0.0
    loss = layered_loss(generator.uniform(low, 1.0, (count, HYPOTHESES, z)), family.contraction)
    anchor_loss = loss
    if family.samples > 1:
        anchor, prompt, model = _paired(anchor), _paired(prompt), _paired(model)
        h, g, output = _paired_index(h, values), _paired_index(g, values), _paired_index(output, k)
        curation = _paired(curation)
        anchor_loss = dataset_loss(loss[..., :s], family.samples)
        loss = dataset_loss(loss[..., :y], family.samples)
    learner = _learner(generator, family, loss[..., : curation.shape[2]])
    anchor_learner = _learner(generator, family, anchor_loss[..., : anchor.shape[1]])
    if family.learner == "separable":
        # Here W is the pair of what was seen of each digit; its loss is drawn anew.
        loss = generator.uniform(low, 1.0, (count, learner.shape[2], z))
        anchor_loss = generator.uniform(low, 1.0, (count, anchor_learner.shape[2], z))
    batch = World(
        anchor,
        prompt,
        model,
        h,
        g,
        output,
        curation,
        learner,
        anchor_learner,
        loss,
        anchor_loss,
        sigma=Fraction(1) if family.signed else Fraction(1, 2),
        samples=family.samples,
        contraction=family.contraction,
    )
    return batch[:worlds] if worlds < count else batch


def _laws(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Random probability laws along the last axis, from nearly uniform to nearly deterministic.

    Powers of exponential variables, normalised; power 1 is the uniform law on the simplex, and
    larger powers move towards its corners. Each world draws its own power.
    """
    power = generator.choice([0.3, 1.0, 3.0, 8.0], size=(shape[0],) + (1,) * (len(shape) - 1))
    # A floor keeps every normalising sum positive.
    weights = np.maximum(generator.standard_exponential(shape), 1e-12) ** power
    return weights / weights.sum(axis=-1, keepdims=True)


def _curation(generator: np.random.Generator, family: Family, count: int, k: int) -> Array:
    """P(S_gen | M(p)), shape (count, k, y)."""
    if family.curation == "none":
        return np.broadcast_to(np.eye(k), (count, k, k)).copy()
    if family.curation == "deterministic":
        return deterministic(generator.integers(0, k, (count, k)), k)
    if family.curation == "random":
        return _laws(generator, (count, k, k))
    return additive(_laws(generator, (count, NOISE)), k, cyclic=family.modulus is not None)


def additive(noise: Array, k: int, *, cyclic: bool) -> Array:
    """The channel that adds independent noise to M(p).

    Parameters
    ----------
    noise
        Law of the noise on 0, 1, ..., shape (B, d).
    k
        Number of outputs.
    cyclic
        Whether the sum is modulo k.

    Returns
    -------
    ndarray, shape (B, k, k) if cyclic, else (B, k, k + d - 1)
    """
    d = noise.shape[1]
    y = k if cyclic else k + d - 1
    channel = np.zeros((len(noise), k, y))
    rows = np.arange(k)
    for shift in range(d):
        channel[:, rows, (rows + shift) % y] += noise[:, shift, None]
    return channel


def _paired(table: Array) -> Array:
    """Kronecker square of every table of the batch: two independent examples, the first more significant."""
    letters, other = "abc"[: table.ndim - 1], "def"[: table.ndim - 1]
    mixed = "".join(x + y for x, y in zip(letters, other, strict=True))
    square = np.einsum(f"z{letters},z{other}->z{mixed}", table, table)
    return square.reshape(len(table), *(n * n for n in table.shape[1:]))


def _paired_index(values: Indices, base: int) -> Indices:
    """Index of the pair of values at every pair of positions."""
    if values.ndim == 2:
        grid = base * values[:, :, None] + values[:, None, :]
    else:
        grid = base * values[:, :, None, :, None] + values[:, None, :, None, :]
    return grid.reshape(len(values), *(n * n for n in values.shape[1:]))


def _learner(generator: np.random.Generator, family: Family, loss: Array) -> Array:
    """Channel from training sets to parameters, shape (count, sets, w)."""
    count, w, sets = loss.shape
    if family.learner == "stochastic":
        return _laws(generator, (count, sets, w))
    if family.learner == "deterministic":
        return deterministic(generator.integers(0, w, (count, sets)), w)
    if family.learner == "erm":
        return erm(loss)
    if family.learner == "gibbs":
        return gibbs(loss, generator.choice([0.5, 2.0, 8.0, 32.0], size=count))
    low = _laws(generator, (count, VALUES, 2))
    high = _laws(generator, (count, VALUES, 2))
    data = np.arange(sets)
    pair = low[:, data % VALUES, :, None] * high[:, (data // VALUES) % VALUES, None, :]
    return pair.reshape(count, sets, 4)
