"""What Snakemake's own process costs once many jobs have ended: as it comes, and with profiles/default's settings."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from common import HERE, fill_readme, machine, say, sentence, table, verdict

COUNTS = (400, 3000)
# As profiles/default has it.
HERE_OPTIONS = ["--scheduler", "greedy", "--scheduler-subsample", "200"]
# Many jobs of no length, then some that take as long as it takes to see what an idle queue costs.
SNAKEFILE = """
import time

onstart:
    if config["unlimited"]:
        workflow.scheduler.job_rate_limiter = None

onsuccess:
    print("spent", time.process_time())

rule all:
    input:
        expand("short/{i}", i=range(config["count"])),
        expand("long/{i}", i=range(8)),

rule short:
    output: "short/{i}"
    priority: 1
    shell: "touch {output}"

rule long:
    output: "long/{i}"
    shell: "sleep 10; touch {output}"
"""


def spent(folder, count, here):
    """Seconds of a processor that Snakemake's own process takes, without its jobs."""
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE)
    given = [*(HERE_OPTIONS if here else []), "--config", f"count={count}", f"unlimited={here or ''}"]
    command = [sys.executable, "-m", "snakemake", "all", "--cores", "2", "--quiet", *given]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if line.startswith("spent ")]
    if not found:
        sys.exit(f"{done.stderr[-4000:]}\nbenchmarks: {count} jobs failed")
    say(f"{count} jobs, {'as here' if here else 'as it comes'}: {found[0]} s")
    return float(found[0].split()[1])


def main():
    """Measure, print, and write the results and the README's section."""
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="ggmi-bench-") as scratch:
        found = {
            count: {name: spent(Path(scratch, f"{count}-{name}"), count, name == "here") for name in ("plain", "here")}
            for count in COUNTS
        }
    loads.append(os.getloadavg()[0])
    result = {"machine": {**machine(), "load_before_and_after": loads}, "cpu_seconds": found}
    rows = [
        [
            f"{count:,} jobs ended, then 40 s of waiting",
            f"{f['plain']:.1f} s",
            f"{f['here']:.1f} s",
            f"{f['plain'] / f['here']:.1f}",
            verdict(f["here"] < f["plain"]),
        ]
        for count, f in found.items()
    ]
    header = ["what", "as it comes", "as here", "ratio", "less"]
    text = f"{sentence(result['machine'])}\n\n{table(header, rows)}"
    (HERE / "scheduling.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    fill_readme(HERE / "README.md", "scheduling", text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
