"""Recheck a certified inequality of entropies from the joint law that its certificate lists: recheck.py FILE."""

import json
import sys
from collections import Counter
from fractions import Fraction
from math import log
from pathlib import Path

stored = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))


def value(tree):
    """A fraction as text, or an operation and what it is applied to."""
    if isinstance(tree, str):
        return Fraction(tree)
    operation, *parts = tree
    if operation != "H":
        return sum(map(value, parts)) if operation == "+" else value(parts[0]) * value(parts[1])
    law, places = Counter(), [stored["joint"]["variables"].index(x) for x in parts]
    for *state, p in stored["joint"]["states"]:
        law[tuple(state[i] for i in places)] += Fraction(p)
    return -sum(p * log(p) for p in law.values())


sys.stdout.write(f"violated by {value(stored['violation']['tree']):.12f}\n")
