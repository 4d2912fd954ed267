"""Gather accuracy, cost and price of searches with real models, comparisons at matched cost, and claims."""

import pandas as pd

from ggmi.claims import partial_table
from ggmi.io import read_json, write_csv, write_json
from ggmi.models.settings import Prices
from ggmi.provenance import record
from ggmi.real_search.claims import search_claims
from ggmi.real_search.tables import matched_table, searches_table, together
from ggmi.text.jsonl import read_rows

p, given, made = snakemake.params, snakemake.input, snakemake.output
searches, matched, claims = {}, {}, []
for name, about in p.searches.items():
    files = [path for path in given.searches if path.split("/")[-3] == name]
    rows = pd.DataFrame([row for path in files for _, row in read_rows(path)])
    counts = {key: n for path in files for key, n in read_json(f"{path.removesuffix('.jsonl')}.json").items()}
    prices = {part: Prices(**price) for part, price in about["prices"].items()}
    searches[name] = searches_table(rows, counts, prices)
    matched[name] = matched_table(rows)
    claims += search_claims(about["title"], rows, matched[name], about["answer"])
titles = [about["title"] for about in p.searches.values()]
write_csv(made.searches, together(searches, titles))
write_csv(made.matched, together(matched, titles))
write_csv(made.claims, partial_table(claims))
write_json(made.provenance, record("real_search_tables", p, given))
