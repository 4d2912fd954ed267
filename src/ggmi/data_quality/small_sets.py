"""Where a small set of fine-tuning prompts is best, over interference and prompt length.

Javanmard, Mirzasoleiman & Mirrokni, arXiv 2603.01293, insight 2, put beside what needs no such set.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ggmi.data_quality.curves import Curves
from ggmi.statistics import median_interval

SMALL_SET_COLUMNS = (
    *("r_over_eta", "n_over_d", "d", "seeds", "B_small", "err_small_median", "ci_low", "ci_high"),
    *("err_no_tuning", "err_zero", "err_best_one_step", "err_limit", "B_large", "err_large_median"),
)
# Sizes tried, over d: small ones lie below the first peak, at the rank of the first block.
SMALL = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)
LARGE = (1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 8.0)


def small_sets(curves: Curves, ratios: Sequence[float], lengths: Sequence[float]) -> pd.DataFrame:
    """Compare the best small set with everything else, over a grid.

    Which small size is best is chosen on every other repetition, and its error measured on the rest, so
    that the choice does not flatter it.

    Parameters
    ----------
    curves
        Sizes, repetitions and ρ; η has no say at a given r / η.
    ratios
        Values of r / η.
    lengths
        Lengths of prompts over d, the same for pretraining, fine-tuning and test.

    Returns
    -------
    DataFrame
        Columns `SMALL_SET_COLUMNS`, errors a coordinate; the interval is of the median. ``B_large`` is
        the best of the sizes above d, chosen likewise.
    """
    sizes = [round(share * curves.d) for share in (*SMALL, *LARGE)]
    rows = []
    for length in lengths:
        n = max(1, round(length * curves.d))
        drawn = [curves.draws(place, n, max(sizes)) for place in range(curves.seeds)]
        for ratio in ratios:
            setting = curves.setting(ratio * curves.eta)
            fits = [curves.tunings(ratio * curves.eta, draws, sizes) for draws in drawn]
            errors = np.array([fit.traces().error(setting, n, n) for fit in fits])
            chosen, measured = np.median(errors[::2], axis=0), errors[1::2]
            small = int(chosen[: len(SMALL)].argmin())
            large = len(SMALL) + int(chosen[len(SMALL) :].argmin())
            interval = median_interval(measured[:, small])
            plain = [setting.error(v, n) for v in (setting.start(n), 0 * setting.test, setting.best(n))]
            rows.append(
                (
                    *(ratio, length, curves.d, curves.seeds, sizes[small], np.median(measured[:, small])),
                    *(interval.low, interval.high, *plain, setting.error(setting.limit(n, n), n)),
                    *(sizes[large], np.median(measured[:, large])),
                )
            )
    return pd.DataFrame(rows, columns=list(SMALL_SET_COLUMNS))
