"""What the paper declares of its variables, as conditions that a world meets or misses, and four regimes of them.

Gan & Liu, arXiv 2410.01720, sections 3.2 and 4.1, appendices C, E and F. The prompt is a reversible
image of S_anchor (appendix C), so conditioning on p is conditioning on S_anchor, and S_anchor -> p ->
S_gen holds in every world. M(p) -> S_gen -> W holds in every world because W is drawn from S_gen.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ggmi.exact import statement
from ggmi.exact.statement import Assumption, Flags, Regime
from ggmi.theory.laws import Array, entropy_of, example_values
from ggmi.theory.world import World


def _noise_dependence(world: World) -> Array:
    """I(S_gen - M(p); M(p) | p) in nats, the difference over the integers or modulo the modulus of M(p)."""
    law = world.marginal(["S_anchor", "M", "S_gen"])
    # Rows that cannot occur add nothing.
    occurs = law.max(axis=(0, 1)) > 0
    plain = _information_given_anchor(law, _shifts(world, occurs, cyclic=False))
    if not world.modulus:
        return plain
    return np.minimum(plain, _information_given_anchor(law, _shifts(world, occurs, cyclic=True)))


def _shifts(world: World, occurs: Flags, *, cyclic: bool) -> Array:
    """Which noise leads from each value of M(p) to each of S_gen that can follow it, as one-hot (k, y, d)."""
    n, sizes = world.samples, occurs.shape
    sides = [example_values(size, n) for size in sizes]
    digits = [_digits(size, side, n) for size, side in zip(sizes, sides, strict=True)]
    if world.values is not None and n == 1:
        digits = [world.values[:size, None] for size in sizes]
    shift = digits[1][None, :, :] - digits[0][:, None, :]
    shift = shift % world.modulus if cyclic else shift
    _, index = np.unique(shift[occurs], axis=0, return_inverse=True)
    onehot = np.zeros((*sizes, index.max() + 1))
    onehot[(*np.nonzero(occurs), index.reshape(-1))] = 1
    return onehot


def _digits(size: int, side: int, n: int) -> NDArray[np.int64]:
    """The n examples that each symbol stands for, the first most significant, shape (size, n)."""
    return np.arange(size)[:, None] // side ** np.arange(n)[::-1] % side


def _information_given_anchor(law: Array, onehot: Array) -> Array:
    """I(noise; M | S_anchor) in nats, from the law of (S_anchor, M, S_gen)."""
    joint = np.einsum("zsky,kyd->zskd", law, onehot)
    parts = joint, joint.sum(axis=(2, 3)), joint.sum(axis=3), joint.sum(axis=2)
    all_, s, sk, sd = (entropy_of(part) for part in parts)
    return np.maximum(sk + sd - all_ - s, 0.0)


def _unlinked(a: str, b: str, given: str) -> Assumption:
    """The Markov chain a -> given -> b, missed by I(a; b | given)."""

    def missed_by(world: World) -> Array:
        return np.maximum(world.mutual_information(a, b, given), 0.0)

    key = f"{a} -> {given} -> {b}"
    return Assumption(key, CHAIN_TEXTS[key], missed_by)


CHAIN_TEXTS = {
    "S_anchor -> e_p -> W": r"$\Sa \to p \to e_p \to W$ is a Markov chain (section 4.1)",
    "M -> e_M -> W": r"$\Mp \to e_M \to W$ is a Markov chain (section 4.1)",
    "h -> M -> S_gen": r"$h(e_p) \to \Mp \to \Sg$ is a Markov chain (appendix F)",
    "M -> S_gen -> W": r"$\Mp \to \Sg \to W$ is a Markov chain (appendix E)",
}
PROMPT_CHAIN = _unlinked("S_anchor", "W", "e_p")
MODEL_CHAIN = _unlinked("M", "W", "e_M")
OUTPUT_CHAIN = _unlinked("h", "S_gen", "M")
TRAINING_CHAIN = _unlinked("M", "W", "S_gen")
FUNCTION_OF_PROMPT = Assumption(
    "e_p is a function of p",
    r"$e_p$, the factor of the prompt (Definition 4.1), is a function of $p$",
    lambda world: np.maximum(world.conditional_entropy("e_p", "S_anchor"), 0.0),
)
NOISE = Assumption(
    "S_gen is M plus noise independent of it given p",
    r"$\Sg = \Mp + \varepsilon$ with $\varepsilon$ independent of $\Mp$ given $p$, or zero (section 3.2, appendix C)",
    _noise_dependence,
)

DECLARED = Regime(
    "declared",
    r"All that the paper declares: the Markov chains $\Sa \to p \to e_p \to W$ and $\Mp \to e_M \to W$ of section 4.1; "
    r"$e_p$, the factor of the prompt, a function of $p$; $\Sg = \Mp + \varepsilon$ with noise that is "
    r"independent of $\Mp$ given $p$, or none; "
    r"the chains $h(e_p) \to \Mp \to \Sg$ and $\Mp \to \Sg \to W$; $h$ and $g$ deterministic.",
    (PROMPT_CHAIN, MODEL_CHAIN, FUNCTION_OF_PROMPT, NOISE, OUTPUT_CHAIN, TRAINING_CHAIN),
)
WITHOUT_4_1 = Regime(
    "without_4.1",
    r"The same without section 4.1's chain $\Mp \to e_M \to W$, which no proof in the paper cites.",
    tuple(a for a in DECLARED.assumptions if a is not MODEL_CHAIN),
)
CHAINS_ONLY = Regime(
    "chains_only",
    r"The declared Markov chains, with any curation of $\Mp$ in place of added noise, and any $e_p$ given $p$.",
    (PROMPT_CHAIN, MODEL_CHAIN, OUTPUT_CHAIN, TRAINING_CHAIN),
)
STRUCTURE = Regime(
    "structure",
    r"$\Mp = h(e_p) + g(e_M)$, $\Mp \to \Sg \to W$ and $\Sa \to (e_p, e_M)$; nothing else.",
    (TRAINING_CHAIN,),
)
REGIMES: Mapping[str, Regime] = {r.key: r for r in (DECLARED, WITHOUT_4_1, CHAINS_ONLY, STRUCTURE)}
# Every declared assumption once, in the order of the paper.
ASSUMPTIONS = DECLARED.assumptions


def regimes_of(world: World) -> dict[str, Flags]:
    """Which regimes each world of a batch belongs to, by key."""
    met = {assumption.key: assumption.holds(world) for assumption in ASSUMPTIONS}
    return {key: np.all([met[a.key] for a in regime.assumptions], axis=0) for key, regime in REGIMES.items()}


def proof_in(proofs: Mapping[str, str], regime: Regime) -> str:
    """The proof that covers a regime, or nothing."""
    return statement.proof_in(proofs, regime, REGIMES)
