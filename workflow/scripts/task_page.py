"""Write a task's page."""

from pathlib import Path

from ggmi.io import read_json, write_text
from ggmi.reporting.page import read_figures, render
from ggmi.reporting.tasks import read_task, task_page

given = snakemake.input
task = read_task(snakemake.wildcards.task, snakemake.params.title, [*given.tables, given.split])
figures = read_figures(given.get("figures", []), Path(snakemake.output[0]).parent)
shown = task_page(task, figures, [read_json(path) for path in given.records])
write_text(snakemake.output[0], render(given, **shown))
