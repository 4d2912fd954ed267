"""Write the page on data quality."""

from pathlib import Path

from ggmi.io import read_csv, read_json, write_text
from ggmi.reporting.data_quality import data_quality_page
from ggmi.reporting.page import render_template
from ggmi.reporting.papers import read_figures

given = snakemake.input
tables = {Path(path).stem: read_csv(path) for path in given.tables}
certificates = {path.name: read_json(path) for path in sorted(Path(given.certificates).glob("*.json"))}
figures = read_figures(given.figures, Path(snakemake.output[0]).parent)
shown = data_quality_page(tables, certificates, figures, read_json(given.provenance))
names = ("template", "style", "script", "claims", "trained", "study")
template, style, script, claims, trained, page = (Path(given[part]).read_text(encoding="utf-8") for part in names)
templates = {"page": template, "claims": claims, "trained": trained, "study": page}
write_text(snakemake.output[0], render_template(templates, style, script, **shown))
