"""Finite worlds: the joint law of anchor data, factors, generator output, synthetic data and parameters.

A world is the chain of the paper's sections 3 and 4 on small alphabets:

    S_anchor -> e_p -> M(p) = h(e_p) + g(e_M) -> S_gen -> W        and        S_anchor -> W'

The prompt p is a bijective image of S_anchor, so it shares its axis. Every arrow is a stochastic
matrix or a deterministic map, and a marginal is the contraction of those that matter to it: the
full joint law is never built unless asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr, xlogy

from ggmi.errors import UserError, did_you_mean

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MAX_STATES = 10_000_000
SUM_TOLERANCE = 1e-9

# Axis letters of the contraction; h, g and M are functions of the factors, not states of their own.
LETTERS = {"S_anchor": "s", "e_p": "e", "h": "a", "e_M": "m", "g": "b", "M": "k", "S_gen": "y", "W": "w", "W'": "v"}
NAMES = tuple(LETTERS)
FREE = ("S_anchor", "e_p", "e_M", "S_gen", "W", "W'")
ALIASES = {"p": "S_anchor", "h(e_p)": "h", "g(e_M)": "g", "M(p)": "M"}
PARENTS = {"s": "", "e": "s", "a": "e", "m": "e", "b": "m", "k": "em", "y": "k", "w": "y", "v": "s"}


@dataclass(frozen=True)
class World:
    """B worlds of equal shape; letters name alphabet sizes.

    Parameters
    ----------
    anchor
        Law of S_anchor, shape (B, s).
    prompt_factor
        P(e_p | S_anchor), shape (B, s, e).
    model_factor
        P(e_M | e_p), shape (B, e, m); equal rows make the factors independent.
    h, g
        Values of h(e_p) and g(e_M), non-negative integers, shapes (B, e) and (B, m).
    output
        Index of M(p) = h(e_p) + g(e_M), shape (B, e, m); see `build`.
    curation
        P(S_gen | M(p)), shape (B, k, y); rows with a single one are a deterministic curation.
    learner
        P(W | S_gen), shape (B, y, w).
    anchor_learner
        P(W' | S_anchor), shape (B, s, v).
    loss, anchor_loss
        Losses of W and of W' at every data value, shapes (B, w, z) and (B, v, s); needed only for
        risks. Data values are the indices of S_anchor, M(p) and S_gen; z is at least their number.
    bound, sigma
        The loss's bound C and its sub-Gaussian parameter.
    samples
        Number n of examples in a training set. With n > 1 each letter stands for n examples.
    contraction
        The factor eta^L of the L hidden layers the loss sees the data through.

    Raises
    ------
    UserError
        If an alphabet is empty, there are too many states, or probabilities do not sum to one.
    """

    anchor: Array
    prompt_factor: Array
    model_factor: Array
    h: Indices
    g: Indices
    output: Indices
    curation: Array
    learner: Array
    anchor_learner: Array
    loss: Array | None = None
    anchor_loss: Array | None = None
    bound: Fraction = Fraction(1)
    sigma: Fraction = Fraction(1, 2)
    samples: int = 1
    contraction: Fraction = Fraction(1)
    _marginals: dict[str, Array] = field(default_factory=dict, init=False, repr=False, compare=False)
    _entropies: dict[str, Array] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._check_shapes()
        for name, table in self.tables().items():
            _check_probabilities(name, table)

    @classmethod
    def build(
        cls,
        anchor: ArrayLike,
        prompt_factor: ArrayLike,
        model_factor: ArrayLike,
        h: ArrayLike,
        g: ArrayLike,
        curation: ArrayLike | None,
        learner: ArrayLike,
        anchor_learner: ArrayLike | None = None,
        *,
        modulus: int | None = None,
        loss: ArrayLike | None = None,
        anchor_loss: ArrayLike | None = None,
        **options: Fraction | int,
    ) -> World:
        """Make worlds from tables, with or without the leading batch axis.

        Parameters
        ----------
        anchor, prompt_factor, model_factor, h, g, curation, learner, anchor_learner, loss, anchor_loss
            As in `World`. A one-dimensional `model_factor` is the law of an independent e_M; no
            `curation` makes S_gen equal M(p); no `anchor_learner` makes W' constant.
        modulus
            Sum modulo this number instead of over the integers.
        **options
            `bound`, `sigma`, `samples`, `contraction` of `World`.

        Returns
        -------
        World

        Examples
        --------
        >>> import numpy as np
        >>> parity = np.eye(2)[[0, 1, 0]]
        >>> bits = World.build([0.5, 0.5], np.eye(2), [0.5, 0.5], [0, 1], [0, 1], None, parity)
        >>> float(bits.mutual_information("S_gen", "W")[0] / np.log(2)).__round__(12)
        1.0
        """
        s = _batched(anchor, 1)
        e = _batched(prompt_factor, 2)
        model = np.asarray(model_factor, dtype=float)
        if model.ndim == 1:
            model = np.broadcast_to(model, (e.shape[-1], len(model)))
        m = _batched(model, 2)
        h_values, g_values = _batched_indices(h), _batched_indices(g)
        if h_values.size == 0 or g_values.size == 0:
            raise UserError("an alphabet of the world is empty: e_p and e_M need at least one symbol each")
        total = h_values[:, :, None] + g_values[:, None, :]
        output = total % modulus if modulus else total
        k = modulus or int(output.max()) + 1
        if curation is None:
            _check_count({"M": k, "S_gen": k}, " of M, S_gen")
        y = _batched(np.eye(k) if curation is None else curation, 2)
        w = _batched(learner, 2)
        v = _batched(np.ones((s.shape[-1], 1)) if anchor_learner is None else anchor_learner, 2)
        w_loss = None if loss is None else _batched(loss, 2)
        v_loss = None if anchor_loss is None else _batched(anchor_loss, 2)
        return cls(s, e, m, h_values, g_values, output, y, w, v, w_loss, v_loss, **options)  # type: ignore[arg-type]

    def _check_shapes(self) -> None:
        """Refuse tables that do not chain, empty alphabets and worlds too large to enumerate."""
        s, e, m = self.prompt_factor.shape[1], self.prompt_factor.shape[2], self.model_factor.shape[2]
        k, y, w, v = *self.curation.shape[1:], self.learner.shape[2], self.anchor_learner.shape[2]
        sizes = {"S_anchor": s, "e_p": e, "e_M": m, "M(p)": k, "S_gen": y, "W": w, "W'": v}
        for name, size in sizes.items():
            if size == 0:
                raise UserError(f"an alphabet of the world is empty: {name} needs at least one symbol")
        worlds = len(self.anchor)
        wanted = {
            "anchor": (worlds, s),
            "prompt_factor": (worlds, s, e),
            "model_factor": (worlds, e, m),
            "h": (worlds, e),
            "g": (worlds, m),
            "output": (worlds, e, m),
            "curation": (worlds, k, y),
            "learner": (worlds, y, w),
            "anchor_learner": (worlds, s, v),
        }
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise UserError(f"{name} of the world must have shape {shape}, got {getattr(self, name).shape}")
        if self.output.min() < 0 or self.output.max() >= k:
            raise UserError(f"M(p) takes the value {self.output.max()}, but curation has rows for 0 to {k - 1} only")
        values = max(s, k, y) if self.samples == 1 else y
        for name, rows, columns in (("loss", w, values), ("anchor_loss", v, s)):
            table = getattr(self, name)
            if table is None:
                continue
            if table.shape[:2] != (worlds, rows) or table.shape[2] < columns:
                raise UserError(
                    f"{name} of the world must have shape ({worlds}, {rows}, at least {columns}), got {table.shape}"
                )
            if np.abs(table).max() > float(self.bound):
                raise UserError(
                    f"{name} of the world reaches {np.abs(table).max():.6g}, beyond its bound C = {self.bound}"
                )
        # h, g and M(p) are functions of the factors, but their values are alphabets too.
        sizes = self.sizes
        for names in (FREE, ("h", "g", "M", "W"), ("M", "S_gen", "W")):
            _check_count({name: sizes[name] for name in names}, "" if names == FREE else f" of {', '.join(names)}")

    def __len__(self) -> int:
        return len(self.anchor)

    def __getitem__(self, index: slice | Indices) -> World:
        """Return the batch of the worlds at `index`."""
        names = [*self.tables(), "h", "g", "output"]
        names += [n for n in ("loss", "anchor_loss") if getattr(self, n) is not None]
        return replace(self, **{n: getattr(self, n)[index] for n in names})

    def tables(self) -> dict[str, Array]:
        """The probability tables by the names of the constructor."""
        names = ("anchor", "prompt_factor", "model_factor", "curation", "learner", "anchor_learner")
        return {n: getattr(self, n) for n in names}

    @property
    def sizes(self) -> dict[str, int]:
        """Alphabet size of every variable."""
        free = (*self.prompt_factor.shape[1:], self.model_factor.shape[2], *self.curation.shape[1:])
        s, e, m, k, y = free
        a, b = int(self.h.max()) + 1, int(self.g.max()) + 1
        return dict(zip(NAMES, (s, e, a, m, b, k, y, self.learner.shape[2], self.anchor_learner.shape[2]), strict=True))

    @property
    def states(self) -> int:
        """Joint states of one world: the free variables' alphabets multiplied."""
        shapes = (*self.prompt_factor.shape[1:], self.model_factor.shape[2], self.curation.shape[2])
        return prod((*shapes, self.learner.shape[2], self.anchor_learner.shape[2]))

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
            # The answers are views of what is kept.
            self._marginals[key].flags.writeable = False
        return np.einsum(f"z{key}->z{wanted}", self._marginals[key])

    def joint(self) -> Array:
        """Joint law of the free variables, in the order of `FREE`; shape (B, s, e, m, y, w, v)."""
        return self.marginal(FREE)

    def _contract(self, wanted: str) -> Array:
        """Eliminate one by one the variables that are neither wanted nor without influence."""
        needed = set(wanted)
        while True:
            larger = needed | set("".join(PARENTS[c] for c in needed))
            if larger == needed:
                break
            needed = larger
        factors = [(letters, table) for letters, table in self._factors(needed).items()]
        hidden = needed - set(wanted)
        sizes = {LETTERS[n]: c for n, c in self.sizes.items()}
        while hidden:
            # Cheapest first: the elimination whose intermediate table is the smallest.
            scopes = {c: set("".join(f for f, _ in factors if c in f)) for c in hidden}
            c = min(sorted(hidden), key=lambda x: prod(sizes[i] for i in scopes[x]))
            touched = [(f, t) for f, t in factors if c in f]
            rest = "".join(sorted(scopes[c] - {c}))
            factors = [(f, t) for f, t in factors if c not in f] + [(rest, _product(touched, rest))]
            hidden.remove(c)
        return _product(factors, wanted)

    def _factors(self, needed: set[str]) -> dict[str, Array]:
        """Conditional law of every needed variable given its parents, keyed by axis letters."""
        sizes = self.sizes
        result = {}
        # In one order, whatever a set's: products of more than two factors round by it.
        for letter in sorted(needed):
            if letter in "abk":
                index, size = {
                    "a": (self.h, sizes["h"]),
                    "b": (self.g, sizes["g"]),
                    "k": (self.output, sizes["M"]),
                }[letter]
                table = (index[..., None] == np.arange(size)).astype(float)
            else:
                table = {
                    "s": self.anchor,
                    "e": self.prompt_factor,
                    "m": self.model_factor,
                    "y": self.curation,
                    "w": self.learner,
                    "v": self.anchor_learner,
                }[letter]
            result[PARENTS[letter] + letter] = table
        return result

    def entropy(self, names: Sequence[str] | str) -> Array:
        """Joint entropy in nats, shape (B,)."""
        letters = "".join(sorted({LETTERS[canonical(n)] for n in _listed(names)}))
        if letters not in self._entropies:
            by_letter = {letter: name for name, letter in LETTERS.items()}
            law = self.marginal([by_letter[c] for c in letters]).reshape(len(self), -1)
            self._entropies[letters] = entropy(law)
        return self._entropies[letters]

    def conditional_entropy(self, names: Sequence[str] | str, given: Sequence[str] | str) -> Array:
        """Entropy of some variables given others, in nats, shape (B,)."""
        return self.entropy([*_listed(names), *_listed(given)]) - self.entropy(given)

    def mutual_information(
        self, a: Sequence[str] | str, b: Sequence[str] | str, given: Sequence[str] | str = ()
    ) -> Array:
        """Mutual information of two groups of variables, given a third, in nats, shape (B,)."""
        one, two, three = _listed(a), _listed(b), _listed(given)
        shared = self.entropy(three) if three else 0.0
        return self.entropy([*one, *three]) + self.entropy([*two, *three]) - self.entropy([*one, *two, *three]) - shared

    def data_law(self, name: str, size: int) -> Array:
        """Law of S_anchor, M or S_gen as a law on the data values 0 to size - 1, shape (B, size)."""
        law = self.marginal([name])
        return np.pad(law, ((0, 0), (0, size - law.shape[1])))

    def kl(self, a: str, b: str) -> Array:
        """Kullback-Leibler divergence of two variables' laws on the data values, in nats, shape (B,)."""
        size = max(self.sizes[canonical(a)], self.sizes[canonical(b)])
        return kl(self.data_law(a, size), self.data_law(b, size))

    def total_variation(self, a: str, b: str) -> Array:
        """Total variation distance (half the L1 distance) of two variables' laws on the data values, shape (B,).

        The laws are those of one example, also where a training set has several.
        """
        one, two = self._example_law(a), self._example_law(b)
        size = max(one.shape[1], two.shape[1])
        return total_variation(*(np.pad(law, ((0, 0), (0, size - law.shape[1]))) for law in (one, two)))

    def _example_law(self, name: str) -> Array:
        """Law of the first of the n examples that a variable stands for, shape (B, values)."""
        law = self.marginal([name])
        values = round(law.shape[1] ** (1 / self.samples))
        return law.reshape(len(self), values, -1).sum(axis=2)


def entropy(law: Array) -> Array:
    """Entropy in nats along the last axis."""
    return -xlogy(law, law).sum(axis=-1)


def kl(p: Array, q: Array) -> Array:
    """Kullback-Leibler divergence in nats along the last axis; infinite where q lacks p's support."""
    return rel_entr(p, q).sum(axis=-1)


def total_variation(p: Array, q: Array) -> Array:
    """Half the L1 distance along the last axis."""
    return 0.5 * np.abs(p - q).sum(axis=-1)


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


def _listed(names: Sequence[str] | str) -> list[str]:
    """One name or several, as a list."""
    return [names] if isinstance(names, str) else list(names)


def _product(factors: Sequence[tuple[str, Array]], wanted: str) -> Array:
    """Multiply batched tables and sum out what is not wanted."""
    inputs = ",".join(f"z{letters}" for letters, _ in factors)
    return np.einsum(f"{inputs}->z{wanted}", *(table for _, table in factors))


def _batched(table: ArrayLike, dimensions: int) -> Array:
    """A float array with the batch axis in front."""
    array = np.asarray(table, dtype=float)
    return array[None] if array.ndim == dimensions else array


def _batched_indices(values: ArrayLike) -> Indices:
    """An integer array with the batch axis in front."""
    array = np.asarray(values)
    if array.size and not (np.issubdtype(array.dtype, np.integer) and array.min() >= 0):
        raise UserError("h and g must take non-negative integer values, because M(p) = h(e_p) + g(e_M) is an index")
    return np.atleast_2d(array).astype(np.int64)


def _check_count(sizes: dict[str, int], which: str) -> None:
    """Refuse what is too large to enumerate."""
    if (count := prod(sizes.values())) > MAX_STATES:
        raise UserError(
            f"the world has {count} joint states{which}, more than the {MAX_STATES} that are enumerated; "
            f"use smaller alphabets (now {', '.join(f'{n}: {c}' for n, c in sizes.items())})"
        )


def _check_probabilities(name: str, table: Array) -> None:
    """Refuse rows that are no probability law, naming the first."""
    if not np.isfinite(table).all() or table.min() < 0:
        worst = table[~np.isfinite(table) | (table < 0)][0]
        raise UserError(f"{name} of the world holds the entry {worst:.6g}; probabilities lie between 0 and 1")
    sums = table.sum(axis=-1)
    wrong = np.argwhere(np.abs(sums - 1) > SUM_TOLERANCE)
    if len(wrong):
        place = tuple(int(i) for i in wrong[0])
        raise UserError(
            f"{name} of the world: the probabilities of row {place} sum to {sums[place]:.10g}, not to one "
            f"({len(wrong)} of {sums.size} rows are off)"
        )
