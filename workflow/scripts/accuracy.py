"""Report how well mixtures were fitted and how precisely divergences were integrated."""

import pandas as pd

from ggmi.io import read_rounds, write_csv, write_json
from ggmi.mixtures.study import divergence_accuracy, fit_quality
from ggmi.mixtures.worlds import HISTOGRAMS
from ggmi.provenance import record
from ggmi.workflow.segments import Segment, parts_of

p = snakemake.params
fits, estimates = [], []
for path in snakemake.input:
    covariance, segment, file = parts_of(path)
    kind, _, name = file.removesuffix(".npz").partition("_")
    for condition in Segment.parse(segment).conditions:
        if condition.name not in p.conditions:
            continue
        place = {"K": condition.K, "J": condition.J, "L": condition.L, "covariance": covariance}
        if kind == "fit":
            arrays = read_rounds(path, condition.name, ("iterations", "converged", "collapsed", "log_likelihood"))
            fits.append({**place, "fit": name, **fit_quality(arrays)})
        else:
            for fit in (*p.fits, *(["null"] if name in HISTOGRAMS else [])):
                parts = ("value", "error", "points")
                arrays = read_rounds(path, condition.name, tuple(f"{fit}_{part}" for part in parts))
                estimate = dict(zip(parts, arrays.values(), strict=True))
                estimates.append(
                    {**place, "estimator": name, "fit": fit, **divergence_accuracy(estimate, p.settings[name])}
                )
write_csv(snakemake.output.fits, pd.DataFrame(fits))
write_csv(snakemake.output.divergences, pd.DataFrame(estimates))
write_json(snakemake.output.provenance, record("accuracy", p, snakemake.input))
