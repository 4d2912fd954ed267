"""Recheck a certified inequality from the joint law and the losses that its certificate lists: recheck.py FILE."""

import json
import sys
from collections import Counter
from fractions import Fraction
from math import log, sqrt
from pathlib import Path

stored = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
states = [(state, Fraction(p)) for *state, p in stored["joint"]["states"]]
place = {name: i for i, name in enumerate(stored["joint"]["variables"])}


def law(*names, given=()):
    """Probabilities of what some variables take, in the states where the given ones are as they are there."""
    kept = [(tuple(state[place[n]] for n in names), p) for state, p in states if all(state[i] == x for i, x in given)]
    counts = Counter()
    for x, p in kept:
        counts[x] += p / sum(p for _, p in kept)
    return counts


def value(tree, state=None):
    """A fraction as text, or an operation and what it is applied to; losses and distances are those of a state."""
    if isinstance(tree, str):
        return Fraction(tree)
    op, *args = tree
    if op == "H":
        return -sum(p * log(p) for p in law(*args).values())
    if op in ("parameter", "log"):
        return Fraction(stored["parameters"][args[0]]) if op == "parameter" else log(int(args[0]))
    if op in ("mean", "sup"):
        values = [(value(args[0], state), p) for state, p in states]
        return sum(x * p for x, p in values) if op == "mean" else max(x for x, _ in values)
    if op in ("risk", "loss", "tv") and stored["parameters"]["1/n"] != "1":
        sys.exit("this script knows losses of one example only, src/ggmi/theory/recheck.py those of sets")
    if op in ("risk", "loss"):
        loss = [Fraction(x) for x in stored["tables"][f"loss of {args[0]}"][str(state[place[args[0]]])]]
        if op == "loss":
            return loss[state[place["S_gen" if args[0] == "W" else "S_anchor"]]]
        return sum(p * loss[x] for (x,), p in law(args[1], given=[(0, state[0])] if args[2] else ()).items())
    if op == "tv":
        one, two = (law(n, given=[(0, state[0])] if args[2] and n != "S_anchor" else ()) for n in args[:2])
        return sum(abs(one[x] - two[x]) for x in {*one, *two}) / 2
    parts = [value(x, state) for x in args]
    if op == "*":
        return parts[0] * parts[1]
    return {"+": sum, "max": max, "abs": lambda x: abs(x[0]), "sqrt": lambda x: sqrt(max(x[0], 0))}[op](parts)


excess = float(value(stored["violation"]["tree"]))
sys.stdout.write(f"violated by {excess:.12f}\n" if excess > 1e-9 else f"not violated: {excess:.12f}\n")
sys.exit(excess <= 1e-9)
