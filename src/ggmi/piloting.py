"""The command `ggmi pilot`: small trainings on sets of one's own decide which of them should get the large one."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ggmi.errors import UserError
from ggmi.options import (
    Once,
    add_set_arguments,
    check_numbers,
    check_output,
    maps_of,
    progress_bar,
    read_set,
    read_sets,
)
from ggmi.provenance import versions
from ggmi.text.places import find
from ggmi.text.records import FIELDS, Record
from ggmi.text.samples import Sample

if TYPE_CHECKING:
    import pandas as pd

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
WIDTH_INCHES, DPI = 9.0, 150
# What the command makes, besides trainings' results and the small models.
FILES = ("pilot.html", "pilot.json", "trainings.csv", "predicted_curves.csv", "curves.svg", "curves.png", "curves.csv")


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command's words.

    Parameters
    ----------
    parser
        Of the command.
    """
    add_set_arguments(parser)
    parser.set_defaults(pairs=None, parts=list(FIELDS))  # what only estimates ask for
    parser.add_argument(
        "--test", action=Once, metavar="U", help="real records to test on; default: a fifth of T, held out"
    )
    parser.add_argument(
        "--base",
        action=Once,
        metavar="MODEL",
        help="directory or hub id of the model to be trained; default: a small GPT from random weights stands for it",
    )
    parser.add_argument("--mixtures", action="store_true", help="compare T with each set added to it, too")
    parser.add_argument(
        "--budget", action=Once, default="10m", metavar="TIME", help="such as 90s, 10m, 2h, or 4000000tokens"
    )
    parser.add_argument("--epochs", action=Once, type=float, default=3.0, help="passes over a set, default 3")
    parser.add_argument(
        "--learning-rate",
        action=Once,
        type=float,
        metavar="X",
        help="highest learning rate; the default depends on --base",
    )
    parser.add_argument("--cores", action=Once, type=int, metavar="N", help="trainings at a time, default: all cores")
    parser.add_argument("--seed", action=Once, type=int, default=0, help="of subsets, weights and orders, default 0")
    parser.add_argument(
        "--out", action=Once, default="pilot", metavar="FOLDER", help="page, tables and trainings, default: pilot"
    )


def budget_of(text: str) -> tuple[float, bool]:
    """A budget, from the word after ``--budget``.

    Returns
    -------
    amount : float
        Seconds, or tokens.
    timed : bool
        Whether it is seconds.

    Raises
    ------
    UserError
        If it is no time and no number of tokens.

    Examples
    --------
    >>> budget_of("10m"), budget_of("4000000tokens")
    ((600.0, True), (4000000.0, False))
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h|tokens)", text.strip())
    if not found or float(found[1]) <= 0:
        raise UserError(f"--budget: {text!r} is not allowed; name a time such as 90s, 10m or 2h, or 4000000tokens")
    amount, unit = float(found[1]), found[2]
    return (amount, False) if unit == "tokens" else (amount * UNITS[unit], True)


def run(options: Namespace) -> None:
    """Read, train, predict, write, print.

    Parameters
    ----------
    options
        Of `add_arguments`.

    Raises
    ------
    UserError
        If a file or an option is not as it should be; nothing is trained then.
    """
    budget = budget_of(options.budget)
    _check(options)
    names, samples = read_sets(options)
    test = _test_records(options) if options.test else None
    import pandas as pd

    from ggmi.io import write_csv, write_json, write_text
    from ggmi.plotting.pilot import pilot_figure
    from ggmi.plotting.style import save_figure
    from ggmi.reporting.page import parts_of, render
    from ggmi.reporting.pilot import show_pilot, shown

    found, trainings, curves = measured(options, dict(zip(names, samples[1:], strict=True)), samples[0], test, budget)
    out = Path(options.out)
    write_csv(out / "trainings.csv", trainings)
    write_csv(out / "predicted_curves.csv", curves)
    figure, numbers = pilot_figure(trainings, curves, pd.DataFrame(found["arms"]), WIDTH_INCHES)
    save_figure(figure, numbers, str(out / "curves"), DPI)
    write_json(out / "pilot.json", found)
    picture = (out / "curves.svg").read_bytes()
    write_text(out / "pilot.html", render(parts_of("pilot"), **shown(found, picture)))
    show_pilot(found, out)


def measured(
    options: Namespace,
    sets: Mapping[str, Sample],
    real: Sample,
    test: Sequence[Record] | None,
    budget: tuple[float, bool],
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Everything that is found, ready for JSON; the table of trainings; the curves that are drawn."""
    from snakemake.utils import available_cpu_count

    from ggmi.pilot.arms import hold_out
    from ggmi.pilot.settings import PilotSettings
    from ggmi.pilot.study import run_pilot

    amount, timed = budget
    train, tested = (list(real.records), list(test)) if test is not None else hold_out(real.records, options.seed)
    how = PilotSettings(
        base=options.base,
        mixtures=options.mixtures,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        processes=options.cores or available_cpu_count(),
        **({} if timed else {"tokens": round(amount)}),
    )
    with progress_bar() as bar:
        found, trainings, curves = run_pilot(
            train,
            {name: one.records for name, one in sets.items()},
            tested,
            how,
            Path(options.out),
            seconds=amount if timed else None,
            seed=options.seed,
            progress=bar,
        )
    described = {
        "format": 1,
        "train": {"name": real.source, "records": len(real), **real.reading.described()},
        "test": {"name": options.test or "held out of T", "records": len(tested)},
        "sets": [
            {"name": name, "file": one.source, "records": len(one), **one.reading.described()}
            for name, one in sets.items()
        ],
    }
    return {**described, **found, "versions": versions()}, trainings, curves


def _test_records(options: Namespace) -> list[Record]:
    """The test set, read as T is; some of it where it is large."""
    from ggmi.pilot.arms import drawn_test

    read = read_set(options.test, maps_of(options, [])[0], options)
    return drawn_test(read.records, options.seed)


def _check(options: Namespace) -> None:
    """Refuse what cannot be meant, before anything is read."""
    check_numbers(options, {"epochs": "0.1", "learning_rate": "1e-8", "cores": "1", "seed": "0"})
    named = [("--train", options.train), *(("--synthetic", source) for source in options.synthetic)]
    named += [("--test", options.test)] if options.test else []
    read = [(option, str(file)) for option, source in named for file in find(source).files]
    out = Path(options.out)
    if out.exists() and not out.is_dir():
        raise UserError(f"--out: {options.out!r} is a file; name a folder")
    for file in FILES:
        check_output("--out", str(out / file), read)
