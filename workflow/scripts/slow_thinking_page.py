"""Write the page on slow thinking."""

from pathlib import Path

from ggmi.io import read_csv, read_json, write_text
from ggmi.reporting.page import read_figures, render
from ggmi.reporting.slow_thinking import slow_thinking_page

given = snakemake.input
tables = {Path(path).stem: read_csv(path) for path in given.tables}
folder = Path(given.certificates)
certificates = {path.relative_to(folder.parent).as_posix(): read_json(path) for path in sorted(folder.glob("*/*.json"))}
figures = read_figures(given.figures, Path(snakemake.output[0]).parent)
shown = slow_thinking_page(tables, certificates, figures, read_json(given.provenance))
write_text(snakemake.output[0], render(given, **shown))
