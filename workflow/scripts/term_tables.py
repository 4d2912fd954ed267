"""Summarise the theory's terms, measure their trends along every sweep and judge the paper's claims on them."""

import numpy as np
import pandas as pd

from ggmi.io import read_rounds, write_csv, write_json
from ggmi.mixtures.term_claims import CLAIM_COLUMNS, CLAIMS, TREND_COLUMNS, claim_verdicts, term_summary, term_trend
from ggmi.mixtures.terms import term_units
from ggmi.mixtures.worlds import Condition
from ggmi.provenance import record
from ggmi.random import stream
from ggmi.workflow.segments import Segment, parts_of

p, study = snakemake.params, snakemake.wildcards.study
units = term_units(p.anchor_components)
summaries, values = [], {}
files = {}
for path in snakemake.input:
    covariance, segment, _ = parts_of(path)
    files |= {(covariance, condition.name): path for condition in Segment.parse(segment).conditions}
for covariance in p.covariances:
    for name in p.conditions:
        condition = Condition.parse(name)
        parts = [f"{term}_{part}" for term in units for part in ("value", "error")]
        arrays = read_rounds(files[covariance, name], name, tuple(parts))
        for term, unit in units.items():
            found, errors = arrays[f"{term}_value"], arrays[f"{term}_error"]
            values[covariance, name, term] = found
            resamples = stream(p.seed, study, "terms", covariance, name, term)
            summaries.append(
                {
                    **{"K": condition.K, "J": condition.J, "L": condition.L, "d": p.dimensions},
                    **{"covariance": covariance, "term": term, "unit": unit},
                    **term_summary(found, errors, resamples),
                }
            )
rows = []
for covariance in p.covariances:
    for term, unit in units.items():
        for axis, sweep in p.sweeps.items():
            outcomes = np.stack([values[covariance, name, term] for name in sweep.values()])
            resamples = stream(p.seed, study, "term_trends", covariance, term, axis)
            rows.append(
                {
                    **{"covariance": covariance, "term": term, "unit": unit, "axis": axis},
                    **{"conditions": outcomes.shape[0], "rounds": outcomes.shape[1]},
                    **term_trend([int(v) for v in sweep], outcomes, resamples),
                }
            )
trends = pd.DataFrame(rows, columns=TREND_COLUMNS)
judged = [
    {"claim": c.text, "claimed": {1: "rises", -1: "falls"}[c.direction], "direction": c.direction, **row}
    for c in CLAIMS
    for row in trends.to_dict("records")
    if (row["term"], row["axis"]) == (c.term, c.axis)
]
claims = pd.DataFrame(judged, columns=[*CLAIM_COLUMNS, "direction"])
directions = claims.pop("direction")
claims["p_holm"], claims["verdict"] = claim_verdicts(directions, claims["spearman"], claims["p_value"])
write_csv(snakemake.output.terms, pd.DataFrame(summaries))
write_csv(snakemake.output.trends, trends)
write_csv(snakemake.output.claims, claims)
write_json(snakemake.output.provenance, record("term_tables", p, snakemake.input))
