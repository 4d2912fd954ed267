"""Recheck a certificate from scratch: `python recheck.py certificate.json`; standard library only.

Rebuilds the joint law of thoughts and steps from the certificate's tables, checks that the chain
meets what the statement needs and what its regime assumes, evaluates left minus right in 50 digits
and exits with 0 if the violation is real, with 1 and a sentence if anything is amiss. Each logarithm
of `decimal` is correctly rounded, so a result above 1e-20 has a certain sign.
"""

import json
import sys
from decimal import Decimal, getcontext
from fractions import Fraction
from itertools import pairwise
from math import isqrt, prod
from pathlib import Path
from typing import Any

SURE = Decimal("1e-20")
STEPS = 3
NAMES = ["t1", "r1", "t2", "r2", "t3", "r3"]
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


def is_right(stored: Stored, t: int, r: int) -> bool:
    """Whether a step has its thought's value."""
    return bool(stored["values"]["t"][t] == stored["values"]["r"][r])


def step_law(stored: Stored, place: int, t: int, before: str) -> list[tuple[int, Fraction]]:
    """Law of a step given its thought and whether the step before was right."""
    return row(stored["tables"][f"r{place} | t{place}, {before} before"][str(t)])


def joint_law(stored: Stored) -> Law:
    """Multiply the tables along the chain."""
    joint: Law = {(): Fraction(1)}
    for place in range(1, STEPS + 1):
        longer: Law = {}
        for state, p in joint.items():
            table = stored["tables"][f"t{place} | t{place - 1}"][str(state[-2])] if state else stored["tables"]["t1"]
            before = "right" if not state or is_right(stored, *state[-2:]) else "wrong"
            for t, p_t in row(table):
                for r, p_r in step_law(stored, place, t, before):
                    longer[(*state, t, r)] = p * p_t * p_r
        joint = longer
    return {state: p for state, p in joint.items() if p}


def marginal(joint: Law, *names: str) -> Law:
    """Law of some of the variables."""
    places, result = [NAMES.index(x) for x in names], Law()
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


def entropy(law: list[Fraction]) -> Decimal:
    """Entropy of a law."""
    return sum((-real(p) * logarithm(p) for p in law if p), Decimal(0))


def all_right(stored: Stored, joint: Law, places: list[int]) -> Fraction:
    """Probability that these steps are all right."""
    kept = [p for s, p in joint.items() if all(is_right(stored, s[2 * i - 2], s[2 * i - 1]) for i in places)]
    return sum(kept, Fraction(0))


def rate(stored: Stored, place: int, t: int) -> Fraction:
    """Probability that a step is right given its thought, after a right step."""
    return sum((p for r, p in step_law(stored, place, t, "right") if is_right(stored, t, r)), Fraction(0))


def searched(way: str, rates: list[Fraction], k: int) -> Fraction:
    """Probability that a search generates a right chain."""
    if way == "chain":
        return prod(rates, start=Fraction(1))
    if way == "first layer":
        return 1 - (1 - rates[0]) ** k
    if way == "stepwise":
        return prod((1 - (1 - p) ** k for p in rates), start=Fraction(1))
    if way == "tree":
        below = Fraction(1)
        for p in reversed(rates):
            below = 1 - (1 - p * below) ** k
        return below
    root = isqrt(k**STEPS)
    answers = {
        "N = k": k,
        "N = k^(L/2)": root if root * root == k**STEPS else root + 1,
        "N = k^L": k**STEPS,
        "N of the tree's calls": sum(k**i for i in range(1, STEPS + 1)) // STEPS,
    }
    return 1 - (1 - prod(rates, start=Fraction(1))) ** answers[way]


def leaf(stored: Stored, joint: Law, op: str, args: list[str]) -> Decimal:
    """Value of a quantity of the chain."""
    k, places = int(stored["parameters"]["k"]), [int(x) for x in args if x.isdigit()]
    if op == "parameter":
        return real(Fraction(stored["parameters"][args[0]]))
    if op == "log":
        size = len(stored["values"]["t"])
        named = {"T": Fraction(size), "T - 1": Fraction(size - 1), "lambda": Fraction(stored["parameters"]["lambda"])}
        return logarithm(named[args[0]] if args[0] in named else Fraction(args[0]))
    if op == "H":
        return entropy(list(marginal(joint, *args).values()))
    if op == "right":
        return real(all_right(stored, joint, places))
    if op in ("error", "Hb"):
        wrong = 1 - sum((all_right(stored, joint, [i]) for i in places), Fraction(0)) / len(places)
        return real(wrong) if op == "error" else entropy([wrong, 1 - wrong])
    if op == "rule":
        prefixes = [all_right(stored, joint, list(range(1, i + 1))) for i in range(STEPS + 1)]
        rates = [prefixes[i + 1] / prefixes[i] if prefixes[i] else Fraction(0) for i in range(STEPS)]
        return real(searched(args[0], rates, k))
    if op == "found":
        total = Fraction(0)
        for thoughts, p in thought_law(stored).items():
            rates = [rate(stored, i + 1, t) for i, t in enumerate(thoughts)]
            total += p * searched(args[0], rates, k)
        return real(total)
    check(op == "decoded", f"this script does not know '{op}'")
    best: dict[int, Fraction] = {}
    for (_, r), p in marginal(joint, f"t{args[0]}", f"r{args[0]}").items():
        best[r] = max(p, best.get(r, Fraction(0)))
    return real(1 - sum(best.values(), Fraction(0)))


def thought_law(stored: Stored) -> Law:
    """Law of the thoughts alone."""
    law: Law = {(t,): p for t, p in row(stored["tables"]["t1"])}
    for place in range(2, STEPS + 1):
        table = stored["tables"][f"t{place} | t{place - 1}"]
        law = {(*s, t): p * q for s, p in law.items() for t, q in row(table[str(s[-1])])}
    return law


def value(stored: Stored, joint: Law, tree: Any) -> Decimal:
    """Value of a tree: a fraction as text, or an operation and what it is applied to."""
    if isinstance(tree, str):
        return real(Fraction(tree))
    op, *args = tree
    if op not in ("+", "*", "/", "max", "abs"):
        return leaf(stored, joint, op, args)
    parts = [value(stored, joint, x) for x in args]
    if op == "+":
        return sum(parts, Decimal(0))
    if op == "abs":
        return abs(parts[0])
    if op == "max":
        return max(parts)
    return parts[0] * parts[1] if op == "*" else parts[0] / parts[1]


def losses(joint: Law) -> list[Decimal]:
    """H(t_l | r_l) of every step."""
    pairs = [entropy(list(marginal(joint, f"t{i}", f"r{i}").values())) for i in range(1, STEPS + 1)]
    return [h - entropy(list(marginal(joint, f"r{i + 1}").values())) for i, h in enumerate(pairs)]


def met(stored: Stored, joint: Law, key: str) -> bool:
    """Whether the chain meets an assumption."""
    k, epsilon = (Fraction(stored["parameters"][name]) for name in ("k", "epsilon"))
    if key == "steps are independent":
        pairs = [marginal(joint, f"t{i}", f"r{i}") for i in range(1, STEPS + 1)]
        product: Law = {(): Fraction(1)}
        for law in pairs:
            product = {(*s, *x): p * q for s, p in product.items() for x, q in law.items()}
        return product == joint
    if key == "thoughts are alike":
        return all(len({rate(stored, i, t) for (t,) in marginal(joint, f"t{i}")}) == 1 for i in range(1, STEPS + 1))
    if key == "losses do not fall":
        found = losses(joint)
        return all(one <= two + SURE for one, two in pairwise(found))
    if key == "a thought has a value of its own":
        return len(set(stored["values"]["t"])) == len(stored["values"]["t"])
    if key == "three thoughts or more":
        return len(stored["values"]["t"]) >= 3
    if key == "no information is lost":
        return all(len(marginal(joint, f"t{i}", f"r{i}")) == len(marginal(joint, f"r{i}")) for i in range(1, STEPS + 1))
    if key == "one step is uncertain":
        return all(rate(stored, i, t) == 1 for i in range(2, STEPS + 1) for (t,) in marginal(joint, f"t{i}"))
    if key == "the first layer gains":
        p = all_right(stored, joint, [1])
        return epsilon * (1 - (1 - p) ** int(k)) > p
    check(key == "epsilon is 1/k or more", f"this script cannot check the assumption '{key}'")
    return epsilon * k >= 1


def recheck(stored: Stored) -> str:
    """Verify a certificate; returns a sentence, raises ValueError with a complaint."""
    getcontext().prec = 50
    joint = joint_law(stored)
    listed = {tuple(state[:-1]): Fraction(state[-1]) for state in stored["joint"]["states"]}
    check(stored["joint"]["variables"] == NAMES and joint == listed, "the listed joint law is not that of the tables")
    check(0 <= Fraction(stored["parameters"]["epsilon"]) <= 1, "epsilon is no probability")
    check(stored["assumptions met"] is True, "by its own account the assumptions are not met")
    for key in (*stored["needs"], *stored["assumptions"]):
        check(met(stored, joint, key), f"the chain does not meet the assumption '{key}'")
    left, right, relation = stored["left"]["tree"], stored["right"]["tree"], stored["relation"]
    sides = ["+", left, ["*", "-1", right]] if relation != ">=" else ["+", right, ["*", "-1", left]]
    excess = value(stored, joint, ["abs", sides] if relation == "=" else sides)
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
