"""Summarise the KL gap of every condition and variant over its rounds."""

import pandas as pd

from ggmi.io import read_rounds, write_csv, write_json
from ggmi.mixtures.study import gap_summary
from ggmi.mixtures.worlds import Condition
from ggmi.provenance import record
from ggmi.random import stream

p = snakemake.params
rows = []
for covariance, anchors, estimator in p.variants:
    for name in p.conditions:
        condition = Condition.parse(name)
        gaps = read_rounds(snakemake.input[0], f"{covariance}-{anchors}-{estimator}-{name}", ("gap_nats",))["gap_nats"]
        resamples = stream(p.seed, snakemake.wildcards.study, "kl_gap", covariance, anchors, estimator, name)
        rows.append(
            {
                **{"K": condition.K, "J": condition.J, "L": condition.L, "d": p.dimensions},
                **{"covariance": covariance, "anchor_components": anchors, "estimator": estimator},
                **gap_summary(gaps, resamples),
            }
        )
write_csv(snakemake.output.table, pd.DataFrame(rows))
write_json(snakemake.output.provenance, record("kl_gap", p, snakemake.input))
