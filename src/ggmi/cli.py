"""The command line: what can be asked of ggmi without running the workflow."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ggmi import config, estimating, inspecting, piloting, sampling
from ggmi.errors import UserError
from ggmi.project import PROJECT, lay_out, run_workflow
from ggmi.workflow.job import USER_MISTAKE
from ggmi.workflow.resume import resume
from ggmi.workflow.status import status

# What a shell says of a program that Ctrl-C ended.
INTERRUPTED = 130


def command_line() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(prog="ggmi", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="check configuration files, laid over one another in the order given")
    check.add_argument("files", nargs="*", default=["config.yaml"], metavar="FILE", help="default: config.yaml")
    commands.add_parser("defaults", help="print the default configuration with comments (config.yaml)")
    commands.add_parser("schema", help="print the configuration's JSON schema")
    theory = commands.add_parser("theory", help="check every statement of the theory in a finite world of your own")
    theory.add_argument("file", metavar="WORLD.json", help="its tables, in the form of a certificate's")
    theory.add_argument("--json", action="store_true", help="print the rows as JSON")
    cost = commands.add_parser(
        "cost", help="price the responses that endpoints have still to give, before any is asked"
    )
    cost.add_argument("files", nargs="*", default=["config.yaml"], metavar="FILE", help="default: config.yaml")
    cost.add_argument("--json", action="store_true", help="print the rows as JSON")
    estimate = commands.add_parser("estimate", help="compare synthetic sets of your own with a training set")
    estimating.add_arguments(estimate)
    pilot = commands.add_parser("pilot", help="small trainings that say which of your sets to train on, and the odds")
    piloting.add_arguments(pilot)
    scaling = commands.add_parser("scaling", help="samples of your own: would more pay, or a better choice among them?")
    sampling.add_arguments(scaling)
    for name, purpose in (
        ("parse", "show the records in models' answers, and why others are none"),
        ("verdict", "show the ratings in judges' verdicts, and why others have none"),
    ):
        inspecting.add_arguments(commands.add_parser(name, help=purpose), verdicts=name == "verdict")
    for name, purpose in (
        ("status", "what is done, running and failed, and the time left"),
        ("resume", "go on after a run that died; its jobs in SLURM are cancelled first"),
    ):
        command = commands.add_parser(name, help=purpose)
        command.add_argument("--results", default="results", metavar="FOLDER", help="default: results")
    start = commands.add_parser("init", help="lay out a folder for a project of your own, to be changed at will")
    start.add_argument("folder", metavar="FOLDER", help="made if it is not there")
    commands.add_parser(
        "run",
        help="run the workflow here; all words after it are Snakemake's, such as --cores 4 --configfile mine.yaml",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        Words of the command line; those of the process when not given.

    Returns
    -------
    int
        Exit code: 0, 2 after a person's mistake, or 130 after Ctrl-C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    # All that follows `run` is for Snakemake to read.
    options = command_line().parse_args(words[:1] if words[:1] == ["run"] else words)
    try:
        if options.command == "run":
            run_workflow(words[1:] or ["--cores", "all"], Path.cwd())
        elif options.command == "check":
            found = config.load(_merged(options.files), source=" + ".join(options.files))
            config.check_files(found)
            from ggmi.checking import describe_inputs

            for line in (*describe_inputs(found), f"{' + '.join(options.files)}: fine"):
                sys.stdout.write(f"{line}\n")
        elif options.command == "cost":
            _cost(options.files, as_json=options.json)
        elif options.command == "estimate":
            estimating.run(options)
        elif options.command == "pilot":
            piloting.run(options)
        elif options.command == "scaling":
            sampling.run(options)
        elif options.command in ("parse", "verdict"):
            (inspecting.run_parse if options.command == "parse" else inspecting.run_verdict)(options)
        elif options.command == "status":
            sys.stdout.write(f"{status(Path(options.results))}\n")
        elif options.command == "init":
            lay_out(Path(options.folder))
            sys.stdout.write(f"{options.folder}: laid out; change config.yaml, then: cd {options.folder} && ggmi run\n")
        elif options.command == "resume":
            resume(Path(options.results))
        elif options.command == "theory":
            _theory(Path(options.file), as_json=options.json)
        else:
            sys.stdout.write(config.default_yaml() if options.command == "defaults" else config.schema_json())
    except UserError as error:
        sys.stderr.write("".join(f"ggmi: {sentence}\n" for sentence in str(error).splitlines()))
        return USER_MISTAKE
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package == "ggmi":
            raise
        needed = f"ggmi {options.command} needs {package}, which is not installed here"
        sys.stderr.write(f"{needed}: `pip install` of ggmi without --no-deps installs all that commands need\n")
        return USER_MISTAKE
    except KeyboardInterrupt:
        sys.stderr.write("ggmi: interrupted\n")
        return INTERRUPTED
    return 0


def _theory(path: Path, *, as_json: bool) -> None:
    """Print what every statement says of one world."""
    # Imported here so that the other commands start without it.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ggmi.theory.world_files import judge, read_world

    own = read_world(path)
    found = judge(own.world)
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    console = Console()
    met = Table(title=f"{path.name}: {own.world.states:,} joint states; what the paper declares", title_justify="left")
    for header in ("assumption", "met", "missed by, nats"):
        met.add_column(header, justify="right" if header.startswith("missed") else "left")
    for row in found["assumptions"]:
        met.add_row(Text(row["text"]), "yes" if row["met"] else Text("no", "bold"), f"{row['missed_by'] + 0.0:.6f}")
    console.print(met)
    regimes = [row["regime"] for row in found["regimes"] if row["met"]]
    console.print(Text(f"Verdicts count in the regimes {', '.join(regimes)}."))
    table = Table(title="Statements; entropies in nats", title_justify="left")
    for header in ("statement", "reading", "verdict", "left", "right", "formula"):
        table.add_column(header, justify="right" if header in ("left", "right") else "left")
    for row in found["statements"]:
        if row["verdict"] in ("holds", "fails"):
            sides = [f"{round(row[side], 6) + 0.0:.6f}" for side in ("left", "right")]
            verdict = Text(row["verdict"], "bold" if row["verdict"] == "fails" else "")
            table.add_row(row["statement"], row["reading"], verdict, *sides, Text(row["formula"]))
    console.print(table)
    scales = ", ".join(f"{name} = {value}" for name, value in own.world.parameters.items())
    console.print(Text(f"Parameters: {scales} (a contraction is eta^L)."))
    left_out: dict[str, list[str]] = {}
    for row in found["statements"]:
        for need in row["unmet"]:
            left_out.setdefault(need["text"], []).append(row["statement"])
    for text, names in left_out.items():
        console.print(Text(f"{', '.join(dict.fromkeys(names))}: not met is “{text}”."))
    if own.note:
        console.print(Text(f"{own.note}."))


def _cost(files: Sequence[str], *, as_json: bool) -> None:
    """Print what the configured endpoints have still to be asked, and the price."""
    from rich.console import Console
    from rich.table import Table

    from ggmi.models.cost import cost_table
    from ggmi.pipeline.cost import generation_cost
    from ggmi.pipeline.judge_cost import judge_cost
    from ggmi.real_search.cost import search_cost

    found = config.load(_merged(files), source=" + ".join(files))
    config.check_files(found)
    templates = PROJECT / "workflow" / "templates"
    priced = [generation_cost(found, templates), judge_cost(found, templates), search_cost(found)]
    estimates = {name: estimate for found_by, _ in priced for name, estimate in found_by.items()}
    notes = [note for _, told in priced for note in told]
    if not estimates:
        sys.stdout.write(
            "\n".join([*notes, "no generator, judge or policy is an endpoint: nothing is paid for"]) + "\n"
        )
        return
    rows = cost_table(estimates).astype(object)
    rows = rows.where(rows.notna(), None)
    if as_json:
        sys.stdout.write(json.dumps({"rows": rows.to_dict("records"), "notes": notes}, indent=2, default=int) + "\n")
        return
    table = Table(title="Still to be asked", title_justify="left")
    shown = {
        "name": "generator",
        "requests": "requests",
        "input_tokens": "tokens in",
        "expected_output_tokens": "out",
        "worst_output_tokens": "at most",
        "expected_price": "price",
        "worst_price": "at most",
    }
    for header in shown.values():
        table.add_column(header, justify="left" if header == "generator" else "right", no_wrap=header != "generator")
    for row in rows[list(shown)].itertuples(index=False):
        table.add_row(
            *(
                "–" if v is None else f"{v:,.2f}" if isinstance(v, float) else f"{v:,}" if isinstance(v, int) else v
                for v in row
            )
        )
    total = rows.iloc[-1]
    notes += [f"{total['kept']:,} responses are kept, for {total['spent']:,.2f}; prices are those of the configuration"]
    notes += [f"prompts counted by: {rule}" for rule in dict.fromkeys(rows["counted_by"]) if rule]
    console = Console()
    console.print(table)
    for note in notes:
        console.print(note, highlight=False)


def _merged(files: Sequence[str]) -> dict[str, Any]:
    """Lay configuration files over one another, mapping by mapping, as Snakemake does."""
    from snakemake.utils import update_config

    merged: dict[str, Any] = {}
    for file in files:
        update_config(merged, config.read_yaml(Path(file)))
    return merged
