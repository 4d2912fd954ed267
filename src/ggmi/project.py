"""Where the workflow's own files are, and how a folder of one's own gets them or runs them."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from ggmi.errors import UserError

# What the workflow is made of, beside the library.
PARTS = ("Snakefile", "config.yaml", "rules", "workflow", "profiles", "presets", "envs")
_CHECKOUT = Path(__file__).resolve().parents[2]
# In a checkout its root; a wheel carries the same files inside the package.
PROJECT = _CHECKOUT if (_CHECKOUT / "Snakefile").is_file() else Path(__file__).resolve().parent / "project"
REPORT_PARTS = PROJECT / "workflow" / "report"


def lay_out(folder: Path) -> None:
    """Copy the workflow into a folder: Snakefile, configuration, rules, scripts, templates, profiles, presets.

    Parameters
    ----------
    folder
        Made if it is not there; other files in it are left as they are.

    Raises
    ------
    UserError
        If it holds a part of a workflow already, or cannot be written; nothing is replaced.
    """
    there = [part for part in PARTS if (folder / part).exists()]
    if there:
        raise UserError(f"{folder}: has {there[0]} already, which would be replaced; name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            if (PROJECT / part).is_dir():
                shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(PROJECT / part, folder / part)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror})") from None


def run_workflow(arguments: Sequence[str], here: Path) -> NoReturn:
    """Become Snakemake: run the workflow of a folder if it has one, else the one that is installed.

    Parameters
    ----------
    arguments
        Snakemake's own.
    here
        The folder; results are made in it. Without a ``config.yaml`` in it the default configuration holds.

    Raises
    ------
    ModuleNotFoundError
        If Snakemake is not installed.
    """
    if find_spec("snakemake") is None:
        raise ModuleNotFoundError(name="snakemake")
    command = [sys.executable, "-m", "snakemake"]
    if not (here / "Snakefile").is_file():
        if not (here / "config.yaml").is_file():
            laid_over, arguments = _taken_out(arguments, "--configfile", "--configfiles")
            command += ["--configfile", str(PROJECT / "config.yaml"), *laid_over]
        # Before a person's own words, of which the last holds; and after the files, whose list ends at an option.
        command += ["--snakefile", str(PROJECT / "Snakefile")]
        command += ["--workflow-profile", str(PROJECT / "profiles" / "default")]
    os.chdir(here)
    os.execv(sys.executable, [*command, *arguments])  # noqa: S606 - Snakemake, no shell


def _taken_out(words: Sequence[str], *option: str) -> tuple[list[str], list[str]]:
    """Values of an option that takes several, and all other words; what follows ``--`` is no option."""
    end = words.index("--") if "--" in words else len(words)
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(*option, dest="values", nargs="+", default=[])
    found, others = parser.parse_known_args(words[:end])
    return found.values, [*others, *words[end:]]
