"""Write the page on the theory's statements."""

from pathlib import Path

from ggmi.io import read_csv, read_json, write_text
from ggmi.reporting.page import render
from ggmi.reporting.theory import theory_page
from ggmi.theory.study import family_named
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    given = snakemake.input
    table = read_csv(given.table)
    smallest, worst = (
        {path.stem: read_json(path) for path in sorted(folder.glob("*.json"))}
        for folder in (Path(given.certificates), Path(given.certificates) / "worst")
    )
    families = [family_named(name) for name in dict.fromkeys(table["family"])]
    page = theory_page(read_csv(given.verdicts), table, smallest, worst, families, read_json(given.provenance))
    parts = [Path(given[part]).read_text(encoding="utf-8") for part in ("template", "style", "script")]
    write_text(snakemake.output[0], render(page, *parts))
