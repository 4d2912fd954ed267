"""Write the page a person reads and the three sentences a terminal shows."""

from pathlib import Path

from ggmi.formulas import plain_prose
from ggmi.io import read_csv, read_json, write_text
from ggmi.reporting.comparison import summary
from ggmi.reporting.front import front_page
from ggmi.reporting.mixtures import MixtureStudy
from ggmi.reporting.page import Figure, render
from ggmi.reporting.papers import PAPERS
from ggmi.reporting.reading import read_task
from ggmi.reporting.tasks import task_sentences
from ggmi.reporting.theory import theory_sentence


def by_study(paths, kind, read):
    """What files of one kind hold, by study and name."""
    found = {name: {} for name in snakemake.params.studies}
    for path in map(Path, paths):
        if path.name.endswith(kind):
            found[path.parent.name][path.name.removesuffix(kind)] = read(path)
    return found


p, given = snakemake.params, snakemake.input
tables = by_study(given.tables, ".csv", read_csv)
figures = by_study(given.figures, ".svg", lambda svg: Figure(svg.read_bytes(), svg.with_suffix(".png").read_bytes()))
records = by_study(given.records, ".provenance.json", read_json)
studies = [MixtureStudy(name=name, **values, **tables[name]) for name, values in p.studies.items()]
theory = read_csv(given.theory[0]) if given.get("theory") else None
papers = {key: read_csv(given[key][0]) for key in PAPERS if given.get(key)}
tasks = [read_task(name, task["title"], task["files"]) for name, task in p.tasks.items()]
configuration = Path(given.configuration).read_text(encoding="utf-8")
page = front_page(studies, figures, records, configuration, p.code, p.seed, theory, tasks, papers)
sentences = [
    *(summary(studies) if studies else []),
    *([] if theory is None else [plain_prose(theory_sentence(theory))]),
    *(PAPERS[key].sentence(claims) for key, claims in papers.items()),
]
sentences += [sentence for task in tasks for sentence in task_sentences(task)]
parts = [Path(given[part]).read_text(encoding="utf-8") for part in ("template", "style", "script")]
write_text(snakemake.output.page, render(page, *parts))
write_text(snakemake.output.summary, "\n".join(sentences) + "\n")
