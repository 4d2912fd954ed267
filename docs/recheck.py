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
    if operation in ("+", "*"):
        return sum(map(value, parts)) if operation == "+" else value(parts[0]) * value(parts[1])
    if operation != "H":
        sys.stderr.write(
            f"'{operation}': this script knows entropies alone, src/ggmi/theory/recheck.py all certificates\n"
        )
        sys.exit(2)
    law, places = Counter(), [stored["joint"]["variables"].index(x) for x in parts]
    for *state, p in stored["joint"]["states"]:
        law[tuple(state[i] for i in places)] += Fraction(p)
    return -sum(p * log(p) for p in law.values())


excess = value(stored["violation"]["tree"])
sys.stdout.write(f"violated by {excess:.12f}\n" if excess > 1e-9 else f"not violated: {excess:.12f}\n")
sys.exit(excess <= 1e-9)
