"""Claims on the reasoner's chains: do errors snowball, by which law, and what information shows of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import norm

from ggmi.claims import Claim

Array = NDArray[np.float64]
PAPER = "arXiv 2501.15602"
Z = float(norm.ppf(0.975))
# Falls that tests should find: of the share of right steps over all steps, and of the error after an error.
EFFECT = 0.02


def laws_table(steps: pd.DataFrame) -> pd.DataFrame:
    """Fit laws to the share of right steps after right prefixes, by maximum likelihood.

    Parameters
    ----------
    steps
        Of `ggmi.reasoning.information.step_tables`.

    Returns
    -------
    DataFrame
        ``law`` (constant a; linear a + b l; exponential min(λ exp(-l), 1), the paper's; free exponential
        a exp(-b l), ours), ``a, b, log_likelihood_nats, aic`` and ``z_other``: Vuong's statistic against the constant
        or the line, whichever fits better, below zero where that is closer to the data.
    """
    step, n, p = (steps[name].to_numpy(float) for name in ("step", "n_right_before", "right_given_right"))
    overall = float((n * p).sum() / n.sum())
    fits: dict[str, tuple[Callable[[Array], Array], Array]] = {
        "constant": (lambda _: np.full_like(step, overall), np.array([overall])),
        "linear": _fitted(lambda x: x[0] + x[1] * step, np.array([overall, 0.0]), n, p),
        "exponential": _one(lambda x: np.minimum(np.exp(x - step), 1.0), n, p, float(step.max()) + 5),
        "free exponential": _fitted(lambda x: np.exp(x[0] - x[1] * step), np.array([np.log(overall), 0.0]), n, p),
    }
    plain = max((fits[law][0](fits[law][1]) for law in ("constant", "linear")), key=lambda q: _log_likelihood(q, n, p))
    rows = []
    for law, (curve, x) in fits.items():
        chance = curve(x)
        likelihood = _log_likelihood(chance, n, p)
        a, b = (float(x[0]), float(x[1]) if len(x) > 1 else np.nan)
        if law in ("exponential", "free exponential"):
            a = float(np.exp(a))
        rows.append(
            {
                **{"law": law, "a": a, "b": b, "log_likelihood_nats": likelihood},
                **{"aic": 2 * len(x) - 2 * likelihood, "z_other": _vuong(chance, plain, n, p)},
            }
        )
    return pd.DataFrame(rows)


def chain_claims(
    name: str, steps: pd.DataFrame, lengths: pd.DataFrame, laws: pd.DataFrame, controls: pd.DataFrame
) -> list[Claim]:
    """Judge what the paper says of errors and information on one reasoner.

    Parameters
    ----------
    name
        The reasoner's, as the claims' variant.
    steps, lengths
        Of `ggmi.reasoning.information.step_tables`.
    laws
        Of `laws_table`.
    controls
        Information per token of texts without loss: ``control`` (plan, perfect), ``length, per_token_nats``.
    """
    return [
        _snowball(name, steps),
        _after_errors(name, steps),
        _law(name, steps, laws),
        _per_token(name, lengths),
        _loss_shown(name, controls),
        *_fano(name, steps),
    ]


def _snowball(name: str, steps: pd.DataFrame) -> Claim:
    step, n, p = (steps[c].to_numpy(float) for c in ("step", "n_right_before", "right_given_right"))
    centred = step - (n * step).sum() / n.sum()
    spread = (n * centred**2).sum()
    slope = float((n * centred * p).sum() / spread)
    error = float(np.sqrt((n * centred**2 * p * (1 - p)).sum()) / spread)
    return Claim(
        claim="Errors snowball: after right steps alone, the next is right less often the later it comes",
        source="ours, a reading of section 3",
        variant=name,
        test="slope of p_l on l, steps after right prefixes; two-sided normal test",
        supports=slope < 0,
        estimate=slope,
        ci_low=slope - Z * error,
        ci_high=slope + Z * error,
        p=_p(slope, error),
        n=int(n.sum()),
        power=_power(EFFECT / float(np.ptp(step)), error),
        note=f"Power against a fall of {EFFECT} from the first step to the last.",
    )


def _after_errors(name: str, steps: pd.DataFrame) -> Claim:
    later = steps.iloc[1:]
    right = later["n_right_before"].to_numpy(float)
    wrong = later["n"].to_numpy(float) - right
    e_right, e_wrong = later["error_after_right"].to_numpy(), later["error_after_wrong"].to_numpy()
    used = (right > 0) & (wrong > 0)
    right, wrong, e_right, e_wrong = right[used], wrong[used], e_right[used], e_wrong[used]
    weight = right * wrong / (right + wrong)
    weight = weight / weight.sum()
    gap = float((weight * (e_wrong - e_right)).sum())
    error = float(np.sqrt((weight**2 * (e_wrong * (1 - e_wrong) / wrong + e_right * (1 - e_right) / right)).sum()))
    return Claim(
        claim="An error makes further errors likelier, each step judged from the value before it",
        source="ours",
        variant=name,
        test="error after a wrong prefix less error after a right one, by step, pooled; two-sided normal test",
        supports=gap > 0,
        estimate=gap,
        ci_low=gap - Z * error,
        ci_high=gap + Z * error,
        p=_p(gap, error),
        n=int((right + wrong).sum()),
        power=_power(EFFECT, error),
        note=f"Power against a difference of {EFFECT}. That a wrong chain stays wrong is no snowball of this kind; "
        "chains that a wrong token moved out of step are among the wrong ones.",
    )


def _law(name: str, steps: pd.DataFrame, laws: pd.DataFrame) -> Claim:
    by = laws.set_index("law")
    gap = float(by.loc["exponential", "aic"] - by.loc[["constant", "linear"], "aic"].min())
    best = str(by["aic"].idxmin())
    z = float(by.loc["exponential", "z_other"])
    return Claim(
        claim=r"The share of right steps falls as $\min(\lambda e^{-l}, 1)$",
        source=f"{PAPER}, Proposition 4.3, as reported",
        variant=name,
        test="AIC of that law less AIC of a constant or a line, whichever is smaller; Vuong’s test",
        supports=gap < 0,
        estimate=gap,
        p=float(2 * norm.sf(abs(z))),
        n=int(steps["n_right_before"].sum()),
        power=1.0,
        note=f"Smallest AIC: {best}. Power against a share that falls by the factor e a step.",
    )


def _per_token(name: str, lengths: pd.DataFrame) -> Claim:
    x, y = lengths["tokens"].to_numpy(), lengths["per_token_nats"].to_numpy()
    errors = (lengths["per_token_nats_ci_high"] - lengths["per_token_nats_ci_low"]).to_numpy() / (2 * Z)
    centred = x - x.mean()
    slope = float((centred * y).sum() / (centred**2).sum())
    error = float(np.sqrt((centred**2 * errors**2).sum()) / (centred**2).sum())
    return Claim(
        claim="Mutual information of thoughts and steps, a token, falls with length",
        source=f"{PAPER}, Fig. 2",
        variant=name,
        test="slope of the sum of I(t_l; r_l), a token, on tokens; two-sided normal test, bootstrap over chains",
        supports=slope < 0,
        estimate=slope,
        ci_low=slope - Z * error,
        ci_high=slope + Z * error,
        p=_p(slope, error),
        n=int(lengths["n"].sum()),
        power=_power(0.1 * y[0] / float(np.ptp(x)), error),
        note="Thoughts are the problem’s right ones. Power against a fall by a tenth over all lengths.",
    )


def _loss_shown(name: str, controls: pd.DataFrame) -> Claim:
    ends = {}
    for control, part in controls.groupby("control"):
        part = part.sort_values("length")
        ends[str(control)] = tuple(part["per_token_nats"].iloc[[0, -1]].round(3))
    return Claim(
        claim="Information per token that falls with length shows that thoughts are lost",
        source="ours, on the reading of Fig. 2",
        variant=f"controls of {name}",
        test="exact: a text that states a plan of fixed content in L tokens has log m / L nats a token and no loss",
        supports=False,
        note="Shortest and longest, measured: "
        + "; ".join(f"{control} {first} and {last} nats a token" for control, (first, last) in ends.items())
        + ". Right chains state each thought, so that theirs does not fall.",
    )


def _fano(name: str, steps: pd.DataFrame) -> list[Claim]:
    found = steps.dropna(subset=["bound"])
    if not len(found):
        return []
    claims = []
    above = found[found["bound_ci_low"] > 0]["step"]
    for column, claim, note in (
        ("slack", "The error of step l is at least the bound of Theorem 3.3", "The step where it comes closest."),
        (
            "bound",
            "The bound of Theorem 3.3 says something: it is above zero",
            f"The smallest of all steps; above zero from step {above.min()} on."
            if len(above)
            else "Above zero at no step.",
        ),
    ):
        row = found.loc[found[column].idxmin()]
        error = float(row[f"{column}_ci_high"] - row[f"{column}_ci_low"]) / (2 * Z)
        claims.append(
            Claim(
                claim=claim,
                source=f"{PAPER}, Theorem 3.3",
                variant=f"{name}, step {int(row['step'])}",
                test="normal test of the smallest over steps, bootstrap over chains",
                supports=bool(row[column] > 0),
                estimate=float(row[column]),
                ci_low=float(row[f"{column}_ci_low"]),
                ci_high=float(row[f"{column}_ci_high"]),
                p=_p(float(row[column]), error),
                n=int(row["n"]),
                power=_power(EFFECT, error),
                note=f"{note} Power against {EFFECT}.",
            )
        )
    return claims


def _p(value: float, error: float) -> float:
    return float(2 * norm.sf(abs(value) / error)) if error > 0 else float(value == 0)


def _power(effect: float, error: float) -> float:
    """Power of a two-sided normal test at 5 %."""
    return float(norm.sf(Z - effect / error) + norm.cdf(-Z - effect / error)) if error > 0 else 1.0


def _clipped(chance: Array) -> Array:
    return np.clip(chance, 1e-12, 1 - 1e-12)


def _log_likelihood(chance: Array, n: Array, p: Array) -> float:
    q = _clipped(chance)
    return float((n * (p * np.log(q) + (1 - p) * np.log1p(-q))).sum())


def _vuong(one: Array, other: Array, n: Array, p: Array) -> float:
    """Mean difference of the steps' log-likelihoods over its standard error."""
    a, b = _clipped(one), _clipped(other)
    hit, miss = np.log(a / b), np.log((1 - a) / (1 - b))
    total = n.sum()
    mean = (n * (p * hit + (1 - p) * miss)).sum() / total
    square = (n * (p * hit**2 + (1 - p) * miss**2)).sum() / total
    spread = np.sqrt(max(square - mean**2, 0.0) / total)
    return float(mean / spread) if spread > 0 else 0.0


def _fitted(
    curve: Callable[[Array], Array], start: Array, n: Array, p: Array
) -> tuple[Callable[[Array], Array], Array]:
    found = minimize(lambda x: -_log_likelihood(curve(x), n, p), start, method="Nelder-Mead", options={"xatol": 1e-8})
    return curve, np.asarray(found.x)


def _one(curve: Callable[[Array], Array], n: Array, p: Array, most: float) -> tuple[Callable[[Array], Array], Array]:
    # The clip makes the likelihood piecewise smooth, so that it is looked at on a grid first.
    grid = np.linspace(-5.0, most, 400)
    worth = [_log_likelihood(curve(np.array([x])), n, p) for x in grid]
    at = int(np.argmax(worth))
    ends = grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]
    found = minimize_scalar(lambda x: -_log_likelihood(curve(np.array([x])), n, p), bounds=ends, method="bounded")
    return curve, np.array([float(found.x)])
