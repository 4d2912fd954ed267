"""Proof of a violation's sign: a world in fractions, in which trees are evaluated to intervals."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import reduce
from itertools import product
from operator import add
from typing import Any

from ggmi.errors import UserError
from ggmi.exact.certificates import certified
from ggmi.exact.intervals import Interval, Rows, exact_fraction, exact_rows, logarithm
from ggmi.exact.statement import Regime
from ggmi.exact.trees import Term, fold
from ggmi.theory.laws import NAMES, TRAINED_ON, example_values
from ggmi.theory.statement import Statement
from ggmi.theory.terms import learner_of
from ggmi.theory.world import World


class ExactWorld:
    """One world with fractions for probabilities, and its joint law as a dictionary.

    It is the arithmetic in which trees are evaluated to intervals.

    Parameters
    ----------
    world
        A batch of exactly one world whose probabilities are fractions of small denominators.

    Raises
    ------
    UserError
        If a probability is no fraction with a denominator up to `MAX_DENOMINATOR`.
    """

    def __init__(self, world: World) -> None:
        if len(world) != 1:
            raise UserError(f"a certificate is about one world, got a batch of {len(world)}")
        self.world = world
        self.parameters = dict(world.parameters)
        self.h = [int(x) for x in world.h[0]]
        self.g = [int(x) for x in world.g[0]]
        self.output = [[int(x) for x in row] for row in world.output[0]]
        # Tables of one row a condition; the model factor and the curation have one such table an anchor, or one.
        self.tables = {
            name: [exact_rows(name, part) for part in (table[0] if table[0].ndim == 3 else table[:1])]
            for name, table in world.tables().items()
        }
        self.losses = {
            learner: None if table is None else [[exact_fraction(x) for x in row] for row in table[0]]
            for learner, table in (("W", world.loss), ("W'", world.anchor_loss))
        }
        self.joint = dict(self._states())
        self._laws: dict[tuple[str, ...], dict[tuple[int, ...], Fraction]] = {}
        self._outcome: dict[str, int] = {}

    def rows(self, name: str, anchor: int) -> Rows:
        """A table's rows for an anchor."""
        parts = self.tables[name]
        return parts[anchor if len(parts) > 1 else 0]

    def _states(self) -> Iterator[tuple[tuple[int, ...], Fraction]]:
        """Every joint state of positive probability, in the order of `NAMES`."""
        for s, p_s in self.rows("anchor", 0)[0].items():
            firsts = product(self.rows("prompt_factor", 0)[s].items(), self.rows("anchor_learner", 0)[s].items())
            for (e, p_e), (v, p_v) in firsts:
                for m, p_m in self.rows("model_factor", s)[e].items():
                    k = self.output[e][m]
                    for y, p_y in self.rows("curation", s)[k].items():
                        for w, p_w in self.rows("learner", 0)[y].items():
                            state = (s, e, self.h[e], m, self.g[m], k, y, w, v)
                            yield state, p_s * p_e * p_v * p_m * p_y * p_w

    def law(self, names: tuple[str, ...]) -> dict[tuple[int, ...], Fraction]:
        """Exact marginal law of some variables."""
        if names not in self._laws:
            places = [NAMES.index(n) for n in names]
            result: dict[tuple[int, ...], Fraction] = {}
            for state, p in self.joint.items():
                key = tuple(state[i] for i in places)
                result[key] = result.get(key, Fraction(0)) + p
            self._laws[names] = result
        return self._laws[names]

    def example_law(self, name: str, given: str) -> dict[int, Fraction]:
        """Exact law of one example of S_anchor, M or S_gen; of the outcome's p where it is given."""
        if given:
            here = self._outcome["S_anchor"]
            sets = {x: p for (s, x), p in self.law(("S_anchor", name)).items() if s == here}
        else:
            sets = {x: p for (x,), p in self.law((name,)).items()}
        total, result = sum(sets.values()), dict[int, Fraction]()
        for x, p in sets.items():
            for digit in self.digits(name, x):
                result[digit] = result.get(digit, Fraction(0)) + p / total / self.world.examples(name)
        return result

    def digits(self, name: str, symbol: int) -> list[int]:
        """The examples that a symbol of S_anchor, M or S_gen stands for."""
        n = self.world.examples(name)
        side = example_values(self.world.sizes[name], n)
        return [symbol // side**i % side for i in reversed(range(n))]

    def number(self, value: Fraction) -> Interval:
        """Enclose an exact number."""
        return Interval.of(value)

    def sqrt(self, value: Interval) -> Interval:
        """Enclose a root."""
        return value.sqrt()

    def maximum(self, one: Interval, two: Interval) -> Interval:
        """Enclose the larger of two."""
        return Interval(max(one.low, two.low), max(one.high, two.high))

    def over_outcomes(self, op: str, term: Term) -> Interval:
        """Enclose the mean or the supremum of a random tree."""
        names = ("S_anchor", "S_gen", "W") if learner_of(term) == "W" else ("S_anchor", "W'")
        values = []
        for outcome, p in self.law(names).items():
            self._outcome = dict(zip(names, outcome, strict=True))
            value = self.enclose(term)
            values.append(Interval.of(p) * value if op == "mean" else value)
        return reduce(add if op == "mean" else self.maximum, values)

    def leaf(self, term: Term) -> Interval:
        """Enclose a leaf's value."""
        if term.op in ("mean", "sup"):
            return self.over_outcomes(term.op, term.args[0])
        if term.op == "parameter":
            return Interval.of(self.parameters[term.args[0]])
        if term.op == "log":
            return logarithm(Fraction(term.args[0]))
        if term.op == "H":
            total = Interval.of(Fraction(0))
            for p in self.law(term.args).values():
                total = total + Interval.of(-p) * logarithm(p)
            return total
        return Interval.of(self._tv(*term.args) if term.op == "tv" else self._loss(*term.args))

    def _tv(self, one: str, two: str, given: str) -> Fraction:
        laws = [self.example_law(name, "" if name == "S_anchor" else given) for name in (one, two)]
        keys, zero = {*laws[0], *laws[1]}, Fraction(0)
        return sum((abs(laws[0].get(x, zero) - laws[1].get(x, zero)) for x in keys), zero) / 2

    def _loss(self, learner: str, data: str = "", given: str = "") -> Fraction:
        """The risk of the outcome's parameter on a variable's law, or without one its loss on the training set."""
        if (table := self.losses[learner]) is None:
            raise UserError(f"the world has no loss table for {learner}")
        row, source = table[self._outcome[learner]], TRAINED_ON[learner]
        if data:
            return sum((p * row[x] for x, p in self.example_law(data, given).items()), Fraction(0))
        digits = self.digits(source, self._outcome[source])
        return sum((row[x] for x in digits), Fraction(0)) / len(digits)

    def enclose(self, term: Term) -> Interval:
        """Enclose a tree's value."""
        result: Interval = fold(term, self)
        return result


def certificate(statement: Statement, regime: Regime, world: World) -> dict[str, Any]:
    """Certify that a statement fails, or does not, in a world of a regime.

    Parameters
    ----------
    statement
        The statement.
    regime
        Whose assumptions the world meets.
    world
        A batch of one world with fractions of small denominators.

    Returns
    -------
    dict
        What `recheck.py` reads, see `ggmi.exact.certificates.certified`.
    """
    exact = ExactWorld(world)
    admitted = bool(statement.applies(world)[0] and regime.admits(world)[0])
    return {
        **certified(statement, regime, exact.enclose, admitted=admitted),
        "parameters": {name: str(value) for name, value in exact.parameters.items()},
        "data values": {
            name: example_values(world.sizes[name], world.examples(name)) for name in ("S_anchor", "M", "S_gen")
        },
        "tables": _tables(exact),
        "joint": {
            "variables": list(NAMES),
            "states": [[*state, str(p)] for state, p in exact.joint.items()],
        },
    }


def _tables(exact: ExactWorld) -> dict[str, Any]:
    """The world's tables for a reader: rows that can occur, entries that are not zero."""
    occurring = {name: {state[i] for state in exact.joint} for i, name in enumerate(NAMES)}

    def rows(name: str, parent: str, anchor: int = 0, values: set[int] | None = None) -> dict[str, dict[str, str]]:
        table = exact.rows(name, anchor)
        shown = sorted(occurring[parent] if values is None else values)
        return {str(x): {str(y): str(p) for y, p in table[x].items()} for x in shown}

    def rows_given_anchor(name: str, parent: str, label: str, target: str) -> tuple[str, Any]:
        """A table that may depend on the anchor, as one of fewer conditions where it does not."""
        if len(exact.tables[name]) == 1:
            return f"{target} | {label}", rows(name, parent)
        place = NAMES.index(parent)
        seen: dict[int, set[int]] = {}
        for state in exact.joint:
            seen.setdefault(state[0], set()).add(state[place])
        by_anchor = {str(s): rows(name, parent, s, values) for s, values in sorted(seen.items())}
        merged: dict[str, dict[str, str]] = {}
        for table in by_anchor.values():
            merged |= table
        if all(merged[x] == row for table in by_anchor.values() for x, row in table.items()):
            return f"{target} | {label}", {x: merged[x] for x in sorted(merged, key=int)}
        return f"{target} | S_anchor, {label}", by_anchor

    model, curation = (
        rows_given_anchor("model_factor", "e_p", "e_p", "e_M"),
        rows_given_anchor("curation", "M", "M", "S_gen"),
    )
    pairs: dict[str, dict[str, int]] = {}
    for e, m in sorted({(state[1], state[3]) for state in exact.joint}):
        pairs.setdefault(str(e), {})[str(m)] = exact.output[e][m]
    result: dict[str, Any] = {
        "S_anchor": {str(x): str(p) for x, p in exact.rows("anchor", 0)[0].items()},
        "e_p | S_anchor": rows("prompt_factor", "S_anchor"),
        model[0]: model[1],
        "h": {str(e): exact.h[e] for e in sorted(occurring["e_p"])},
        "g": {str(m): exact.g[m] for m in sorted(occurring["e_M"])},
        "M | e_p, e_M": pairs,
        curation[0]: curation[1],
        "W | S_gen": rows("learner", "S_gen"),
        "W' | S_anchor": rows("anchor_learner", "S_anchor"),
    }
    for learner, table in exact.losses.items():
        if table is not None:
            result[f"loss of {learner}"] = {str(w): [str(x) for x in table[w]] for w in sorted(occurring[learner])}
    return result
