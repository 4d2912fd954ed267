"""Recheck a certificate from scratch: `python recheck.py certificate.json`; standard library only.

Rebuilds the joint law from the certificate's tables, evaluates left minus right in 50 digits and
exits with 0 if the violation is real, with 1 and a sentence if anything is amiss. Each logarithm
and root of `decimal` is correctly rounded, so a result above 1e-20 has a certain sign.
"""

import json
import sys
from decimal import Decimal, getcontext
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

SURE = Decimal("1e-20")
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
        return real(Fraction(stored["parameters"][args[0]]))
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


def recheck(stored: dict[str, Any]) -> str:
    """Verify a certificate; returns a sentence, raises ValueError with a complaint."""
    getcontext().prec = 50
    joint = joint_law(stored["tables"])
    listed = {tuple(state[:-1]): Fraction(state[-1]) for state in stored["joint"]["states"]}
    check(joint == listed, "the listed joint law is not that of the tables")
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
