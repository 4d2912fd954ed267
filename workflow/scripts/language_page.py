"""Write the page on data quality in language models."""

from pathlib import Path

from ggmi.io import read_csv, read_json, write_text
from ggmi.reporting.language import language_page
from ggmi.reporting.page import read_figures, render

given = snakemake.input
tables = {Path(path).stem: read_csv(path) for path in given.tables}
records = {Path(path).stem: read_csv(path) for path in given.records}
bases = {found["balance"]: found for found in map(read_json, given.bases)}
figures = read_figures(given.figures, Path(snakemake.output[0]).parent)
shown = language_page(tables, records, bases, figures, read_json(given.provenance))
write_text(snakemake.output[0], render(given, **shown))
