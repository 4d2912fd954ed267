"""Draw ratings by number and difficulty of records, and gains by balance."""

from pathlib import Path

from ggmi.io import read_csv
from ggmi.plotting.language import language_figure
from ggmi.plotting.style import save_figure
from ggmi.workflow.job import job

with job(snakemake.log[0]):
    settings = snakemake.params.figures
    figure, numbers = language_figure(read_csv(snakemake.input[0]), settings["width_inches"])
    save_figure(figure, numbers, str(Path(snakemake.output[0]).with_suffix("")), settings["dpi"])
