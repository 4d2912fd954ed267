"""What every benchmark needs: processes timed in a checkout, the machine's description, tables in README.md."""

import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
# What Snakemake and rules/common.smk set for every job.
JOB_VARIABLES = {
    **dict.fromkeys(THREAD_VARIABLES, "1"),
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
    "MALLOC_MMAP_THRESHOLD_": str(2**28),
}
PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "snakemake")
STARTED = time.monotonic()


def say(text):
    """Print a line of progress with the minutes passed."""
    minutes, seconds = divmod(int(time.monotonic() - STARTED), 60)
    print(f"[{minutes:02d}:{seconds:02d}] {text}", flush=True)


def environment(source=ROOT, variables=None):
    """Environment of a child: the libraries' own choice of threads unless `variables` says more, and this `src`."""
    own = {k: v for k, v in os.environ.items() if k not in JOB_VARIABLES}
    return {**own, "PYTHONPATH": str(source / "src"), **(variables or {})}


def timed(command, folder, env):
    """Seconds that a command takes; what it printed is shown only when it fails."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{done.stdout[-4000:]}\nbenchmarks: {' '.join(map(str, command))} failed in {folder}")
    return seconds


def checkout(folder):
    """Copy what git tracks, and what it does not ignore, into a new folder; return the folder."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def snakemake(folder, *arguments):
    """Seconds of one call of Snakemake in a checkout, using that checkout's library."""
    return timed([sys.executable, "-m", "snakemake", *arguments], folder, environment(folder))


def machine():
    """What the numbers were measured on."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def sentence(found):
    """The machine in one line."""
    packages = ", ".join(f"{name} {found[name]}" for name in PACKAGES)
    loads = " and ".join(f"{load:.1f}" for load in found["load_before_and_after"])
    return (
        f"Measured on {found['cores']} cores ({found['system']}, {found['architecture']}) with "
        f"Python {found['python']}, {packages}; load average {loads} before and after."
    )


def table(header, rows):
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def verdict(reached):
    """Whether a target was reached, in a word."""
    return "yes" if reached else "**no**"


def fill_readme(path, name, text):
    """Put results between the markers of that name in a README."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = path.read_text(encoding="utf-8").split(opening)
    after = rest.split(closing)[1]
    path.write_text(f"{before}{opening}\n{text}\n{closing}{after}", encoding="utf-8")
