"""Judge claims on data quality by what was computed and simulated of linear self-attention."""

from ggmi.claims import partial_table
from ggmi.data_quality.curve_claims import length_claims, number_claims
from ggmi.data_quality.curves import Curves
from ggmi.data_quality.data_claims import difficulty_claims, small_set_claims
from ggmi.data_quality.outcome_claims import curvature_claims, outcome_claims
from ggmi.data_quality.theory_claims import limit_claims, theorem_claims
from ggmi.io import read_csv, write_csv, write_json
from ggmi.provenance import record

p, given, made = snakemake.params, snakemake.input, snakemake.output
tables = {name: read_csv(path) for name, path in given.items()}
curves = Curves(**p.sizes, d=p.d, m=p.d // 2)
limit = Curves(**p.sizes, d=p.limit["d"], m=p.limit["d"] // 2)
claims = [
    *theorem_claims(tables["theorems"]),
    *limit_claims(limit, p.limit["interference"], tables["limit"]),
    *number_claims(curves, tables["numbers"]),
    *length_claims(curves, tables["lengths"]),
    *small_set_claims(tables["small_sets"]),
    *difficulty_claims(tables["difficulty"]),
    *curvature_claims(tables["curvature"]),
    *outcome_claims(tables["outcome"]),
]
write_csv(made.claims, partial_table(claims))
write_json(made.provenance, record("data_quality_theory_claims", p, given))
