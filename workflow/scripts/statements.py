"""Gather what families and searches say of every statement, with a file for each certificate."""

from pathlib import Path

import pandas as pd

from ggmi.io import read_csv, read_json, write_csv, write_json
from ggmi.provenance import record
from ggmi.theory.study import Refutation, statements_table, verdicts
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    given, made = snakemake.input, snakemake.output
    rows = pd.concat([read_csv(path) for path in given.worlds]).to_dict("records")
    searched = [Refutation(**values) for path in given.searches for values in read_json(path)]
    folder = Path(made.certificates)
    # The smallest counterexample of each statement, and in a folder of its own the worst.
    (folder / "worst").mkdir(parents=True)
    certificates = {}
    for refutation in searched:
        certificates[refutation.statement] = refutation.summary
        if refutation.certificate is not None:
            certificates[refutation.statement] = f"{folder.name}/{refutation.statement}.json"
            write_json(folder / f"{refutation.statement}.json", refutation.certificate)
            write_json(folder / "worst" / f"{refutation.statement}.json", refutation.worst)
    write_csv(made.table, statements_table(rows, certificates))
    write_csv(made.verdicts, verdicts(rows, {refutation.statement: refutation for refutation in searched}))
    write_json(made.provenance, record("statements", snakemake.params, [*given.worlds, *given.searches]))
