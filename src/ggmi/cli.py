"""The command line: what can be asked of ggmi without running the workflow."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ggmi import config
from ggmi.errors import UserError
from ggmi.workflow.job import USER_MISTAKE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        Words of the command line; those of the process when not given.

    Returns
    -------
    int
        Exit code: 0, or 2 after a person's mistake.
    """
    parser = argparse.ArgumentParser(prog="ggmi", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="check configuration files, laid over one another in the order given")
    check.add_argument("files", nargs="*", default=["config.yaml"], metavar="FILE", help="default: config.yaml")
    commands.add_parser("defaults", help="print the default configuration with comments (config.yaml)")
    commands.add_parser("schema", help="print the configuration's JSON schema")
    options = parser.parse_args(arguments)
    try:
        if options.command == "check":
            found = config.load(_merged(options.files), source=" + ".join(options.files))
            config.check_files(found)
            sys.stdout.write(f"{' + '.join(options.files)}: fine\n")
        else:
            sys.stdout.write(config.default_yaml() if options.command == "defaults" else config.schema_json())
    except UserError as error:
        sys.stderr.write("".join(f"ggmi: {sentence}\n" for sentence in str(error).splitlines()))
        return USER_MISTAKE
    return 0


def _merged(files: Sequence[str]) -> dict[str, Any]:
    """Lay configuration files over one another, mapping by mapping, as Snakemake does."""
    merged: dict[str, Any] = {}
    for file in files:
        merged = _laid_over(merged, config.read_yaml(Path(file)))
    return merged


def _laid_over(base: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    both = dict(base)
    for key, value in upper.items():
        old = both.get(key)
        both[key] = _laid_over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both
