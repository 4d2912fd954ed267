"""Recheck a certificate from scratch: `python recheck.py certificate.json`; standard library only.

Rebuilds the joint law from the certificate's tables, checks that M(p) is a sum, that losses keep
within C and that the world meets what the statement needs and what its regime assumes, evaluates left
minus right in 50 digits and exits with 0 if the violation is real, with 1 and a sentence if anything
is amiss. Each logarithm and root of `decimal` is correctly rounded, so a result above 1e-20 has a
certain sign. An error that is random is evaluated at every outcome (p, S_gen, W), or (p, W').
"""

import json
import sys
from collections.abc import Callable
from decimal import Decimal, getcontext
from fractions import Fraction
from itertools import product
from math import gcd, prod
from pathlib import Path
from typing import Any

SURE = Decimal("1e-20")
TRAINED_ON = {"W": "S_gen", "W'": "S_anchor"}
Law = dict[tuple[int, ...], Fraction]
Stored = dict[str, Any]


def check(condition: bool, complaint: str) -> None:
    """Stop with a complaint unless the condition holds."""
    if not condition:
        raise ValueError(complaint)


def row(entries: dict[str, str]) -> list[tuple[int, Fraction]]:
    """One row of a table, checked to be a probability law."""
    law = [(int(x), Fraction(p)) for x, p in entries.items()]
    check(all(p >= 0 for _, p in law) and sum(p for _, p in law) == 1, f"{entries} is no probability law")
    return law


def conditional(tables: Stored, target: str, parent: str, anchor: int, symbol: int) -> list[tuple[int, Fraction]]:
    """Law of a variable given its parent, and the anchor where the table has it."""
    if (name := f"{target} | S_anchor, {parent}") in tables:
        return row(tables[name][str(anchor)][str(symbol)])
    return row(tables[f"{target} | {parent}"][str(symbol)])


def joint_law(tables: Stored) -> Law:
    """Multiply the tables along the arrows."""
    joint: Law = {}
    for s, ps in row(tables["S_anchor"]):
        for (e, pe), (v, pv) in product(row(tables["e_p | S_anchor"][str(s)]), row(tables["W' | S_anchor"][str(s)])):
            for m, pm in conditional(tables, "e_M", "e_p", s, e):
                h, g, k = tables["h"][str(e)], tables["g"][str(m)], tables["M | e_p, e_M"][str(e)][str(m)]
                for y, py in conditional(tables, "S_gen", "M", s, k):
                    for w, pw in row(tables["W | S_gen"][str(y)]):
                        joint[s, e, h, m, g, k, y, w, v] = ps * pe * pv * pm * py * pw
    return {state: p for state, p in joint.items() if p}


def marginal(stored: Stored, joint: Law, *variables: str) -> Law:
    """Law of some of the variables."""
    places, result = [stored["joint"]["variables"].index(x) for x in variables], Law()
    for state, p in joint.items():
        key = tuple(state[i] for i in places)
        result[key] = result.get(key, Fraction(0)) + p
    return result


def real(q: Fraction) -> Decimal:
    """A fraction in 50 digits."""
    return Decimal(q.numerator) / Decimal(q.denominator)


def logarithm(q: Fraction) -> Decimal:
    """The natural logarithm of a fraction."""
    return Decimal(q.numerator).ln() - Decimal(q.denominator).ln()


def value(stored: Stored, joint: Law, tree: Any, outcome: dict[str, int] | None = None) -> Decimal:
    """Value of a tree: a fraction, or an operation and what it is applied to; random ones at an outcome."""
    if isinstance(tree, str):
        return real(Fraction(tree))
    op, *args = tree
    if op == "parameter":
        return real(parameter(stored, args[0]))
    if op == "log":
        return logarithm(Fraction(args[0]))
    if op == "H":
        return sum((-real(p) * logarithm(p) for p in marginal(stored, joint, *args).values()), Decimal(0))
    if op in ("tv", "risk", "loss"):
        return real(random_quantity(stored, joint, op, args, outcome or {}))
    if op in ("mean", "sup"):
        names = ("S_anchor", "W'") if learner_of(args[0]) == "W'" else ("S_anchor", "S_gen", "W")
        law = marginal(stored, joint, *names).items()
        values = [(real(p), value(stored, joint, args[0], dict(zip(names, x, strict=True)))) for x, p in law]
        return sum((p * x for p, x in values), Decimal(0)) if op == "mean" else max(x for _, x in values)
    operands = [value(stored, joint, x, outcome) for x in args]
    if op == "+":
        return sum(operands, Decimal(0))
    if op == "*":
        return operands[0] * operands[1]
    if op == "max":
        return max(operands)
    return abs(operands[0]) if op == "abs" else max(operands[0], Decimal(0)).sqrt()


def learner_of(tree: Any) -> str:
    """Whose parameters a tree's losses are those of."""
    if isinstance(tree, str):
        return "W"
    op, *args = tree
    if op in ("risk", "loss"):
        return str(args[0])
    return "W'" if any(learner_of(x) == "W'" for x in args) else "W"


def random_quantity(stored: Stored, joint: Law, op: str, args: list[str], outcome: dict[str, int]) -> Fraction:
    """A distance of laws given p, a risk of the outcome's parameter, or its loss on the training set."""
    zero = Fraction(0)
    if op == "tv":
        one, two = (example_law(stored, joint, x, "" if x == "S_anchor" else args[2], outcome) for x in args[:2])
        return sum((abs(one.get(x, zero) - two.get(x, zero)) for x in {*one, *two}), zero) / 2
    learner = args[0]
    loss = [Fraction(x) for x in stored["tables"][f"loss of {learner}"][str(outcome[learner])]]
    if op == "risk":
        return sum((p * loss[x] for x, p in example_law(stored, joint, args[1], args[2], outcome).items()), zero)
    data = TRAINED_ON[learner]
    examples = digits(stored, data, outcome[data])
    return sum((loss[x] for x in examples), zero) / len(examples)


def example_law(stored: Stored, joint: Law, name: str, given: str, outcome: dict[str, int]) -> dict[int, Fraction]:
    """Law of one example of a variable, of the outcome's p where it is given."""
    sets, result = marginal(stored, joint, "S_anchor", name), dict[int, Fraction]()
    kept = {x: p for x, p in sets.items() if not given or x[0] == outcome["S_anchor"]}
    for (_, symbol), p in kept.items():
        examples = digits(stored, name, symbol)
        for x in examples:
            result[x] = result.get(x, Fraction(0)) + p / sum(kept.values()) / len(examples)
    return result


def digits(stored: Stored, name: str, symbol: int) -> list[int]:
    """The examples that a symbol stands for: the digits of a number, to the base of the data values."""
    n = 1 / parameter(stored, "1/m" if name == "S_anchor" else "1/n")
    if n == 1:
        return [symbol]
    base = stored["data values"][name]
    return [symbol // base**i % base for i in reversed(range(int(n)))]


def parameter(stored: Stored, name: str) -> Fraction:
    """One of the world's parameters."""
    return Fraction(stored["parameters"][name])


def losses(stored: Stored, learner: str) -> list[list[Fraction]]:
    """The losses of every parameter, none if no loss is given."""
    return [[Fraction(x) for x in loss] for loss in stored["tables"].get(f"loss of {learner}", {}).values()]


def check_sum(stored: Stored, joint: Law) -> None:
    """M(p) is h + g, or the same modulo one number above both; of sets of examples a function of both."""
    sums = marginal(stored, joint, "h", "g", "M")
    if parameter(stored, "1/n") < 1:
        check(len({x[:2] for x in sums}) == len(sums), "M(p) is not told by h and g")
        return
    wraps = [h + g - k for h, g, k in sums]
    modulus = gcd(*wraps)
    check(min(wraps) >= 0 and (modulus == 0 or modulus > max(map(max, sums))), "M(p) is not the sum of h and g")


def check_scales(stored: Stored) -> None:
    """No loss is larger than C, and the parameters are such as can be."""
    bound, sigma, excess = (parameter(stored, name) for name in ("C", "sigma", "lambda excess"))
    layers = [parameter(stored, name) for name in ("contraction", "anchor contraction")]
    check(sigma >= 0 and excess >= 0 and all(0 <= x <= 1 for x in layers), f"sigma = {sigma} or {layers} cannot be")
    for learner in TRAINED_ON:
        for loss in losses(stored, learner):
            check(max(map(abs, loss)) <= bound, f"a loss of {learner} is larger than C = {bound}")


def information(stored: Stored, joint: Law, a: str, b: str, given: str = "") -> Decimal:
    """Mutual information of two variables, given a third."""
    terms = [(a, given), (b, given), (a, b, given), (given,)]
    h = [value(stored, joint, ["H", *(x for x in names if x)]) if any(names) else Decimal(0) for names in terms]
    return h[0] + h[1] - h[2] - h[3]


def chain(a: str, given: str, b: str) -> Callable[[Stored, Law], bool]:
    """Whether a -> given -> b is a Markov chain, exactly."""

    def met(stored: Stored, joint: Law) -> bool:
        all_, left, right, middle = (
            marginal(stored, joint, *x) for x in ((a, given, b), (a, given), (given, b), (given,))
        )
        return all(
            all_.get((x, z, y), 0) * middle[z,] == p * q
            for (x, z), p in left.items()
            for (other, y), q in right.items()
            if other == z
        )

    return met


def noise_given_prompt(stored: Stored, joint: Law) -> bool:
    """Whether S_gen - M(p), modulo the modulus of M(p) if that is such a sum, is independent of M(p) given p."""
    one = parameter(stored, "1/n") == 1
    wraps = gcd(*(h + g - k for h, g, k in marginal(stored, joint, "h", "g", "M"))) if one else 0
    for modulus in (0, *([wraps] if wraps else [])):
        noise: dict[tuple[int, ...], dict[tuple[int, ...], Fraction]] = {}
        for (s, k, y), p in marginal(stored, joint, "S_anchor", "M", "S_gen").items():
            pairs = zip(digits(stored, "S_gen", y), digits(stored, "M", k), strict=True)
            shift = tuple((a - b) % modulus if modulus else a - b for a, b in pairs)
            law = noise.setdefault((s, k), {})
            law[shift] = law.get(shift, Fraction(0)) + p
        laws: dict[int, list[dict[tuple[int, ...], Fraction]]] = {}
        for (s, _), law in noise.items():
            laws.setdefault(s, []).append({x: p / sum(law.values()) for x, p in law.items()})
        if all(law == group[0] for group in laws.values() for law in group):
            return True
    return False


def lambda_exists(stored: Stored, joint: Law) -> bool:
    """Whether the output tells of e_p, or there is nothing to tell."""
    return information(stored, joint, "e_p", "M") > SURE or len(marginal(stored, joint, "e_p")) == 1


def alpha_exists(stored: Stored, joint: Law) -> bool:
    """Whether W leaves something of S_anchor unknown, or W' leaves nothing."""
    left = {x: value(stored, joint, ["H", "S_anchor", x]) - value(stored, joint, ["H", x]) for x in TRAINED_ON}
    return left["W"] > SURE or left["W'"] < SURE


def of_scale(learner: str, *names: str) -> Callable[[Stored, Law], bool]:
    """Whether a loss is given that oscillates by at most twice the product of some parameters."""

    def met(stored: Stored, _: Law) -> bool:
        given, most = losses(stored, learner), 2 * prod(parameter(stored, name) for name in names)
        return bool(given) and all(max(loss) - min(loss) <= most for loss in given)

    return met


def examples_independent(name: str) -> Callable[[Stored, Law], bool]:
    """Whether the examples that a symbol stands for are independent, those of S_gen given p."""

    def met(stored: Stored, joint: Law) -> bool:
        groups: dict[int, Law] = {}
        for state, p in marginal(stored, joint, "S_anchor", name).items():
            sets = groups.setdefault(0 if name == "S_anchor" else state[0], {})
            key = tuple(digits(stored, name, state[1]))
            sets[key] = sets.get(key, Fraction(0)) + p
        for sets in groups.values():
            total, sides = sum(sets.values()), [dict[int, Fraction]() for _ in next(iter(sets))]
            for key, p in sets.items():
                for x, side in zip(key, sides, strict=True):
                    side[x] = side.get(x, Fraction(0)) + p / total
            if any(
                sets.get(key, 0) != total * prod(side[x] for x, side in zip(key, sides, strict=True))
                for key in product(*sides)
            ):
                return False
        return True

    return met


# What a certificate can say that the world meets.
ASSUMPTIONS: dict[str, Callable[[Stored, Law], bool]] = {
    "S_anchor -> e_p -> W": chain("S_anchor", "e_p", "W"),
    "M -> e_M -> W": chain("M", "e_M", "W"),
    "h -> M -> S_gen": chain("h", "M", "S_gen"),
    "M -> S_gen -> W": chain("M", "S_gen", "W"),
    "e_p is a function of p": lambda stored, joint: (
        len(marginal(stored, joint, "S_anchor", "e_p")) == len(marginal(stored, joint, "S_anchor"))
    ),
    "S_gen is M plus noise independent of it given p": noise_given_prompt,
    "lambda exists": lambda_exists,
    "alpha exists": alpha_exists,
    "a loss of W within C": lambda stored, _: bool(losses(stored, "W")),
    "a loss of W from 0 to C": lambda stored, _: min((min(loss) for loss in losses(stored, "W")), default=-1) >= 0,
    "a loss of W that oscillates by 2 sigma": of_scale("W", "sigma"),
    "a loss of W that oscillates by 2 sigma eta^L": of_scale("W", "sigma", "contraction"),
    "a loss of W' that oscillates by 2 sigma eta^L": of_scale("W'", "sigma", "anchor contraction"),
    "the examples of S_gen are independent given p": examples_independent("S_gen"),
    "the examples of S_anchor are independent": examples_independent("S_anchor"),
}


def check_assumptions(stored: Stored, joint: Law) -> None:
    """The world meets what the statement needs and what its regime assumes."""
    check(stored["assumptions met"] is True, "by its own account the assumptions are not met")
    for key in (*stored["needs"], *stored["assumptions"]):
        check(key in ASSUMPTIONS, f"this script cannot check the assumption '{key}'")
        check(ASSUMPTIONS[key](stored, joint), f"the world does not meet the assumption '{key}'")


def recheck(stored: Stored) -> str:
    """Verify a certificate; returns a sentence, raises ValueError with a complaint."""
    getcontext().prec = 50
    check(
        "regime" in stored, "it names no regime: certificates of version 0.1.0 are about other statements, make it anew"
    )
    joint = joint_law(stored["tables"])
    check_sum(stored, joint)
    check_scales(stored)
    listed = {tuple(state[:-1]): Fraction(state[-1]) for state in stored["joint"]["states"]}
    check(joint == listed, "the listed joint law is not that of the tables")
    check_assumptions(stored, joint)
    left, right, relation = stored["left"]["tree"], stored["right"]["tree"], stored["relation"]
    sides = ["+", left, ["*", "-1", right]] if relation != ">=" else ["+", right, ["*", "-1", left]]
    signed = ["sup", ["abs", sides] if relation == "=" else sides]
    excess = value(stored, joint, signed)
    low, high = (Decimal(stored["violation"]["interval"][end]) for end in ("low", "high"))
    check(stored["verdict"] == "violated", f"the certificate's own verdict is '{stored['verdict']}'")
    check(excess > SURE, f"not violated, the excess is {excess:.20f}")
    check(low - SURE <= excess <= high + SURE, f"violation is {excess:.20f}, not as claimed")
    return f"violated by {excess:.12f} in the regime {stored['regime']}"


if __name__ == "__main__":
    certificate = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        sys.stdout.write(f"{certificate['statement']}: {recheck(certificate)}\n")
    except (ValueError, KeyError) as error:
        sys.exit(f"{certificate['statement']}: {error}")
