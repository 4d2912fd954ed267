"""The command `ggmi pilot`: small trainings on sets of one's own decide which of them should get the large one."""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
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
from ggmi.pilot.settings import BASE_RATE, PROXY_RATE, PilotSettings
from ggmi.provenance import versions
from ggmi.text.places import find
from ggmi.text.records import FIELDS
from ggmi.text.samples import Sample

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ggmi.pilot.rating import PilotJudge

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
WIDTH_INCHES, DPI = 9.0, 150
# What the command makes, besides trainings' results and the small models.
VERDICTS = "verdicts.jsonl"
FILES = (
    *("pilot.html", "pilot.json", "trainings.csv", "predicted_curves.csv", "curves.svg", "curves.png", "curves.csv"),
    VERDICTS,
)


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
        help=f"default {PROXY_RATE:g}; with --base {BASE_RATE:g}",
    )
    parser.add_argument(
        "--judge",
        action=Once,
        metavar="JUDGE",
        help="rates what the last students answer: directory or hub id of a model, or a YAML file that holds a task's "
        "section judge, such as an endpoint; comes on top of the budget",
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
    test = read_set(options.test, maps_of(options, [])[0], options) if options.test else None
    from snakemake.utils import available_cpu_count

    from ggmi.io import write_csv, write_json
    from ggmi.reporting.pilot import show_pilot

    how = PilotSettings(
        base=options.base,
        mixtures=options.mixtures,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        processes=options.cores or available_cpu_count(),
    )
    out = Path(options.out)
    sets = dict(zip(names, samples[1:], strict=True))
    with progress_bar() as bar:
        judge = named_judge(options.judge, out, bar) if options.judge else None
        found = compared(samples[0], sets, test, how, budget, out, seed=options.seed, progress=bar, judge=judge)
    write_csv(out / "trainings.csv", found.trainings)
    write_csv(out / "predicted_curves.csv", found.curves)
    write_json(out / "pilot.json", found.found)
    found.save_curves(out / "curves")
    found.to_html(out / "pilot.html")
    show_pilot(found.found, out)


@dataclass(frozen=True)
class PilotFindings:
    """What a pilot found; a notebook shows the recommendation and a row a set.

    Parameters
    ----------
    found
        All of it, ready for JSON; docs/pilot.md says what its keys mean.
    trainings, curves
        Tables of every training, and of the curves that are drawn.
    """

    found: dict[str, Any]
    trainings: pd.DataFrame
    curves: pd.DataFrame

    @property
    def choice(self) -> dict[str, Any]:
        """The set to train on (``arm``), its ``probability`` to be the best, and which others may be."""
        return dict(self.found["choice"])

    def to_frame(self) -> pd.DataFrame:
        """Every set at its full size: probability to be the best, predicted loss, gain and regret (nats a token)."""
        import pandas as pd

        return pd.DataFrame(self.found["arms"])

    def save_curves(self, stem: str | os.PathLike[str]) -> None:
        """Draw the learning curves as ``STEM.svg`` and ``STEM.png``, their numbers as CSV.

        Parameters
        ----------
        stem
            Path without suffix.
        """
        from ggmi.plotting.style import save_figure

        save_figure(*self._drawn(), os.fspath(stem), DPI)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """The page that ``ggmi pilot`` writes.

        Parameters
        ----------
        path
            Where it is written, too; None writes nothing.
        """
        from ggmi.io import write_text
        from ggmi.plotting.style import svg_bytes
        from ggmi.reporting.page import parts_of, render
        from ggmi.reporting.pilot import shown

        text = render(parts_of("pilot"), **shown(self.found, svg_bytes(self._drawn()[0])))
        if path is not None:
            write_text(path, text)
        return text

    def _drawn(self) -> tuple[Figure, pd.DataFrame]:
        from ggmi.plotting.pilot import pilot_figure

        return pilot_figure(self.trainings, self.curves, self.to_frame(), WIDTH_INCHES)

    def __repr__(self) -> str:
        """The recommendation and its reasons as text."""
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        return "".join(f"<p>{escape(line)}</p>" for line in self._lines()) + str(self.to_frame().to_html())

    def _lines(self) -> list[str]:
        from ggmi.reporting.pilot import sentences

        return [f"{term}: {sentence}" for term, sentence in sentences(self.found)]


def named_judge(judge: str | Mapping[str, Any], folder: Path, progress: Callable[[str, int, int], None]) -> PilotJudge:
    """The judge that a person names; nothing is asked or started yet.

    Parameters
    ----------
    judge
        Directory or hub id of a model; a YAML file with a task's section `judge`; or such a section.
    folder
        Where its raw verdicts are kept (`VERDICTS`): what is there is not paid for again.
    progress
        See `ggmi.pilot.study.run_pilot`.

    Raises
    ------
    UserError
        If the section is not as it should be, the template cannot be read, or a model that runs here cannot be had.
    """
    from ggmi.config import read_yaml
    from ggmi.config.students import JUDGE_TEMPLATES
    from ggmi.config.tree import checked_judge
    from ggmi.models.backend import backend
    from ggmi.models.store import Store
    from ggmi.pilot.rating import PilotJudge
    from ggmi.pipeline.ratings import model_verdicts
    from ggmi.project import PROJECT
    from ggmi.rating.asking import JudgeRequests
    from ggmi.rating.judging import read_judge_template

    values: Mapping[str, Any] = judge if isinstance(judge, Mapping) else {"by": {"kind": "local", "model": judge}}
    if isinstance(judge, str) and Path(judge).suffix in (".yaml", ".yml"):
        values = read_yaml(Path(judge))
    checked = checked_judge(values, judge if isinstance(judge, str) else "judge")
    named = checked.template in JUDGE_TEMPLATES
    asked = backend(checked.by.model_dump(), source="judge.by", log=folder / "judge.log")
    _ = asked.identity  # a model that cannot be had is told before anything is trained
    rate = model_verdicts(
        asked,
        read_judge_template(
            PROJECT / "workflow" / "templates" / f"{checked.template}.txt" if named else checked.template
        ),
        checked.sampling.model_dump(),
        JudgeRequests(checked.verdicts, checked.retries),
        Store(folder / VERDICTS),
        lambda now: progress("asking the judge", now.done, now.total),
    )
    return PilotJudge(values["by"]["model"], rate)


def compared(
    real: Sample,
    sets: Mapping[str, Sample],
    test: Sample | None,
    how: PilotSettings,
    budget: tuple[float, bool],
    folder: Path,
    *,
    seed: int,
    progress: Callable[[str, int, int], None],
    judge: PilotJudge | None = None,
) -> PilotFindings:
    """Compare sets by small trainings.

    Parameters
    ----------
    real
        T.
    sets
        Synthetic sets by name.
    test
        Real records to test on; None holds out a fifth of T.
    how
        The base, and how is trained.
    budget
        Of `budget_of`.
    folder
        Where trainings are kept.
    seed, progress, judge
        See `ggmi.pilot.study.run_pilot`.

    Raises
    ------
    UserError
        As `ggmi.pilot.study.run_pilot`.
    """
    from ggmi.pilot.arms import drawn_test, hold_out
    from ggmi.pilot.study import run_pilot

    train = list(real.records)
    train, tested = (train, drawn_test(test.records, seed)) if test is not None else hold_out(train, seed)
    amount, timed = budget
    found, trainings, curves = run_pilot(
        train,
        {name: one.records for name, one in sets.items()},
        tested,
        how if timed else how.model_copy(update={"tokens": round(amount)}),
        folder,
        seconds=amount if timed else None,
        seed=seed,
        progress=progress,
        judge=judge,
    )
    described = {
        "format": 1,
        "train": {"name": real.source, "records": len(real), **real.reading.described()},
        "test": {"name": "held out of T" if test is None else test.source, "records": len(tested)},
        "sets": [
            {"name": name, "file": one.source, "records": len(one), **one.reading.described()}
            for name, one in sets.items()
        ],
    }
    return PilotFindings({**described, **found, "versions": versions()}, trainings, curves)


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
