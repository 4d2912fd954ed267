"""What the paper's theorems claim, judged by proofs, exact instances and simulation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

from ggmi.claims import Claim
from ggmi.data_quality.asymptotics import VERSIONS, error_limit
from ggmi.data_quality.certificates import result
from ggmi.data_quality.curves import Curves
from ggmi.data_quality.evidence import PAPER, close, side_of_zero
from ggmi.data_quality.limit import limit_of

RATIONAL = "exact rational instance"
# Relative differences that count as none: of a limit from finite sizes, and of what is called reasonable.
LIMIT_MARGIN, REASONABLE_MARGIN, SIMULATED_MARGIN = 0.03, 0.1, 0.1
STATIONARY = "Fine-tuning's loss in V and W is stationary and least at (V*, I)"
HALTING = "Gradient descent halts at V*, nearer by the factor α a step"
FASTER = "At one step size, a longer chain converges faster"
ENDLESS = "With ever more prompts V* tends to V∞"
FORMULA = "Proposition 5.1 gives the test error"
F_LIMIT = "F is the limit of the test error of Ṽ"
F_STAR = "F is near the test error of V*"


def theorem_claims(measured: pd.DataFrame) -> list[Claim]:
    """Judge sections 4 and 5.

    Parameters
    ----------
    measured
        Of `ggmi.data_quality.theorems.theorem_table`.
    """
    values = {key: part["value"].to_numpy() for key, part in measured.groupby(["check", "setting"])}
    return [*_fine_tuning(values), *_test_error(values)]


def _fine_tuning(values: dict[tuple, np.ndarray]) -> Iterator[Claim]:
    where = f"{PAPER}, Theorem 4.1"
    largest = max(v.max() for key, v in values.items() if key[0] == "gradient in W" and key[1] <= 1)
    yield Claim(
        claim=STATIONARY,
        source=where,
        variant="B up to rank(A)",
        test="proof",
        supports=True,
        estimate=float(largest),
        note="The loss is zero there, and no solution is nearer the start. Estimate: gradient in W over the start's.",
    )
    ratios = [v for key, v in sorted(values.items()) if key[0] == "loss of the joint minimum"]
    yield Claim(
        claim=STATIONARY,
        source=where,
        variant="B above rank(A)",
        test=RATIONAL,
        supports=False,
        estimate=float(np.median(ratios[0])),
        note="The gradient in W does not vanish, and a step along it lowers the loss. "
        "Estimate: loss of the joint minimum found over that at (V*, I), B = 2 d, median.",
    )
    where = f"{PAPER}, Theorem 4.2"
    bounds = max(v.max() for key, v in values.items() if key[0] == "distance over bound")
    yield Claim(
        claim=HALTING,
        source=where,
        variant="W held at I",
        test="proof",
        supports=True,
        estimate=float(bounds),
        note="A linear recursion on the prompts' span. Estimate: largest distance over the bound, random prompts.",
    )
    apart = values["distance, W trained", 0.5]
    yield Claim(
        claim=HALTING,
        source="ours, beyond Theorem 4.2",
        variant="W trained too, B = 2 d",
        test="t-test of log distances",
        **side_of_zero(np.log(apart), sign=-1),
        note="Log of the distance to V* over that with W held, after equal steps; power against a factor of two.",
    )
    where = f"{PAPER}, Remark 4.1"
    for slug, share in (("far-from", "a quarter"), ("near", "three quarters")):
        factors = [float(result(f"remark-4.1-{slug}-the-limit", f"factor a step, k = {k}")) for k in (0, 1)]
        yield Claim(
            claim=FASTER,
            source=where,
            variant=f"step at {share} of the limit for k = 0",
            test=RATIONAL,
            supports=factors[1] < factors[0],
            estimate=factors[1] - factors[0],
            note="Estimate: α for k = 1 less α for k = 0, η = 1/2.",
        )
    sizes = sorted(key[1] for key in values if key[0] == "distance to limit")
    logs = np.array([np.log(values["distance to limit", size]) for size in sizes])
    slopes = np.polyfit(np.log(sizes), logs, 1)[0]
    yield Claim(
        claim=ENDLESS,
        source=f"{PAPER}, Proposition 4.3",
        variant=f"B = {sizes[0]:g} d to {sizes[-1]:g} d",
        test="t-test of slopes",
        **side_of_zero(slopes, sign=-1),
        note="Slope of log distance on log B; -1/2 is the law of large numbers, from which the limit is proven.",
    )
    yield Claim(
        claim="V* depends on A and η through A/η alone",
        source="ours",
        variant="any prompts",
        test="proof",
        supports=True,
        note="Prompts of covariance A scale Φ by η against those of A/η, and V* holds η Φ⁺.",
    )


def _test_error(values: dict[tuple, np.ndarray]) -> Iterator[Claim]:
    where = f"{PAPER}, Proposition 5.1"
    exact = [result("proposition-5.1", name) for name in ("expectation", "Proposition 5.1")]
    yield Claim(
        claim=FORMULA,
        source=where,
        variant="one step, exact",
        test=f"proof, {RATIONAL}",
        supports=exact[0] == exact[1],
        estimate=float(exact[1] - exact[0]),
        note="By fourth moments of normal inputs; the other coefficient in the last line of Lemma A.1 is wrong.",
    )
    for steps, variant, source in ((1, "one step", where), (2, "two steps, by Wick's theorem", "ours")):
        yield Claim(
            claim=FORMULA if steps == 1 else "The test error after two steps has a closed form",
            source=source,
            variant=f"{variant}, simulated",
            test="t-tests against a margin",
            **close(values["simulated", steps], margin=SIMULATED_MARGIN),
            note=f"Simulated over computed, less one; close is within {SIMULATED_MARGIN:.0%}.",
        )


def limit_claims(curves: Curves, r: float, repetitions: pd.DataFrame) -> list[Claim]:
    """Judge appendix B and figure 5.

    Parameters
    ----------
    curves, r
        As for `ggmi.data_quality.limit.against_limit`.
    repetitions
        What that returned.
    """
    return [*_formula_claims(curves, repetitions), *_consequences(curves, r, sorted(repetitions["n"].unique()))]


def _formula_claims(curves: Curves, repetitions: pd.DataFrame) -> Iterator[Claim]:
    where = f"{PAPER}, Theorem B.1"
    for version in VERSIONS:
        source = where if version == "printed" else "ours"
        exact = [result("theorem-B.1-projector", name) for name in ("trace", version)]
        yield Claim(
            claim=F_LIMIT,
            source=source,
            variant=f"{version}, last term of T_var",
            test=RATIONAL,
            supports=exact[0] == exact[1],
            estimate=float(exact[1] - exact[0]),
            note="A projector of rank one: the formula less tr V̄ diag(x) V̄ᵀ, a coordinate.",
        )
    missed = float(result("equation-B.3-first-order", "square of what printed (B.3) misses"))
    yield Claim(
        claim="(B.3) has every term of first order in the noise",
        source=f"{PAPER}, (B.3)",
        variant="B < d",
        test="difference quotients in fractions",
        supports=False,
        estimate=missed,
        note="Square of what it misses; with the term the square is below 2e-11 at a step of 1/1000.",
    )
    for n, part in repetitions.groupby("n"):
        table = part.pivot_table(index=["B", "seed"], columns="quantity", values="err_over_d").dropna(axis=1, how="all")
        fixed = part[part["seed"].isna()].pivot_table(index="B", columns="quantity", values="err_over_d")
        below = sorted(b for b in part.loc[part["seed"].notna(), "B"].unique() if 0 < b <= 0.9 * curves.d)
        for simulated, text, margin, versions in (
            ("V_tilde", F_LIMIT, LIMIT_MARGIN, VERSIONS),
            ("V_star", F_STAR, REASONABLE_MARGIN, VERSIONS[:1]),
        ):
            for version in versions if below else ():
                ratios = [np.log(table[simulated].loc[b].to_numpy() / fixed.loc[b, f"F_{version}"]) for b in below]
                yield Claim(
                    claim=text,
                    source=where if version == "printed" else "ours",
                    variant=f"{version}, simulated, n = {n}, d = {curves.d}, B < d",
                    test="t-tests against a margin",
                    **close(np.mean(ratios, axis=0), margin=margin),
                    note=f"Mean over B of log simulated over F; near is within {margin:.0%}.",
                )


def _consequences(curves: Curves, r: float, lengths: list[int]) -> Iterator[Claim]:
    where = f"{PAPER}, Proposition B.2"
    yield Claim(
        claim="F grows without bound at B = d, and falls beyond",
        source=where,
        variant="printed and corrected",
        test="proof",
        supports=True,
        note="T_inv is q times a bounded number below, with q → ∞, and a constant over β - 1 above.",
    )
    exact = [float(result("F-at-endless-data", name)) for name in ("F", "Proposition 4.3")]
    yield Claim(
        claim="F(∞) is the error of V* with endless prompts",
        source="ours, a reading of Proposition B.2",
        variant="η = 0.2, r = 0.1, γ = 0.6",
        test=RATIONAL,
        supports=exact[0] == exact[1],
        estimate=exact[0] / exact[1],
        note="Estimate: F(∞) over the exact limit; F leaves out noise that endless prompts do not average away.",
    )
    rest = [_remainder(curves, lengths[0], small) * small for small in (1e-3, 1e-4, 1e-5)]
    yield Claim(
        claim="F(∞) - F(0) is (η/r)² μ2 (1 + γ S̄) up to a term of order 1/r",
        source=where,
        variant="printed and corrected",
        test="exact calculation",
        supports=bool(np.ptp(rest) < 0.05 * abs(np.mean(rest)) + 1e-9),
        estimate=rest[-1],
        note="Estimate: the remainder times r, which settles as r falls from 1e-3 to 1e-5.",
    )
    for version, small in product(VERSIONS, (r, r / 10)):
        limit = limit_of(curves, small, lengths[0])
        below = min(error_limit(limit, beta, version) for beta in np.linspace(0, 0.99, 100))
        yield Claim(
            claim="For small r the least F lies at B < d",
            source=where if version == "printed" else "ours",
            variant=f"{version}, r = {small:g}, n = {lengths[0]}",
            test="exact calculation",
            supports=bool(below < error_limit(limit, np.inf, version)),
            estimate=below - error_limit(limit, np.inf, version),
            note="Estimate: least F below less F(∞). For V* see the claims on small sets.",
        )


def _remainder(curves: Curves, n: int, r: float) -> float:
    """F(∞) - F(0) less its leading term."""
    limit = limit_of(curves, r, n)
    mean = float(limit.shares @ limit.test)
    leading = (curves.eta / r) ** 2 * limit.shares[1] * (1 + limit.gamma * mean)
    return error_limit(limit, np.inf) - error_limit(limit, 0.0) - leading
