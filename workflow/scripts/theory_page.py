"""Write the page on the theory's statements."""

from pathlib import Path

from ggmi.io import read_csv, read_json, write_text
from ggmi.reporting.page import render
from ggmi.reporting.theory import theory_page
from ggmi.theory.study import family_named

given = snakemake.input
tables = [read_csv(given[name]) for name in ("verdicts", "table", "enumeration", "examples", "continuous")]
folder = Path(given.certificates)
certificates = {path.relative_to(folder.parent).as_posix(): read_json(path) for path in sorted(folder.glob("*/*.json"))}
families = [family_named(name) for name in dict.fromkeys(tables[1]["family"])]
shown = theory_page(*tables, certificates, families, read_json(given.provenance))
write_text(snakemake.output[0], render(given, **shown))
