"""Recheck a certificate from scratch: `python recheck.py certificate.json`; standard library only.

Rebuilds the joint law from the certificate's tables, checks that M(p) is a sum, that losses keep
within C and that the world meets the stated assumptions, evaluates left minus right in 50 digits and
exits with 0 if the violation is real, with 1 and a sentence if anything is amiss. Each logarithm and
root of `decimal` is correctly rounded, so a result above 1e-20 has a certain sign.
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
LEARNERS = ("W", "W'")
Law = dict[tuple[int, ...], Fraction]


def check(condition: bool, complaint: str) -> None:
    """Stop with a complaint unless the condition holds."""
    if not condition:
        raise ValueError(complaint)


def row(entries: dict[str, str]) -> list[tuple[int, Fraction]]:
    """One row of a table, checked to be a probability law."""
    law = [(int(x), Fraction(p)) for x, p in entries.items()]
    check(all(p >= 0 for _, p in law) and sum(p for _, p in law) == 1, f"{entries} is no probability law")
    return law


def joint_law(tables: dict[str, Any]) -> Law:
    """Multiply the tables along the chain."""
    joint: Law = {}
    for s, ps in row(tables["S_anchor"]):
        for (e, pe), (v, pv) in product(row(tables["e_p | S_anchor"][str(s)]), row(tables["W' | S_anchor"][str(s)])):
            for m, pm in row(tables["e_M | e_p"][str(e)]):
                h, g, k = tables["h"][str(e)], tables["g"][str(m)], tables["M | e_p, e_M"][str(e)][str(m)]
                for y, py in row(tables["S_gen | M"][str(k)]):
                    for w, pw in row(tables["W | S_gen"][str(y)]):
                        joint[s, e, h, m, g, k, y, w, v] = ps * pe * pv * pm * py * pw
    return {state: p for state, p in joint.items() if p}


def marginal(stored: dict[str, Any], joint: Law, *variables: str) -> Law:
    """Law of some of the variables."""
    places, result = [stored["joint"]["variables"].index(x) for x in variables], Law()
    for state, p in joint.items():
        key = tuple(state[i] for i in places)
        result[key] = result.get(key, Fraction(0)) + p
    return result


def real(q: Fraction) -> Decimal:
    """A fraction in 50 digits."""
    return Decimal(q.numerator) / Decimal(q.denominator)


def value(stored: dict[str, Any], joint: Law, op: str, *args: Any) -> Decimal:
    """Value of an operation and what it is applied to."""
    zero = Fraction(0)
    if op == "parameter":
        return real(parameter(stored, *args))
    if op == "H":
        law = marginal(stored, joint, *args).values()
        return sum((real(p) * (Decimal(p.denominator).ln() - Decimal(p.numerator).ln()) for p in law), Decimal(0))
    if op == "tv":
        one, two = (marginal(stored, joint, x) for x in args)
        return real(sum((abs(one.get(x, zero) - two.get(x, zero)) for x in {*one, *two}), zero) / 2)
    if op in ("risk", "training"):
        data, learner = args
        pairs, loss = marginal(stored, joint, learner, data), stored["tables"][f"loss of {learner}"]
        if op == "risk":
            laws = (marginal(stored, joint, x).items() for x in (learner, data))
            pairs = {w + x: p * q for (w, p), (x, q) in product(*laws)}
        return real(sum((p * Fraction(loss[str(w)][x]) for (w, x), p in pairs.items()), zero))
    operands = [real(Fraction(x)) if isinstance(x, str) else value(stored, joint, *x) for x in args]
    if op in ("+", "*"):
        return sum(operands, Decimal(0)) if op == "+" else operands[0] * operands[1]
    return abs(operands[0]) if op == "abs" else max(operands[0], Decimal(0)).sqrt()


def check_sum(stored: dict[str, Any], joint: Law) -> None:
    """M(p) is h + g, or the same modulo one number above both."""
    sums = marginal(stored, joint, "h", "g", "M")
    wraps = [h + g - k for h, g, k in sums]
    modulus = gcd(*wraps)
    check(min(wraps) >= 0 and (modulus == 0 or modulus > max(map(max, sums))), "M(p) is not the sum of h and g")


def check_scales(stored: dict[str, Any]) -> None:
    """No loss is larger than C, and the parameters are such as can be."""
    bound, sigma, share, contraction = (parameter(stored, name) for name in ("C", "sigma", "1/n", "contraction"))
    check(sigma >= 0 and 0 <= contraction <= 1, f"sigma = {sigma} and contraction = {contraction} cannot be")
    check(share == 1, "this script knows training sets of one example only")
    for learner in LEARNERS:
        for loss in losses(stored, learner):
            check(max(map(abs, loss)) <= bound, f"a loss of {learner} is larger than C = {bound}")


def parameter(stored: dict[str, Any], name: str) -> Fraction:
    """One of the world's parameters."""
    return Fraction(stored["parameters"][name])


def losses(stored: dict[str, Any], learner: str) -> list[list[Fraction]]:
    """The losses of every parameter, none if no loss is given."""
    return [[Fraction(x) for x in loss] for loss in stored["tables"].get(f"loss of {learner}", {}).values()]


def lambda_exists(stored: dict[str, Any], joint: Law) -> bool:
    """Whether the output tells of h(e_p), or there is nothing to tell."""
    shared = value(stored, joint, "+", ["H", "h"], ["H", "M"], ["*", "-1", ["H", "h", "M"]])
    return shared > SURE or len(marginal(stored, joint, "e_p")) == 1


def alpha_exists(stored: dict[str, Any], joint: Law) -> bool:
    """Whether W leaves something of S_anchor unknown."""
    return value(stored, joint, "+", ["H", "S_anchor", "W"], ["*", "-1", ["H", "W"]]) > SURE


def independent(stored: dict[str, Any], joint: Law) -> bool:
    """Whether the factors' law is the product of their laws."""
    (one, two), both = (marginal(stored, joint, x) for x in ("e_p", "e_M")), marginal(stored, joint, "e_p", "e_M")
    return all(both.get(x + y, 0) == p * q for (x, p), (y, q) in product(one.items(), two.items()))


def curated_by_map(stored: dict[str, Any], joint: Law) -> bool:
    """Whether every output has one synthetic datum."""
    return len(marginal(stored, joint, "M", "S_gen")) == len(marginal(stored, joint, "M"))


def of_scale(learner: str, *names: str) -> Callable[[dict[str, Any], Law], bool]:
    """Whether a loss is given that oscillates by at most twice the product of some parameters."""

    def met(stored: dict[str, Any], _: Law) -> bool:
        given, most = losses(stored, learner), 2 * prod(parameter(stored, name) for name in names)
        return bool(given) and all(max(loss) - min(loss) <= most for loss in given)

    return met


# What the assumptions begin with that a certificate states; the longer of two comes first.
ASSUMPTIONS: dict[str, Callable[[dict[str, Any], Law], bool]] = {
    "lambda exists": lambda_exists,
    "alpha exists": alpha_exists,
    "e_p and e_M are independent": independent,
    "S_gen is a function of M(p)": curated_by_map,
    "training sets have one example": lambda stored, _: parameter(stored, "1/n") == 1,
    "a loss with |loss| <= C is given": lambda stored, _: bool(losses(stored, "W")),
    "0 <= loss <= C": lambda stored, _: min((min(loss) for loss in losses(stored, "W")), default=-1) >= 0,
    "a loss of W is given that oscillates by at most 2 sigma eta^L": of_scale("W", "sigma", "contraction"),
    "a loss of W' is given that oscillates by at most 2 sigma eta^L": of_scale("W'", "sigma", "contraction"),
    "a loss of W is given that oscillates by at most 2 sigma": of_scale("W", "sigma"),
}


def check_assumptions(stored: dict[str, Any], joint: Law) -> None:
    """The world meets every assumption that the certificate states."""
    check(stored["assumptions met"] is True, "by its own account the assumptions are not met")
    for text in stored["assumptions"]:
        known = [met for beginning, met in ASSUMPTIONS.items() if text.startswith(beginning)]
        check(bool(known), f"this script cannot check the assumption '{text}'")
        check(known[0](stored, joint), f"the world does not meet the assumption '{text}'")


def recheck(stored: dict[str, Any]) -> str:
    """Verify a certificate; returns a sentence, raises ValueError with a complaint."""
    getcontext().prec = 50
    joint = joint_law(stored["tables"])
    check_sum(stored, joint)
    check_scales(stored)
    listed = {tuple(state[:-1]): Fraction(state[-1]) for state in stored["joint"]["states"]}
    check(joint == listed, "the listed joint law is not that of the tables")
    check_assumptions(stored, joint)
    left, right = (value(stored, joint, *stored[side]["tree"]) for side in ("left", "right"))
    excess = {"<=": left - right, ">=": right - left, "=": abs(left - right)}[stored["relation"]]
    low, high = (Decimal(stored["violation"]["interval"][end]) for end in ("low", "high"))
    check(stored["verdict"] == "violated", f"the certificate's own verdict is '{stored['verdict']}'")
    check(excess > SURE, f"not violated, the excess is {excess:.20f}")
    check(low - SURE <= excess <= high + SURE, f"violation is {excess:.20f}, not as claimed")
    return f"left {left:.12f}, right {right:.12f}, violated by {excess:.12f}"


if __name__ == "__main__":
    certificate = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        sys.stdout.write(f"{certificate['statement']}: {recheck(certificate)}\n")
    except (ValueError, KeyError) as error:
        sys.exit(f"{certificate['statement']}: {error}")
