"""Write the page on data quality."""

from pathlib import Path

from ggmi.io import read_csv, read_json, write_text
from ggmi.reporting.data_quality import data_quality_page
from ggmi.reporting.page import read_figures, render

given = snakemake.input
tables = {Path(path).stem: read_csv(path) for path in given.tables}
certificates = {path.name: read_json(path) for path in sorted(Path(given.certificates).glob("*.json"))}
figures = read_figures(given.figures, Path(snakemake.output[0]).parent)
shown = data_quality_page(tables, certificates, figures, read_json(given.provenance))
write_text(snakemake.output[0], render(given, **shown))
