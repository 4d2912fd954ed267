"""The paper's figure 5: F as printed and as corrected beside what it describes, Ṽ, and what is trained, V*.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, appendix B and figure 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ggmi.data_quality.asymptotics import VERSIONS, Limit, error_limit, first_order
from ggmi.data_quality.curves import Curves
from ggmi.data_quality.nested import Tunings
from ggmi.statistics import median_interval

Array = NDArray[np.float64]

QUANTITIES = (*(f"F_{version}" for version in VERSIONS), "V_tilde", "V_star")
# Places along the curve of F.
CURVE = 61
LIMIT_SEED_COLUMNS = ("n", "B", "quantity", "seed", "err_over_d")
LIMIT_COLUMNS = ("n", "B", "quantity", "seeds", "err_over_d_median", "ci_low", "ci_high")


def limit_of(curves: Curves, r: float, n: int) -> Limit:
    """Return the parameters of the proportional limit that belong to a finite size.

    Parameters
    ----------
    curves
        Sizes, ρ and η.
    r
        Variance of fine-tuning prompts in the second block.
    n
        Length of the prompts.
    """
    return Limit(curves.m / curves.d, curves.rho, curves.eta, r, curves.d / n)


def against_limit(curves: Curves, r: float, lengths: Sequence[int], prompts: Sequence[int]) -> pd.DataFrame:
    """Compute F, and simulate the errors of Ṽ and V*.

    Parameters
    ----------
    curves
        Sizes, repetitions, ρ and η.
    r
        Variance of fine-tuning prompts in the second block, positive.
    lengths, prompts
        Values of n and B; F is computed between them as well, and is infinite at B = d.

    Returns
    -------
    DataFrame
        Columns `LIMIT_SEED_COLUMNS`; F has no seed.
    """
    setting, prompts = curves.setting(r), sorted(prompts)
    drawn = sorted(
        {*prompts, *np.linspace(0, max(max(prompts), curves.d), CURVE).round().astype(int).tolist(), curves.d}
    )
    rows: list[tuple] = []
    for n in lengths:
        limit, start = limit_of(curves, r, n), setting.start(n)
        for version in VERSIONS:
            found = [error_limit(limit, b / curves.d, version) for b in drawn]
            rows += [(n, b, f"F_{version}", None, f) for b, f in zip(drawn, found, strict=True)]
        for place in range(curves.seeds):
            draws = curves.draws(place, n, max(prompts))
            phi, omega = draws.products(setting.tuning), draws.weights.T
            stars = Tunings(setting, phi, omega, prompts).traces().error(setting, n, n)
            for b, star in zip(prompts, stars, strict=True):
                # A / η is what the prompts have, so that its η is one.
                v = first_order(omega[:, :b], phi[:, :b], setting.tuning, 1.0, start) if b else np.diag(start)
                tilde = _diagonal_error(v, setting.test, n)
                rows += [(n, b, "V_tilde", place, tilde), (n, b, "V_star", place, star)]
    return pd.DataFrame(rows, columns=list(LIMIT_SEED_COLUMNS))


def _diagonal_error(v: Array, test: Array, n: int) -> float:
    """Proposition 5.1 for a diagonal Σ, a coordinate, without products of matrices."""
    columns = np.square(v).sum(axis=0)
    bias = len(v) + 2 * (np.diag(v) * test).sum() + columns @ np.square(test)
    return float((bias + (columns @ np.square(test) + columns @ test * test.sum()) / n) / len(v))


def limit_table(repetitions: pd.DataFrame) -> pd.DataFrame:
    """Summarise repetitions.

    Parameters
    ----------
    repetitions
        Of `against_limit`.

    Returns
    -------
    DataFrame
        Columns `LIMIT_COLUMNS`, quantities `QUANTITIES`; intervals of medians are distribution-free, and F
        has none.
    """
    rows = []
    for (n, b, quantity), part in repetitions.groupby(["n", "B", "quantity"], sort=False):
        seeds = int(part["seed"].notna().sum())
        interval = median_interval(part["err_over_d"]) if seeds else None
        ends = (interval.low, interval.high) if interval else (np.nan, np.nan)
        rows.append((n, b, quantity, seeds, part["err_over_d"].median(), *ends))
    return pd.DataFrame(rows, columns=list(LIMIT_COLUMNS))
