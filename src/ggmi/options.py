"""Options that several commands share: sets and how they are read, outputs, progress."""

from __future__ import annotations

import math
import os
import shlex
import sys
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from time import monotonic
from typing import Any

from ggmi.errors import UserError, did_you_mean
from ggmi.text.forms import checked_names
from ggmi.text.places import STDIN, short_name
from ggmi.text.row_files import FORMATS
from ggmi.text.samples import Sample, read_sample

# Seconds between lines of progress where there is no terminal.
QUIET = 60.0


class Once(Action):
    """Refuses an option that is given twice, of which only one value would hold."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option_string: str | None = None
    ) -> None:
        """Keep the value."""
        given: set[str] = getattr(namespace, "_given", set())
        if self.dest in given:
            parser.error(f"{option_string} is given twice; name one value")
        setattr(namespace, "_given", given | {self.dest})  # noqa: B010
        setattr(namespace, self.dest, values)


def add_set_arguments(parser: ArgumentParser) -> None:
    """Describe the words that name sets and say how they are read.

    Parameters
    ----------
    parser
        Of the command.
    """
    files = "a file, folder or pattern of files, - or a hub id; docs/files.md lists what is read"
    parser.add_argument("--train", required=True, action=Once, metavar="T", help=f"training set: {files}")
    parser.add_argument(
        "--synthetic", required=True, nargs="+", action="extend", metavar="SET", help="synthetic sets, named likewise"
    )
    for option, purpose in (
        ("--map", "what the files call instruction, context, response and id"),
        ("--train-map", "what T calls them, where --map does not hold for it"),
        ("--synthetic-map", "what the sets call them, where --map does not hold for them"),
    ):
        parser.add_argument(option, nargs="+", action="extend", default=[], metavar="FIELD=COLUMN", help=purpose)
    parser.add_argument(
        "--map-of",
        nargs="+",
        action="append",
        default=[],
        metavar=("SET", "FIELD=COLUMN"),
        help="what one set calls them, by the set's name; may be given again for another",
    )
    parser.add_argument(
        "--format", action=Once, choices=FORMATS, help="of files of which neither content nor name tells it"
    )
    parser.add_argument("--encoding", action=Once, metavar="NAME", help="of text that is not UTF-8, such as cp1252")
    parser.add_argument(
        "--invalid",
        action=Once,
        choices=("drop", "stop"),
        default="drop",
        help="rows that hold no record: drop counts them and leaves them out (default), stop reads nothing then",
    )


def fields_of(words: Sequence[str], option: str = "--map") -> dict[str, str]:
    """What files call each field, from the words after ``--map``.

    Parameters
    ----------
    words
        Such as ``instruction=prompt``; nothing after the sign says that there is no context or id.
    option
        After which the words stand, for messages.

    Raises
    ------
    UserError
        If a word is not of that form, or names an unknown field.

    Examples
    --------
    >>> fields_of(["instruction=prompt"])
    {'instruction': 'prompt'}
    """
    found: dict[str, str] = {}
    for word in words:
        field, separator, column = word.partition("=")
        if not separator:
            raise UserError(f"{option}: {word!r} is not of the form field=column")
        if field in found:
            raise UserError(f"{option}: {field} is named twice")
        found[field] = column
    try:
        checked_names(found)
    except UserError as error:
        raise UserError(f"{option}: {str(error).removeprefix('fields: ')}") from None
    return found


def names_of(sources: Sequence[str]) -> list[str]:
    """Short names of sets: their files' stems, or the folders in which their paths differ where stems agree.

    Examples
    --------
    >>> names_of(["x/a.jsonl.gz", "y/b.csv"]), names_of(["s/3-ins/a.jsonl", "s/20-ins/a.jsonl"])
    (['a', 'b'], ['3-ins', '20-ins'])
    """
    names = [short_name(source) for source in sources]
    if len(set(names)) < len(names):
        parts = [(*Path(source).parts[:-1], name) for source, name in zip(sources, names, strict=True)]
        first, last = (_shared(row) for row in (parts, [part[::-1] for part in parts]))
        names = ["/".join(part[first : len(part) - last]) for part in parts]
    return names if len(set(names)) == len(names) and all(names) else list(sources)


def _shared(rows: Sequence[Sequence[str]]) -> int:
    """How many places at the start all rows have in common."""
    return sum(1 for _ in takewhile(lambda place: len(set(place)) == 1, zip(*rows, strict=False)))


def maps_of(options: Namespace, names: Sequence[str]) -> list[dict[str, str]]:
    """What T and each set call their fields.

    Parameters
    ----------
    options
        Of `add_arguments`.
    names
        Of the sets.

    Raises
    ------
    UserError
        If a map is not as it should be, or there is no set of its name.
    """
    common = fields_of(options.map)
    of_sets = common | fields_of(options.synthetic_map, "--synthetic-map")
    own: dict[int, dict[str, str]] = {}
    for one, *words in options.map_of:
        known = [i for i, pair in enumerate(zip(names, options.synthetic, strict=True)) if one in pair]
        if not known or not words:
            hint = "and FIELD=COLUMN must follow" if known else did_you_mean(one, names)
            raise UserError(f"--map-of: {one!r} must be the name of a set; {hint}")
        if known[0] in own:
            raise UserError(f"--map-of: {one!r} is given twice; name all its columns at once")
        own[known[0]] = fields_of(words, "--map-of")
    train = common | fields_of(options.train_map, "--train-map")
    return [train, *(of_sets | own.get(i, {}) for i in range(len(names)))]


def read_sets(options: Namespace) -> tuple[list[str], list[Sample]]:
    """Read T and every set.

    Parameters
    ----------
    options
        Of `add_arguments`.

    Returns
    -------
    names : list of str
        Of the sets.
    samples : list of Sample
        T, then the sets.

    Raises
    ------
    UserError
        If one cannot be read, or a map is not as it should be.
    """
    for path in options.synthetic:
        if sum(same_file(path, other) for other in options.synthetic) > 1:
            raise UserError(f"--synthetic: {path} is named twice")
    if STDIN in options.synthetic and options.train == STDIN:
        raise UserError("--train, --synthetic: - is standard input, which can be one set only")
    names = names_of(options.synthetic)
    maps = maps_of(options, names)
    sources = [options.train, *options.synthetic]
    return names, [read_set(source, fields, options) for source, fields in zip(sources, maps, strict=True)]


def pilot_command(train: str, sets: Sequence[str], reading: Sequence[str]) -> str | None:
    """The command that decides between some sets by small trainings.

    Parameters
    ----------
    train, sets
        Where they are.
    reading
        Options that say how they are read.

    Returns
    -------
    str or None
        For a shell; None where there is no set, or one cannot be read again.
    """
    if not sets or STDIN in (train, *sets):
        return None
    return shlex.join(["ggmi", "pilot", "--train", train, "--synthetic", *sets, *reading])


def reading_words(options: Namespace, sets: Mapping[str, str]) -> list[str]:
    """The words that say how T and some of the sets are read.

    Parameters
    ----------
    options
        Of `add_set_arguments`.
    sets
        Where they are, by name.
    """
    words = []
    for name in ("map", "train_map", "synthetic_map"):
        given = getattr(options, name)
        words += [f"--{name.replace('_', '-')}", *given] if given else []
    for one, *fields in options.map_of:
        words += ["--map-of", one, *fields] if one in {*sets, *sets.values()} else []
    for name in ("format", "encoding"):
        words += [f"--{name}", value] if (value := getattr(options, name)) else []
    return [*words, *(["--invalid", "stop"] if options.invalid == "stop" else [])]


def read_set(source: str, fields: dict[str, str], options: Namespace) -> Sample:
    """Read one set as the options say.

    Parameters
    ----------
    source
        Where it is.
    fields
        What it calls its fields.
    options
        Of `add_set_arguments`, with `pairs` and `parts`.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    return read_sample(
        source,
        fields,
        key=options.pairs,
        parts=options.parts,
        form=options.format,
        encoding=options.encoding,
        invalid=options.invalid,
    )


def check_numbers(options: Namespace, least: Mapping[str, str]) -> None:
    """Refuse numbers that are too small or none.

    Parameters
    ----------
    options
        Of the command; what is None was not given.
    least
        The smallest that is allowed of each, as a person reads it.

    Raises
    ------
    UserError
        If so.
    """
    for name, bound in least.items():
        given = getattr(options, name)
        if given is not None and not (given >= float(bound) and math.isfinite(given)):
            option = f"--{name.replace('_', '-')}"
            raise UserError(f"{option}: {given:g} is not allowed; it must be a number of at least {bound}")


def same_file(one: str, other: str) -> bool:
    """Whether two paths lead to one file, through links too; also where there is none yet.

    Examples
    --------
    >>> same_file("sets/../a.jsonl", "a.jsonl"), same_file("a.jsonl", "b.jsonl")
    (True, False)
    """
    try:
        return Path(one).samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def check_output(option: str, file: str, read: Sequence[tuple[str, str]]) -> None:
    """Refuse an output that would replace another file of the command, or cannot be written.

    Parameters
    ----------
    option, file
        Which output, and where.
    read
        Other options and their files.

    Raises
    ------
    UserError
        If so.
    """
    for other, path in read:
        if same_file(file, path):
            raise UserError(f"{option}: {file!r} is the file of {other}, which would be lost; name another")
    folder = Path(file).absolute().parent
    while not folder.exists():
        folder = folder.parent
    if Path(file).is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{option}: {file!r} cannot be written")


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on standard error, or a line a minute where it is no terminal: what is done, how much, of how much."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        told, last = monotonic(), ""

        def show(what: str, done: int, of: int) -> None:
            nonlocal told, last
            if what != last:  # how long one kind of work takes says nothing of another
                bar.reset(task)
                last = what
            bar.update(task, description=escape(what), completed=done, total=of)
            if not console.is_terminal and monotonic() - told >= QUIET:
                told = monotonic()
                sys.stderr.write(f"ggmi: {what}: {done:,} of {of:,}\n")

        yield show
