"""Judge claims on data quality by trained transformers."""

import pandas as pd

from ggmi.claims import partial_table
from ggmi.data_quality.trained.claims import panel_claims
from ggmi.data_quality.trained.reward_claims import quality_claims, reward_claims
from ggmi.io import read_csv, write_csv, write_json
from ggmi.provenance import record

p, given, made = snakemake.params, snakemake.input, snakemake.output
claims = [
    *panel_claims("lsa", pd.concat([read_csv(path) for path in given.lsa])),
    *panel_claims("gpt", pd.concat([read_csv(path) for path in given.gpt])),
    *reward_claims(read_csv(given.rewards), tuple(p.base)),
    *quality_claims(read_csv(given.balance)),
]
write_csv(made.claims, partial_table(claims))
write_json(made.provenance, record("data_quality_trained_claims", p, given))
