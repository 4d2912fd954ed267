"""What Snakemake's own process costs: once many jobs have ended, and over a run of 5,000 that do nothing.

The first as Snakemake comes and with profiles/default's settings; the second with these, alone and inside the workflow,
which adds its display, its record of the run and its checks.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import HERE, checkout, environment, fill_readme, machine, say, sentence, table, timed, verdict

COUNTS = (400, 3000)
RUN_COUNTS = (1000, 5000)
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


# The workflow with as many jobs more as are wanted, and the same jobs alone.
MANY = """
import os

rule many:
    input:
        expand("many/{i}", i=range(int(os.environ["COUNT"]))),

rule one:
    output: "many/{i}"
    shell: "touch {output}"
"""


def whole_run(folder, count, inside):
    """Seconds by the clock and of the scheduler's processor, and its memory, of a run of jobs that touch a file.

    Memory, in MB, is the largest of all the run, and as the first files were there.
    """
    folder.mkdir()
    text = ""
    if inside:
        checkout(folder)
        text = 'include: "Snakefile"\n'
    (folder / "many.smk").write_text(text + MANY)
    options = ["--snakefile", "many.smk", *([] if inside else HERE_OPTIONS)]
    env = environment(folder, variables={"COUNT": str(count)})
    with (folder / "output").open("w") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", *options, "--cores", "2", "many"],
            **{"cwd": folder, "env": env, "stdout": output, "stderr": output},
        )
        # The children's time is left out: they are waited for by the scheduler itself.
        held = []
        while process.poll() is None:
            time.sleep(0.5)
            with contextlib.suppress(OSError, IndexError):
                status = Path(f"/proc/{process.pid}/status").read_text()
                if (folder / "many").exists():
                    held.append(int(status.split("VmRSS:")[1].split()[0]) / 1024)
                fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
                cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{(folder / 'output').read_text()[-4000:]}\nbenchmarks: {count} jobs failed")
    found = {"seconds": seconds, "cpu_seconds": cpu, "mb": max(held), "mb_at_first": held[0]}
    if inside:
        told = [Path(sys.executable).with_name("ggmi"), "status"]
        found["status_seconds"] = timed(told, folder, env)
    say(f"{count} jobs {'inside the workflow' if inside else 'alone'}: {found}")
    return found


def run_row(count, found):
    """A row of the table of whole runs."""
    alone, inside = found["alone"], found["inside"]
    told = [
        f"{f['seconds']:.0f} s, {f['cpu_seconds']:.0f} s, {f['mb_at_first']:.0f} to {f['mb']:.0f} MB"
        for f in (alone, inside)
    ]
    ratio, grown = inside["seconds"] / alone["seconds"], inside["mb"] / inside["mb_at_first"]
    status = inside["status_seconds"]
    reached = verdict(ratio <= 1.3 and grown <= 1.1 and status <= 5)
    return [f"{count:,} jobs that touch a file", *told, f"{ratio:.2f}", f"{grown:.2f}", f"{status:.1f} s", reached]


def main():
    """Measure, print, and write the results and the README's section."""
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="ggmi-bench-") as scratch:
        found = {
            count: {name: spent(Path(scratch, f"{count}-{name}"), count, name == "here") for name in ("plain", "here")}
            for count in COUNTS
        }
        runs = {
            count: {
                name: whole_run(Path(scratch, f"run-{count}-{name}"), count, name == "inside")
                for name in ("alone", "inside")
            }
            for count in RUN_COUNTS
        }
    loads.append(os.getloadavg()[0])
    result = {"machine": {**machine(), "load_before_and_after": loads}, "cpu_seconds": found, "runs": runs}
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
    of_runs = [run_row(count, f) for count, f in runs.items()]
    told = ["clock, processor and memory of a run's scheduler", "Snakemake with these settings", "in the workflow"]
    run_header = [*told, "ratio of clocks", "growth of memory", "`ggmi status`", "≤ 1.3, ≤ 1.1, ≤ 5 s"]
    both = f"{table(header, rows)}\n\n{table(run_header, of_runs)}"
    text = f"{sentence(result['machine'])}\n\n{both}"
    (HERE / "scheduling.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    fill_readme(HERE / "README.md", "scheduling", text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
