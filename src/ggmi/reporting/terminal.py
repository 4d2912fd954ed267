"""What `ggmi estimate` prints: a table, what its columns and marks are, a chart, and at the end which set to take."""

from __future__ import annotations

import io
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ggmi.reporting.choosing import recommendation, wrongs
from ggmi.reporting.estimation import explanations, findings, summary_rows
from ggmi.reporting.estimators import HEADINGS, MEANINGS, Panel, columns_of, panels_of
from ggmi.reporting.text import capital
from ggmi.text.visible import one_line

# Columns of characters where no terminal ends a line: what is piped is never cut or wrapped.
UNENDING = 100_000
# Share of a terminal that names of sets may take before they are folded.
NAMES = 1 / 3
# Widest chart, in characters; and what its intervals, values and nulls are drawn with, in Unicode and without.
CHART = 48
LINES, ASCII = ("─", "●", "┊"), ("-", "o", ":")


def show(found: Mapping[str, Any]) -> None:
    """Print the table a person reads, and what follows from it; the recommendation is the end.

    On a terminal that is too narrow for all columns the table comes in parts; nothing is cut.

    Parameters
    ----------
    found
        Of `ggmi.estimating.estimated`.
    """
    console = unbroken()
    tables = {one["name"]: one["estimates"] for one in found["sets"]}
    deciding = found["recommendation"]["estimator"]
    headings, cells = summary_rows(tables, deciding)
    title = f"Against {one_line(PurePath(found['train']['name']).name)} ({found['train']['records']:,} records)"
    records = [("records", [Text(f"{one['records']:,}") for one in found["sets"]])]
    columns = records + [
        (heading, [Text("\n".join(part for part in line[i] if part)) for line in cells])
        for i, heading in enumerate(headings)
    ]
    names = [one_line(name) for name in tables]
    print_columns(console, "set", names, columns, title)
    meanings = [(HEADINGS[name][0], f"{capital(MEANINGS[name])}.") for name in columns_of(tables, deciding)]
    console.print("Values with 95 % intervals in brackets; T is the training set.", highlight=False)
    for term, sentence in meanings:
        console.print(Text.assemble("  ", (term, "italic"), f": {sentence}"))
    for sentence in explanations(found):
        console.print(Text(sentence))
    console.print()
    for panel in panels_of(tables, deciding):
        _print_panel(console, panel)
    console.print()
    for term, sentence in findings(tables, found["comparisons"]):
        console.print(Text.assemble((f"{term}: ", "bold"), sentence))
    for name, sentence, examples in wrongs(found):
        console.print()
        console.print(Text.assemble((f"{name}: ", "bold"), sentence))
        for place, asked, answered, beside in examples:
            console.print(Text(f"  {place}: {asked} → {answered}"))
            if beside:
                console.print(Text(f"    of T {beside}"))
    console.print()
    for term, sentence in recommendation(found):
        console.print(Text.assemble((f"{term}: ", "bold"), sentence))
    if found["recommendation"]["command"]:
        console.print(Text.assemble(("To decide by training small students: ", "bold")))
        for line in _pasteable(found["recommendation"]["command"], console.width):
            console.print(Text(line))


def _pasteable(command: str, width: int) -> list[str]:
    """A command in lines that fit where its words do."""
    lines = [""]
    for word in map(shlex.quote, shlex.split(command)):
        if lines[-1] and len(lines[-1]) + len(word) + len("  \\") > width:
            lines[-1] += " \\"
            lines.append(f"  {word}")
        else:
            lines[-1] += f"{' ' * bool(lines[-1])}{word}"
    return lines


def _print_panel(console: Console, panel: Panel) -> None:
    """Print a line a set: its interval and value on one axis, which the last line labels."""
    line, dot, null = ASCII if console.options.ascii_only else LINES
    known = [end for ends in (*panel.ends, panel.nulls) for end in ends if end is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    names = min(max(map(len, panel.names)), int(console.width * NAMES))
    cells = max(min(CHART, console.width - names - 2), 8)

    def at(value: float) -> int:
        return round((cells - 1) * (value - low) / (high - low)) if high > low else 0

    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(overflow="fold", width=names)
    table.add_column(no_wrap=True, width=cells)
    for name, (value, *ends) in zip(panel.names, panel.ends, strict=True):
        drawn = [" "] * cells
        for one in panel.nulls:
            drawn[at(one)] = null
        if value is not None:
            first, last = (value if end is None else end for end in ends)
            for i in range(at(min(first, value)), at(max(last, value)) + 1):
                drawn[i] = line
            drawn[at(value)] = dot
        table.add_row(Text(name), Text("".join(drawn)))
    left, right = (f"{end:.3g}".replace("-", "−") for end in (low, high))
    table.add_row("", Text(f"{left}{right:>{cells - len(left)}}", "dim"))
    console.print(Text(panel.heading, "bold"))
    console.print(table)


Columns = Sequence[tuple[str, Sequence[Text]]]


def unbroken() -> Console:
    """A console on standard output that cuts and wraps nothing that is piped."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal without Unicode shows question marks for it
        sys.stdout.reconfigure(errors="replace")
    console = Console()
    return console if console.is_terminal else Console(width=UNENDING)


def print_columns(console: Console, head: str, names: Sequence[str], columns: Columns, title: str = "") -> None:
    """Print a table; on a terminal that is too narrow for all columns, in parts of whole columns.

    Parameters
    ----------
    console
        Where.
    head, names
        Heading and cells of the first column, which every part repeats.
    columns
        Heading and cells of the others.
    title
        Above the first part.
    """
    unbound = console.options.update(max_width=UNENDING)
    parts: list[list[tuple[str, Sequence[Text]]]] = []
    for column in columns:
        wider = [*parts[-1], column] if parts else [column]
        if parts and console.measure(_table(console, head, names, wider), options=unbound).maximum <= console.width:
            parts[-1] = wider
        else:
            parts.append([column])
    for part in parts:
        console.print(_table(console, head, names, part, title))
        title = ""


def _table(console: Console, head: str, names: Sequence[str], columns: Columns, title: str = "") -> Table:
    """Some columns beside the first."""
    table = Table(title=Text(title) if title else None, title_justify="left", show_lines=True)
    table.add_column(head, overflow="fold", max_width=int(console.width * NAMES))
    for heading, _ in columns:
        table.add_column(heading, justify="right", overflow="fold")
    for i, name in enumerate(names):
        table.add_row(Text(name), *(texts[i] for _, texts in columns))
    return table
