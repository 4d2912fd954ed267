"""What statements ask of finite worlds: marginal laws, by contraction of tables, and what follows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache, cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ggmi.errors import UserError, did_you_mean
from ggmi.exact.trees import Term
from ggmi.theory.learners import dataset_loss

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

# Axis letters of the contraction; h, g and M are functions of the factors, not states of their own.
LETTERS = {"S_anchor": "s", "e_p": "e", "h": "a", "e_M": "m", "g": "b", "M": "k", "S_gen": "y", "W": "w", "W'": "v"}
NAMES = tuple(LETTERS)
FREE = ("S_anchor", "e_p", "e_M", "S_gen", "W", "W'")
ALIASES = {"p": "S_anchor", "h(e_p)": "h", "g(e_M)": "g", "M(p)": "M"}
BY_LETTER = {letter: name for name, letter in LETTERS.items()}
# What each learner is trained on.
TRAINED_ON = {"W": "S_gen", "W'": "S_anchor"}


class Laws:
    """What statements ask of a batch of worlds, in terms of its marginal laws.

    Subclasses give the tables of `World`, and `xp`: numpy, or a module of its functions that
    differentiates.
    """

    xp: Any = np
    # Least number under a root: its derivative at zero is infinite.
    root_floor: float = 0.0
    anchor: Array
    prompt_factor: Array
    model_factor: Array
    h: Indices
    g: Indices
    output: Indices
    curation: Array
    learner: Array
    anchor_learner: Array
    samples: int
    anchor_samples: int
    _marginals: dict[str, Array]

    @property
    def parameters(self) -> Mapping[str, Fraction]:
        """The world's parameters by the names statements and files use."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.h)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Alphabet size of every variable."""
        s, e, m = *self.prompt_factor.shape[1:], self.model_factor.shape[-1]
        k, y = self.curation.shape[-2:]
        a, b = int(self.h.max()) + 1, int(self.g.max()) + 1
        return dict(zip(NAMES, (s, e, a, m, b, k, y, self.learner.shape[2], self.anchor_learner.shape[2]), strict=True))

    def marginal(self, names: Sequence[str]) -> Array:
        """Exact joint law of some of the variables.

        Parameters
        ----------
        names
            Which, of `NAMES` (p, h(e_p), g(e_M) and M(p) are understood too), in the order of axes.

        Returns
        -------
        ndarray, shape (B, sizes...)
        """
        wanted = "".join(LETTERS[canonical(n)] for n in names)
        key = "".join(sorted(wanted))
        if key not in self._marginals:
            self._marginals[key] = self._contract(key)
        return self.xp.einsum(f"z{key}->z{wanted}", self._marginals[key])

    def _parents(self) -> dict[str, str]:
        """Letters that the law of each letter is given."""
        model = "e" if self.model_factor.shape[1] == 1 else "se"
        curation = "k" if self.curation.shape[1] == 1 else "sk"
        return {"s": "", "e": "s", "a": "e", "m": model, "b": "m", "k": "em", "y": curation, "w": "y", "v": "s"}

    def _contract(self, wanted: str) -> Array:
        """Eliminate one by one the variables that are neither wanted nor without influence."""
        parents = self._parents()
        needed, steps = _elimination(wanted, tuple(parents.items()), tuple(self.sizes.values()))
        factors = [(parents[letter] + letter, self._conditional(letter)) for letter in needed]
        for letter, rest in steps:
            touched = [(f, t) for f, t in factors if letter in f]
            factors = [(f, t) for f, t in factors if letter not in f] + [(rest, _product(touched, rest, self.xp))]
        return _product(factors, wanted, self.xp)

    def _conditional(self, letter: str) -> Array:
        """Law of a variable given its parents."""
        if letter in "abk":
            index = {"a": self.h, "b": self.g, "k": self.output}[letter]
            return (index[..., None] == np.arange(self.sizes[BY_LETTER[letter]])).astype(float)
        table = {
            "s": self.anchor,
            "e": self.prompt_factor,
            "m": self.model_factor,
            "y": self.curation,
            "w": self.learner,
            "v": self.anchor_learner,
        }[letter]
        return table[:, 0] if letter in "my" and table.shape[1] == 1 else table

    def losses(self, learner: str) -> Array:
        """Loss of W or of W' at every data value, shape (B, w, z)."""
        raise NotImplementedError

    def examples(self, name: str) -> int:
        """Number of examples that a symbol of S_anchor, M or S_gen stands for."""
        return self.anchor_samples if name == "S_anchor" else self.samples

    def entropy(self, names: Sequence[str] | str) -> Array:
        """Joint entropy in nats, shape (B,)."""
        return entropy_of(self.marginal(listed(names)), self.xp)

    def value(self, term: Term) -> Array:
        """Value of a tree in every world, see `ggmi.theory.terms.evaluate`."""
        from ggmi.theory import terms

        return terms.evaluate(term, self)

    def outcome_law(self, learner: str) -> Array:
        """Law of what a random error depends on: (B, p, S_gen, W) for W, (B, p, 1, W') for W'."""
        if learner == "W":
            return self.marginal(["S_anchor", "S_gen", "W"])
        return self.marginal(["S_anchor", "W'"])[:, :, None, :]

    def laws_by_place(self, name: str, given: str) -> list[Array]:
        """Law of each of the examples that a symbol stands for, with p where it is given, shape (B, p, z) each."""
        law = self.marginal(["S_anchor", name]) if given else self.marginal([name])[:, None]
        n = self.examples(name)
        side = example_values(law.shape[-1], n)
        # The examples are the digits, the first most significant.
        return [law.reshape(*law.shape[:2], side**i, side, -1).sum(axis=(2, 4)) for i in range(n)]

    def example_law(self, name: str, given: str) -> Array:
        """Law of one example of S_anchor, M or S_gen, shape (B, p, z); p has one row unless it is given."""
        laws = self.laws_by_place(name, given)
        # Where each example has a prompt of its own their laws given p differ.
        law = sum(laws[1:], laws[0]) / len(laws)
        if given:
            mass = law.sum(axis=-1, keepdims=True)
            law = law / self.xp.where(mass > 0, mass, 1.0)
        return law

    def variation(self, one: str, two: str, given: str) -> Array:
        """Total variation distance of two laws of an example, shape (B, p, 1, 1); that of S_anchor is never given p."""
        laws = [self.example_law(name, "" if name == "S_anchor" else given) for name in (one, two)]
        size = max(law.shape[-1] for law in laws)
        first, second = (_padded(law, size, self.xp) for law in laws)
        return 0.5 * self.xp.abs(first - second).sum(axis=-1)[:, :, None, None]

    def risk(self, data: str, learner: str, given: str) -> Array:
        """Mean loss of each parameter on a fresh example, shape (B, p, 1, w)."""
        law, table = self.example_law(data, given), self.losses(learner)
        return self.xp.einsum("zpx,zwx->zpw", law, table[:, :, : law.shape[-1]])[:, :, None, :]

    def training_loss(self, learner: str) -> Array:
        """Mean loss on the training set: (B, 1, S_gen, W) for W, (B, S_anchor, 1, W') for W'."""
        data = TRAINED_ON[learner]
        n = self.examples(data)
        size = self.sizes[data]
        table = dataset_loss(self.losses(learner)[:, :, : example_values(size, n)], n)
        turned = self.xp.swapaxes(table, 1, 2)
        return turned[:, None] if learner == "W" else turned[:, :, None]


@cache
def _elimination(
    wanted: str, parents: tuple[tuple[str, str], ...], sizes: tuple[int, ...]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Letters whose laws are multiplied, and those that are summed out in turn, each with what is left of its scope."""
    given = dict(parents)
    size = dict(zip(LETTERS.values(), sizes, strict=True))
    needed = set(wanted)
    while (larger := needed.union(*(given[letter] for letter in needed))) != needed:
        needed = larger
    # In one order, whatever a set's: products of more than two factors round by it.
    scopes = [set(given[letter] + letter) for letter in sorted(needed)]
    hidden, steps = needed - set(wanted), []
    while hidden:
        # Cheapest first: the elimination whose intermediate table is the smallest.
        joined = {c: set().union(*(scope for scope in scopes if c in scope)) for c in hidden}
        letter = min(sorted(hidden), key=lambda c: prod(size[i] for i in joined[c]))
        rest = joined[letter] - {letter}
        scopes = [scope for scope in scopes if letter not in scope] + [rest]
        steps.append((letter, "".join(sorted(rest))))
        hidden.remove(letter)
    return sorted(needed), steps


def entropy_of(law: Array, xp: Any = np) -> Array:
    """Entropy in nats over all axes but the batch's, shape (B,)."""
    flat = law.reshape(len(law), -1)
    # The logarithm of one is zero, so states of probability zero add nothing.
    return -(flat * xp.log(xp.where(flat > 0, flat, 1.0))).sum(axis=-1)


def example_values(size: int, examples: int) -> int:
    """Values of one example, where `size` symbols number sets of several."""
    return size if examples == 1 else round(size ** (1 / examples))


def canonical(name: str) -> str:
    """Translate a variable's name, or say what the names are.

    Raises
    ------
    UserError
        If there is no such variable.
    """
    plain = ALIASES.get(name, name)
    if plain not in LETTERS:
        raise UserError(f"a world has no variable '{name}'; {did_you_mean(name, [*NAMES, *ALIASES])}")
    return plain


def listed(names: Sequence[str] | str) -> list[str]:
    """One name or several, as a list."""
    return [names] if isinstance(names, str) else list(names)


def _padded(law: Array, size: int, xp: Any) -> Array:
    """A law on more values, along the last axis."""
    missing = size - law.shape[-1]
    return law if not missing else xp.concatenate([law, np.zeros((*law.shape[:-1], missing))], axis=-1)


def _product(factors: Sequence[tuple[str, Array]], wanted: str, xp: Any) -> Array:
    """Multiply batched tables and sum out what is not wanted."""
    inputs = ",".join(f"z{letters}" for letters, _ in factors)
    return xp.einsum(f"{inputs}->z{wanted}", *(table for _, table in factors))
