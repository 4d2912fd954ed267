"""A copy of the project with a small configuration, run by real Snakemake."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import forked
import pytest
import yaml

from ggmi.cli import main
from ggmi.config import check_files, load, read_yaml
from ggmi.errors import UserError

ROOT = Path(__file__).resolve().parents[1]

EXACT = {"relative_error": 0.5, "absolute_error": 1.0}
HISTOGRAM = {"resamplings": 2, "points": 50, "bins": 10}
STUDY = {
    "rounds": 6,
    "released_histogram": HISTOGRAM,
    "aligned_histogram": HISTOGRAM,
    "forward": EXACT,
    "reverse": EXACT,
    "terms": {"points": 2, "anchor_sets": 2},
}
SWEEPS = {"K": [2, 3], "J": [2, 3], "L": [2, 3]}
TINY = {
    "conditions_per_job": 2,
    "figures": {"dpi": 50},
    "mixtures": {
        "gmm": {**STUDY, "sweeps": SWEEPS, "covariances": ["psd"]},
        "digits": {**STUDY, "sweeps": SWEEPS, "estimators": ["forward"]},
    },
    "theory": None,
    "slow_thinking": None,
    "data_quality": None,
    "language": None,
    "tasks": {"embedded": None},
}
# A study of a table beside the configuration, whose classes are called kinds.
OWN_TABLE = {
    **{"truth": "data", "table": {"source": "mine.csv", "label": "kind"}, "covariances": ["empirical"]},
    **{"K": 1, "J": 1, "L": 1, "sweeps": {"K": [1], "J": [1], "L": [1]}},
}


def ggmi(*words: str, folder: Path) -> subprocess.CompletedProcess:
    """What a command of ggmi says in a folder, and its exit code; it runs in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as end:  # of a wrong command line, and of --help
            code = end.code
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


class Project:
    """A copy of the project with a small configuration, run by real Snakemake."""

    python = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.configfile = path / "tiny.yaml"

    @classmethod
    def fresh(cls, path: Path) -> "Project":
        listing = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for name in listing.stdout.splitlines():
            if (ROOT / name).is_file() and not name.startswith("tests/"):
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, path / name)
        for compiled in (ROOT / "src").rglob("__pycache__"):
            shutil.copytree(compiled, path / compiled.relative_to(ROOT))
        project = cls(path)
        project.configure({})
        return project

    def copy(self, path: Path) -> "Project":
        shutil.copytree(self.path, path)
        return Project(path)

    def configure(self, change: dict) -> None:
        self.configfile.write_text(yaml.safe_dump(merged(TINY, change)))

    def command(self, *arguments: str, python: str = sys.executable) -> list[str]:
        return [python, "-m", "snakemake", "--configfile", "tiny.yaml", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        # Its jobs share what Python has compiled, also where the tests themselves leave no such files.
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**inherited, "PYTHONPATH": str(self.path / "src"), "NO_COLOR": "1"}

    def run(self, *arguments: str, check: bool = True, again: bool = False) -> subprocess.CompletedProcess:
        """Run Snakemake to its end; where bytes are to be made `again`, with another order of sets of strings."""
        command = self.command(*arguments, python=self.python or forked.python())
        environment = self.environment | ({"PYTHONHASHSEED": "1"} if again else {})
        done = subprocess.run(command, cwd=self.path, env=environment, capture_output=True, text=True, check=False)
        if check:
            assert done.returncode == 0, done.stderr[-4000:]
        return done

    def planned(self, *targets: str, change: dict | None = None) -> set[str]:
        """What `snakemake -n` would run, after a change: "rule" or "rule wildcard values", one entry a job."""
        if change is not None:
            (self.path / "changed.yaml").write_text(yaml.safe_dump(merged(TINY, change)))
        laid = "tiny.yaml" if change is None else "changed.yaml"
        done = self.run("--cores", "1", "-n", "--configfile", laid, "--", *targets)
        jobs = set()
        for block in re.split(r"\n(?=(?:local)?(?:rule|checkpoint) \w+:)", done.stdout + done.stderr):
            head = re.match(r"(?:local)?rule (\w+):", block)
            if head:
                values = re.search(r"wildcards: (.*)", block)
                found = [v.split("=")[1] for v in values.group(1).split(", ")] if values else []
                jobs.add(" ".join([head.group(1), *found]))
        return jobs - {"all"}

    def tables(self) -> dict[str, bytes]:
        """Bytes of every array and table of the results."""
        results = self.path / "results"
        return {
            str(p.relative_to(results)): p.read_bytes()
            for p in sorted(results.rglob("*"))
            if p.suffix in {".npz", ".csv", ".json", ".html", ".txt", ".svg", ".png"}
        }


def refusal(change: dict) -> str:
    """What is said of a configuration that is not allowed."""
    with pytest.raises(UserError) as refused:
        check_files(load(merged(read_yaml(ROOT / "config.yaml"), merged(TINY, change))))
    return str(refused.value)


def merged(base: dict, change: dict) -> dict:
    both = dict(base)
    for key, value in change.items():
        both[key] = merged(both[key], value) if isinstance(both.get(key), dict) and isinstance(value, dict) else value
    return both
