"""The quantities of chains as leaves of expression trees."""

from __future__ import annotations

from ggmi.exact.trees import Term, number, parameter
from ggmi.slow_thinking.chains import PLACES, STEPS, VARIABLES

EPSILON, WIDTH = parameter("epsilon"), parameter("k")
ONE = number(1)


def entropy(*names: str) -> Term:
    """Joint entropy of thoughts and steps such as ``t1`` and ``r1``, in nats."""
    return Term("H", tuple(sorted(names, key=VARIABLES.index)))


def loss(place: int) -> Term:
    """Information loss H(t_l | r_l) of a step, in nats."""
    return entropy(f"t{place}", f"r{place}") - entropy(f"r{place}")


def information(place: int) -> Term:
    """I(t_l; r_l), in nats."""
    return entropy(f"t{place}") + entropy(f"r{place}") - entropy(f"t{place}", f"r{place}")


def right(*places: int) -> Term:
    """Probability that these steps are all right."""
    return Term("right", tuple(map(str, places)))


def error(*places: int) -> Term:
    """Mean probability of these steps to be wrong."""
    return Term("error", tuple(map(str, places)))


def error_entropy(*places: int) -> Term:
    """Binary entropy of the mean probability of these steps to be wrong, in nats."""
    return Term("Hb", tuple(map(str, places)))


def decoding_error(place: int) -> Term:
    """Probability that the best guess of a thought from its step is wrong."""
    return Term("decoded", (str(place),))


def found(way: str) -> Term:
    """Probability that a search generates a right chain, see `ggmi.slow_thinking.chains.WAYS`."""
    return Term("found", (way,))


def rule(way: str) -> Term:
    """The same as the formula has it: all problems alike, at the mean rate of each step after right steps."""
    return Term("rule", (way,))


def log(of: str) -> Term:
    """Natural logarithm of ``T``, ``T - 1``, ``lambda`` or a number."""
    return Term("log", (of,))


def power(term: Term, exponent: int) -> Term:
    """A product of equal factors."""
    result = term
    for _ in range(exponent - 1):
        result = result * term
    return result


def product(*factors: Term) -> Term:
    """A product of several factors."""
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


ALL = tuple(range(1, STEPS + 1))
ALL_RIGHT = Term("right", PLACES)
# A chain that step-wise search generates must be selected at every layer, a whole answer once.
STEPWISE = power(EPSILON, STEPS) * found("stepwise")
