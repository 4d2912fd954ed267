"""The smoke preset through a real SLURM of one node, against the same run without it: `python benchmarks/cluster.py`.

SLURM's daemons come from Debian's packages (`make test-slurm` installs them) and run on loopback.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

from common import HERE, ROOT, checkout, environment, fill_readme, machine, say, sentence, table, timed, verdict

sys.path.insert(0, str(ROOT / "tests"))
from slurm.cluster import Cluster

PRESET = ("--configfile", "presets/smoke.yaml")
# The folder's lock and the records of a run's jobs tell how it went, not what came out.
OF_THE_RUN = {".lock", ".run.jsonl", ".slurm-runs"}


def digests(folder):
    """SHA-256 of every result."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in OF_THE_RUN)
    kept = {path.relative_to(folder): path for path in paths if "logs" not in path.parts}
    return {str(name): hashlib.sha256(path.read_bytes()).hexdigest() for name, path in kept.items()}


def main():
    """Run both, print, and write this section of README.md."""
    loads = [os.getloadavg()[0]]
    # A cluster's folder stands by itself: munge wants every folder above its socket open to others.
    with tempfile.TemporaryDirectory(prefix="ggmi-bench-") as name, tempfile.TemporaryDirectory() as daemons:
        local, far = (checkout(Path(name) / where) for where in ("local", "cluster"))
        command = [sys.executable, "-m", "snakemake", *PRESET]
        say("without SLURM")
        one = timed([*command, "--cores", "2"], local, environment(local))
        say("through SLURM")
        cluster = Cluster(Path(daemons))
        try:
            profile = ["--workflow-profile", "profiles/slurm"]
            other = timed([*command, *profile], far, environment(far, cluster.environment))
            submitted = len(cluster.jobs())
        finally:
            cluster.stop()
        found, wanted = digests(far / "results"), digests(local / "results")
    loads.append(os.getloadavg()[0])
    same = sum(found.get(name) == digest for name, digest in wanted.items())
    rows = [
        ("The smoke preset, two cores", f"{one:.0f} s", "–", "–", "–", "–"),
        (
            "The same through SLURM on one node",
            f"{other:.0f} s, {submitted} submissions",
            f"{one:.0f} s",
            f"{other / one:.1f}×",
            "< 3× + 60 s",
            verdict(other < 3 * one + 60),
        ),
        ("Results with the same bytes", f"{same} of {len(wanted)}", "–", "–", "all", verdict(found == wanted)),
    ]
    text = f"{sentence({**machine(), 'load_before_and_after': loads})}\n\n"
    text += table(("what", "ggmi", "against", "ratio", "target", "reached"), rows)
    print(text)
    fill_readme(HERE / "README.md", "slurm", text)


if __name__ == "__main__":
    main()
