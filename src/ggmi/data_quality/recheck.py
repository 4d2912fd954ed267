"""Recheck a certificate on data quality with Python's standard library alone: ``python recheck.py FILE``.

A certificate holds rational inputs and what follows from them exactly. Each check below computes that
again, in fractions. Matrices are lists of rows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

Matrix = list[list[Fraction]]
Inputs = Mapping[str, Any]
Results = dict[str, Fraction]


def matrix(rows: Sequence[Sequence[str]]) -> Matrix:
    """Fractions of what JSON holds."""
    return [[Fraction(x) for x in row] for row in rows]


def times(a: Matrix, b: Matrix) -> Matrix:
    """Product of two matrices."""
    return [[sum((x * y for x, y in zip(row, column, strict=True)), Fraction(0)) for column in turned(b)] for row in a]


def turned(a: Matrix) -> Matrix:
    """The transposed matrix."""
    return [list(column) for column in zip(*a, strict=True)]


def plus(a: Matrix, b: Matrix, factor: Fraction | int = 1) -> Matrix:
    """A + factor B."""
    return [[x + factor * y for x, y in zip(*rows, strict=True)] for rows in zip(a, b, strict=True)]


def scaled(a: Matrix, factor: Fraction) -> Matrix:
    """A times a number."""
    return [[factor * x for x in row] for row in a]


def diagonal(values: Sequence[Fraction]) -> Matrix:
    """A diagonal matrix."""
    return [[x if i == j else Fraction(0) for j in range(len(values))] for i, x in enumerate(values)]


def identity(size: int) -> Matrix:
    """The identity."""
    return diagonal([Fraction(1)] * size)


def inverse(a: Matrix) -> Matrix:
    """The inverse, by Gauss and Jordan's elimination."""
    rows = [row + unit for row, unit in zip(a, identity(len(a)), strict=True)]
    for i in range(len(rows)):
        pivot = next(j for j in range(i, len(rows)) if rows[j][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for j in range(len(rows)):
            if j != i:
                rows[j] = [x - rows[j][i] * y for x, y in zip(rows[j], rows[i], strict=True)]
    return [row[len(rows) :] for row in rows]


def trace(a: Matrix) -> Fraction:
    """Sum of the diagonal."""
    return sum((row[i] for i, row in enumerate(a)), Fraction(0))


def squares(a: Matrix) -> Fraction:
    """Sum of all entries' squares."""
    return sum((x * x for row in a for x in row), Fraction(0))


def supervision(given: Inputs) -> tuple[list[Matrix], Matrix, Fraction, int]:
    """S of each prompt, weights as rows, η and k."""
    moments = []
    for rows in given["inputs"]:
        x = matrix(rows)
        moments.append(scaled(times(turned(x), x), Fraction(1, len(x))))
    return moments, matrix(given["weights"]), Fraction(given["eta"]), int(given["k"])


def tuning_loss(given: Inputs, v: Matrix, w: Matrix) -> tuple[Fraction, Matrix, Matrix]:
    """Loss of supervised fine-tuning at (V, W), and its gradients in both."""
    moments, weights, eta, k = supervision(given)
    loss, size = Fraction(0), len(v)
    in_v, in_w = scaled(identity(size), Fraction(0)), scaled(identity(size), Fraction(0))
    for s, row in zip(moments, weights, strict=True):
        true = turned([row])
        for i in range(k + 1):
            done = 1 - (1 - eta) ** i
            seen = times(s, plus(scaled(times(w, true), done), true, -1))
            missed = plus(times(v, seen), true, -eta * (1 - eta) ** i)
            loss += squares(missed) / (2 * len(weights))
            in_v = plus(in_v, times(missed, turned(seen)), Fraction(1, len(weights)))
            back = times(times(s, turned(v)), missed)
            in_w = plus(in_w, times(back, turned(true)), done / len(weights))
    return loss, in_v, in_w


def tuned(given: Inputs) -> Matrix:
    """V* of Theorem 4.1 for prompts that span everything: -η Ω Φᵀ (Φ Φᵀ)⁻¹."""
    moments, weights, eta, _ = supervision(given)
    phi = turned([turned(times(s, turned([row])))[0] for s, row in zip(moments, weights, strict=True)])
    return scaled(times(times(turned(weights), turned(phi)), inverse(times(phi, turned(phi)))), -eta)


def joint_minimum(given: Inputs) -> Results:
    """Loss and gradients at (V*, I), and the loss a step along the gradient in W away."""
    v = tuned(given)
    one = identity(len(v))
    loss, in_v, in_w = tuning_loss(given, v, one)
    moved = tuning_loss(given, v, plus(one, in_w, -Fraction(given["step"])))[0]
    return {
        "square of the gradient in V": squares(in_v),
        "square of the gradient in W": squares(in_w),
        "loss at (V*, I)": loss,
        "loss after a step in W": moved,
    }


def convergence(given: Inputs) -> Results:
    """α of Theorem 4.2 and the step over its limit, for two k, where Φ is diagonal."""
    eta, rate, phi = Fraction(given["eta"]), Fraction(given["rate"]), [Fraction(x) for x in given["phi"]]
    found = {}
    for k in (int(x) for x in given["ks"]):
        weight = sum(((1 - eta) ** (2 * i) for i in range(k + 1)), Fraction(0))
        moved = [rate * weight * x * x / len(phi) for x in phi]
        found[f"step over its limit, k = {k}"] = max(moved) / 2
        found[f"factor a step, k = {k}"] = max(abs(1 - x) for x in moved)
    return found


def projector_trace(given: Inputs) -> Results:
    """Trace of V̄ diag(x) V̄ᵀ a coordinate for V̄ = G + δ P, and the two formulas for it."""
    span, blocks = matrix(given["span"]), [int(b) for b in given["blocks"]]
    g, step, x = ([Fraction(y) for y in given[name]] for name in ("g", "step", "x"))
    p = times(times(span, inverse(times(turned(span), span))), turned(span))
    d = len(p)
    v = plus(diagonal([g[b] for b in blocks]), times(diagonal([step[b] for b in blocks]), p))
    exact = trace(times(times(v, diagonal([x[b] for b in blocks])), turned(v))) / d
    share = [Fraction(blocks.count(b), d) for b in (0, 1)]
    w = [sum((p[i][i] for i in range(d) if blocks[i] == b), Fraction(0)) / blocks.count(b) for b in (0, 1)]
    across = [p[i][j] ** 2 for i, j in product(range(d), repeat=2) if (blocks[i], blocks[j]) == (0, 1)]
    t12 = sum(across, Fraction(0)) / d
    terms = [share[b] * x[b] * (g[b] ** 2 * (1 - w[b]) + (g[b] + step[b]) ** 2 * w[b]) for b in (0, 1)]
    plain = sum(terms, Fraction(0))
    return {
        "trace": exact,
        "printed": plain - t12 * (step[0] - step[1]) * (step[0] * x[0] - step[1] * x[1]),
        "corrected": plain + t12 * (step[1] ** 2 - step[0] ** 2) * (x[0] - x[1]),
    }


def one_step(given: Inputs) -> Results:
    """E‖I + V S‖² from the fourth moments of normal inputs, and Proposition 5.1."""
    v, sigma, n = matrix(given["v"]), matrix(given["sigma"]), int(given["n"])
    d = len(v)
    # E S_ij S_jl, summed over j: n terms of one input, n (n - 1) of two.
    second = [
        [
            sum(
                (
                    (sigma[i][j] * sigma[j][m] + sigma[i][j] * sigma[j][m] + sigma[i][m] * sigma[j][j]) / n
                    + sigma[i][j] * sigma[j][m] * Fraction(n - 1, n)
                    for j in range(d)
                ),
                Fraction(0),
            )
            for m in range(d)
        ]
        for i in range(d)
    ]
    exact = d + 2 * trace(times(v, sigma)) + trace(times(times(v, second), turned(v)))
    moved = times(v, sigma)
    spread = squares(moved) + trace(times(moved, turned(v))) * trace(sigma)
    return {"expectation": exact, "Proposition 5.1": squares(plus(identity(d), moved)) + spread / n}


def endless_data(given: Inputs) -> Results:
    """F at β = ∞, and the proportional limit of the error of V∞ (Proposition 4.3)."""
    mu, rho, eta, r, gamma = (Fraction(given[name]) for name in ("mu", "rho", "eta", "r", "gamma"))
    shares, a, s = (mu, 1 - mu), (eta * (rho + 1), r), (rho + 1, Fraction(1))
    mean = sum((m * x for m, x in zip(shares, s, strict=True)), Fraction(0))
    noise = gamma * sum((m * x for m, x in zip(shares, a, strict=True)), Fraction(0))

    def error(v: Sequence[Fraction]) -> Fraction:
        terms = [m * ((1 + y * x) ** 2 + gamma * mean * x * y**2) for m, x, y in zip(shares, s, v, strict=True)]
        return sum(terms, Fraction(0))

    return {"F": error([-eta / x for x in a]), "Proposition 4.3": error([-eta / (x + noise) for x in a])}


def first_order_term(given: Inputs) -> Results:
    """How far difference quotients of V* along a noise are from its first-order form, with and without a term."""
    omega, noise = matrix(given["omega"]), matrix(given["noise"])
    a, start = ([Fraction(x) for x in given[name]] for name in ("tuning", "start"))
    eta, h, d = Fraction(given["eta"]), Fraction(given["h"]), len(a)
    clean = times(diagonal(a), omega)

    def pseudo(phi: Matrix) -> Matrix:
        return times(inverse(times(turned(phi), phi)), turned(phi))

    def star(phi: Matrix) -> Matrix:
        back = pseudo(phi)
        rest = plus(identity(d), times(phi, back), -1)
        return plus(scaled(times(omega, back), -eta), times(diagonal(start), rest))

    quotient = scaled(plus(star(plus(clean, noise, h)), star(plus(clean, noise, -h)), -1), 1 / (2 * h))
    back = pseudo(clean)
    projector = times(clean, back)
    step = diagonal([-g - eta / x for g, x in zip(start, a, strict=True)])
    shown = scaled(times(times(plus(diagonal(start), times(step, projector)), noise), back), Fraction(-1))
    missing = times(times(times(step, turned(back)), turned(noise)), plus(identity(d), projector, -1))
    return {
        "square of what printed (B.3) misses": squares(plus(quotient, shown, -1)),
        "square of what is missed with the term": squares(plus(quotient, plus(shown, missing), -1)),
    }


CHECKS: dict[str, Callable[[Inputs], Results]] = {
    "joint minimum": joint_minimum,
    "convergence": convergence,
    "projector trace": projector_trace,
    "one step": one_step,
    "endless data": endless_data,
    "first-order term": first_order_term,
}


def main(path: str) -> None:
    """Compute a certificate's results again and compare."""
    stored = json.loads(Path(path).read_text(encoding="utf-8"))
    found = CHECKS[stored["check"]](stored["inputs"])
    if {name: str(value) for name, value in found.items()} != stored["results"]:
        sys.exit(f"{path}: the results do not follow from the inputs: {found}")
    said = "; ".join(f"{name} = {value} ({float(value):.6g})" for name, value in found.items())
    sys.stdout.write(f"{stored['statement']}: {stored['says']} {said}\n")


if __name__ == "__main__":
    main(sys.argv[1])
