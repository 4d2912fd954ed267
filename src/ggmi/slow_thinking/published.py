"""The published points of information per token, read again.

Gan, Liao & Liu, arXiv 2501.15602, figure 2 and supplementary experiments: mutual information per token
against the mean length L of a question's responses, fitted there by ``a log L + b``. What the points
can tell is whether the total, information per token times L, depends on L at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ggmi.exact.statement import Array
from ggmi.random import stream

GSM8K = {"mi_per_token_qwen2.5_14b": "GSM8k, Qwen2.5-14B", "mi_per_token_qwen2.5_32b": "GSM8k, Qwen2.5-32B"}
# Regressors of each form by L; None is the power law, which is not linear in its parameters.
FORMS = ("inverse", "logarithmic", "linear", "exponential", "constant", "power")
FORMULAS = {
    "inverse": "a / L",
    "logarithmic": "a log L + b",
    "linear": "a L + b",
    "exponential": "a exp(-b L)",
    "constant": "a",
    "power": "a L^-b",
}
PARAMETERS = {"inverse": 1, "logarithmic": 2, "linear": 2, "exponential": 2, "constant": 1, "power": 2}
# The unit of length in fits of curves, so that parameters are of one size.
UNIT = 1000.0
FIT_COLUMNS = (
    *("panel", "n", "form", "formula", "a", "a_ci_low", "a_ci_high", "b", "b_ci_low", "b_ci_high"),
    *("r_squared", "aic", "aicc", "delta_aicc", "akaike_weight"),
)
TOTAL_COLUMNS = (
    *("panel", "n", "mean_total_nats", "mean_total_ci_low", "mean_total_ci_high"),
    *("spearman_per_token", "p_per_token", "spearman_total", "spearman_total_ci_low", "spearman_total_ci_high"),
    *("p_total", "log_slope", "log_slope_ci_low", "log_slope_ci_high"),
    *("permuted_slope", "permuted_slope_low", "permuted_slope_high", "p_slope"),
    *("delta_aicc", "delta_aicc_ci_low", "delta_aicc_ci_high", "p_delta"),
)
RESAMPLES = 1999
CHUNK = 500


@dataclass(frozen=True)
class Panel:
    """The questions of one panel of a figure.

    Parameters
    ----------
    name
        Data set, and model or level.
    lengths
        Mean length of each question's responses, tokens.
    information
        Mutual information per token, nats.
    """

    name: str
    lengths: Array
    information: Array

    @property
    def totals(self) -> Array:
        """Information per token times length, nats."""
        return self.information * self.lengths


def panels(gsm8k: pd.DataFrame, math500: pd.DataFrame) -> list[Panel]:
    """The panels of the two tables of points, as the authors show them.

    Parameters
    ----------
    gsm8k
        Columns ``mean_length`` and one a model.
    math500
        Columns ``level``, ``mean_length``, ``mi_per_token``.
    """
    lengths = gsm8k["mean_length"].to_numpy(float)
    shown = [Panel(name, lengths, gsm8k[column].to_numpy(float)) for column, name in GSM8K.items()]
    for level, rows in math500.groupby("level"):
        columns = (rows[name].to_numpy(float) for name in ("mean_length", "mi_per_token"))
        shown.append(Panel(f"MATH-500, level {level}", *columns))
    return shown


def predicted(form: str, lengths: Array, a: float, b: float) -> Array:
    """Values of a fitted form at some lengths, with its parameters as in ``published_fits.csv``."""
    curves: Mapping[str, Array] = {
        "inverse": a / lengths,
        "logarithmic": a * np.log(lengths) + b,
        "linear": a * lengths + b,
        "exponential": a * np.exp(-b * lengths),
        "constant": np.full(len(lengths), a),
        "power": a * lengths**-b,
    }
    return curves[form]


def _linear_regressors(form: str, lengths: Array) -> Array:
    ones = np.ones_like(lengths)
    return {
        "inverse": np.stack([1 / lengths], axis=1),
        "logarithmic": np.stack([np.log(lengths), ones], axis=1),
        "linear": np.stack([lengths, ones], axis=1),
        "constant": np.stack([ones], axis=1),
    }[form]


def _curve(form: str, x: Array, a: float, b: float) -> Array:
    """Exponential and power law with lengths in units, so that a is the value at one unit."""
    result: Array = a * np.exp(-b * (x - 1)) if form == "exponential" else a * x**-b
    return result


def fit(form: str, panel: Panel) -> tuple[Array, Array, float]:
    """Least squares of one form.

    Parameters
    ----------
    form
        One of `FORMS`.
    panel
        The points.

    Returns
    -------
    parameters, errors : ndarray, shape (1 or 2,)
        a and b as `predicted` takes them, and standard errors of them that allow the spread to change
        with the length (White 1980, HC1), since it does.
    residual : float
        Sum of squared residuals.
    """
    # Loaded where it is used: loading it takes as long as many a job that can reach this module.
    from scipy.optimize import curve_fit

    lengths, y = panel.lengths, panel.information
    if form in ("exponential", "power"):
        x = lengths / UNIT
        start = (float(np.median(y)), 1.0)
        (a, b), _ = curve_fit(lambda x, a, b: _curve(form, x, a, b), x, y, p0=start)
        # Derivatives by a and b, then by the parameters at lengths of one token.
        base = _curve(form, x, 1.0, b)
        jacobian = np.stack([base, -a * base * (x - 1 if form == "exponential" else np.log(x))], axis=1)
        scale, shift = (1 / UNIT, 1.0) if form == "exponential" else (1.0, float(np.log(UNIT)))
        grown = float(np.exp(b * shift))
        to_tokens = np.array([[grown, a * grown * shift], [0.0, scale]])
        parameters = np.array([a * grown, b * scale])
        residuals = y - base * a
    else:
        jacobian = _linear_regressors(form, lengths)
        parameters, *_ = np.linalg.lstsq(jacobian, y, rcond=None)
        to_tokens, residuals = np.eye(jacobian.shape[1]), y - jacobian @ parameters
    n, k = jacobian.shape
    bread = np.linalg.inv(jacobian.T @ jacobian)
    meat = (jacobian * residuals[:, None] ** 2).T @ jacobian * n / (n - k)
    covariance = to_tokens @ bread @ meat @ bread @ to_tokens.T
    return parameters, np.sqrt(np.diag(covariance)), float(residuals @ residuals)


def information_criteria(residual: float, n: int, parameters: int) -> tuple[float, float]:
    """Akaike's criterion of a least-squares fit, and corrected for small samples; the spread is a parameter too.

    Parameters
    ----------
    residual
        Sum of squared residuals.
    n
        Points.
    parameters
        Fitted parameters without the spread.
    """
    k = parameters + 1
    aic = n * float(np.log(residual / n)) + 2 * k
    return aic, aic + 2 * k * (k + 1) / (n - k - 1)


def fits_table(shown: list[Panel]) -> pd.DataFrame:
    """The table ``published_fits.csv``: every form in every panel.

    Parameters
    ----------
    shown
        The panels.

    Returns
    -------
    DataFrame
        Columns `FIT_COLUMNS`; ``delta_aicc`` is to the panel's best form, and ``akaike_weight`` what that
        makes of the forms' plausibility. a and b have the units that make the formula nats per token
        with L in tokens; 95 % intervals are normal, of errors that allow unequal spread.
    """
    tables = []
    for panel in shown:
        n, spread = len(panel.lengths), float(np.square(panel.information - panel.information.mean()).sum())
        rows = []
        for form in FORMS:
            parameters, errors, residual = fit(form, panel)
            a, b = (*parameters, np.nan)[:2]
            ends = [(x - 1.96 * e, x + 1.96 * e) for x, e in zip((a, b), (*errors, np.nan)[:2], strict=True)]
            criteria = information_criteria(residual, n, PARAMETERS[form])
            place = (panel.name, n, form, FORMULAS[form], a, *ends[0], b, *ends[1])
            rows.append((*place, 1 - residual / spread, *criteria, np.nan, np.nan))
        table = pd.DataFrame(rows, columns=list(FIT_COLUMNS))
        table["delta_aicc"] = table["aicc"] - table["aicc"].min()
        weights = np.exp(-table["delta_aicc"] / 2)
        table["akaike_weight"] = weights / weights.sum()
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _slope_weights(lengths: Array) -> Array:
    """Weights whose sum with values is their least-squares slope on log L."""
    centred = np.log(lengths) - np.log(lengths).mean()
    return centred / (centred @ centred)


def _ranks(values: Array) -> Array:
    """Mid-ranks, centred and of length one, so that their product is Spearman's correlation."""
    from scipy.stats import rankdata

    ranks = rankdata(values) - (len(values) + 1) / 2
    result: Array = ranks / np.sqrt(ranks @ ranks)
    return result


def _shuffled(n: int, count: int, generator: np.random.Generator) -> Iterator[Array]:
    """Permutations of n places, a chunk at a time."""
    for first in range(0, count, CHUNK):
        order = np.tile(np.arange(n), (min(CHUNK, count - first), 1))
        yield generator.permuted(order, axis=1)


def _two_sided(draws: Array, observed: float) -> float:
    """Two-sided permutation p-value about the draws' mean, with the +1 correction."""
    far = np.abs(draws - draws.mean()) >= abs(observed - draws.mean()) * (1 - 1e-12)
    return float((far.sum() + 1) / (len(draws) + 1))


def _resampled(panel: Panel, generator: np.random.Generator) -> Array:
    """Of resamples of questions: mean total, Spearman of length and total, slope on log L, difference of criteria."""
    n, found = len(panel.lengths), []
    for _ in range(RESAMPLES):
        pick = generator.integers(0, n, n)
        sample = Panel(panel.name, panel.lengths[pick], panel.information[pick])
        spearman = float(_ranks(sample.lengths) @ _ranks(sample.totals))
        slope = float(_slope_weights(sample.lengths) @ sample.information)
        found.append((float(sample.totals.mean()), spearman, slope, criteria_difference(sample)))
    return np.array(found)


def criteria_difference(panel: Panel) -> float:
    """AICc of ``a log L + b`` less that of ``a / L``; positive where the second fits better."""
    n, y, inverse = len(panel.lengths), panel.information, 1 / panel.lengths
    rest = y - y.mean() - (np.log(panel.lengths) - np.log(panel.lengths).mean()) * (_slope_weights(panel.lengths) @ y)
    other = y - inverse * (inverse @ y) / (inverse @ inverse)
    criteria = [information_criteria(float(r @ r), n, k)[1] for r, k in ((rest, 2), (other, 1))]
    return criteria[0] - criteria[1]


def totals_table(shown: list[Panel], seed: int, permutations: int) -> pd.DataFrame:
    """The table ``published_totals.csv``: whether total information depends on length.

    Parameters
    ----------
    shown
        The panels.
    seed
        The run's seed.
    permutations
        Of totals over questions. Each keeps the lengths, divides the permuted totals by them, and fits
        ``a log L + b`` again: the decay that comes of dividing by L alone.

    Returns
    -------
    DataFrame
        Columns `TOTAL_COLUMNS`; correlations are Spearman's, slopes are in nats per token and log
        token, intervals those of a bootstrap over questions. ``p_total`` and ``p_slope`` are of the
        same permutations: of no correlation, and of the decay of permuted totals.
        ``delta_aicc`` is that of `criteria_difference`.
    """
    rows = []
    for panel in shown:
        generator = stream(seed, "slow thinking", "published", panel.name)
        weights, ranks = _slope_weights(panel.lengths), _ranks(panel.lengths)
        totals, total_ranks, token_ranks = panel.totals, _ranks(panel.totals), _ranks(panel.information)
        slopes, correlations, per_token = [], [], []
        for order in _shuffled(len(totals), permutations, generator):
            slopes.append(totals[order] @ (weights / panel.lengths))
            correlations.append(total_ranks[order] @ ranks)
            per_token.append(token_ranks[order] @ ranks)
        null = np.concatenate(slopes)
        draws = _resampled(panel, generator)
        means, rhos, log_slopes, differences = (np.quantile(x, [0.025, 0.975]) for x in draws.T)
        sign = np.count_nonzero(draws[:, 3] > 0) / len(draws)
        rho, slope = float(total_ranks @ ranks), float(weights @ panel.information)
        rho_token = float(token_ranks @ ranks)
        rows.append(
            (
                *(panel.name, len(totals), totals.mean(), *means),
                *(rho_token, _two_sided(np.concatenate(per_token), rho_token)),
                *(rho, *rhos, _two_sided(np.concatenate(correlations), rho), slope, *log_slopes),
                *(null.mean(), *np.quantile(null, [0.025, 0.975]), _two_sided(null, slope)),
                *(criteria_difference(panel), *differences),
                min(1.0, 2 * min(sign, 1 - sign) + 2 / (RESAMPLES + 1)),
            )
        )
    return pd.DataFrame(rows, columns=list(TOTAL_COLUMNS))
