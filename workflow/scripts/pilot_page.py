"""Write the page of a task's pilot."""

from pathlib import Path

from ggmi.io import read_json, write_text
from ggmi.reporting.page import render
from ggmi.reporting.pilot import shown

given = snakemake.input
write_text(snakemake.output[0], render(given, **shown(read_json(given.found), Path(given.figure).read_bytes())))
