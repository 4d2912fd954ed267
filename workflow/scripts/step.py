"""Run the script of a rule, so that its mistakes reach a person in one sentence and nothing outlives the run."""

import os
import runpy
import signal
import sys
from pathlib import Path

from ggmi.workflow.forks import run_in_fork
from ggmi.workflow.job import job

status = run_in_fork(snakemake.rule, snakemake.threads)
if status is None:
    with job(snakemake.log[0]):
        # A script that several processes are to run has them run the frame anew.
        given = {"snakemake": snakemake, "frame": sys.argv[0]}
        runpy.run_path(str(Path(snakemake.scriptdir, f"{snakemake.params.script}.py")), given, run_name="__main__")
elif status < 0:
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
else:
    sys.exit(status)
