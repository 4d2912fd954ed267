"""Proof of a violation's sign: a chain in fractions, in which trees are evaluated to intervals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, product
from typing import Any

from ggmi.errors import UserError
from ggmi.exact.certificates import certified
from ggmi.exact.intervals import Interval, exact_rows, logarithm
from ggmi.exact.statement import Regime, Statement
from ggmi.exact.trees import Term, fold
from ggmi.slow_thinking.chains import PLACES, STEPS, VARIABLES, Chains, logarithm_of, probability_found

ZERO = Fraction(0)
State = tuple[int, ...]


class ExactChain:
    """One chain with fractions for probabilities, and its joint law as a dictionary.

    Parameters
    ----------
    world
        A batch of exactly one chain whose probabilities are fractions of small denominators.

    Raises
    ------
    UserError
        If it is a batch of several, or a probability is no such fraction.
    """

    def __init__(self, world: Chains) -> None:
        if len(world) != 1:
            raise UserError(f"a certificate is about one world, got a batch of {len(world)}")
        self.world = world
        self.first = exact_rows("first", world.first)[0]
        self.thoughts = [exact_rows("thoughts", table) for table in world.thoughts[0]]
        self.steps = [[exact_rows("steps", table) for table in pair] for pair in world.steps[0]]
        self.epsilon = exact_rows("selection", world.selection)[0].get(1, ZERO)
        self.right = world.right[0] > 0
        self.joint: dict[State, Fraction] = {(): Fraction(1)}
        for i in range(STEPS):
            self.joint = {
                (*state, t, r): p * p_t * p_r
                for state, p in self.joint.items()
                for t, p_t in (self.thoughts[i - 1][state[-2]] if state else self.first).items()
                for r, p_r in self.steps[i][int(bool(state) and not self.right[state[-2:]])][t].items()
            }

    def law(self, names: Sequence[str]) -> dict[State, Fraction]:
        """Exact marginal law of some variables."""
        places = [VARIABLES.index(n) for n in names]
        result: dict[State, Fraction] = {}
        for state, p in self.joint.items():
            key = tuple(state[i] for i in places)
            result[key] = result.get(key, ZERO) + p
        return result

    def all_right(self, places: Sequence[str]) -> Fraction:
        """Probability that the steps at some places are all right."""
        cuts = [2 * int(x) - 2 for x in places]
        return sum((p for state, p in self.joint.items() if all(self.right[state[i : i + 2]] for i in cuts)), ZERO)

    def mean_error(self, places: Sequence[str]) -> Fraction:
        """Mean probability of a wrong step."""
        return 1 - sum((self.all_right([x]) for x in places), ZERO) / len(places)

    @cached_property
    def mean_rates(self) -> list[Fraction]:
        """Probability of each step to be right after right steps; 0 where there are none."""
        prefixes = [Fraction(1), *(self.all_right(PLACES[: i + 1]) for i in range(STEPS))]
        return [two / one if one else ZERO for one, two in pairwise(prefixes)]

    def found(self, way: str) -> Fraction:
        """Probability that a search generates a right chain, mean over the thoughts."""
        rates = [
            {t: sum((p for r, p in row.items() if self.right[t, r]), ZERO) for t, row in self.steps[i][0].items()}
            for i in range(STEPS)
        ]
        total = ZERO
        for one, p in self.first.items():
            for two, q in self.thoughts[0][one].items():
                for three, s in self.thoughts[1][two].items():
                    path = [rate[t] for rate, t in zip(rates, (one, two, three), strict=True)]
                    total += p * q * s * probability_found(way, path, self.world.width)
        return total

    def decoding_error(self, place: str) -> Fraction:
        """Probability that the best guess of a thought from its step is wrong."""
        best: dict[int, Fraction] = {}
        for (_, r), p in self.law([f"t{place}", f"r{place}"]).items():
            best[r] = max(best.get(r, ZERO), p)
        return 1 - sum(best.values(), ZERO)

    def number(self, value: Fraction) -> Interval:
        """Enclose an exact number."""
        return Interval.of(value)

    def sqrt(self, value: Interval) -> Interval:
        """Enclose a root."""
        return value.sqrt()

    def maximum(self, one: Interval, two: Interval) -> Interval:
        """Enclose the larger of two."""
        return Interval(max(one.low, two.low), max(one.high, two.high))

    def leaf(self, term: Term) -> Interval:
        """Enclose a leaf's value."""
        args = term.args
        if term.op == "log":
            return logarithm(logarithm_of(args[0], self.world.first.shape[1], self.world.growth))
        if term.op in ("H", "Hb"):
            wrong = self.mean_error(args) if term.op == "Hb" else ZERO
            law = [wrong, 1 - wrong] if term.op == "Hb" else list(self.law(args).values())
            total = Interval.of(ZERO)
            for p in law:
                total = total + Interval.of(-p) * logarithm(p) if p else total
            return total
        if term.op == "rule":
            return Interval.of(Fraction(probability_found(args[0], self.mean_rates, self.world.width)))
        if term.op == "parameter":
            return Interval.of(self.epsilon if args[0] == "epsilon" else Fraction(self.world.width))
        known: dict[str, Any] = {"right": self.all_right, "error": self.mean_error}
        known |= {"found": lambda x: self.found(*x), "decoded": lambda x: self.decoding_error(*x)}
        return Interval.of(Fraction(known[term.op](args)))

    def enclose(self, term: Term) -> Interval:
        """Enclose a tree's value."""
        result: Interval = fold(term, self)
        return result


def certificate(statement: Statement, regime: Regime, world: Chains) -> dict[str, Any]:
    """Certify that a statement fails, or does not, in a chain of a regime.

    Parameters
    ----------
    statement
        The statement.
    regime
        Whose assumptions the chain meets.
    world
        A batch of one chain with fractions of small denominators.

    Returns
    -------
    dict
        What `recheck.py` reads, see `ggmi.exact.certificates.certified`.
    """
    exact = ExactChain(world)
    admitted = bool(statement.applies(world)[0] and regime.admits(world)[0])
    rows = _occurring(exact)
    return {
        **certified(statement, regime, exact.enclose, admitted=admitted),
        "parameters": {"k": str(world.width), "epsilon": str(exact.epsilon), "lambda": str(world.growth)},
        "values": {
            "t": [int(x) for x in world.thought_values[0]],
            "r": [int(x) for x in world.step_values[0]],
        },
        "tables": {
            "t1": {str(t): str(p) for t, p in exact.first.items()},
            **{f"t{i + 2} | t{i + 1}": _shown(exact.thoughts[i], rows[f"t{i + 1}"]) for i in range(STEPS - 1)},
            **{
                f"r{i + 1} | t{i + 1}, {('right', 'wrong')[wrong]} before": _shown(
                    exact.steps[i][wrong], rows[f"t{i + 1}"]
                )
                for i, wrong in product(range(STEPS), range(2))
                if i or not wrong
            },
        },
        "joint": {
            "variables": list(VARIABLES),
            "states": [[*state, str(p)] for state, p in exact.joint.items()],
        },
    }


def _occurring(exact: ExactChain) -> dict[str, list[int]]:
    """What each variable can be."""
    return {name: sorted({state[i] for state in exact.joint}) for i, name in enumerate(VARIABLES)}


def _shown(table: dict[int, dict[int, Fraction]], rows: list[int]) -> dict[str, dict[str, str]]:
    """Rows that can occur, entries that are not zero."""
    return {str(x): {str(y): str(p) for y, p in table[x].items()} for x in rows}
