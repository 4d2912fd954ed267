"""Write the page a person reads first, and its answers for a terminal."""

from pathlib import Path

from ggmi.formulas import plain_prose
from ggmi.io import read_csv, write_text
from ggmi.reporting.front import front_page
from ggmi.reporting.mixtures import MixtureStudy
from ggmi.reporting.page import render
from ggmi.reporting.tasks import read_task

p, given = snakemake.params, snakemake.input
tables = {name: {} for name in p.studies}
for path in map(Path, given.mixtures):
    tables[path.parent.name][path.stem] = read_csv(path)
studies = [MixtureStudy(name=name, **values, **tables[name]) for name, values in p.studies.items()]
tasks = [read_task(name, task["title"], task["files"]) for name, task in p.tasks.items()]
claims = {name: read_csv(file) for name, file in p.claims.items()}
theory = claims.pop("theory", None)
shown = front_page(given, studies, tasks, theory, claims)
configuration = Path(given.configuration).read_text(encoding="utf-8")
page = render(given, **shown, configuration=configuration, code=p.code, seed=p.seed)
write_text(snakemake.output.page, page)
lines = [plain_prose(f"{found['question']} {found['answer']}") for found in shown["answers"]]
write_text(snakemake.output.summary, "".join(f"{line}\n" for line in lines))
