"""Measure the trend of the KL gap along every sweep and judge it against the published figure."""

import numpy as np
import pandas as pd

from ggmi.io import read_rounds, write_csv, write_json
from ggmi.mixtures.study import TREND_COLUMNS, gap_trend, verdicts
from ggmi.provenance import record
from ggmi.random import stream

p = snakemake.params
rows = []
for covariance, anchors, estimator in p.variants:
    variant = f"{covariance}-{anchors}-{estimator}"
    for axis, sweep in p.sweeps.items():
        gaps = np.stack(
            [read_rounds(snakemake.input[0], f"{variant}-{name}", ("gap_nats",))["gap_nats"] for name in sweep.values()]
        )
        resamples = stream(p.seed, snakemake.wildcards.study, "trends", covariance, anchors, estimator, axis)
        rows.append(
            {
                **{"covariance": covariance, "anchor_components": anchors, "estimator": estimator, "axis": axis},
                **{"conditions": gaps.shape[0], "rounds": gaps.shape[1]},
                **gap_trend([int(v) for v in sweep], gaps, resamples),
            }
        )
table = pd.DataFrame(rows, columns=TREND_COLUMNS)
table["p_holm"], table["verdict"] = verdicts(table["axis"], table["spearman"], table["p_value"])
write_csv(snakemake.output.table, table)
write_json(snakemake.output.provenance, record("trends", p, snakemake.input))
