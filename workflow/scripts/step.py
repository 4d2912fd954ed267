"""Run the script of a rule, so that its mistakes reach a person in one sentence and nothing outlives the run."""

import runpy
import sys
from pathlib import Path

from ggmi.workflow.job import job

with job(snakemake.log[0]):
    # A script that several processes are to run has them run the frame anew.
    given = {"snakemake": snakemake, "frame": sys.argv[0]}
    runpy.run_path(str(Path(snakemake.scriptdir, f"{snakemake.params.script}.py")), given, run_name="__main__")
