"""Whether hard data are best: alignment with the shift, scale and spread of the fine-tuning data, each alone.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, insight 1 and the section on data selection.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ggmi.data_quality.curves import Curves
from ggmi.data_quality.nested import Setting, Tunings
from ggmi.statistics import median_interval

Array = NDArray[np.float64]

DIFFICULTY_COLUMNS = (
    *("family", "value", "n", "B", "difficulty_over_d", "difficulty_full_scale_over_d", "loss_over_d"),
    *("err_over_d_median", "ci_low", "ci_high", "seeds"),
)
# In "alignment" the trace is fixed and its share in the shifted block varies; in "scale" all of the trace
# lies there and grows; in "spread" it lies there, is fixed, and its first half has ever more of it.
FAMILIES: dict[str, tuple[float, ...]] = {
    "alignment": (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0),
    "scale": (0.0625, 0.125, 0.25, 0.5, 0.7, 1.0, 1.4, 2.0, 4.0, 8.0, 16.0),
    "spread": (1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 16.0, 32.0),
}


def family_member(curves: Curves, family: str, value: float) -> Array:
    """Return the diagonal of A / η of a fine-tuning set, shape (d,).

    Parameters
    ----------
    curves
        Sizes and ρ.
    family
        A key of `FAMILIES`.
    value
        ``alignment``: share of the trace in the shifted block; ``scale``: factor of the published A;
        ``spread``: ratio of variances within the shifted block.
    """
    d, m = curves.d, curves.m
    first = np.arange(d) < m
    trace = m * (curves.rho + 1)
    if family == "alignment":
        return np.where(first, value * trace / m, (1 - value) * trace / (d - m))
    if family == "scale":
        return np.where(first, value * trace / m, 0.0)
    weights = np.where(first, np.where(np.arange(d) < m // 2, value, 1.0), 0.0)
    return trace * weights / weights.sum()


def difficulty_table(curves: Curves, lengths: Sequence[int], prompts: Sequence[int]) -> pd.DataFrame:
    """Compare sets of fine-tuning data of several difficulties.

    Parameters
    ----------
    curves
        Sizes, repetitions, ρ and η.
    lengths
        Lengths of all prompts.
    prompts
        Numbers of prompts; endless data are computed besides.

    Returns
    -------
    DataFrame
        Columns `DIFFICULTY_COLUMNS`. ``difficulty_over_d`` is the paper's ‖I - Γ0⁻¹A‖²/d, the next column
        the same of A / η, prompts at the scale of the test; ``loss_over_d`` is what the pretrained model
        loses on the prompts in one step (Proposition 5.1). B is empty for endless data, which is computed
        and has no interval.
    """
    rows = []
    for n in lengths:
        drawn = [curves.draws(place, n, max(prompts)) for place in range(curves.seeds)]
        base = curves.setting(0.0)
        start = base.start(n)
        for family, values in FAMILIES.items():
            for value in values:
                tuning = family_member(curves, family, value)
                setting = Setting(base.pretraining, base.test, tuning)
                hard = [float(np.square(1 + start * scale * tuning).mean()) for scale in (curves.eta, 1.0)]
                lost = Setting(base.pretraining, curves.eta * tuning, tuning).error(start, n)
                at = (family, value, n)
                rows.append((*at, None, *hard, lost, setting.error(setting.limit(n, n), n), np.nan, np.nan, 0))
                fits = [Tunings(setting, a.products(tuning), a.weights.T, prompts) for a in drawn]
                errors = np.array([fit.traces().error(setting, n, n) for fit in fits])
                for b, found in zip(sorted(prompts), errors.T, strict=True):
                    interval = median_interval(found)
                    rows.append((*at, b, *hard, lost, np.median(found), interval.low, interval.high, curves.seeds))
    table = pd.DataFrame(rows, columns=list(DIFFICULTY_COLUMNS))
    table["B"] = table["B"].astype("Int64")
    return table
