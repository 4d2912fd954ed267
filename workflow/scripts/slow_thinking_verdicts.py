"""Gather what searches say of every statement on slow thinking, with a file for each certificate."""

from pathlib import Path

from ggmi.exact.verdicts import Refutation
from ggmi.io import read_json, write_csv, write_json
from ggmi.provenance import record
from ggmi.slow_thinking.catalogue import STATEMENTS
from ggmi.slow_thinking.refuting import Outcome, verdicts

given, made = snakemake.input, snakemake.output
outcomes = [
    Outcome(**{**values, "refutation": Refutation(**values["refutation"])})
    for path in given
    for values in read_json(path)
]
folder = Path(made.certificates)
folder.mkdir()
for refutation in (outcome.refutation for outcome in outcomes):
    slug = STATEMENTS[refutation.statement].slug
    places = {refutation.regime: refutation.smallest, f"{refutation.regime}/worst": refutation.worst}
    for place, certificate in places.items():
        if certificate is not None:
            write_json(folder / place / f"{slug}.json", certificate)
write_csv(made.table, verdicts(outcomes))
write_json(made.provenance, record("slow_thinking_verdicts", snakemake.params, given))
