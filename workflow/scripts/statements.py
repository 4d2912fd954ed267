"""Gather what families and searches say of every statement, with a file for each certificate."""

from pathlib import Path

import pandas as pd

from ggmi.exact.verdicts import Refutation
from ggmi.io import read_csv, read_json, write_csv, write_json
from ggmi.provenance import record
from ggmi.theory.catalogue import STATEMENTS
from ggmi.theory.study import statements_table, verdicts

given, made = snakemake.input, snakemake.output
rows = pd.concat([read_csv(path) for path in given.worlds]).to_dict("records")
searched = [Refutation(**values) for path in given.searches for values in read_json(path)]
# By regime the smallest counterexample of each statement, and in a folder of its own the worst.
files = {f"{r.regime}/{STATEMENTS[r.statement].slug}.json": r.smallest for r in searched}
files |= {f"{r.regime}/worst/{STATEMENTS[r.statement].slug}.json": r.worst for r in searched}
files |= read_json(given.examples)
folder = Path(made.certificates)
folder.mkdir()
for name, certificate in files.items():
    if certificate is not None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_json(folder / name, certificate)
write_csv(made.table, statements_table(rows))
write_csv(made.verdicts, verdicts(rows, searched))
write_json(made.provenance, record("statements", snakemake.params, [*given.worlds, *given.searches]))
