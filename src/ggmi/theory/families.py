"""Families of random worlds: the regime that they are built for, what varies, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from ggmi.random import stream
from ggmi.theory.laws import Array, Indices
from ggmi.theory.learners import dataset_loss, deterministic, erm, gibbs, layered_loss
from ggmi.theory.skeleton import CURATIONS, WITH_MODEL_CHAIN, Sizes, sketch, softmax, tied_rows
from ggmi.theory.world import World

Curation = Literal["none", "map", "noise", "noise given p", "channel", "channel given p"]
Learner = Literal["stochastic", "deterministic", "erm", "gibbs"]
Prompts = Literal["one", "one each"]

# Worlds of one block share a stream, so that a family of more worlds begins with the same ones.
BLOCK = 1000
# Alphabets of one example: small enough for thousands of worlds a second, large enough that h, g and
# the sum can merge symbols; in sets of examples smaller ones, for a set of n has size^n.
SINGLE = Sizes(s=4, e=3, m=3, values=3, w=3, v=3)
CHAINED = Sizes(s=4, e=3, m=4, values=2, w=3, v=3, clusters=3)
SETS = Sizes(s=2, e=2, m=2, values=2, w=3, v=3)
# The chain M(p) -> e_M -> W leaves W something only if e_M can name h(e_p) or g is spaced apart.
CHAINED_SETS = Sizes(s=2, e=2, m=3, values=2, w=3, v=3, clusters=2)


@dataclass(frozen=True)
class Family:
    """A way to draw worlds.

    Parameters
    ----------
    name
        Unique; names the random streams. It begins with the regime.
    regime
        The regime that its worlds are built to meet; they belong to every wider one too.
    curation
        How S_gen comes from M(p).
    learner
        How W and W' come from their data.
    independent
        Whether e_M is independent of e_p; None for half of the worlds.
    modulus
        Sum modulo this number; None for integers.
    examples, anchor_examples
        Examples n of S_gen and m of S_anchor.
    prompts
        Whether the n examples come from one prompt, made of all anchors, or from a prompt each.
    signed
        Whether losses lie in [-C, C] instead of [0, C].
    contraction, anchor_contraction
        eta^L of the layers that the losses of W and of W' see their data through.
    lambda_excess
        How far lambda lies above the smallest that Lemma E.1 allows.
    """

    name: str
    regime: str
    curation: Curation = "none"
    learner: Learner = "stochastic"
    independent: bool | None = None
    modulus: int | None = None
    examples: int = 1
    anchor_examples: int = 1
    prompts: Prompts = "one"
    signed: bool = False
    contraction: Fraction = Fraction(1)
    anchor_contraction: Fraction = Fraction(1)
    lambda_excess: Fraction = Fraction(0)


THREE_QUARTERS, HALF, QUARTER = Fraction(3, 4), Fraction(1, 2), Fraction(1, 4)
DEFAULT_FAMILIES = (
    Family("declared: no noise", "declared"),
    Family("declared: noise", "declared", "noise"),
    Family("declared: noise given p", "declared", "noise given p"),
    Family("declared: independent factors, noise", "declared", "noise", independent=True),
    Family("declared: dependent factors, ERM", "declared", learner="erm", independent=False),
    Family("declared: Gibbs, noise, signed loss", "declared", "noise", "gibbs", signed=True),
    Family(
        "declared: ERM, noise, layers",
        "declared",
        "noise",
        "erm",
        contraction=THREE_QUARTERS,
        anchor_contraction=QUARTER,
    ),
    Family("declared: a larger lambda", "declared", "noise", lambda_excess=HALF),
    Family("declared: two examples of one prompt", "declared", "noise", examples=2, anchor_examples=3),
    Family(
        "declared: two examples, a prompt each", "declared", "noise", "erm", examples=2, anchor_examples=2,
        prompts="one each",
    ),
    Family("without_4.1: no noise", "without_4.1"),
    Family("without_4.1: noise", "without_4.1", "noise"),
    Family("without_4.1: noise given p", "without_4.1", "noise given p"),
    Family("without_4.1: independent factors, deterministic learner", "without_4.1", "none", "deterministic", True),
    Family("without_4.1: ERM, noise", "without_4.1", "noise", "erm"),
    Family("without_4.1: Gibbs, signed loss", "without_4.1", "none", "gibbs", signed=True),
    Family("without_4.1: modulo 3, ERM", "without_4.1", "none", "erm", modulus=3),
    Family(
        "without_4.1: two examples of one prompt", "without_4.1", "none", "gibbs", examples=2, anchor_examples=3,
        anchor_contraction=HALF,
    ),
    Family(
        "without_4.1: two examples, a prompt each", "without_4.1", "noise", "erm", examples=2, anchor_examples=2,
        prompts="one each", contraction=HALF,
    ),
    Family("chains_only: no curation", "chains_only"),
    Family("chains_only: a map", "chains_only", "map"),
    Family("chains_only: a channel", "chains_only", "channel", independent=False),
    Family("chains_only: noise, ERM", "chains_only", "noise", "erm"),
    Family("chains_only: Gibbs, a channel, layers", "chains_only", "channel", "gibbs", False, contraction=QUARTER),
    Family("structure: a channel", "structure", "channel"),
    Family("structure: a channel given p", "structure", "channel given p"),
    Family("structure: independent factors, a map", "structure", "map", independent=True),
    Family("structure: no curation, ERM, signed loss", "structure", "none", "erm", signed=True),
    Family("structure: Gibbs, modulo 3, a channel", "structure", "channel", "gibbs", modulus=3),
)  # fmt: skip


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
    chained = family.regime in WITH_MODEL_CHAIN
    n = family.examples
    sizes = {(False, False): SINGLE, (True, False): CHAINED, (False, True): SETS, (True, True): CHAINED_SETS}[
        chained, max(n, family.anchor_examples) > 1
    ]
    skeleton = sketch(
        generator,
        BLOCK,
        sizes,
        family.regime,
        curations=[CURATIONS.index(family.curation)],
        independent=family.independent,
        modulus=family.modulus,
    )
    tables = skeleton.tables({name: _logits(generator, shape) for name, shape in skeleton.shapes(sizes).items()})
    if not skeleton.anchored.any():
        tables["model_factor"] = tables["model_factor"][:, :1]
    if family.curation not in ("noise given p", "channel given p"):
        tables["curation"] = tables["curation"][:, :1]
    h, g, output = skeleton.h, skeleton.g, skeleton.output
    low = -1.0 if family.signed else 0.0
    z = max(sizes.s, sizes.y)
    loss = generator.uniform(low, 1.0, (BLOCK, sizes.w, z))
    if max(n, family.anchor_examples) > 1:
        tables, h, g, output = _in_sets(generator, family, tables, h, g, output)
    loss, anchor_loss = layered_loss(loss, family.contraction), layered_loss(loss, family.anchor_contraction)
    values = round(tables["curation"].shape[-1] ** (1 / n))
    learner = _learner(generator, family, dataset_loss(loss[..., :values], n))
    if chained:
        support = tables["curation"].max(axis=1) > 0
        occurs = tables["model_factor"].max(axis=1) > 0
        rows = tied_rows(occurs, output, support)
        learner = learner[np.arange(BLOCK)[:, None], rows]
    batch = World(
        tables["anchor"],
        tables["prompt_factor"],
        tables["model_factor"],
        h,
        g,
        output,
        tables["curation"],
        learner,
        _learner(generator, family, dataset_loss(anchor_loss[..., : sizes.s], family.anchor_examples)),
        loss,
        anchor_loss,
        sigma=Fraction(1) if family.signed else Fraction(1, 2),
        samples=n,
        anchor_samples=family.anchor_examples,
        contraction=family.contraction,
        anchor_contraction=family.anchor_contraction,
        lambda_excess=family.lambda_excess,
        modulus=family.modulus or 0,
    )
    return batch[:worlds] if worlds < BLOCK else batch


def _logits(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Logits of random laws, from nearly uniform to nearly deterministic.

    Logarithms of exponential variables: times one they make the uniform law on the simplex, and
    larger multiples move towards its corners. Each world draws its own multiple.
    """
    power = generator.choice([0.3, 1.0, 3.0, 8.0], size=(BLOCK,) + (1,) * len(shape))
    return power * np.log(np.maximum(generator.standard_exponential((BLOCK, *shape)), 1e-12))


def _in_sets(
    generator: np.random.Generator, family: Family, tables: dict[str, Array], h: Indices, g: Indices, output: Indices
) -> tuple[dict[str, Array], Indices, Indices, Indices]:
    """Worlds of sets of examples from the tables of one example."""
    n, k = family.examples, tables["curation"].shape[-2]
    sets = dict(tables)
    sets["anchor"] = _power(tables["anchor"], family.anchor_examples)
    sets["model_factor"] = _power(tables["model_factor"], n, fixed=0 if family.prompts == "one each" else 2)
    sets["curation"] = _power(tables["curation"], n)
    # The n outputs are a number of n digits, and so are their summands g.
    base = int(g.max()) + 1
    if family.prompts == "one":
        # One prompt, made of all the anchors: a map of theirs, drawn anew.
        e = tables["prompt_factor"].shape[2]
        sets["prompt_factor"] = deterministic(generator.integers(0, e, sets["anchor"].shape), e)
        outputs = [_digit(output, n, i, axes=(2,)) for i in range(n)]
        summands = [_digit(g, n, i, axes=(1,)) for i in range(n)]
        return sets, h, _number(summands, base), _number(outputs, k)
    sets["prompt_factor"] = _power(tables["prompt_factor"], n)
    outputs = [_digit(output, n, i, axes=(1, 2)) for i in range(n)]
    summands = [_digit(g, n, i, axes=(1,)) for i in range(n)]
    heads = [_digit(h, n, i, axes=(1,)) for i in range(n)]
    return sets, _number(heads, int(h.max()) + 1), _number(summands, base), _number(outputs, k)


def _power(table: Array, n: int, fixed: int = 0) -> Array:
    """Kronecker power of every table of a batch over its last axes: n independent examples, the first most significant.

    An axis of size one stays one; the first `fixed` axes behind the batch's are conditions that all
    examples share.
    """
    result = table
    for _ in range(n - 1):
        letters = "abcdef"[: table.ndim - 1]
        shared, one, two = letters[:fixed], letters[fixed:], letters[fixed:].upper()
        mixed = shared + "".join(x + y for x, y in zip(one, two, strict=True))
        square = np.einsum(f"z{shared}{one},z{shared}{two}->z{mixed}", result, table)
        shape = [a * b for a, b in zip(result.shape[1 + fixed :], table.shape[1 + fixed :], strict=True)]
        result = square.reshape(*table.shape[: 1 + fixed], *shape)
    return result


def _digit(values: Indices, n: int, place: int, axes: tuple[int, ...]) -> Indices:
    """What one example of a set has, for every set: the symbols along some axes become digits of a number."""
    result = values
    for axis in axes:
        size = values.shape[axis]
        symbols = np.arange(size**n) // size ** (n - 1 - place) % size
        result = np.take(result, symbols, axis=axis)
    return result


def _number(digits: list[Indices], base: int) -> Indices:
    """The number of some digits, the first most significant."""
    result = digits[0]
    for digit in digits[1:]:
        result = result * base + digit
    return result


def _learner(generator: np.random.Generator, family: Family, loss: Array) -> Array:
    """Channel from training sets to parameters, shape (count, sets, w)."""
    count, w, sets = loss.shape
    if family.learner == "stochastic":
        return softmax(_logits(generator, (sets, w)))
    if family.learner == "deterministic":
        return deterministic(generator.integers(0, w, (count, sets)), w)
    if family.learner == "erm":
        return erm(loss)
    return gibbs(loss, generator.choice([0.5, 2.0, 8.0, 32.0], size=count))
