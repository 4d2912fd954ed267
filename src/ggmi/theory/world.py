"""Finite worlds: the joint law of anchor data, factors, generator output, synthetic data and parameters.

A world is the framework of the paper's sections 3 and 4 on small alphabets:

    S_anchor -> (e_p, e_M),    M(p) = h(e_p) + g(e_M),    (M(p), p) -> S_gen -> W,    S_anchor -> W'

The prompt p is a bijective image of S_anchor, so it shares its axis. Every arrow is a stochastic
matrix or a map. What the paper assumes beyond this is checked, not built in (`ggmi.theory.regimes`):
that e_p is a function of p, that e_M depends on p through e_p, that S_gen is M(p) plus noise. A
marginal is the contraction of those tables that matter to it; the full joint law is never built
unless asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from ggmi.errors import UserError
from ggmi.theory.laws import BY_LETTER, FREE, LETTERS, Array, Indices, Laws, canonical, example_values, listed

MAX_STATES = 10_000_000
SUM_TOLERANCE = 1e-9


@dataclass(frozen=True)
class World(Laws):
    """B worlds of equal shape; letters name alphabet sizes.

    Parameters
    ----------
    anchor
        Law of S_anchor, shape (B, s).
    prompt_factor
        P(e_p | S_anchor), shape (B, s, e).
    model_factor
        P(e_M | S_anchor, e_p), shape (B, s, e, m), or (B, 1, e, m) where it depends on e_p alone.
    h, g
        Values of h(e_p) and g(e_M), non-negative integers, shapes (B, e) and (B, m).
    output
        Index of M(p) = h(e_p) + g(e_M), shape (B, e, m); see `build`.
    curation
        P(S_gen | S_anchor, M(p)), shape (B, s, k, y), or (B, 1, k, y) where it depends on M(p) alone.
    learner
        P(W | S_gen), shape (B, y, w).
    anchor_learner
        P(W' | S_anchor), shape (B, s, v).
    loss, anchor_loss
        Losses of W and of W' at every data value of an example, shapes (B, w, z) and (B, v, z);
        needed only for risks. Data values are the indices of S_anchor, M(p) and S_gen.
    bound, sigma
        The loss's bound C and its sub-Gaussian parameter.
    samples, anchor_samples
        Examples n of S_gen (and of M(p)) and m of S_anchor. With n > 1 each letter stands for n
        examples, a number of n digits, the first example most significant.
    contraction, anchor_contraction
        The factors eta^L of the L hidden layers that the losses of W and of W' see the data through.
    lambda_excess
        How far the lambda of Lemma E.1 lies above the smallest that the lemma allows.
    modulus
        What M(p) is a sum modulo; 0 for a sum over the integers.
    values
        What M(p) and S_gen take at each index, shape (max(k, y),); the indices themselves by
        default. Only the noise S_gen - M(p) depends on it.

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
    anchor_samples: int = 1
    contraction: Fraction = Fraction(1)
    anchor_contraction: Fraction = Fraction(1)
    lambda_excess: Fraction = Fraction(0)
    modulus: int = 0
    values: Indices | None = None
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
        """Make one world from tables.

        Parameters
        ----------
        anchor, prompt_factor, h, g, learner, anchor_learner, loss, anchor_loss
            As in `World`, without the batch axis; no `anchor_learner` makes W' constant.
        model_factor
            P(e_M | S_anchor, e_p), or P(e_M | e_p), or the law of an independent e_M, by its dimensions.
        curation
            P(S_gen | S_anchor, M(p)), or P(S_gen | M(p)); None makes S_gen equal M(p).
        modulus
            Sum modulo this number instead of over the integers.
        **options
            `bound`, `sigma`, `samples` and the like of `World`.

        Returns
        -------
        World
            A batch of one.

        Examples
        --------
        >>> import numpy as np
        >>> parity = np.eye(2)[[0, 1, 0]]
        >>> bits = World.build([0.5, 0.5], np.eye(2), [0.5, 0.5], [0, 1], [0, 1], None, parity)
        >>> float(bits.mutual_information("S_gen", "W")[0] / np.log(2)).__round__(12)
        1.0
        """
        prompt = np.atleast_2d(np.asarray(prompt_factor, dtype=float))
        model = np.asarray(model_factor, dtype=float)
        if model.ndim == 1:
            model = np.broadcast_to(model, (prompt.shape[-1], len(model)))
        h_values, g_values = _indices(h), _indices(g)
        if h_values.size == 0 or g_values.size == 0:
            raise UserError("an alphabet of the world is empty: e_p and e_M need at least one symbol each")
        total = h_values[:, None] + g_values[None, :]
        output = total % modulus if modulus else total
        k = modulus or int(output.max()) + 1
        if curation is None:
            _check_count({"M": k, "S_gen": k}, " of M, S_gen")
        channel = np.eye(k) if curation is None else np.asarray(curation, dtype=float)
        s = np.atleast_1d(np.asarray(anchor, dtype=float))
        tables = {
            "anchor": s,
            "prompt_factor": prompt,
            "model_factor": model if model.ndim == 3 else model[None],
            "h": h_values,
            "g": g_values,
            "output": output,
            "curation": channel if channel.ndim == 3 else channel[None],
            "learner": np.asarray(learner, dtype=float),
            "anchor_learner": np.ones((len(s), 1)) if anchor_learner is None else np.asarray(anchor_learner, float),
        }
        for name, table in (("loss", loss), ("anchor_loss", anchor_loss)):
            if table is not None:
                tables[name] = np.asarray(table, dtype=float)
        arrays = {name: table[None] for name, table in tables.items()}
        return cls(**arrays, modulus=modulus or 0, **options)  # type: ignore[arg-type]

    def _check_shapes(self) -> None:
        """Refuse tables that do not chain, empty alphabets and worlds too large to enumerate."""
        s, e, m = self.prompt_factor.shape[1], self.prompt_factor.shape[2], self.model_factor.shape[-1]
        k, y, w, v = *self.curation.shape[-2:], self.learner.shape[2], self.anchor_learner.shape[2]
        sizes = {"S_anchor": s, "e_p": e, "e_M": m, "M(p)": k, "S_gen": y, "W": w, "W'": v}
        for name, size in sizes.items():
            if size == 0:
                raise UserError(f"an alphabet of the world is empty: {name} needs at least one symbol")
        worlds = len(self.anchor)
        wanted: dict[str, tuple[int, ...]] = {
            "anchor": (worlds, s),
            "prompt_factor": (worlds, s, e),
            "model_factor": (worlds, 1 if self.model_factor.shape[1] == 1 else s, e, m),
            "h": (worlds, e),
            "g": (worlds, m),
            "output": (worlds, e, m),
            "curation": (worlds, 1 if self.curation.shape[1] == 1 else s, k, y),
            "learner": (worlds, y, w),
            "anchor_learner": (worlds, s, v),
        }
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise UserError(f"{name} of the world must have shape {shape}, got {getattr(self, name).shape}")
        if self.output.min() < 0 or self.output.max() >= k:
            raise UserError(f"M(p) takes the value {self.output.max()}, but curation has rows for 0 to {k - 1} only")
        for name, size in (("S_anchor", s), ("M(p)", k), ("S_gen", y)):
            n = self.anchor_samples if name == "S_anchor" else self.samples
            if example_values(size, n) ** n != size:
                raise UserError(f"{name} of the world has {size} symbols, which cannot number sets of {n} examples")
        needed = max(example_values(s, self.anchor_samples), example_values(k, self.samples))
        needed = max(needed, example_values(y, self.samples))
        for name, rows, columns in (("loss", w, needed), ("anchor_loss", v, example_values(s, self.anchor_samples))):
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

    def __getitem__(self, index: slice | Indices) -> World:
        """Return the batch of the worlds at `index`."""
        names = [*self.tables(), "h", "g", "output"]
        names += [n for n in ("loss", "anchor_loss") if getattr(self, n) is not None]
        return replace(self, **{n: getattr(self, n)[index] for n in names})

    def with_losses(self, loss: Array, anchor_loss: Array, sigma: Fraction) -> World:
        """The same worlds with other losses; laws that are known stay known."""
        world = replace(self, loss=loss, anchor_loss=anchor_loss, sigma=sigma)
        world._marginals.update(self._marginals)
        world._entropies.update(self._entropies)
        return world

    def tables(self) -> dict[str, Array]:
        """The probability tables by the names of the constructor."""
        names = ("anchor", "prompt_factor", "model_factor", "curation", "learner", "anchor_learner")
        return {n: getattr(self, n) for n in names}

    @property
    def states(self) -> int:
        """Joint states of one world: the free variables' alphabets multiplied."""
        return prod(self.sizes[name] for name in FREE)

    def losses(self, learner: str) -> Array:
        """Loss of W or of W' at every data value, shape (B, w, z).

        Raises
        ------
        UserError
            If the world has none.
        """
        table = self.loss if learner == "W" else self.anchor_loss
        if table is None:
            raise UserError(f"the world has no loss table for {learner}; build it with loss= and anchor_loss=")
        return table

    @property
    def parameters(self) -> Mapping[str, Fraction]:
        """The world's parameters by the names statements and files use."""
        return {
            "C": self.bound,
            "sigma": self.sigma,
            "1/n": Fraction(1, self.samples),
            "1/m": Fraction(1, self.anchor_samples),
            "contraction": self.contraction,
            "anchor contraction": self.anchor_contraction,
            "lambda excess": self.lambda_excess,
        }

    def joint(self) -> Array:
        """Joint law of the free variables, in the order of `FREE`; shape (B, s, e, m, y, w, v)."""
        return self.marginal(FREE)

    def entropy(self, names: Sequence[str] | str) -> Array:
        """Joint entropy in nats, shape (B,)."""
        letters = "".join(sorted({LETTERS[canonical(n)] for n in listed(names)}))
        if letters not in self._entropies:
            self._entropies[letters] = super().entropy([BY_LETTER[c] for c in letters])
        return self._entropies[letters]

    def conditional_entropy(self, names: Sequence[str] | str, given: Sequence[str] | str) -> Array:
        """Entropy of some variables given others, in nats, shape (B,)."""
        return self.entropy([*listed(names), *listed(given)]) - self.entropy(given)

    def mutual_information(
        self, a: Sequence[str] | str, b: Sequence[str] | str, given: Sequence[str] | str = ()
    ) -> Array:
        """Mutual information of two groups of variables, given a third, in nats, shape (B,)."""
        one, two, three = listed(a), listed(b), listed(given)
        shared = self.entropy(three) if three else 0.0
        return self.entropy([*one, *three]) + self.entropy([*two, *three]) - self.entropy([*one, *two, *three]) - shared


def _indices(values: ArrayLike) -> Indices:
    """An integer array, checked."""
    array = np.asarray(values)
    if array.size and not (np.issubdtype(array.dtype, np.integer) and array.min() >= 0):
        raise UserError("h and g must take non-negative integer values, because M(p) = h(e_p) + g(e_M) is an index")
    return array.astype(np.int64)


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
