"""Write a task's page."""

from pathlib import Path

from ggmi.io import read_json, write_text
from ggmi.reporting.page import Figure, render
from ggmi.reporting.reading import read_task
from ggmi.reporting.tasks import task_page

given = snakemake.input
task = read_task(snakemake.wildcards.task, snakemake.params.title, [*given.tables, given.split])
figures = {
    path.stem: Figure(path.read_bytes(), path.with_suffix(".png").read_bytes())
    for path in map(Path, given.get("figures", []))
    if path.suffix == ".svg"
}
page = task_page(task, figures, [read_json(path) for path in given.records])
parts = [Path(given[part]).read_text(encoding="utf-8") for part in ("template", "style", "script")]
write_text(snakemake.output[0], render(page, *parts))
