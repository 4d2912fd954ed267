"""Run the script of a rule, so that its mistakes reach a person in one sentence and nothing outlives the run."""

import runpy
from pathlib import Path

from ggmi.workflow.job import job

with job(snakemake.log[0]):
    # By the name that processes look for which a script starts; they read its file again.
    runpy.run_path(
        str(Path(snakemake.scriptdir, f"{snakemake.params.script}.py")), {"snakemake": snakemake}, run_name="__main__"
    )
