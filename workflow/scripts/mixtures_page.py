"""Write the page on the mixture studies."""

from pathlib import Path

from ggmi.io import read_csv, read_json, write_text
from ggmi.reporting.mixtures import MixtureStudy, mixtures_page
from ggmi.reporting.page import pictures, read_figures, render

given = snakemake.input
tables = {name: {} for name in snakemake.params.studies}
records = {name: [] for name in tables}
for path in map(Path, given.tables):
    tables[path.parent.name][path.stem] = read_csv(path)
for path in map(Path, given.records):
    records[path.parent.name].append(read_json(path))
studies = [MixtureStudy(name=name, **values, **tables[name]) for name, values in snakemake.params.studies.items()]
shown = pictures(read_figures(given.figures, Path(snakemake.output[0]).parent))
page = render(given, **mixtures_page(studies, records), pictures=shown)
write_text(snakemake.output[0], page)
